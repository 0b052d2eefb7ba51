//! Builds the head from nothing, as its lock files say, and tries what came out where the source cannot stand in
//! for it.
//!
//! One file an ecosystem. What an ecosystem cannot pack is tried as it lies, and then that is a gap.

mod cmake;
mod environment;
mod go;
mod java;
mod node;
mod packed;
mod php;
mod python;
mod ruby;
mod rust;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::{Check, CheckKind, Side};

use crate::plan::{Ecosystem, Suite};
use crate::report::{CompileFormat, JunitDialect, TestFormat, read_tests};
use crate::row::Case;
use crate::run::{Command, Host, Tree, Trouble};
use crate::runner::program;
use crate::sandbox::Ran;
use crate::typecheck;

pub(crate) use environment::disagreement;

/// Nothing was packed; what was tried lies beside the source.
pub(crate) const NOT_BUILT: &str = "ARTEFACT_NOT_BUILT";
/// No lock file says which versions are meant.
pub(crate) const NOT_LOCKED: &str = "NOT_LOCKED";

/// What a command needs besides its words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    pub env: Vec<(String, String)>,
    pub writable: Vec<PathBuf>,
    pub readable: Vec<PathBuf>,
}

/// What a build made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Artefact {
    /// Where it is: what `{artefact}` stands for.
    pub place: PathBuf,
    /// What commands that try it need.
    pub needs: Needs,
    /// What to run where the policy names nothing.
    pub tries: Vec<Try>,
}

/// A command that tries what was built.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    /// Other ways to ask, of which one that is understood is enough.
    pub or: Vec<Vec<String>>,
}

/// How a build ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Built {
    /// The first error, where it failed.
    pub error: Option<String>,
    pub checks: Vec<Check>,
    pub gaps: BTreeSet<&'static str>,
    pub artefact: Option<Artefact>,
}

/// What trying it showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smoked {
    /// How many things were held to be true.
    pub assertions: u64,
    /// What was not.
    pub failed: Option<String>,
    /// Whether a report said how many, rather than an exit status alone.
    pub is_counted: bool,
    pub checks: Vec<Check>,
}

/// Builds one suite in a tree of its own.
pub(crate) fn build(
    case: &Case<'_>,
    suite: &Suite,
    tree: &Tree,
    argv: Option<&[String]>,
) -> Result<Built, Trouble> {
    let host = case.host;
    let mut built = match (argv, suite.ecosystem) {
        (Some(argv), _) => prescribed(host, tree, argv)?,
        (None, Ecosystem::Rust) => rust::build(host, suite, tree)?,
        (None, Ecosystem::Go) => go::build(host, suite, tree)?,
        (None, Ecosystem::Python) => python::build(case, suite, tree)?,
        (None, Ecosystem::JavaScript) => node::build(host, suite, tree)?,
        (None, Ecosystem::Ruby | Ecosystem::Php | Ecosystem::Java | Ecosystem::C) => {
            packed::build(case, suite, tree)?
        }
    };
    for check in &mut built.checks {
        check.side = tree.side;
    }
    Ok(built)
}

/// The policy's own command; what it made lies in the tree.
fn prescribed(host: &Host<'_>, tree: &Tree, argv: &[String]) -> Result<Built, Trouble> {
    let mut argv = argv.to_vec();
    if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
        *first = host.program(first, "the policy builds with it")?;
    }
    let needs = Needs::default();
    let (ran, check) = step(host, tree, &tree.path, CheckKind::Build, argv, &needs)?;
    let artefact = Artefact {
        place: tree.path.clone(),
        ..Artefact::default()
    };
    Ok(Built {
        error: error_of(&ran, None),
        checks: vec![check],
        artefact: Some(artefact),
        ..Built::default()
    })
}

/// Builds by what typechecks, which packs nothing.
fn checked(case: &Case<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    let mut built = Built {
        gaps: BTreeSet::from([NOT_BUILT]),
        ..Built::default()
    };
    let Some(checker) = typecheck::checker_in(case, suite, tree)? else {
        return Ok(built);
    };
    let needs = Needs {
        env: checker.env,
        writable: checker.writable,
        readable: checker.readable,
    };
    let cwd = tree.path.join(&suite.dir);
    let (ran, check) = step(
        case.host,
        tree,
        &cwd,
        CheckKind::Build,
        checker.argv,
        &needs,
    )?;
    built.error = error_of(&ran, checker.format);
    built.checks.push(check);
    built.artefact = Some(Artefact {
        place: tree.path.clone(),
        needs,
        tries: Vec::new(),
    });
    Ok(built)
}

/// Runs one command of a build or of a try.
pub(crate) fn step(
    host: &Host<'_>,
    tree: &Tree,
    cwd: &Path,
    kind: CheckKind,
    argv: Vec<String>,
    needs: &Needs,
) -> Result<(Ran, Check), Trouble> {
    let Needs {
        env,
        writable,
        readable,
    } = needs.clone();
    host.run(Command {
        kind,
        argv,
        cwd: cwd.to_path_buf(),
        env,
        writable,
        readable,
        tree,
    })
}

/// The first error of a build that failed.
fn error_of(ran: &Ran, format: Option<CompileFormat>) -> Option<String> {
    if ran.is_timed_out {
        return Some("it ran out of its time".to_owned());
    }
    (ran.exit != Some(0)).then(|| typecheck::error_of(ran, format))
}

fn said(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout)
}

