//! `dotnet test` (VSTest): the sums on one line or on several, and the names of what failed.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static DOTNET: Recognizer = Recognizer {
    triggers: &["Passed! ", "Failed! ", "Total tests: ", "Test Run Failed."],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"PFTS");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "dotnet-test");
    let mut counts: Option<Counts> = None;
    let mut has_listing = false;
    let mut has_failed = false;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if line.starts_with("Passed! ") || line.starts_with("Failed! ") {
            counts = Some(scan::sum(counts, sums(line)));
            report.next_run();
        } else if line.starts_with("Total tests: ") {
            has_listing = true;
            report.next_run();
        } else if has_listing && let Some(more) = listed(line) {
            counts = Some(scan::sum(counts, more));
        } else if line == "Test Run Failed." {
            has_failed = true;
        } else if let Some(name) = failed_line(line) {
            report.fail(name, "");
        }
    }
    if has_failed && counts.is_none_or(|counts| counts.failed == 0) {
        let broken = Counts {
            run: 1,
            errors: 1,
            ..Counts::default()
        };
        counts = Some(scan::sum(counts, broken));
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// Reads `Failed!  - Failed:     1, Passed:     5, Skipped:     0, Total:     6, Duration: 12 ms`.
fn sums(line: &str) -> Counts {
    let of = |label: &str| scan::number_after(line, label).unwrap_or(0);
    let (passed, failed) = (of("Passed:"), of("Failed:"));
    Counts {
        run: passed + failed,
        passed,
        failed,
        skipped: of("Skipped:"),
        errors: 0,
    }
}

/// Reads `Passed: 5` under `Total tests: 6`.
fn listed(line: &str) -> Option<Counts> {
    let (word, number) = line.split_once(": ")?;
    let number = number.trim().parse::<u64>().ok()?;
    let mut counts = Counts::default();
    match word {
        "Passed" => counts.passed = number,
        "Failed" => counts.failed = number,
        "Skipped" => counts.skipped = number,
        _ => return None,
    }
    counts.run = counts.passed + counts.failed;
    Some(counts)
}

/// Reads `Failed Namespace.Class.Test [12 ms]`.
fn failed_line(line: &str) -> Option<&str> {
    let (name, duration) = line.strip_prefix("Failed ")?.rsplit_once(" [")?;
    (duration.ends_with("s]") && !name.is_empty()).then_some(name)
}
