//! Karma and Jasmine: Karma's progress line, its mocha reporter's sums, Jasmine's specs.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static KARMA: Recognizer = Recognizer {
    triggers: &[
        "Executed ",
        " tests completed",
        " test completed",
        " specs, ",
        " spec, ",
        "FAILED TESTS:",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"0123456789FCPSEHj").or_last(b")SR");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "karma");
    let mut marked: Option<Counts> = None;
    let mut progress: Option<Counts> = None;
    let mut is_listing = false;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(more) = marked_sum(line) {
            marked = Some(scan::sum(marked, more));
        } else if let Some(counts) = executed(line).or_else(|| specs(line)) {
            progress = Some(counts);
        } else if line == "FAILED TESTS:" {
            is_listing = true;
        } else if is_listing && let Some(name) = line.strip_prefix("\u{2716} ") {
            report.fail(name, "");
        } else if let Some(name) = browser_failure(line) {
            report.fail(name, "");
        }
    }
    let counts = marked.or(progress)?;
    Some(report.tested(Some(counts)))
}

/// Reads `✔ 7 tests completed`, `✖ 3 tests failed`, `ℹ 1 test skipped`.
fn marked_sum(line: &str) -> Option<Counts> {
    let rest = line.trim_start_matches(['\u{2714}', '\u{2716}', '\u{2139}', '\u{221a}']);
    if rest.len() == line.len() {
        return None;
    }
    let (number, rest) = scan::leading_number(rest.trim_start())?;
    let mut counts = Counts::default();
    match rest.strip_prefix(" test")?.trim_start_matches('s') {
        " completed" => counts.passed = number,
        " failed" => counts.failed = number,
        " skipped" => counts.skipped = number,
        _ => return None,
    }
    counts.run = counts.passed + counts.failed;
    Some(counts)
}

/// Reads `Chrome 80.0: Executed 5 of 6 (1 FAILED) (skipped 1) (0.1 secs / 0.05 secs)`.
fn executed(line: &str) -> Option<Counts> {
    if !line.ends_with([')', 'S', 'R']) {
        return None;
    }
    let (_, rest) = line.rsplit_once("Executed ")?;
    let (run, rest) = scan::leading_number(rest)?;
    let (total, rest) = scan::leading_number(rest.strip_prefix(" of ")?)?;
    let failed = rest
        .split_once(" FAILED")
        .and_then(|(before, _)| before.rsplit_once('('))
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0);
    let skipped = scan::number_after(rest, "(skipped").unwrap_or(0);
    let is_whole = rest.contains("SUCCESS") || rest.contains("FAILED") || rest.contains("secs");
    is_whole.then(|| Counts {
        run,
        passed: run.saturating_sub(failed),
        failed,
        skipped,
        errors: total.saturating_sub(run + skipped),
    })
}

/// Reads Jasmine's `5 specs, 1 failure, 2 pending specs`.
fn specs(line: &str) -> Option<Counts> {
    let (number, rest) = scan::leading_number(line)?;
    let rest = rest
        .strip_prefix(" specs, ")
        .or_else(|| rest.strip_prefix(" spec, "))?;
    let mut counts = Counts::default();
    for (number, word) in scan::counted(rest) {
        match word {
            "failure" | "failures" => counts.failed = number,
            "pending" => counts.skipped = number,
            _ => {}
        }
    }
    counts.run = number.saturating_sub(counts.skipped);
    counts.passed = counts.run.saturating_sub(counts.failed);
    Some(counts)
}

/// Reads `Chrome 80.0 (Linux x86_64) Suite test name FAILED`.
fn browser_failure(line: &str) -> Option<&str> {
    let (browser, name) = line.strip_suffix(" FAILED")?.split_once(") ")?;
    let is_browser = [
        "Chrome",
        "Firefox",
        "PhantomJS",
        "Safari",
        "Edge",
        "HeadlessChrome",
        "Electron",
        "jsdom",
    ]
    .iter()
    .any(|known| browser.starts_with(known));
    (is_browser && browser.contains(" (")).then_some(name)
}
