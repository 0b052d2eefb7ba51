//! CTest: the percentage line and the list of tests that failed.

use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static CTEST: Recognizer = Recognizer {
    triggers: &[
        "% tests passed",
        "The following tests FAILED:",
        "No tests were found!!!",
    ],
    read,
};

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "ctest");
    let mut counts: Option<Counts> = None;
    let mut is_listing = false;
    for line in &log.lines {
        let line = line.trim();
        if let Some(more) = sums(line) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if line == "The following tests FAILED:" {
            is_listing = true;
        } else if is_listing {
            match listed(line) {
                Some((name, why)) => report.fail(name, why),
                None => is_listing = line.is_empty(),
            }
        } else if line == "No tests were found!!!" {
            counts.get_or_insert_default();
        }
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// Reads `60% tests passed, 2 tests failed out of 5`.
fn sums(line: &str) -> Option<Counts> {
    let (_, rest) = line.split_once("% tests passed, ")?;
    let (failed, rest) = scan::leading_number(rest)?;
    let run = scan::number_after(rest, "out of")?;
    Some(Counts {
        run,
        passed: run.saturating_sub(failed),
        failed,
        ..Counts::default()
    })
}

/// Reads `3 - name (Failed)`.
fn listed(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = scan::leading_number(line)?;
    let (name, why) = rest.strip_prefix(" - ")?.rsplit_once(" (")?;
    Some((name, why.trim_end_matches(')')))
}
