//! Go modules, by `go test -json`, which is asked for the list of tests first.
//!
//! Results are never taken from the test cache, and the network stays off.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wayproof_receipt::predicate::{Check, CheckKind};

use super::cache;
use crate::plan::Suite;
use crate::report::{RedReason, TestFormat, TestId, read_tests};
use crate::run::{Command, Host, Mode, Selection, Stop, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: Option<String>,
    #[serde(default)]
    output: String,
}

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let go = host.program("go", "the change needs it to run its tests")?;
    let cwd = tree.path.join(&suite.dir);
    let place = Place::new(host, tree, &cwd)?;
    let start = |kind, args: Vec<String>| {
        let mut argv = [go.as_str(), "test", "-json", "-vet=off"]
            .map(str::to_owned)
            .to_vec();
        let mut kept = Vec::new();
        if kind == CheckKind::Test {
            kept.extend(host.mode.coverage.map(Path::to_path_buf));
            argv.extend(options_of(host.mode));
        }
        argv.extend(args);
        let Place {
            cache,
            modules,
            env,
        } = place.clone();
        host.run(Command {
            kind,
            argv,
            cwd: cwd.clone(),
            env,
            writable: [vec![cache], kept].concat(),
            readable: modules,
            tree,
        })
    };
    let (listed, _) = start(
        CheckKind::Other,
        ["-list", ".", "./..."].map(str::to_owned).into(),
    )?;
    let said = String::from_utf8_lossy(&listed.stderr).into_owned()
        + &String::from_utf8_lossy(&listed.stdout);
    if let Some(sentence) = missing_dependency(&said) {
        return Err(Trouble::Infra(sentence));
    }
    let (planned, stopped) = read_list(&listed.stdout, &String::from_utf8_lossy(&listed.stderr));
    let (chosen, args) = arguments(planned, selection);
    if chosen.is_empty() {
        return Ok(SuiteRun {
            stopped,
            ..SuiteRun::empty()
        });
    }
    let (ran, check) = start(CheckKind::Test, args)?;
    Ok(read_run(&cwd, &ran, check, (chosen, stopped)))
}

/// What a run of the chosen tests says, beside what the list did.
fn read_run(
    cwd: &Path,
    ran: &Ran,
    mut check: Check,
    (chosen, mut stopped): (BTreeSet<TestId>, BTreeMap<String, Stop>),
) -> SuiteRun {
    let read = read_tests(&TestFormat::GoTest, &cwd.to_string_lossy(), &ran.stdout);
    let mut run = SuiteRun {
        planned: chosen,
        ..SuiteRun::empty()
    };
    run.results.extend(read.results);
    run.problems.extend(read.problems);
    stopped.extend(read_list(&ran.stdout, &String::from_utf8_lossy(&ran.stderr)).1);
    for (package, stop) in ends(&ran.stdout, &run) {
        stopped.entry(package).or_insert(stop);
    }
    run.stopped = stopped;
    run.is_complete = !ran.is_timed_out && ran.exit.is_some();
    check.is_complete &= run.is_complete;
    check.reports = vec![report("application/x-ndjson", &ran.stdout)];
    check.parser = Some("go-test-json".to_owned());
    run.checks.push(check);
    run
}

/// How a mode is asked for.
fn options_of(mode: Mode<'_>) -> Vec<String> {
    let mut options = Vec::new();
    options.extend(mode.shuffle.map(|seed| format!("-shuffle={seed}")));
    if let Some(folder) = mode.coverage {
        let profile = folder.join("go.out");
        options.extend(["-coverpkg=./...", "-covermode=set"].map(str::to_owned));
        options.push(format!("-coverprofile={}", profile.display()));
    }
    options
}

/// Where go keeps things, and what it is told: no network, nothing downloaded, no workspace around the tree.
#[derive(Clone)]
struct Place {
    cache: PathBuf,
    /// The downloaded modules; on a machine that never downloaded any there are none.
    modules: Vec<PathBuf>,
    env: Vec<(String, String)>,
}

impl Place {
    fn new(host: &Host<'_>, tree: &Tree, cwd: &Path) -> Result<Self, Trouble> {
        Self::of(host, tree, cwd, "go-cache")
    }

