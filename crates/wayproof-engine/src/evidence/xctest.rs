//! XCTest (`swift test`, xcodebuild): the sums and the cases that failed.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static XCTEST: Recognizer = Recognizer {
    triggers: &["Executed ", "' failed ("],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"ET");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "xctest");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(sums) = line.strip_prefix("Executed ").and_then(sums) {
            // Each suite repeats the sums of those inside it, the outermost last.
            counts = Some(sums);
        } else if let Some((name, rest)) = line
            .strip_prefix("Test Case '")
            .and_then(|rest| rest.split_once('\''))
            && rest.starts_with(" failed")
        {
            report.fail(name.trim_matches(['-', '[', ']']), "");
        }
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// Reads `5 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.1 seconds`.
fn sums(text: &str) -> Option<Counts> {
    let (number, rest) = scan::leading_number(text)?;
    let rest = rest
        .strip_prefix(" test")?
        .trim_start_matches('s')
        .strip_prefix(", with ")?;
    let skipped = rest
        .split_once(" test")
        .filter(|(_, rest)| rest.contains("skipped"))
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or(0);
    let failed = scan::counted(rest)
        .find(|(_, word)| word.starts_with("failure"))
        .map_or(0, |(number, _)| number);
    let run = number.saturating_sub(skipped);
    Some(Counts {
        run,
        passed: run.saturating_sub(failed),
        failed,
        skipped,
        errors: 0,
    })
}
