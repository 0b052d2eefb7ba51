//! Gradle's test task: `Class > method FAILED` and the sums it prints when something failed.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static GRADLE: Recognizer = Recognizer {
    triggers: &[" tests completed", " test completed", " FAILED"],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"0123456789>:").or_last(b"D");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "gradle-test");
    let mut counts: Option<Counts> = None;
    let mut has_task = false;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(more) = sums(line) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if let Some(name) = failed_line(line) {
            report.fail(&name, "");
        } else if line.starts_with("> Task :") || line.starts_with(':') {
            has_task = true;
        }
    }
    (counts.is_some() || has_task && report.has_failures()).then(|| report.tested(counts))
}

/// Reads `20 tests completed, 1 failed, 2 skipped`.
fn sums(line: &str) -> Option<Counts> {
    let (number, rest) = scan::leading_number(line)?;
    let rest = rest
        .strip_prefix(" tests completed")
        .or_else(|| rest.strip_prefix(" test completed"))?;
    let mut counts = Counts::default();
    for (number, word) in scan::counted(rest) {
        match word {
            "failed" => counts.failed = number,
            "skipped" => counts.skipped = number,
            _ => {}
        }
    }
    counts.run = number.saturating_sub(counts.skipped);
    counts.passed = counts.run.saturating_sub(counts.failed);
    Some(counts)
}

/// Reads `ClassTest > method() FAILED` as `ClassTest.method()`.
fn failed_line(line: &str) -> Option<String> {
    let name = line.strip_suffix(" FAILED")?;
    if name.starts_with('>') || name.starts_with(':') {
        return None;
    }
    let (class, method) = name.rsplit_once(" > ")?;
    let class = class.rsplit(" > ").next().unwrap_or(class);
    Some(format!("{class}.{method}"))
}
