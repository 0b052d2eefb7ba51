//! Ruby's minitest and test-unit: the sums, and the entry of each failure.

use super::location;
use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static MINITEST: Recognizer = Recognizer {
    triggers: &[" assertions, "],
    read,
};

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "minitest");
    let mut counts: Option<Counts> = None;
    let mut is_entry = false;
    for line in &log.lines {
        let line = line.trim();
        if let Some(more) = sums(line) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if is_entry {
            entry(&mut report, line);
            is_entry = false;
        } else if let Some(name) = line
            .strip_prefix("Failure: ")
            .or_else(|| line.strip_prefix("Error: "))
        {
            if let Some((name, _)) = name
                .split_once("): ")
                .filter(|(name, _)| name.contains('('))
            {
                report.fail(&format!("{name})"), "");
            }
        } else {
            is_entry = is_heading(line);
        }
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// Reads `5 runs, 7 assertions, 1 failures, 0 errors, 0 skips` and test-unit's `5 tests, …`.
fn sums(line: &str) -> Option<Counts> {
    let (number, rest) = scan::leading_number(line)?;
    let is_sum = [" runs, ", " tests, ", " run, ", " test, "]
        .iter()
        .any(|word| rest.starts_with(word));
    if !is_sum || !rest.contains(" assertions, ") {
        return None;
    }
    let mut counts = Counts::default();
    for (number, word) in scan::counted(rest) {
        match word {
            "failures" | "failure" => counts.failed = number,
            "errors" | "error" => counts.errors = number,
            "skips" | "pendings" | "omissions" => counts.skipped += number,
            _ => {}
        }
    }
    counts.run = number.saturating_sub(counts.skipped);
    counts.passed = counts.run.saturating_sub(counts.failed + counts.errors);
    Some(counts)
}

/// Reads `1) Failure:` and `2) Error:`.
fn is_heading(line: &str) -> bool {
    scan::leading_number(line).is_some_and(|(_, rest)| matches!(rest, ") Failure:" | ") Error:"))
}

/// Reads `FooTest#test_bar [test/foo_test.rb:10]:`.
fn entry(report: &mut Report, line: &str) {
    let line = line.trim_end_matches(':');
    match line.rsplit_once(" [") {
        Some((name, place)) => {
            report.fail_at(name, "", location::bare(place.trim_end_matches(']')));
        }
        None => report.fail(line, ""),
    }
}
