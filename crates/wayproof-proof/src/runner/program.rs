//! A program that is its own test: it prints TAP, or only ends well. A bare exit status is a result, but not a
//! structured one.

use wayproof_receipt::predicate::Check;

use super::tap;
use crate::report::{RedReason, Status, TestId};
use crate::run::{Command, Host, Stop, SuiteRun, Tree, Trouble, plain, red, report};
use crate::sandbox::Ran;

/// Runs the command a policy prescribes in place of a runner that is known.
pub(crate) fn run(
    host: &Host<'_>,
    argv: &[String],
    cwd: std::path::PathBuf,
    tree: &Tree,
) -> Result<SuiteRun, Trouble> {
    let name = argv.first().cloned().unwrap_or_default();
    let kind = wayproof_receipt::predicate::CheckKind::Test;
    let mut argv = argv.to_vec();
    if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
        *first = host.program(first, "the policy prescribes it")?;
    }
    let command = Command {
        kind,
        argv,
        cwd,
        env: Vec::new(),
        writable: Vec::new(),
        readable: Vec::new(),
        tree,
    };
    let (ran, check) = host.run(command)?;
    Ok(read(&name, &ran, check))
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
