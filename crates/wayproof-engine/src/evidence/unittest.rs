//! Python's unittest and what prints like it: Django's runner, nose, `zope.testrunner`'s relatives.
//! It does not read tracebacks, and takes verbose lines for counts only when there is no summary.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, Outcome, scan};

pub(super) static UNITTEST: Recognizer = Recognizer {
    triggers: &[
        "Ran ",
        "\nFAIL: ",
        "\nERROR: ",
        " ... ok",
        " ... FAIL",
        " ... ERROR",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"ROFNE=").or_last(b"kLR'\"");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "unittest");
    let mut counts: Option<Counts> = None;
    let mut verbose = Counts::default();
    let mut ran: Option<u64> = None;
    let mut below_rule = None;
    for (at, line) in log.lines_with(&ENDS) {
        if let Some(number) = ran_line(line) {
            counts = ran
                .take()
                .map(|run| scan::sum(counts, unjudged(run)))
                .or(counts);
            ran = Some(number);
            report.next_run();
        } else if let Some(run) = ran
            && let Some(judged) = verdict(line, run)
        {
            counts = Some(scan::sum(counts, judged));
            ran = None;
        } else if below_rule == Some(at)
            && let Some(name) = heading(line)
        {
            report.fail(name, "");
        } else {
            tally(line, &mut verbose);
        }
        below_rule = line.starts_with("======").then_some(at + 1);
    }
    counts = ran.map(|run| scan::sum(counts, unjudged(run))).or(counts);
    if counts.is_none() && verbose.run > 0 {
        // Without a sum the run may have been cut short: lines that say ok are no pass.
        let mut evidence = report.tested(Some(verbose));
        if evidence.outcome == Outcome::Passed && !log.exit.is_success() {
            evidence.outcome = Outcome::Unknown;
        }
        return Some(evidence);
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// Reads `Ran 157 tests in 1.893s`.
fn ran_line(line: &str) -> Option<u64> {
    let (number, rest) = scan::leading_number(line.trim_start().strip_prefix("Ran ")?)?;
    (rest.starts_with(" test") && rest.contains(" in ")).then_some(number)
}

/// Tests that ran to an end that is not there to read: neither good nor bad.
fn unjudged(run: u64) -> Counts {
    Counts {
        run,
        ..Counts::default()
    }
}

/// Reads the word under the sum: `OK (skipped=3)`, `FAILED (failures=2, errors=1)`.
fn verdict(line: &str, ran: u64) -> Option<Counts> {
    let line = line.trim();
    let is_ok = line == "OK" || line.starts_with("OK (");
    let is_failed = line.starts_with("FAILED (") || line == "FAILED";
    if !is_ok && !is_failed {
        return (line == "NO TESTS RAN").then(Counts::default);
    }
    let of = |label: &str| scan::number_after(line, label).unwrap_or(0);
    let skipped = of("skipped=") + of("SKIP=");
    let expected = of("expected failures=");
    let failed = if is_failed {
        plain_failures(line) + of("unexpected successes=")
    } else {
        0
    };
    let errors = of("errors=");
    let run = ran.saturating_sub(skipped);
    Some(Counts {
        run,
        passed: run.saturating_sub(failed + errors + expected),
        failed,
        skipped,
        errors,
    })
}

/// The number behind `failures=` that is not `expected failures=`; a bare `FAILED` is one.
fn plain_failures(line: &str) -> u64 {
    let inner = line.strip_prefix("FAILED").unwrap_or_default();
    let inner = inner.trim().trim_start_matches('(').trim_end_matches(')');
    if inner.is_empty() {
        return 1;
    }
    inner
        .split(", ")
        .find_map(|part| part.strip_prefix("failures="))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Reads `FAIL: test_x (module.Class)` under a rule.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("FAIL: ")
        .or_else(|| line.strip_prefix("ERROR: "))
        .map(str::trim)
}

/// Adds a verbose result line, `test_x (module.Class) ... ok`.
fn tally(line: &str, counts: &mut Counts) {
    let line = line.trim_end();
    if !line.ends_with(['k', 'L', 'R', '\'', '"']) {
        return;
    }
    let Some((_, result)) = line.rsplit_once(" ... ") else {
        return;
    };
    if result == "ok" {
        counts.passed += 1;
    } else if result == "FAIL" {
        counts.failed += 1;
    } else if result == "ERROR" {
        counts.errors += 1;
    } else if result.starts_with("skipped") {
        counts.skipped += 1;
        return;
    } else {
        return;
    }
    counts.run += 1;
}
