//! cargo-nextest: status lines and the summary.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static NEXTEST: Recognizer = Recognizer {
    triggers: &[
        "Summary [",
        "FAIL [",
        "TIMEOUT [",
        "ABORT [",
        "SIGABRT [",
        "SIGSEGV [",
    ],
    read,
};

const FAILED: [&str; 6] = [
    "FAIL",
    "TIMEOUT",
    "ABORT",
    "SIGABRT",
    "SIGSEGV",
    "LEAK-FAIL",
];

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"SFTAL");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "nextest");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(sums) = line
            .strip_prefix("Summary [")
            .and_then(|rest| rest.split_once("] "))
        {
            counts = summary(sums.1)
                .map(|more| scan::sum(counts, more))
                .or(counts);
        } else if is_start(line) {
            report.next_run();
        } else if let Some(name) = failed_line(line) {
            report.fail(name, "");
        }
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// Reads `Starting 9 tests across 2 binaries`. What failed is named again under the sums.
fn is_start(line: &str) -> bool {
    line.starts_with("Starting ") && line.contains(" across ")
}

/// Reads `4 tests run: 2 passed (1 flaky), 1 failed, 1 timed out, 3 skipped`. Tests that were
/// never started because the run was cut short (`3/10 tests run`) are errors.
fn summary(text: &str) -> Option<Counts> {
    let (run, sums) = text
        .split_once(" run: ")
        .or_else(|| text.split_once(" run:"))?;
    let (started, rest) = scan::leading_number(run)?;
    let planned = rest
        .strip_prefix('/')
        .and_then(scan::leading_number)
        .map_or(started, |(number, _)| number);
    let mut counts = Counts {
        run: started,
        errors: planned.saturating_sub(started),
        ..Counts::default()
    };
    for part in sums.split(',') {
        let Some((number, word)) = scan::leading_number(part.trim()) else {
            continue;
        };
        let word = word.trim_start();
        if word.starts_with("passed") {
            counts.passed += number;
        } else if word.starts_with("skipped") {
            counts.skipped += number;
        } else if word.starts_with("failed") {
            counts.failed += number;
        } else {
            counts.errors += number;
        }
    }
    Some(counts)
}

/// Reads `FAIL [   0.005s] (3/9) krate::bin module::test`.
fn failed_line(line: &str) -> Option<&str> {
    let (status, rest) = line.split_once(" [")?;
    let status = status
        .strip_prefix("TRY ")
        .and_then(|rest| rest.split_once(' '))
        .map_or(status, |(_, status)| status);
    if line.starts_with("TRY ") || !FAILED.contains(&status) {
        return None;
    }
    let (duration, name) = rest.split_once("] ")?;
    if !duration.trim().ends_with('s') {
        return None;
    }
    let name = name.trim_start();
    let name = name
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
        .map_or(name, |(_, name)| name);
    Some(name.trim())
}
