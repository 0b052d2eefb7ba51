//! pytest through a plugin of ours, or the standard library's unittest through a runner of ours.
//!
//! Settings come from the tree (which holds the base's). Options that would hide results are put back: a run
//! never stops at the first failure and never measures coverage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wayproof_receipt::predicate::{CheckKind, CheckResult};

use super::events;
use crate::plan::Suite;
use crate::report::TestId;
use crate::run::{Command, Host, Selection, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

const PLUGIN: &str = include_str!("assets/wayproof_pytest.py");
const COVERAGE: &str = include_str!("assets/wayproof_coverage.py");
const UNITTEST: &str = include_str!("assets/wayproof_unittest.py");
const PROBE: &str = "import importlib.util as u, json, sys\n\
has = lambda n: u.find_spec(n) is not None\n\
print(json.dumps({'prefix': sys.prefix, 'base_prefix': sys.base_prefix, 'pytest': has('pytest'), 'mypy': has('mypy'), \
'cov': has('pytest_cov'), 'xdist': has('xdist'), 'randomly': has('pytest_randomly'), 'rerun': has('pytest_rerunfailures')}))";
const TEST_SECONDS: &str = "120";

/// An interpreter and what it has.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Python {
    prefix: PathBuf,
    base_prefix: PathBuf,
    pytest: bool,
    mypy: bool,
    cov: bool,
    xdist: bool,
    randomly: bool,
    rerun: bool,
    #[serde(skip)]
    program: PathBuf,
}

/// Runs the suite.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let python = probe(host)?;
    let assets = assets(host)?;
    let out = host.fresh("python")?;
    let events_file = out.join("events.jsonl");
    let cwd = tree.path.join(&suite.dir);
    if !cwd.is_dir() {
        return Ok(SuiteRun::empty());
    }
    let mut env = environment(&cwd, &assets);
    env.push((
        "WAYPROOF_EVENTS".to_owned(),
        events_file.to_string_lossy().into_owned(),
    ));
    env.push(("WAYPROOF_TEST_SECONDS".to_owned(), TEST_SECONDS.to_owned()));
    let mut writable = vec![out.clone()];
    if let Some(seed) = host.mode.shuffle {
        env.retain(|(name, _)| name != "PYTHONHASHSEED");
        env.push(("PYTHONHASHSEED".to_owned(), seed.to_string()));
        env.push(("WAYPROOF_SHUFFLE".to_owned(), seed.to_string()));
    }
    if let Some(folder) = host.mode.coverage {
        let file = folder.join("python.json");
        let file = file.to_string_lossy().into_owned();
        env.push(("WAYPROOF_COVERAGE".to_owned(), file));
        writable.push(folder.to_path_buf());
    }
    let mut argv = vec![python.program.to_string_lossy().into_owned()];
    if python.pytest {
        argv.extend(pytest_options(&python));
        let circular = crate::links::circular(&cwd);
        argv.extend(
            circular
                .iter()
                .map(|link| format!("--ignore={}", link.display())),
        );
    } else {
        argv.push(
            assets
                .join("wayproof_unittest.py")
                .to_string_lossy()
                .into_owned(),
        );
    }
    let files = match selection {
        Selection::All => Vec::new(),
        Selection::Files(files) => files.to_vec(),
        Selection::Only(ids) => {
            env.push(("WAYPROOF_ONLY".to_owned(), list_of(ids, &out)?));
            ids.iter().map(|id| super::file_of(id).to_owned()).collect()
        }
    };
    if python.pytest {
        argv.extend(
            files
                .into_iter()
                .filter(|file| cwd.join(file).exists())
                .collect::<BTreeSet<_>>(),
        );
    }
    let readable = vec![python.prefix.clone(), python.base_prefix.clone(), assets];
    let command = Command {
        kind: CheckKind::Test,
        argv,
        cwd: cwd.clone(),
        env,
        writable,
        readable,
        tree,
    };
    let (ran, mut check) = host.run(command)?;
    let bytes = std::fs::read(&events_file).unwrap_or_default();
    let mut run = events::read(&bytes, &cwd.to_string_lossy());
    if !python.pytest
        && let Some(sentence) = needs_pytest(&run, &python)
    {
        return Err(Trouble::Infra(sentence));
    }
    finish(&mut run, &ran, &python);
    check.is_complete &= run.is_complete;
    check.reports = vec![report("application/x-ndjson", &bytes)];
    let parser = if python.pytest {
        "wayproof-pytest"
    } else {
        "wayproof-unittest"
    };
    check.parser = Some(parser.to_owned());
    if ran.exit == Some(5) && run.planned.is_empty() {
        check.result = CheckResult::Passed;
        check.exit_status = None;
    }
    run.checks.push(check);
    Ok(run)
}

