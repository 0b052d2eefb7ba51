//! `cargo test`: the built-in harness and its doctests. Compiler output is `rustc`'s.

use super::location;
use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, Outcome, scan};

pub(super) static LIBTEST: Recognizer = Recognizer {
    triggers: &[
        "test result: ",
        " ... FAILED",
        "error: test failed",
        "error: doctest failed",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"tr-e");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "cargo-test");
    let mut counts: Option<Counts> = None;
    let mut has_broken = false;
    let mut is_running = false;
    for (at, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(result) = line.strip_prefix("test result: ") {
            counts = Some(scan::sum(counts, summary(result)));
            report.next_run();
            is_running = false;
        } else if is_start(line) {
            is_running = true;
        } else if let Some(name) = failed_line(line) {
            report.fail(name, "");
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            let below = log.lines.get(at + 1..).unwrap_or_default();
            explain(&mut report, name, below);
        } else if line.starts_with("error: test failed")
            || line.starts_with("error: doctest failed")
        {
            has_broken = true;
        }
    }
    if has_broken && !report.has_failures() && counts.is_none_or(|counts| counts.failed == 0) {
        let broken = Counts {
            run: 1,
            errors: 1,
            ..Counts::default()
        };
        counts = Some(scan::sum(counts, broken));
    }
    if counts.is_none() && !report.has_failures() {
        return None;
    }
    let mut evidence = report.tested(counts);
    if is_running && evidence.outcome == Outcome::Passed {
        // A later binary never came to its result.
        evidence.outcome = Outcome::Unknown;
    }
    Some(evidence)
}

/// Reads `running 3 tests`.
fn is_start(line: &str) -> bool {
    line.strip_prefix("running ")
        .and_then(scan::leading_number)
        .is_some_and(|(_, rest)| rest == " tests" || rest == " test")
}

/// Reads `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out`.
fn summary(result: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in scan::counted(result) {
        match word {
            "passed" | "measured" => counts.passed += number,
            "failed" => counts.failed += number,
            "ignored" => counts.skipped += number,
            _ => {}
        }
    }
    if result.starts_with("FAILED") && counts.failed == 0 {
        counts.errors = 1;
    }
    counts.run = counts.passed + counts.failed + counts.errors;
    counts
}

/// Reads `test module::name ... FAILED`.
fn failed_line(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.strip_suffix(" - should panic").unwrap_or(name))
}

/// Takes the place and the message of a panic from the captured output of a failed test.
fn explain(report: &mut Report, name: &str, below: &[&str]) {
    const REACH: usize = 12;
    let mut lines = below
        .iter()
        .take(REACH)
        .take_while(|line| !line.starts_with("---- "));
    while let Some(line) = lines.next() {
        let Some((_, place)) = line.split_once(" panicked at ") else {
            continue;
        };
        if let Some((message, place)) = place
            .strip_prefix('\'')
            .and_then(|rest| rest.rsplit_once("', "))
        {
            report.fail_at(name, message, location::bare(place));
        } else {
            let message = lines.next().copied().unwrap_or_default();
            report.fail_at(name, message, location::bare(place.trim_end_matches(':')));
        }
        return;
    }
    report.fail(name, "");
}
