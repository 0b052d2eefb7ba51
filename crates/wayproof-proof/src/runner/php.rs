//! PHPUnit, by its list of tests and its JUnit report.
//!
//! The suite's own configuration is used, but nothing in it may stop a run early.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::{Check, CheckKind};

use crate::plan::Suite;
use crate::report::{JunitDialect, RedReason, TestFormat, TestId, php_classes, read_tests};
use crate::run::{Command, Host, Selection, Stop, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

const CONFIGURATIONS: &[&str] = &["phpunit.xml", "phpunit.dist.xml", "phpunit.xml.dist"];
/// Reads files as PHP without running them.
const SYNTAX: &str = "foreach (array_slice($argv, 1) as $file) { \
try { token_get_all(file_get_contents($file), TOKEN_PARSE); } \
catch (ParseError $error) { fwrite(STDERR, \"error: {$error->getMessage()} ($file:{$error->getLine()})\\n\"); exit(1); } }";
/// The longest pattern that is passed on; with more tests than fit, all are run.
const PATTERN_LIMIT: usize = 64 << 10;

struct Php<'a> {
    host: &'a Host<'a>,
    tree: &'a Tree,
    cwd: PathBuf,
    /// php with PHPUnit and the options every call has.
    start: Vec<String>,
    /// The folder of tests where no configuration names one.
    folder: Option<String>,
}

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let cwd = tree.path.join(&suite.dir);
    let Some(php) = Php::new(host, tree, &cwd)? else {
        return Ok(SuiteRun::empty());
    };
    let out = host.fresh("phpunit")?;
    let list = out.join("list.xml");
    let (listed, check) = php.call(CheckKind::Other, &["--list-tests-xml"], &list, &out)?;
    let bytes = std::fs::read(&list).unwrap_or_default();
    let Some(classes) = php_classes(&bytes) else {
        return Ok(stopped(&listed, check));
    };
    let filter = filter(selection, &classes);
    let junit = out.join("junit.xml");
    let options: Vec<&str> = filter
        .iter()
        .flat_map(|pattern| ["--filter", pattern.as_str()])
        .chain(["--log-junit"])
        .collect();
    let (ran, mut check) = php.call(CheckKind::Test, &options, &junit, &out)?;
    let Ok(bytes) = std::fs::read(&junit) else {
        return Ok(stopped(&ran, check));
    };
    let root = cwd.to_string_lossy().into_owned();
    let read = read_tests(&TestFormat::Junit(JunitDialect::PhpUnit), &root, &bytes);
    let mut run = SuiteRun {
        is_complete: read.is_complete && ran.exit.is_some() && !ran.is_timed_out,
        results: read.results,
        problems: read.problems,
        ..SuiteRun::empty()
    };
    run.planned = planned(&classes, &run, selection);
    let has_red = run.results.values().any(|result| result.red.is_some());
    if ran.exit == Some(0) && has_red {
        let problem = "the runner ended well although tests failed";
        run.problems.push(problem.to_owned());
    }
    if !matches!(ran.exit, Some(0..=2)) {
        run.is_complete = false;
    }
    check.is_complete &= run.is_complete;
    check.reports = vec![report("application/xml", &bytes)];
    check.parser = Some("phpunit-junit".to_owned());
    run.checks.push(check);
    Ok(run)
}

/// How to check these files: whether they parse.
pub(crate) fn checker(host: &Host<'_>, files: &[String]) -> Result<Option<Checker>, Trouble> {
    if files.is_empty() {
        return Ok(None);
    }
    let php = host.program("php", "the change needs it to check its syntax")?;
    let start = [php, "-r".to_owned(), SYNTAX.to_owned(), "--".to_owned()];
    Ok(Some(Checker {
        argv: [start.to_vec(), files.to_vec()].concat(),
        env: Vec::new(),
        writable: Vec::new(),
        readable: Vec::new(),
        format: None,
    }))
}

impl<'a> Php<'a> {
    /// `None` where there is nothing to run: no configuration and no folder of tests.
    fn new(host: &'a Host<'a>, tree: &'a Tree, cwd: &Path) -> Result<Option<Self>, Trouble> {
        let configuration = CONFIGURATIONS
            .iter()
            .map(|name| cwd.join(name))
            .find(|file| file.is_file());
        let folder = ["tests", "test", "Tests"]
            .into_iter()
            .find(|folder| cwd.join(folder).is_dir());
        if configuration.is_none() && folder.is_none() {
            return Ok(None);
        }
        let why = "the change needs it to run its tests";
        let php = host.program("php", why)?;
        let own = ["vendor/phpunit/phpunit/phpunit", "vendor/bin/phpunit"]
            .map(|path| cwd.join(path))
            .into_iter()
            .find(|path| path.is_file());
        let phpunit = match own {
            Some(own) => own.to_string_lossy().into_owned(),
            None => host.program("phpunit", why)?,
        };
        let mut start = vec![php];
        for setting in ["display_errors=stderr", "memory_limit=-1"] {
            start.extend(["-d".to_owned(), setting.to_owned()]);
        }
        let options = [
            "--colors=never",
            "--do-not-cache-result",
            "--no-coverage",
            "--order-by=default",
        ];
        start.push(phpunit);
        start.extend(options.map(str::to_owned));
        if let Some(file) = &configuration {
            let file = without_stops(file)?;
            start.push("--configuration".to_owned());
            start.push(file.to_string_lossy().into_owned());
        } else if cwd.join("vendor/autoload.php").is_file() {
            start.extend(["--bootstrap", "vendor/autoload.php"].map(str::to_owned));
        }
        Ok(Some(Self {
            host,
            tree,
            cwd: cwd.to_path_buf(),
            start,
            folder: folder
                .filter(|_| configuration.is_none())
                .map(str::to_owned),
        }))
    }

