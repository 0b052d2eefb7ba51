//! A program that is its own test: it writes a report where it is told to, prints TAP, or only ends well. A bare exit
//! status is a result, but not a structured one.

use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::Check;

use super::tap;
use crate::report::{RedReason, Status, TestFormat, TestId, read_tests, sniff};
use crate::run::{Command, Host, Stop, SuiteRun, Tree, Trouble, plain, red, report};
use crate::sandbox::Ran;

/// What stands for the place of a report in a command, and for that of which lines were run.
const REPORT: &str = "{report}";
const COVERAGE: &str = "{coverage}";
/// The file the latter is written to.
pub(crate) const COVERED: &str = "coverage";

/// Whether a command of the policy says which lines it ran.
pub(crate) fn tells_coverage(argv: &[String]) -> bool {
    argv.iter().any(|word| word.contains(COVERAGE))
}

/// Runs the command a policy prescribes in place of a runner that is known.
pub(crate) fn run(
    host: &Host<'_>,
    argv: &[String],
    cwd: PathBuf,
    tree: &Tree,
) -> Result<SuiteRun, Trouble> {
    let name = argv.first().cloned().unwrap_or_default();
    let kind = wayproof_receipt::predicate::CheckKind::Test;
    let mut argv = argv.to_vec();
    if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
        *first = host.program(first, "the policy prescribes it")?;
    }
    let out = host.fresh("report")?;
    let report = out.join("report");
    let covered = host.mode.coverage.unwrap_or(&out).join(COVERED);
    let names_report = argv.iter().any(|word| word.contains(REPORT));
    for word in &mut argv {
        *word = word
            .replace(REPORT, &report.to_string_lossy())
            .replace(COVERAGE, &covered.to_string_lossy());
    }
    let mut writable = vec![out];
    writable.extend(host.mode.coverage.map(Path::to_path_buf));
    let root = cwd.to_string_lossy().into_owned();
    let command = Command {
        kind,
        argv,
        cwd,
        env: Vec::new(),
        writable,
        readable: Vec::new(),
        tree,
    };
    let (ran, check) = host.run(command)?;
    if !names_report {
        return Ok(read(&name, &ran, check));
    }
    let bytes = std::fs::read(&report).unwrap_or_default();
    Ok(read_report(&root, &bytes, &ran, check))
}

/// What a report says that the command was told to write. Without one, or with one that nobody can read, nothing is
/// shown: the output is not asked instead.
fn read_report(root: &str, bytes: &[u8], ran: &Ran, mut check: Check) -> SuiteRun {
    let Some(format) = sniff(bytes) else {
        let mut run = SuiteRun {
            is_complete: false,
            ..SuiteRun::empty()
        };
        let stop = silent(ran);
        match ran.exit {
            Some(0) => run.problems.push(
                "the command ended well without writing the report it was asked for".to_owned(),
            ),
            Some(_) | None => drop(run.stopped.insert(String::new(), stop)),
        }
        check.is_complete = false;
        run.checks.push(check);
        return run;
    };
    let read = read_tests(&format, root, bytes);
    let mut run = SuiteRun {
        planned: read.results.keys().cloned().collect(),
        results: read.results,
        problems: read.problems,
        is_complete: read.is_complete && ran.exit.is_some() && !ran.is_timed_out,
        ..SuiteRun::empty()
    };
    let has_red = run.results.values().any(|result| result.red.is_some());
    if ran.exit == Some(0) && has_red {
        let problem = "the command ended well although its tests failed";
        run.problems.push(problem.to_owned());
    }
    if ran.exit != Some(0) && !has_red {
        let problem = "the command failed although its report names no failure";
        run.problems.push(problem.to_owned());
        run.is_complete = false;
    }
    check.is_complete &= run.is_complete;
    check.parser = Some(name_of(&format).to_owned());
    check.reports = vec![report("application/octet-stream", bytes)];
    run.checks.push(check);
    run
}

