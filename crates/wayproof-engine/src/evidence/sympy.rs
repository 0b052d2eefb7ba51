//! SymPy's own test runner.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static SYMPY: Recognizer = Recognizer {
    triggers: &["tests finished: "],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"=t_");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "sympy");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        if let Some(sums) = line
            .trim_start_matches(['=', ' '])
            .strip_prefix("tests finished: ")
        {
            counts = Some(scan::sum(counts, summary(sums)));
            report.next_run();
        } else if let Some(name) = heading(line) {
            report.fail(name, "");
        }
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// Reads `854 passed, 1 failed, 63 skipped, 22 expected to fail,`.
fn summary(sums: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in scan::counted(sums) {
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "skipped" => counts.skipped = number,
            "exceptions" => counts.errors = number,
            _ => {}
        }
    }
    counts.run = counts.passed + counts.failed + counts.errors;
    counts
}

/// Reads `____ sympy/sets/tests/test_sets.py:test_imageset ____`.
fn heading(line: &str) -> Option<&str> {
    let name = line
        .strip_prefix("___")?
        .strip_suffix("___")?
        .trim_matches('_')
        .trim();
    name.contains(".py:").then_some(name)
}