    fn of(host: &Host<'_>, tree: &Tree, cwd: &Path, kind: &str) -> Result<Self, Trouble> {
        let cache = cache::folder(host, tree, kind, &BTreeSet::new())?;
        let modules = host.machine.folder("GOMODCACHE", "go/pkg/mod");
        let flags = if cwd.join("vendor").is_dir() {
            "-mod=vendor"
        } else {
            "-mod=mod"
        };
        let env = [
            ("GOFLAGS", flags.to_owned()),
            ("GOPROXY", "off".to_owned()),
            ("GOSUMDB", "off".to_owned()),
            ("GOTOOLCHAIN", "local".to_owned()),
            ("GOWORK", "off".to_owned()),
            ("GOCACHE", cache.to_string_lossy().into_owned()),
            ("GOMODCACHE", modules.to_string_lossy().into_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Self {
            cache,
            modules: Some(modules)
                .filter(|folder| folder.is_dir())
                .into_iter()
                .collect(),
            env,
        })
    }
}

/// How to build the module with nothing left over from earlier builds, exactly as `go.mod` and `go.sum` say.
pub(crate) fn builder(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<Checker, Trouble> {
    let go = host.program("go", "the change needs it to build")?;
    let mut place = Place::of(host, tree, &tree.path.join(&suite.dir), "clean-go-cache")?;
    for (name, value) in &mut place.env {
        if name == "GOFLAGS" && value == "-mod=mod" {
            "-mod=readonly".clone_into(value);
        }
    }
    Ok(Checker {
        argv: vec![go, "build".to_owned(), "./...".to_owned()],
        env: place.env,
        writable: vec![place.cache],
        readable: place.modules,
        format: None,
    })
}

/// The sentence about a module that is not on this machine, where that is what was said.
pub(crate) fn missing(said: &str) -> Option<String> {
    missing_dependency(said)
}

/// How to typecheck the module: build every package and vet it with its tests.
pub(crate) fn checker(host: &Host<'_>, tree: &Tree, suite: &Suite) -> Result<Checker, Trouble> {
    let go = host.program("go", "the change needs it to build")?;
    let Place {
        cache,
        modules,
        env,
    } = Place::new(host, tree, &tree.path.join(&suite.dir))?;
    let argv = vec![go, "vet".to_owned(), "./...".to_owned()];
    Ok(Checker {
        argv,
        env,
        writable: vec![cache],
        readable: modules,
        format: None,
    })
}

/// What to run: everything, or the top-level tests and packages of the chosen ids.
fn arguments(
    planned: BTreeSet<TestId>,
    selection: Selection<'_>,
) -> (BTreeSet<TestId>, Vec<String>) {
    let Selection::Only(ids) = selection else {
        return (planned, ["-count=1", "./..."].map(str::to_owned).into());
    };
    let mut names = BTreeSet::new();
    let mut packages = BTreeSet::new();
    for id in ids {
        let (package, test) = parts(id);
        names.insert(test.to_owned());
        packages.insert(package.to_owned());
    }
    let kept: BTreeSet<TestId> = planned
        .into_iter()
        .filter(|id| packages.contains(parts(id).0) && names.contains(parts(id).1))
        .collect();
    let pattern = format!("^({})$", names.into_iter().collect::<Vec<_>>().join("|"));
    let args = [
        vec!["-count=1".to_owned(), "-run".to_owned(), pattern],
        packages.into_iter().collect(),
    ]
    .concat();
    (kept, args)
}

/// The package and the top-level test of an id `package.TestName/sub`.
fn parts(id: &TestId) -> (&str, &str) {
    let text = id.as_str();
    let name_at = [".Test", ".Example", ".Fuzz"]
        .iter()
        .filter_map(|start| text.find(start))
        .min();
    let Some((package, rest)) = name_at.and_then(|at| text.split_at_checked(at)) else {
        return (text, "");
    };
    let test = rest.trim_start_matches('.');
    (package, test.split('/').next().unwrap_or(test))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line> + '_ {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
}

/// The listed tests, and the packages that do not build.
fn read_list(stdout: &[u8], stderr: &str) -> (BTreeSet<TestId>, BTreeMap<String, Stop>) {
    let mut planned = BTreeSet::new();
    let mut stopped = BTreeMap::new();
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    let mut package = String::new();
    for line in stderr.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            name.split_whitespace()
                .next()
                .unwrap_or(name)
                .clone_into(&mut package);
        } else if !package.is_empty() && !line.trim().is_empty() {
            errors
                .entry(package.clone())
                .or_insert_with(|| line.trim().to_owned());
        }
    }
    for line in lines(stdout) {
        let text = line.output.trim_end();
        let is_name = ["Test", "Example", "Fuzz"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
            && !text.contains(char::is_whitespace);
        if line.action == "output" && line.test.is_none() && is_name {
            planned.insert(TestId::new(format!("{}.{text}", line.package)));
        }
        if line.action == "output"
            && (text.contains("[build failed]") || text.contains("[setup failed]"))
        {
            let message = errors
                .get(&line.package)
                .cloned()
                .unwrap_or_else(|| text.to_owned());
            let place = place(&message);
            stopped.insert(
                line.package,
                Stop {
                    reason: RedReason::BuildError,
                    message,
                    place,
                },
            );
        }
    }
    for (package, message) in errors {
        let package = package.trim_end_matches("_test").to_owned();
        let place = place(&message);
        stopped.entry(package).or_insert(Stop {
            reason: RedReason::BuildError,
            message,
            place,
        });
    }
    (planned, stopped)
}

fn place(message: &str) -> Option<String> {
    let mut parts = message.split(':');
    let (file, line) = (parts.next()?, parts.next()?);
    line.parse::<u32>()
        .ok()
        .map(|line| format!("{}:{line}", file.trim_start_matches("./")))
}

/// Packages that ended red without saying which test: a panic outside a test, or an exit of its own.
fn ends(stdout: &[u8], run: &SuiteRun) -> Vec<(String, Stop)> {
    let mut failed = Vec::new();
    for line in lines(stdout).filter(|line| line.action == "fail" && line.test.is_none()) {
        let has_red = run.results.iter().any(|(id, result)| {
            result.red.is_some() && id.as_str().starts_with(&format!("{}.Test", line.package))
        });
        if !has_red {
            let message = "the package's tests ended without a result".to_owned();
            failed.push((
                line.package,
                Stop {
                    reason: RedReason::Crash,
                    message,
                    place: None,
                },
            ));
        }
    }
    failed
}

fn missing_dependency(said: &str) -> Option<String> {
    let words = [
        "module lookup disabled by GOPROXY=off",
        "cannot find module providing package",
        "no required module provides package",
    ];
    let line = said.lines().find(|line| {
        words.iter().any(|word| line.contains(word)) && line.contains("GOPROXY=off")
    })?;
    Some(format!(
        "a dependency is not in go's module cache and the network is off: {}",
        line.trim()
    ))
}
