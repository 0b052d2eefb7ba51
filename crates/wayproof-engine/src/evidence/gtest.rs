//! GoogleTest: the boxed sums and the boxed names.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static GTEST: Recognizer = Recognizer {
    triggers: &["[  PASSED  ]", "[  FAILED  ]", "[==========]"],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"[");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "gtest");
    let mut counts = Counts::default();
    let mut has_sum = false;
    let mut ran = 0;
    for (_, line) in log.lines_with(&ENDS) {
        if let Some(rest) = line.strip_prefix("[  PASSED  ] ") {
            has_sum = true;
            counts.passed += scan::leading_number(rest).map_or(0, |(number, _)| number);
        } else if let Some(rest) = line.strip_prefix("[  SKIPPED ] ") {
            counts.skipped += scan::leading_number(rest).map_or(0, |(number, _)| number);
        } else if let Some(rest) = line.strip_prefix("[  FAILED  ] ") {
            match scan::leading_number(rest) {
                Some((number, rest))
                    if rest.starts_with(" test") && rest.contains("listed below") =>
                {
                    counts.failed += number;
                }
                Some(_) | None => report.fail(rest.split([' ', ',']).next().unwrap_or(rest), ""),
            }
        } else if let Some(rest) = line.strip_prefix("[==========] ") {
            if rest.contains(" ran.") {
                ran += scan::leading_number(rest).map_or(0, |(number, _)| number);
            } else if rest.starts_with("Running ") {
                report.next_run();
            }
        }
    }
    if !has_sum && !report.has_failures() {
        return None;
    }
    counts.failed = counts.failed.max(report.failure_count());
    counts.run = counts.passed + counts.failed;
    counts.errors = ran.saturating_sub(counts.run + counts.skipped);
    counts.run += counts.errors;
    Some(report.tested(Some(counts)))
}