/// How to check these files: mypy where it is configured and installed, else whether they compile.
pub(crate) fn checker(
    host: &Host<'_>,
    cwd: &Path,
    files: &[String],
) -> Result<Option<Checker>, Trouble> {
    if files.is_empty() {
        return Ok(None);
    }
    let python = probe(host)?;
    let names = ["mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"];
    let says_mypy = |name: &&str| {
        name.contains("mypy")
            || std::fs::read_to_string(cwd.join(name))
                .unwrap_or_default()
                .contains("mypy]")
    };
    let is_configured = names
        .iter()
        .filter(|name| cwd.join(name).exists())
        .any(says_mypy);
    let mut argv = vec![
        python.program.to_string_lossy().into_owned(),
        "-m".to_owned(),
    ];
    if python.mypy && is_configured {
        argv.extend(["mypy", "--no-incremental", "--cache-dir=/dev/null"].map(str::to_owned));
    } else {
        argv.extend(["py_compile".to_owned()]);
    }
    argv.extend(files.iter().cloned());
    let mut env = environment(cwd, cwd);
    let cache = host.fresh("pycache")?;
    env.retain(|(name, _)| name != "PYTHONDONTWRITEBYTECODE");
    env.push((
        "PYTHONPYCACHEPREFIX".to_owned(),
        cache.to_string_lossy().into_owned(),
    ));
    let readable = vec![python.prefix.clone(), python.base_prefix.clone()];
    Ok(Some(Checker {
        argv,
        env,
        writable: vec![cache],
        readable,
        format: None,
    }))
}

/// The interpreter that runs the tests, and the folders it needs to read.
pub(crate) fn interpreter(host: &Host<'_>) -> Result<(String, Vec<PathBuf>), Trouble> {
    let python = probe(host)?;
    let program = python.program.to_string_lossy().into_owned();
    Ok((program, vec![python.prefix, python.base_prefix]))
}

/// The interpreter that runs the tests, asked once.
fn probe(host: &Host<'_>) -> Result<Python, Trouble> {
    if let Some(known) = host.memo.python.get() {
        return Ok(known.clone());
    }
    let found = ask(host)?;
    Ok(host.memo.python.get_or_init(|| found).clone())
}

/// Asks the interpreter, outside any repository, what it is and what it has.
fn ask(host: &Host<'_>) -> Result<Python, Trouble> {
    let inside = host
        .dependencies
        .iter()
        .map(|dir| dir.join("bin/python"))
        .find(|python| python.exists());
    let found = inside
        .or_else(|| host.machine.find("python"))
        .or_else(|| host.machine.find("python3"));
    let Some(program) = found else {
        let sentence = "`python3` is not installed, and the change needs it to run its tests";
        return Err(Trouble::Infra(sentence.to_owned()));
    };
    let place = Tree {
        side: wayproof_receipt::predicate::Side::Other,
        path: host.fresh("probe")?,
        content: None,
    };
    let argv = vec![
        program.to_string_lossy().into_owned(),
        "-c".to_owned(),
        PROBE.to_owned(),
    ];
    let mut readable = vec![];
    readable.extend(
        program
            .parent()
            .and_then(Path::parent)
            .map(Path::to_path_buf),
    );
    readable.extend(
        program
            .canonicalize()
            .ok()
            .and_then(|real| Some(real.parent()?.parent()?.to_path_buf())),
    );
    let command = Command {
        kind: CheckKind::Other,
        argv,
        cwd: place.path.clone(),
        env: Vec::new(),
        writable: Vec::new(),
        readable,
        tree: &place,
    };
    let (ran, _) = host.run(command)?;
    let mut python: Python = serde_json::from_slice(&ran.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&ran.stderr);
        Trouble::Infra(format!(
            "{} does not start: {}",
            program.display(),
            said.lines().last().unwrap_or("it said nothing")
        ))
    })?;
    python.program = program;
    Ok(python)
}

