//! The JUnit platform's console: its box of sums, and the list of failures above it. Ant's junit
//! tasks print it behind their own name.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static JUNIT: Recognizer = Recognizer {
    triggers: &[" tests found ", " tests failed "],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"[FM");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "junit");
    let mut counts: Option<Counts> = None;
    let mut is_listing = false;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        let line = line
            .split_once("] ")
            .filter(|(task, _)| task.starts_with("[junit"))
            .map_or(line, |(_, rest)| rest.trim());
        if let Some((number, word)) = boxed(line) {
            is_listing = false;
            let mut more = Counts::default();
            match word {
                "successful" => more.passed = number,
                "failed" => more.failed = number,
                "aborted" | "skipped" => more.skipped = number,
                _ => continue,
            }
            more.run = more.passed + more.failed;
            counts = Some(scan::sum(counts, more));
        } else if line.starts_with("Failures (") {
            is_listing = true;
            report.next_run();
        } else if is_listing && let Some(name) = source(line) {
            report.fail(&name, "");
        }
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// Reads `[      2322 tests successful ]`.
fn boxed(line: &str) -> Option<(u64, &str)> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?.trim();
    let (number, rest) = scan::leading_number(inner)?;
    Some((number, rest.strip_prefix(" tests ")?))
}

/// Reads `MethodSource [className = 'a.BTest', methodName = 'c', methodParameterTypes = '']`.
fn source(line: &str) -> Option<String> {
    let mut quoted = line
        .strip_prefix("MethodSource [")?
        .split('\'')
        .skip(1)
        .step_by(2);
    Some(format!("{}.{}", quoted.next()?, quoted.next()?))
}