fn name_of(format: &TestFormat) -> &'static str {
    match format {
        TestFormat::Junit(_) => "junit",
        TestFormat::GoTest => "go-test",
        TestFormat::Jest => "jest",
        TestFormat::Mocha => "mocha",
        TestFormat::Tap => "tap",
        TestFormat::Trx => "trx",
        TestFormat::Libtest { .. } => "libtest",
    }
}

/// What one program's output says.
pub(crate) fn read(file: &str, ran: &Ran, mut check: Check) -> SuiteRun {
    let tap = tap::read(&String::from_utf8_lossy(&ran.stdout), file);
    check.parser = Some(
        if tap.is_recognized {
            "tap"
        } else {
            "exit-status"
        }
        .to_owned(),
    );
    let mut run = if tap.is_recognized {
        read_tap(file, ran, tap)
    } else {
        read_exit(file, ran)
    };
    run.planned = run.results.keys().cloned().collect();
    check.is_complete = run.is_complete && ran.exit.is_some() && !ran.is_timed_out;
    check.reports = vec![report("text/plain", &ran.stdout)];
    run.checks.push(check);
    run
}

fn read_tap(file: &str, ran: &Ran, tap: tap::Tap) -> SuiteRun {
    let mut run = SuiteRun::empty();
    let last = tap.tests.last().map(|(id, _)| id.clone());
    run.results.extend(tap.tests);
    if tap.is_complete {
        if ran.exit == Some(0) && run.results.values().any(|result| result.red.is_some()) {
            run.problems
                .push(format!("{file} ended well although its tests failed"));
        }
        return run;
    }
    // The test that was open when the program died is the one that failed; later ones never ran.
    let died = silent(ran);
    let (own, later) = if ran.is_timed_out {
        (RedReason::Timeout, RedReason::Timeout)
    } else {
        (RedReason::Exception, RedReason::Crash)
    };
    let open = last.and_then(|id| run.results.get_mut(&id));
    if let Some(result) = open.filter(|result| result.red.is_none()) {
        *result = red(own, died.message.clone());
    }
    run.is_complete = ran.exit != Some(0);
    run.stopped.insert(
        file.to_owned(),
        Stop {
            reason: later,
            ..died
        },
    );
    run
}

fn read_exit(file: &str, ran: &Ran) -> SuiteRun {
    let mut run = SuiteRun {
        is_structured: false,
        ..SuiteRun::empty()
    };
    let id = TestId::new(format!("{file} > ends well"));
    let reason = reason_of(ran);
    if ran.exit == Some(0) {
        run.results.insert(id, plain(Status::Passed));
    } else if reason == RedReason::BuildError {
        run.stopped.insert(
            file.to_owned(),
            Stop {
                reason,
                ..silent(ran)
            },
        );
    } else {
        run.results.insert(id, red(reason, silent(ran).message));
    }
    run
}

fn reason_of(ran: &Ran) -> RedReason {
    let said = String::from_utf8_lossy(&ran.stderr);
    let does_not_load = [
        "SyntaxError",
        "ERR_MODULE_NOT_FOUND",
        "MODULE_NOT_FOUND",
        "ERR_REQUIRE_ESM",
        "does not provide an export",
    ];
    match () {
        () if ran.is_timed_out => RedReason::Timeout,
        () if does_not_load.iter().any(|words| said.contains(words)) => RedReason::BuildError,
        () if said.contains("AssertionError") => RedReason::Assertion,
        () => RedReason::Exception,
    }
}

/// Why a program ended without a report: the error it printed last.
pub(crate) fn silent(ran: &Ran) -> Stop {
    let said = String::from_utf8_lossy(&ran.stderr);
    let is_error = |line: &&str| {
        line.contains("Error") && !line.trim_start().starts_with("at ") && !line.contains("throw ")
    };
    let message = said
        .lines()
        .find(is_error)
        .or_else(|| said.lines().last())
        .unwrap_or("it ended without a word");
    let reason = match reason_of(ran) {
        RedReason::Timeout => RedReason::Timeout,
        RedReason::Assertion
        | RedReason::Exception
        | RedReason::BuildError
        | RedReason::Missing
        | RedReason::Crash => RedReason::BuildError,
    };
    Stop {
        reason,
        message: message.trim().to_owned(),
        place: None,
    }
}
