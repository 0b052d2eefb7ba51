//! Vitest: the sums, the ` FAIL ` headings with their first line of reason and place.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, location, scan};

pub(super) static VITEST: Recognizer = Recognizer {
    triggers: &[
        "Test Files  ",
        "      Tests  ",
        "No test files found",
        " FAIL  ",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"TEFN");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "vitest");
    let mut counts: Option<Counts> = None;
    let mut broken = 0;
    let mut has_spoken = false;
    for (at, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(sums) = line.strip_prefix("Test Files  ") {
            has_spoken = true;
            broken += failed_of(sums);
            report.next_run();
        } else if let Some(sums) = line.strip_prefix("Tests  ") {
            counts = Some(scan::sum(counts, summary(sums)));
        } else if let Some(sums) = line.strip_prefix("Errors  ") {
            broken += scan::counted(sums).next().map_or(0, |(number, _)| number);
        } else if let Some(name) = line.strip_prefix("FAIL  ") {
            let below = log.lines.get(at + 1..).unwrap_or_default();
            explain(&mut report, name, below);
        } else if line.starts_with("No test files found") {
            counts.get_or_insert_default();
        }
    }
    if !has_spoken && counts.is_none() {
        return None;
    }
    let mut counts = counts.unwrap_or_default();
    if counts.failed == 0 && broken > 0 {
        counts.errors += broken;
        counts.run += broken;
    }
    Some(report.tested(Some(counts)))
}

/// Reads `1 failed | 5 passed | 2 skipped (8)`.
fn summary(sums: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in scan::counted(sums) {
        match word {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "skipped" | "todo" => counts.skipped += number,
            "expected" => counts.run += number,
            _ => {}
        }
    }
    counts.run += counts.passed + counts.failed;
    counts
}

fn failed_of(sums: &str) -> u64 {
    scan::counted(sums)
        .find(|(_, word)| *word == "failed")
        .map_or(0, |(number, _)| number)
}

/// Takes the message under a heading and the first `❯ file:line:column` below it.
fn explain(report: &mut Report, name: &str, below: &[&str]) {
    const REACH: usize = 24;
    let message = below.first().map_or("", |line| line.trim());
    let place = below
        .iter()
        .take(REACH)
        .take_while(|line| !line.trim_start().starts_with("FAIL  "))
        .filter_map(|line| line.trim_start().strip_prefix("\u{276f} "))
        .find_map(|place| location::bare(place.rsplit(' ').next().unwrap_or(place)));
    report.fail_at(name, message, place);
}