fn assets(host: &Host<'_>) -> Result<PathBuf, Trouble> {
    let assets = host.shared("assets/python")?;
    for (name, text) in [
        ("wayproof_pytest.py", PLUGIN),
        ("wayproof_unittest.py", UNITTEST),
        ("wayproof_coverage.py", COVERAGE),
    ] {
        let file = assets.join(name);
        if !file.exists() {
            std::fs::write(&file, text).map_err(Trouble::io("write the reporter"))?;
        }
    }
    Ok(assets)
}

/// The import path puts the tree before anything installed, such as an editable install of the working tree.
fn environment(cwd: &Path, assets: &Path) -> Vec<(String, String)> {
    let mut path = vec![cwd.to_string_lossy().into_owned()];
    for folder in ["src", "lib"] {
        let inner = cwd.join(folder);
        if inner.is_dir() && !inner.join("__init__.py").exists() {
            path.push(inner.to_string_lossy().into_owned());
        }
    }
    path.push(assets.to_string_lossy().into_owned());
    let fixed = [
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    let mut env: Vec<(String, String)> = fixed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    env.push(("PYTHONPATH".to_owned(), path.join(":")));
    env
}

fn pytest_options(python: &Python) -> Vec<String> {
    let fixed = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "wayproof_pytest",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
    ];
    let mut options: Vec<&str> = fixed.to_vec();
    options.extend(["--maxfail=0", "--tb=short"]);
    if python.cov {
        options.push("--no-cov");
    }
    if python.xdist {
        options.extend(["-n", "0"]);
    }
    if python.randomly {
        options.extend(["-p", "no:randomly"]);
    }
    if python.rerun {
        options.extend(["--reruns", "0"]);
    }
    options.into_iter().map(str::to_owned).collect()
}

/// A file that names the chosen tests.
fn list_of(ids: &BTreeSet<TestId>, out: &Path) -> Result<String, Trouble> {
    let list = out.join("only.json");
    let names: Vec<&str> = ids.iter().map(TestId::as_str).collect();
    std::fs::write(&list, serde_json::json!(names).to_string())
        .map_err(Trouble::io("write the list of tests"))?;
    Ok(list.to_string_lossy().into_owned())
}

fn needs_pytest(run: &SuiteRun, python: &Python) -> Option<String> {
    let wants = run
        .stopped
        .values()
        .any(|stop| stop.message.contains("No module named 'pytest'"));
    wants.then(|| {
        format!(
            "the tests need pytest, which {} does not have",
            python.program.display()
        )
    })
}

/// Holds the exit status against the report.
fn finish(run: &mut SuiteRun, ran: &Ran, python: &Python) {
    let said =
        String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    let has_red =
        run.results.values().any(|result| result.red.is_some()) || !run.stopped.is_empty();
    match ran.exit {
        Some(0) if run.is_complete && has_red => run
            .problems
            .push("the runner ended well although tests failed".to_owned()),
        Some(0) if !run.is_complete => run
            .problems
            .push("the runner ended well without finishing its report".to_owned()),
        Some(0 | 1 | 2 | 5) => {}
        Some(4) if python.pytest && run.results.is_empty() => {
            let message = said
                .lines()
                .rev()
                .find(|line| line.contains("rror"))
                .unwrap_or("pytest refused its options");
            stop_all(run, message);
        }
        Some(_) | None if run.results.is_empty() => {
            let message = said
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("the runner ended without a word");
            stop_all(run, message);
        }
        Some(_) | None => {}
    }
    if ran.is_timed_out {
        run.is_complete = false;
    }
}

fn stop_all(run: &mut SuiteRun, message: &str) {
    let stop = crate::run::Stop {
        reason: crate::report::RedReason::BuildError,
        message: message.trim().to_owned(),
        place: None,
    };
    run.stopped.insert(String::new(), stop);
}
