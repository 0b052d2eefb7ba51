//! RSpec: the sums and the list of commands that rerun what failed.

use super::location;
use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static RSPEC: Recognizer = Recognizer {
    triggers: &[
        " examples, ",
        " example, ",
        "error occurred outside of examples",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"0123456789r");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "rspec");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(more) = sums(line) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if let Some((place, name)) = line
            .strip_prefix("rspec ")
            .and_then(|rest| rest.split_once(" # "))
        {
            report.fail_at(name, "", location::bare(place));
        }
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// Reads `5 examples, 1 failure, 2 pending, 1 error occurred outside of examples`.
fn sums(line: &str) -> Option<Counts> {
    let (examples, rest) = scan::leading_number(line)?;
    let rest = rest
        .strip_prefix(" examples, ")
        .or_else(|| rest.strip_prefix(" example, "))?;
    let mut counts = Counts::default();
    for (number, word) in scan::counted(rest) {
        match word {
            "failure" | "failures" => counts.failed = number,
            "pending" => counts.skipped = number,
            "error" | "errors" => counts.errors = number,
            _ => {}
        }
    }
    let ran = examples.saturating_sub(counts.skipped);
    counts.passed = ran.saturating_sub(counts.failed);
    counts.run = ran + counts.errors;
    Some(counts)
}
