//! Type checkers and compilers, run on the head and, only where they object, on the base.
//!
//! A checker that is not configured or not installed is no check: it neither passes nor fails a change.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wayproof_receipt::predicate::{Check, CheckKind};

use crate::kept;
use crate::plan::{Ecosystem, Suite, role};
use crate::report::{CompileFormat, Severity, read_diagnostics};
use crate::request::Commands;
use crate::row::Case;
use crate::run::{Tree, Trouble};
use crate::runner::{cmake, go, java, php, python, ruby, rust};
use crate::sandbox::Ran;

/// What a checker said.
pub(crate) struct Typechecked {
    /// Whether it accepted the head.
    pub has_passed: bool,
    /// Whether it accepted the base and not the head.
    pub is_broken_by_change: bool,
    /// The first error at the head.
    pub first_error: String,
    /// The commands that ran.
    pub checks: Vec<Check>,
}

/// A checker that can be run in any tree.
pub(crate) struct Checker {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub writable: Vec<PathBuf>,
    pub readable: Vec<PathBuf>,
    pub format: Option<CompileFormat>,
}

/// Checks the head by what the suite's ecosystem offers; `None` when it offers nothing.
pub(crate) fn check(
    case: &Case<'_>,
    suite: &Suite,
    commands: &Commands,
) -> Result<Option<Typechecked>, Trouble> {
    let Some(head) = run(case, suite, commands, &case.trees.head)? else {
        return Ok(None);
    };
    let has_passed = head.has_passed();
    let mut checks = vec![head.check];
    let mut is_broken_by_change = false;
    if !has_passed && let Some(base) = run(case, suite, commands, &case.trees.base)? {
        is_broken_by_change = base.has_passed();
        checks.push(base.check);
    }
    Ok(Some(Typechecked {
        has_passed,
        is_broken_by_change,
        first_error: head.first_error,
        checks,
    }))
}

/// What a checker said of one tree.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    /// Empty if it has no objection.
    first_error: String,
    check: Check,
}

impl Said {
    fn has_passed(&self) -> bool {
        self.check.exit_status == Some(0)
    }
}

impl kept::Outcome for Said {
    fn checks(&mut self) -> Vec<&mut Check> {
        vec![&mut self.check]
    }

    fn is_settled(&self) -> bool {
        true
    }
}

fn run(
    case: &Case<'_>,
    suite: &Suite,
    commands: &Commands,
    tree: &Tree,
) -> Result<Option<Said>, Trouble> {
    let Some(checker) = checker(case, suite, commands, tree)? else {
        return Ok(None);
    };
    let what = format!(
        "typecheck {suite:?} {:?}",
        case.host.shorten(&checker.argv, tree)
    );
    let command = crate::run::Command {
        kind: CheckKind::Typecheck,
        argv: checker.argv,
        cwd: tree.path.join(&suite.dir),
        env: checker.env,
        writable: checker.writable,
        readable: checker.readable,
        tree,
    };
    let said = kept::or_run(case.host, tree, &what, || {
        let (ran, check) = case.host.run(command)?;
        let first_error = if ran.exit == Some(0) {
            String::new()
        } else {
            error_of(&ran, checker.format)
        };
        Ok(Said { first_error, check })
    })?;
    Ok(Some(said))
}

/// The checker that a suite's ecosystem has, whatever the policy says.
pub(crate) fn checker_in(
    case: &Case<'_>,
    suite: &Suite,
    tree: &Tree,
) -> Result<Option<Checker>, Trouble> {
    checker(case, suite, &Commands::default(), tree)
}

fn checker(
    case: &Case<'_>,
    suite: &Suite,
    commands: &Commands,
    tree: &Tree,
) -> Result<Option<Checker>, Trouble> {
    if let Some(argv) = commands.typecheck.as_ref().or(commands.build.as_ref()) {
        let plain = Checker {
            argv: argv.clone(),
            env: Vec::new(),
            writable: Vec::new(),
            readable: Vec::new(),
            format: None,
        };
        return Ok(Some(plain));
    }
    let cwd = tree.path.join(&suite.dir);
    match suite.ecosystem {
        Ecosystem::Rust => rust::checker(case.host, suite, tree).map(Some),
        Ecosystem::Go => go::checker(case.host, tree, suite).map(Some),
        Ecosystem::Java => java::checker(case.host, tree, suite).map(Some),
        Ecosystem::C => cmake::checker(case.host, tree, suite).map(Some),
        Ecosystem::JavaScript => {
            let compiler = cwd.join("node_modules/typescript/bin/tsc");
            if !cwd.join("tsconfig.json").exists() || !compiler.exists() {
                return Ok(None);
            }
            let node = case
                .host
                .program("node", "the change needs it to typecheck")?;
            let argv = vec![
                node,
                compiler.to_string_lossy().into_owned(),
                "--noEmit".to_owned(),
                "--pretty".to_owned(),
                "false".to_owned(),
            ];
            Ok(Some(Checker {
                argv,
                env: Vec::new(),
                writable: Vec::new(),
                readable: Vec::new(),
                format: Some(CompileFormat::Tsc),
            }))
        }
        Ecosystem::Python => {
            python::checker(case.host, &cwd, &changed_files(case, suite, &cwd, "py"))
        }
        Ecosystem::Ruby => ruby::checker(case.host, &changed_files(case, suite, &cwd, "rb")),
        Ecosystem::Php => php::checker(case.host, &changed_files(case, suite, &cwd, "php")),
    }
}

/// The files of a language that the change leaves changed, inside the suite.
fn changed_files(case: &Case<'_>, suite: &Suite, cwd: &Path, extension: &str) -> Vec<String> {
    let changed = case.changes.iter().filter(|change| {
        crate::plan::extension(&change.path) == extension && change.new_blob.is_some()
    });
    changed
        .filter(|change| role::role_of(&change.path) != role::Role::Golden)
        .filter_map(|change| change.path.strip_prefix(&suite.dir))
        .map(|path| path.trim_start_matches('/').to_owned())
        .filter(|file| cwd.join(file).exists())
        .collect()
}

/// The first error that a checker or a build printed.
pub(crate) fn error_of(ran: &Ran, format: Option<CompileFormat>) -> String {
    if let Some(format) = format {
        let read = read_diagnostics(format, &ran.stdout);
        if let Some(error) = read
            .diagnostics
            .into_iter()
            .find(|one| one.severity == Severity::Error)
        {
            let place = error
                .location
                .map(|at| format!(" ({}:{})", at.file, at.line.unwrap_or(1)))
                .unwrap_or_default();
            return format!("{}{place}", error.message);
        }
    }
    let said =
        String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    let line = said
        .lines()
        .find(|line| line.to_ascii_lowercase().contains("error"))
        .or_else(|| said.lines().find(|line| line.contains(':')));
    line.unwrap_or("the checker said nothing").trim().to_owned()
}
