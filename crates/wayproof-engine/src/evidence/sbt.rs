//! sbt: the sums of each `test` task, and the failures as JUnit, `ScalaTest`, `MUnit` and specs2
//! print them under it. Lines carry sbt's level, once for every sbt that an outer one has started.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static SBT: Recognizer = Recognizer {
    triggers: &["Passed: Total ", "Failed: Total ", "Error: Total "],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"[");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "sbt-test");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        let Some(line) = unleveled(line) else {
            continue;
        };
        if let Some(more) = sums(line) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if let Some((name, message)) = failed_line(line) {
            report.fail(name, message);
        }
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// The line without sbt's levels; lines without one are not sbt's.
fn unleveled<'a>(line: &'a str) -> Option<&'a str> {
    let level = |line: &'a str| {
        let levels = ["[info] ", "[error] ", "[warn] "];
        levels.iter().find_map(|level| line.strip_prefix(level))
    };
    let mut rest = level(line)?;
    while let Some(inner) = level(rest) {
        rest = inner;
    }
    Some(rest.trim())
}

/// Reads `Failed: Total 5, Failed 1, Errors 0, Passed 3, Skipped 1`.
fn sums(line: &str) -> Option<Counts> {
    let (word, rest) = line.split_once(": Total ")?;
    if !matches!(word, "Passed" | "Failed" | "Error") {
        return None;
    }
    let (total, rest) = scan::leading_number(rest)?;
    let of = |label: &str| scan::number_after(rest, label).unwrap_or(0);
    let (failed, errors, passed) = (of("Failed"), of("Errors"), of("Passed"));
    Some(Counts {
        run: passed + failed + errors,
        passed,
        failed,
        skipped: total.saturating_sub(passed + failed + errors),
        errors,
    })
}

/// Reads JUnit's `Test a.BTest.c failed: AssertionError: no, took 0.1 sec`, `ScalaTest`'s
/// `- adds *** FAILED ***`, `MUnit`'s `==> X a.BSuite.adds  0.1s AssertionError` and specs2's
/// `x adds`, which has no other mark.
fn failed_line(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = line.strip_prefix("Test ") {
        let (name, message) = rest.split_once(" failed: ")?;
        return (!name.contains(' ')).then_some((name, message));
    }
    if let Some(rest) = line.strip_prefix("- ") {
        let (name, _) = rest.split_once(" *** FAILED ***")?;
        return Some((name, ""));
    }
    if let Some(rest) = line.strip_prefix("==> X ") {
        return Some(rest.split_once("  ").unwrap_or((rest, "")));
    }
    line.strip_prefix("x ").map(|name| (name, ""))
}
