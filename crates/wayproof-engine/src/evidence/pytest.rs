//! pytest: the summary line, the short test summary, verbose result lines and failure headings.
//! It does not read tracebacks.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, Outcome, location, scan};

pub(super) static PYTEST: Recognizer = Recognizer {
    triggers: &[
        " passed",
        " failed",
        "FAILED ",
        "FAIL ",
        "no tests ran",
        " error in ",
        " errors in ",
        "INTERNALERROR>",
    ],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"=0123456789nFE_I").or_last(b"]DR");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "pytest");
    let mut counts: Option<Counts> = None;
    let mut headings: Vec<&str> = Vec::new();
    let mut is_listing = false;
    let mut is_running = false;
    let mut is_named = false;
    for (_, line) in log.lines_with(&ENDS) {
        if let Some(more) = summary(line) {
            if !is_named && more.failed + more.errors > 0 {
                name_by(&headings, &mut report);
            }
            counts = Some(scan::sum(counts, more));
            report.next_run();
            headings.clear();
            (is_listing, is_running, is_named) = (false, false, false);
        } else if let Some((name, message)) = named_failure(line) {
            report.fail(name, message);
            is_named = true;
        } else if is_listing && let Some((name, message)) = listed_directory(line) {
            report.fail(name, message);
            is_named = true;
        } else if line.starts_with('=') && line.contains(" short test summary info ") {
            is_listing = true;
        } else if line.starts_with('=') && line.contains(" test session starts ") {
            is_running = true;
        } else if let Some(heading) = heading(line) {
            headings.push(heading);
        } else if line.starts_with("INTERNALERROR>") {
            report.fail("INTERNALERROR", line);
        }
    }
    if !report.has_failures() && counts.is_none() {
        name_by(&headings, &mut report);
    }
    if counts.is_none() && !report.has_failures() {
        return None;
    }
    let mut evidence = report.tested(counts);
    if is_running && evidence.outcome == Outcome::Passed {
        // A later session never came to its sum.
        evidence.outcome = Outcome::Unknown;
    }
    Some(evidence)
}

/// Names failures by the headings of their sections. A heading lacks the file, so that equal ones
/// are tests of different files.
fn name_by(headings: &[&str], report: &mut Report) {
    for heading in headings {
        report.next_run();
        report.fail(heading, "");
    }
}

/// Reads `==== 3 failed, 59 passed in 8.37s ====`, with or without the rules.
fn summary(line: &str) -> Option<Counts> {
    let text = line.trim().trim_matches('=').trim();
    let is_candidate =
        text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with("no tests ran");
    if !is_candidate {
        return None;
    }
    let (sums, duration) = text.rsplit_once(" in ")?;
    if !duration.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut counts = Counts::default();
    let mut is_ours = false;
    if sums == "no tests ran" {
        return Some(counts);
    }
    for part in sums.split(", ") {
        let (number, word) = scan::leading_number(part)?;
        match word.trim() {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "error" | "errors" => counts.errors += number,
            "skipped" => counts.skipped += number,
            "xfailed" | "xpassed" => counts.run += number,
            // Plugins add words of their own.
            word if !word.is_empty() && word.len() < 32 => continue,
            _ => return None,
        }
        is_ours = true;
    }
    if !is_ours {
        return None;
    }
    counts.run += counts.passed + counts.failed + counts.errors;
    Some(counts)
}

/// Reads `FAILED tests/test_a.py::test_b - AssertionError` and, from verbose output,
/// `tests/test_a.py::test_b FAILED   [ 50%]`.
fn named_failure(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let short = line
        .strip_prefix("FAILED ")
        .or_else(|| line.strip_prefix("ERROR "))
        .or_else(|| line.strip_prefix("FAIL "));
    if let Some(rest) = short {
        let (name, message) = node_and_message(rest);
        return is_node(name).then_some((name, message));
    }
    if !line.ends_with([']', 'D', 'R']) {
        return None;
    }
    let (name, rest) = line
        .split_once(" FAILED")
        .or_else(|| line.split_once(" ERROR"))?;
    let is_progress = rest.is_empty() || rest.trim_start().starts_with('[');
    (is_progress && name.contains("::") && is_node(name)).then_some((name, ""))
}

/// Splits `a.py::b[x - y] - message`: parameters may hold what stands before the message.
fn node_and_message(text: &str) -> (&str, &str) {
    // A bracket behind the first dash is the message's: `a.py::b - OSError: [Errno 2] no`.
    let name = text.split(" - ").next().unwrap_or(text);
    let from = match name.find('[') {
        Some(open) => text.find("] - ").map_or(open, |close| close + 1),
        None => 0,
    };
    let (head, rest) = text.split_at_checked(from).unwrap_or(("", text));
    match rest.split_once(" - ") {
        Some((name, message)) => (text.get(..head.len() + name.len()).unwrap_or(text), message),
        None => (text, ""),
    }
}

/// Reads `ERROR tests/unit - KeyError` in the short summary: a directory that broke.
fn listed_directory(line: &str) -> Option<(&str, &str)> {
    let (name, message) = line.strip_prefix("ERROR ")?.split_once(" - ")?;
    (name.contains('/') && !name.contains(' ')).then_some((name, message))
}

/// True for a node id: a Python file, perhaps with a test inside it.
fn is_node(name: &str) -> bool {
    let file = name.split("::").next().unwrap_or_default();
    location::has_suffix(file, "py") && !file.contains(' ')
}

/// Reads the heading of a failure's section: `____ TestThing.test_it[a] ____`.
fn heading(line: &str) -> Option<&str> {
    let inner = line.strip_prefix("___")?.trim_start_matches('_');
    let name = inner.strip_suffix("___")?.trim_end_matches('_').trim();
    let name = name
        .strip_prefix("ERROR at setup of ")
        .or_else(|| name.strip_prefix("ERROR at teardown of "))
        .or_else(|| name.strip_prefix("ERROR collecting "))
        .unwrap_or(name);
    let is_other = name.contains(".py:") && !name.contains(".py::");
    (!name.is_empty() && !is_other).then_some(name)
}
