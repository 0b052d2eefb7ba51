//! Reads TAP as test programs print it: flat, with `# name` comments before the assertions of a test.
//!
//! A section named by a comment is a test; it fails when one of its assertions does. Output that stops before its
//! plan is a program that died, and what it did not reach is not evidence.

use crate::report::{Location, RedReason, Status, TestId, TestResult};

/// What a program's TAP says.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    /// The tests in order; assertions before any comment belong to a test without a name of its own.
    pub tests: Vec<(TestId, TestResult)>,
    /// Whether the plan was printed and met.
    pub is_complete: bool,
    /// Whether this is TAP at all.
    pub is_recognized: bool,
}

/// Reads the output of the program `file`.
pub(crate) fn read(text: &str, file: &str) -> Tap {
    let mut tap = Tap::default();
    let mut count = 0_u64;
    let mut plan = None;
    let mut in_details = false;
    let mut details: Vec<&str> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        if in_details || trimmed == "---" {
            in_details = trimmed != "...";
            details.push(trimmed);
            if !in_details {
                explain(&mut tap, &std::mem::take(&mut details));
            }
        } else if let Some(name) = line.strip_prefix("# ") {
            section(&mut tap, file, name);
        } else if let Some(rest) = line.strip_prefix("not ok") {
            count += 1;
            assertion(&mut tap, file, rest, Outcome::NotOk);
        } else if let Some(rest) = line.strip_prefix("ok") {
            count += 1;
            assertion(&mut tap, file, rest, Outcome::Ok);
        } else if let Some(last) = line.strip_prefix("1..") {
            plan = last
                .split_whitespace()
                .next()
                .and_then(|last| last.parse::<u64>().ok());
        } else if line.starts_with("TAP version") {
            tap.is_recognized = true;
        } else if line.starts_with("Bail out!") {
            plan = None;
            break;
        }
    }
    tap.is_recognized |= plan.is_some() && count > 0;
    tap.is_complete = plan == Some(count);
    tap
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok,
    NotOk,
}

fn section(tap: &mut Tap, file: &str, name: &str) {
    let name = name.trim();
    let is_summary = [
        "tests",
        "pass",
        "fail",
        "ok",
        "skip",
        "todo",
        "failed",
        "time=",
        "suites",
        "cancelled",
        "skipped",
        "duration_ms",
    ]
    .iter()
    .any(|word| {
        name == *word
            || name.strip_prefix(word).is_some_and(|rest| {
                rest.starts_with(' ') && rest.trim().chars().all(|c| c.is_ascii_digit() || c == '.')
            })
    });
    if is_summary || name.starts_with("time=") {
        return;
    }
    let (name, status) = match name.strip_prefix("SKIP ") {
        Some(name) => (name, Status::Skipped),
        None => (
            name.strip_prefix("Subtest: ").unwrap_or(name),
            Status::Passed,
        ),
    };
    open(tap, file, name, status);
}

fn open(tap: &mut Tap, file: &str, name: &str, status: Status) {
    let id = TestId::new(format!("{file} > {name}"));
    let earlier = tap
        .tests
        .iter()
        .position(|(known, _)| *known == id)
        .map(|at| tap.tests.remove(at));
    let fresh = TestResult {
        status,
        red: None,
        message: String::new(),
        location: None,
    };
    let merged = match earlier {
        Some((_, result)) if result.status != Status::Passed => result,
        Some(_) | None => fresh,
    };
    tap.tests.push((id, merged));
}

fn assertion(tap: &mut Tap, file: &str, rest: &str, outcome: Outcome) {
    let (said, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
    let said = said
        .trim_start()
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim()
        .trim_start_matches("- ")
        .to_owned();
    if tap.tests.is_empty() {
        open(tap, file, "assertions", Status::Passed);
    }
    let Some((_, result)) = tap.tests.last_mut() else {
        return;
    };
    let directive = directive.to_ascii_uppercase();
    if outcome == Outcome::NotOk
        && !directive.starts_with("TODO")
        && !directive.starts_with("SKIP")
        && result.status != Status::Failed
    {
        result.status = Status::Failed;
        result.red = Some(RedReason::Assertion);
        result.message = if said.is_empty() {
            "an assertion did not hold".to_owned()
        } else {
            said
        };
    }
}

/// Takes what was expected and found, and an exception, from the lines below a failed assertion.
fn explain(tap: &mut Tap, details: &[&str]) {
    let Some((_, result)) = tap.tests.last_mut() else {
        return;
    };
    if result.status != Status::Failed || result.location.is_some() {
        return;
    }
    let value = |key: &str| {
        details
            .iter()
            .find_map(|line| line.strip_prefix(key))
            .map(str::trim)
            .filter(|value| !value.is_empty() && *value != "|-")
    };
    if let (Some(expected), Some(actual)) = (value("expected:"), value("actual:")) {
        result.message = format!("{}: expected {expected}, got {actual}", result.message);
    }
    if value("operator:") == Some("error")
        || value("operator:") == Some("fail") && result.message.contains("rror:")
    {
        result.red = Some(RedReason::Exception);
    }
    if let Some(at) = value("at:") {
        result.location = location(at);
    }
}

fn location(at: &str) -> Option<Location> {
    let inside = at
        .rsplit_once('(')
        .map_or(at, |(_, rest)| rest.trim_end_matches(')'));
    let mut parts = inside.rsplitn(3, ':');
    let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Location {
        file: file.to_owned(),
        line: line.parse().ok(),
        column: column.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::report::Status;

    const GOOD: &str = "TAP version 13\n# adds\nok 1 one\n# SKIP later\n# takes\nnot ok 2 two\n  ---\n    operator: equal\n    expected: 1\n    actual:   2\n    at: Test.<anonymous> (/w/test/a.js:7:4)\n  ...\n\n1..2\n# tests 2\n# pass  1\n# fail  1\n";

    #[test]
    fn comments_name_tests_and_assertions_decide_them() {
        let tap = read(GOOD, "test/a.js");
        let seen: Vec<_> = tap
            .tests
            .iter()
            .map(|(id, result)| (id.as_str(), result.status))
            .collect();
        let expected = [
            ("test/a.js > adds", Status::Passed),
            ("test/a.js > later", Status::Skipped),
            ("test/a.js > takes", Status::Failed),
        ];
        assert_eq!(seen, expected);
        assert!(tap.is_complete && tap.is_recognized);
        let last = &tap.tests[2].1;
        assert_eq!(last.location.as_ref().and_then(|at| at.line), Some(7));
        assert_eq!(last.message, "two: expected 1, got 2");
    }

    #[test]
    fn a_plan_that_is_not_met_is_not_an_end() {
        assert!(!read("TAP version 13\n# a\nok 1 x\n", "a.js").is_complete);
        assert!(!read("TAP version 13\n# a\nok 1 x\n1..2\n", "a.js").is_complete);
        assert!(!read("hello\n", "a.js").is_recognized);
    }
}