/// Runs the policy's command, or what the ecosystem has, on what was built.
pub(crate) fn smoke(
    host: &Host<'_>,
    tree: &Tree,
    artefact: &Artefact,
    argv: Option<&[String]>,
) -> Result<Option<Smoked>, Trouble> {
    let mut smoked = Smoked {
        is_counted: true,
        ..Smoked::default()
    };
    if let Some(argv) = argv {
        named(host, tree, artefact, argv, &mut smoked)?;
        return Ok(Some(smoked));
    }
    if artefact.tries.is_empty() {
        return Ok(None);
    }
    for one in &artefact.tries {
        let ways: Vec<&Vec<String>> = std::iter::once(&one.argv).chain(&one.or).collect();
        let is_question = !one.or.is_empty();
        let mut refused = None;
        for argv in ways {
            let (ran, mut check) = step(
                host,
                tree,
                &one.cwd,
                CheckKind::Smoke,
                argv.clone(),
                &artefact.needs,
            )?;
            if !is_question {
                take(&ran, check, &mut smoked);
                refused = None;
                break;
            }
            // A program that is asked what it can do answers with words and a good status.
            if ran.exit == Some(0) && !said(&ran).trim().is_empty() {
                smoked.assertions += 1;
                smoked.checks.push(check);
                refused = None;
                break;
            }
            check.side = Side::Other;
            smoked.checks.push(check);
            let program = argv
                .first()
                .map(|program| program.rsplit('/').next().unwrap_or(program).to_owned());
            let crashed = ran.signal.is_some() || ran.exit == Some(101) || ran.is_timed_out;
            refused = Some((program.unwrap_or_default(), crashed, last_line(&ran)));
        }
        if let Some((program, true, line)) = refused {
            smoked
                .failed
                .get_or_insert(format!("{program} does not start: {line}"));
        }
    }
    Ok(Some(smoked))
}

/// The command of the policy.
fn named(
    host: &Host<'_>,
    tree: &Tree,
    artefact: &Artefact,
    argv: &[String],
    smoked: &mut Smoked,
) -> Result<(), Trouble> {
    let out = host.fresh("smoke")?;
    let report = out.join("report.xml");
    let place = artefact.place.to_string_lossy().into_owned();
    let fill = |word: &String| {
        word.replace("{artefact}", &place)
            .replace("{report}", &report.to_string_lossy())
    };
    let mut argv: Vec<String> = argv.iter().map(fill).collect();
    if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
        *first = host.program(first, "the policy's smoke command needs it")?;
    }
    let mut needs = artefact.needs.clone();
    needs.env.push(("WAYPROOF_ARTEFACT".to_owned(), place));
    needs.writable.push(out);
    needs.readable.push(artefact.place.clone());
    let (ran, mut check) = step(host, tree, &tree.path, CheckKind::Smoke, argv, &needs)?;
    if let Ok(bytes) = std::fs::read(&report) {
        let format = TestFormat::Junit(JunitDialect::Surefire);
        let read = read_tests(&format, &tree.path.to_string_lossy(), &bytes);
        let red = read.results.iter().find(|(_, result)| result.red.is_some());
        smoked.assertions += read
            .results
            .values()
            .filter(|result| result.status == crate::report::Status::Passed)
            .count() as u64;
        smoked.failed = red.map(|(id, result)| format!("{id}: {}", result.message));
        if ran.exit != Some(0) {
            smoked.failed.get_or_insert_with(|| last_line(&ran));
        }
        check.parser = Some("junit".to_owned());
        check.reports = vec![crate::run::report("application/xml", &bytes)];
        check.is_complete &= read.is_complete;
        smoked.checks.push(check);
    } else {
        take(&ran, check, smoked);
    }
    Ok(())
}

/// What a program's own output says.
fn take(ran: &Ran, check: Check, smoked: &mut Smoked) {
    let run = program::read("smoke", ran, check);
    smoked.is_counted &= run.is_structured;
    if run.is_structured {
        smoked.assertions += run.greens().len() as u64;
    }
    let red = run.results.iter().find(|(_, result)| result.red.is_some());
    let stop = run.stopped.values().next().map(|stop| stop.message.clone());
    let why = red
        .map(|(id, result)| format!("{id}: {}", result.message))
        .or(stop);
    let why = why.or_else(|| (ran.exit != Some(0) || ran.is_timed_out).then(|| last_line(ran)));
    let why = why.or_else(|| run.problems.first().cloned());
    let why =
        why.or_else(|| (!run.is_complete).then(|| "it ended before its report did".to_owned()));
    if smoked.failed.is_none() {
        smoked.failed = why;
    }
    smoked.checks.extend(run.checks);
}

fn last_line(ran: &Ran) -> String {
    if ran.is_timed_out {
        return "it ran out of its time".to_owned();
    }
    let said = said(ran);
    let line = said
        .lines()
        .find(|line| line.contains("rror"))
        .or_else(|| said.lines().rev().find(|line| !line.trim().is_empty()));
    line.unwrap_or("it said nothing").trim().to_owned()
}

/// A copy of a tree that a build may write into, links kept as they are.
pub(crate) fn copy(from: &Tree, name: &str, host: &Host<'_>) -> Result<Tree, Trouble> {
    let path = host.scratch.join("trees").join(name);
    copy_folder(&from.path, &path).map_err(Trouble::io("copy a tree to build it"))?;
    Ok(Tree {
        side: from.side,
        path,
        content: None,
    })
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, place) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, place)?;
        } else if kind.is_dir() {
            copy_folder(&entry.path(), &place)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
