//! Jest: the sums, the `●` headings and suites that did not run.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static JEST: Recognizer = Recognizer {
    triggers: &[
        "Tests: ",
        "Test Suites: ",
        "\u{25cf} Test suite failed to run",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"TF");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "jest");
    let mut counts: Option<Counts> = None;
    let mut suite = "";
    let mut failed_suites = 0;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(sums) = line
            .strip_prefix("Tests:")
            .filter(|sums| sums.ends_with(" total"))
        {
            counts = Some(scan::sum(counts, summary(sums)));
            report.next_run();
        } else if let Some(sums) = line.strip_prefix("Test Suites:") {
            failed_suites += failed_of(sums);
        } else if let Some(file) = line.strip_prefix("FAIL ") {
            suite = file.split_whitespace().next().unwrap_or_default();
        } else if let Some(name) = line.strip_prefix('\u{25cf}') {
            heading(&mut report, name.trim(), suite);
        }
    }
    if counts.is_none() && failed_suites == 0 {
        return None;
    }
    let mut counts = counts.unwrap_or_default();
    if counts.failed == 0 && failed_suites > 0 {
        counts.errors += failed_suites;
        counts.run += failed_suites;
    }
    Some(report.tested(Some(counts)))
}

/// Reads `5 failed, 2 skipped, 124 passed, 131 total`.
fn summary(sums: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in scan::counted(sums) {
        match word {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "skipped" | "todo" => counts.skipped += number,
            _ => {}
        }
    }
    counts.run = counts.passed + counts.failed;
    counts
}

fn failed_of(sums: &str) -> u64 {
    scan::counted(sums)
        .find(|(_, word)| *word == "failed")
        .map_or(0, |(number, _)| number)
}

/// Reads `● suite › test`; a suite that did not run goes by its file.
fn heading(report: &mut Report, name: &str, suite: &str) {
    if name == "Test suite failed to run" {
        report.fail(suite, name);
    } else if name.contains(" \u{203a} ") {
        report.fail(name, "");
    }
}