    /// Calls PHPUnit with options, the last of which takes a file.
    fn call(
        &self,
        kind: CheckKind,
        options: &[&str],
        file: &Path,
        out: &Path,
    ) -> Result<(Ran, Check), Trouble> {
        let mut argv = self.start.clone();
        argv.extend(options.iter().map(|option| (*option).to_owned()));
        argv.push(file.to_string_lossy().into_owned());
        argv.extend(self.folder.clone());
        self.host.run(Command {
            kind,
            argv,
            cwd: self.cwd.clone(),
            env: vec![("APP_ENV".to_owned(), "test".to_owned())],
            writable: vec![out.to_path_buf()],
            readable: Vec::new(),
            tree: self.tree,
        })
    }
}

/// The configuration, or a copy beside it in which nothing stops a run at the first failure.
fn without_stops(file: &Path) -> Result<PathBuf, Trouble> {
    let text =
        std::fs::read_to_string(file).map_err(Trouble::io(format!("read {}", file.display())))?;
    let mut bent = text.clone();
    for what in [
        "Defect",
        "Error",
        "Failure",
        "Warning",
        "Risky",
        "Incomplete",
        "Skipped",
    ] {
        bent = bent.replace(&format!("stopOn{what}=\"true\""), "");
    }
    if bent == text {
        return Ok(file.to_path_buf());
    }
    let copy = file.with_file_name("phpunit.wayproof.xml");
    std::fs::write(&copy, bent).map_err(Trouble::io("write PHPUnit's configuration"))?;
    Ok(copy)
}

/// A run that ended before it could report: nothing loads, or the process was ended.
fn stopped(ran: &Ran, mut check: Check) -> SuiteRun {
    let said =
        String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    let mut run = SuiteRun {
        is_complete: false,
        ..SuiteRun::empty()
    };
    if ran.exit == Some(0) {
        let problem = "the runner ended well without finishing its report";
        run.problems.push(problem.to_owned());
        check.kind = CheckKind::Test;
    } else {
        let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines()
            .find(|line| line.to_ascii_lowercase().contains("error"))
            .or_else(|| lines().next_back())
            .unwrap_or("the runner ended without a word");
        let message = ["PHP Fatal error: ", "Fatal error: "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .unwrap_or(line)
            .trim()
            .to_owned();
        let stop = Stop {
            reason: if ran.is_timed_out {
                RedReason::Timeout
            } else {
                RedReason::BuildError
            },
            message,
            place: None,
        };
        run.stopped.insert(String::new(), stop);
    }
    check.is_complete = false;
    run.checks.push(check);
    run
}

/// A pattern that fits the chosen tests, where not all are wanted.
fn filter(selection: Selection<'_>, listed: &BTreeSet<(String, String)>) -> Option<String> {
    let Selection::Only(ids) = selection else {
        return None;
    };
    let wanted: BTreeSet<&str> = ids.iter().map(own_name).collect();
    let mut names = BTreeSet::new();
    for (class, name) in listed {
        if wanted.contains(format!("{class}::{name}").as_str()) {
            let plain = name.split('[').next().unwrap_or(name);
            names.insert(format!("{}::{plain}", class.replace('\\', "\\\\")));
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let pattern = format!("/^(?:{})(?: with data set .*)?$/s", names.join("|"));
    (pattern.len() < PATTERN_LIMIT).then_some(pattern)
}

/// The listed tests by the names the report gives them, which say the file too.
fn planned(
    listed: &BTreeSet<(String, String)>,
    run: &SuiteRun,
    selection: Selection<'_>,
) -> BTreeSet<TestId> {
    let names: BTreeSet<String> = listed
        .iter()
        .map(|(class, name)| format!("{class}::{name}"))
        .collect();
    let is_listed = |id: &&TestId| {
        let name = own_name(id);
        // Some releases list a test without its data sets.
        let plain = name.split('[').next().unwrap_or(name);
        names.contains(name) || names.contains(plain)
    };
    let reported: BTreeSet<&TestId> = run.results.keys().filter(is_listed).collect();
    if let Selection::Only(ids) = selection {
        let chosen = ids.iter().filter(is_listed);
        return chosen.chain(reported).cloned().collect();
    }
    let mut heard = BTreeSet::new();
    for name in reported.iter().map(|id| own_name(id)) {
        heard.extend([Some(name), name.split('[').next()].into_iter().flatten());
    }
    let silent = names.iter().filter(|name| !heard.contains(name.as_str()));
    let silent: Vec<TestId> = silent.map(TestId::new).collect();
    reported.into_iter().cloned().chain(silent).collect()
}

/// An id without its file.
fn own_name(id: &TestId) -> &str {
    let text = id.as_str();
    text.split_once("::")
        .filter(|(file, _)| crate::plan::extension(file) == "php")
        .map_or(text, |(_, name)| name)
}
