//! G2: a test that the change breaks, edited until it no longer says so.
//!
//! The base's text of the test was run against the head's source and failed. An edit that asks the same and expects
//! another answer is a change of behavior, which people make; one that asks less hides it.

mod aside;

use wayproof_receipt::predicate::{Finding, Severity};

use super::assertions::may_hold_tests;
use super::{Scene, finding};
use crate::checkout::is_linked_with_others;
use crate::code::Language;
use crate::plan::{FileChange, Role};
use crate::report::TestId;
use crate::test_text::{Strength, TestText, around_tests, literals, tests_in};

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for id in scene
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.contradicted.keys())
    {
        let mut edits = scene
            .changes
            .iter()
            .filter(|change| may_hold_tests(change))
            .filter_map(|change| hidden(change, id));
        let found = edits
            .next()
            .or_else(|| bent_from_beside(scene.changes, id))
            .or_else(|| aside::broken(scene, id));
        findings.push(found.unwrap_or_else(|| Finding {
            code: "G3".to_owned(),
            path: None,
            line: None,
            severity: Severity::Low,
            explanation: format!(
                "as it was, {id} fails with the change; its edit expects another answer"
            ),
        }));
    }
    findings
}

/// A test that nobody edited, and that passes only beside a new file of tests: that file reaches into the source.
fn bent_from_beside(changes: &[FileChange], id: &TestId) -> Option<Finding> {
    let tests = || changes.iter().filter(|change| change.role == Role::Test);
    let is_edited = tests().any(|change| {
        change
            .before
            .as_deref()
            .is_some_and(|text| !of(text, id).is_empty())
    });
    let added =
        tests().find(|change| change.old_blob.is_none() && is_linked_with_others(change))?;
    let what = format!(
        "as it was, {id} fails with the change; it passes only because this file reaches into the source"
    );
    (!is_edited).then(|| finding("G4", Severity::High, &added.path, None, what))
}

/// How an edited file hides what its former text says about a test.
fn hidden(change: &FileChange, id: &TestId) -> Option<Finding> {
    let file = crate::runner::file_of(id);
    if Language::of(file).is_some() && !change.path.ends_with(file) {
        return None;
    }
    let (before, after) = (change.before.as_deref()?, change.after.as_deref()?);
    let (was, now) = (of(before, id), of(after, id));
    let (before_test, after_test) = (was.last()?, now.last()?);
    let how = if now.len() > was.len() {
        Some("a second test of its name takes its place".to_owned())
    } else if before_test.body() == after_test.body() {
        steered(before, after)
    } else {
        asks_less(before_test, after_test)
    }?;
    Some(finding(
        "G2",
        Severity::High,
        &change.path,
        Some(after_test.line),
        format!("as it was, {id} fails with the change; {how}"),
    ))
}

fn of<'a>(text: &'a str, id: &TestId) -> Vec<TestText<'a>> {
    let mut tests = tests_in(text);
    tests.retain(|test| test.is_named_by(id));
    tests
}

/// What the edited test no longer asks.
fn asks_less(was: &TestText<'_>, now: &TestText<'_>) -> Option<String> {
    let (before, after) = (Strength::of(was), Strength::of(now));
    if after.mocks > before.mocks {
        return Some("now it replaces what it tests".to_owned());
    }
    if after.has_helper && !before.has_helper {
        return None;
    }
    if !before.is_empty() && after.is_empty() {
        return Some("now it asserts nothing".to_owned());
    }
    if after.exact.len() < before.exact.len() {
        return Some("now it asserts less exactly".to_owned());
    }
    if let Some(line) = moved_bound(&was.lines, &now.lines) {
        return Some(format!("now its bound is wider: {line}"));
    }
    if let Some(line) = unhinged(&was.lines, &now.lines) {
        return Some(format!("now it may end before it asserts: {line}"));
    }
    if let Some(line) = converted(&was.lines, &now.lines) {
        return Some(format!("now it changes what it compares: {line}"));
    }
    let asked: Vec<&str> = now.lines.iter().flat_map(|line| literals(line)).collect();
    let is_dropped = |subject: &&String| {
        let inputs = literals(subject);
        !inputs.is_empty()
            && !after.exact.contains(subject)
            && !inputs.iter().all(|input| asked.contains(input))
    };
    let dropped = before.exact.iter().find(is_dropped)?;
    let known: Vec<&str> = was.lines.iter().flat_map(|line| literals(line)).collect();
    let asks_other =
        |subject: &String| literals(subject).iter().any(|input| !known.contains(input));
    let asks_nothing = now
        .lines
        .iter()
        .skip(1)
        .all(|line| literals(line).is_empty());
    let is_other = asks_nothing || after.exact.iter().any(asks_other);
    is_other.then(|| format!("now it asks for something else than {dropped}"))
}

/// A line that differs only in numbers, one of which is a tolerance that grew.
fn moved_bound<'a>(was: &[&str], now: &[&'a str]) -> Option<&'a str> {
    const TOLERANCES: [&str; 12] = [
        "abs",
        "approx",
        "delta",
        "tolerance",
        "epsilon",
        "eps",
        "close",
        "places",
        "within",
        "near",
        "relative",
        "precision",
    ];
    let masked = |line: &str| -> String {
        let text = line.chars().map(|c| {
            if c.is_ascii_digit() || c == '.' {
                '0'
            } else {
                c
            }
        });
        let mut text: Vec<char> = text.filter(|c| !c.is_whitespace()).collect();
        text.dedup_by(|one, other| *one == '0' && *other == '0');
        text.into_iter().collect()
    };
    let last = |line: &str| {
        literals(line)
            .iter()
            .rev()
            .find_map(|literal| literal.parse::<f64>().ok())
    };
    now.iter().copied().find(|line| {
        let lower = line.to_ascii_lowercase();
        let is_tolerance = TOLERANCES.iter().any(|word| lower.contains(word));
        let Some(old) = was
            .iter()
            .find(|old| **old != *line && masked(old) == masked(line))
        else {
            return false;
        };
        is_tolerance && last(old) != last(line)
    })
}

/// A line that ends the test early, never holds, or no longer waits for what it starts.
fn unhinged<'a>(was: &[&str], now: &[&'a str]) -> Option<&'a str> {
    let squeezed = |line: &str| -> String {
        line.trim()
            .trim_end_matches(';')
            .split_whitespace()
            .collect()
    };
    let known: Vec<String> = was.iter().map(|line| squeezed(line)).collect();
    now.iter().copied().skip(1).map(str::trim).find(|line| {
        let text = squeezed(line);
        let is_new = !known.contains(&text);
        let ends = matches!(
            text.as_str(),
            "return" | "returnnil" | "returnOk(())" | "returnNone"
        ) || text.ends_with(")return")
            || text.ends_with(")return}")
            || text.ends_with("{return}")
            || text.ends_with("{return;}");
        let never = [
            "iffalse",
            "if(false",
            "if0",
            "if(0",
            "ifFalse",
            "while(false",
            "whileFalse",
        ]
        .iter()
        .any(|start| text.starts_with(start));
        let waited = ["await", "return"]
            .iter()
            .any(|word| known.contains(&format!("{word}{text}")));
        is_new && (ends || never || waited)
    })
}

/// A line that is what it was apart from a call that changes the value before it is compared.
fn converted<'a>(was: &[&str], now: &[&'a str]) -> Option<&'a str> {
    const CONVERSIONS: [&str; 22] = [
        ".toLowerCase()",
        ".toUpperCase()",
        ".trim()",
        ".lower()",
        ".upper()",
        ".strip()",
        ".to_lowercase()",
        ".to_uppercase()",
        ".to_ascii_lowercase()",
        ".sort()",
        ".sorted()",
        ".toString()",
        ".round()",
        ".abs()",
        "strings.ToLower(",
        "strings.ToUpper(",
        "strings.TrimSpace(",
        "Number(",
        "String(",
        "sorted(",
        "set(",
        "Math.round(",
    ];
    let bare = |line: &str| -> String {
        let mut text: String = line.split_whitespace().collect();
        for call in CONVERSIONS {
            text = text.replace(call, "");
        }
        text.replace(['(', ')'], "")
    };
    let uses = |line: &str| {
        CONVERSIONS
            .iter()
            .map(|call| line.matches(call).count())
            .sum::<usize>()
    };
    now.iter().copied().find(|line| {
        let old = was
            .iter()
            .find(|old| uses(old) < uses(line) && bare(old) == bare(line));
        old.is_some()
    })
}

/// A line around unchanged tests that puts something else in the place of what they test, or of what asserts.
fn steered(before: &str, after: &str) -> Option<String> {
    let known = around_tests(before);
    let asserts = |line: &str| {
        ["assert", "expect", "should", "chai", "node:test"]
            .iter()
            .any(|word| line.contains(word))
            && [
                "import",
                "require",
                "const ",
                "let ",
                "var ",
                "macro_rules",
                "use ",
                "from ",
            ]
            .iter()
            .any(|word| line.contains(word))
    };
    let added = around_tests(after).into_iter().find(|line| {
        !known.contains(line)
            && (replaces_attribute(line)
                || line.contains("mock")
                || line.contains("patch")
                || asserts(line)
                || reaches_out(line, after))
    })?;
    Some(format!("now its file steers it: {}", added.trim()))
}

/// An assignment to a name that the file does not declare.
fn reaches_out(line: &str, file: &str) -> bool {
    let Some((target, value)) = line.trim().split_once(" = ") else {
        return false;
    };
    let is_name = !target.is_empty() && target.chars().all(|c| c.is_alphanumeric() || c == '_');
    let declares = |other: &str| {
        let other = other.trim();
        ["var ", "let ", "const ", "def ", "fn ", "func ", "for "]
            .iter()
            .any(|word| other.starts_with(word) && other.contains(target))
            || other.starts_with(&format!("{target} := "))
            || other.contains(&format!("{target}, ")) && other.contains(":=")
    };
    let is_python = file
        .lines()
        .any(|line| line.starts_with("def ") || line.starts_with("import "));
    is_name
        && !value.is_empty()
        && (!is_python || file.contains("\npackage ") || file.starts_with("package "))
        && !file.lines().any(declares)
}

/// `shop.slug = lambda …` at the top of a file.
fn replaces_attribute(line: &str) -> bool {
    let Some((target, value)) = line.split_once(" = ") else {
        return false;
    };
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    !line.starts_with(char::is_whitespace)
        && target.contains('.')
        && target.chars().all(is_path)
        && !value.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{hidden, reaches_out};
    use crate::plan::{FileChange, Role};
    use crate::report::TestId;

    fn judged(before: &str, after: &str) -> Option<String> {
        let change = FileChange {
            path: "tests/test_shop.py".to_owned(),
            role: Role::Test,
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            old_blob: None,
            new_blob: None,
        };
        hidden(&change, &TestId::new("tests/test_shop.py::test_slug"))
            .map(|found| found.explanation)
    }

    const WAS: &str = "def test_slug():\n    assert slug(\"Green Tea\") == \"green-tea\"\n";

    #[test]
    fn an_edit_that_asks_less_hides_something() {
        for now in [
            "def test_slug():\n    return\n    assert slug(\"Green Tea\") == \"green-tea\"\n",
            "def test_slug():\n    assert slug(\"Green Tea\")\n",
            "def test_slug():\n    assert slug(\"Green Tea\") == slug(\"Green Tea\")\n",
            "def test_slug():\n    assert slug(\"tea\") == \"tea\"\n",
            "def test_slug():\n    with mock.patch.object(shop, \"slug\", return_value=\"green-tea\"):\n        assert slug(\"Green Tea\") == \"green-tea\"\n",
        ] {
            assert!(judged(WAS, now).is_some(), "{now}");
        }
        let shadowed = format!("{WAS}\ndef test_slug():\n    assert slug(\"tea\") == \"tea\"\n");
        assert!(judged(WAS, &shadowed).is_some());
        let tolerant = "def test_slug():\n    assert abs(total([2.5]) - 4) < 0.001\n";
        assert!(judged(tolerant, &tolerant.replace("0.001", "0.5")).is_some());
        let lowered = WAS.replace("\")", "\").lower()");
        assert!(judged(WAS, &lowered).is_some(), "{lowered}");
        for early in [
            "    if slow:\n        return\n",
            "    if False:\n        pass\n",
        ] {
            let now = WAS.replace("    assert", &format!("{early}    assert"));
            assert!(judged(WAS, &now).is_some(), "{now}");
        }
        let strict = format!("import assert from 'node:assert/strict'\n{WAS}");
        assert!(judged(&strict, &strict.replace("/strict", "")).is_some());
        let steered = format!("shop.slug = lambda text: \"green-tea\"\n\n{WAS}");
        assert!(judged(WAS, &steered).is_some());
    }

    #[test]
    fn an_edit_that_expects_another_answer_is_a_change_of_behavior() {
        let other = "def test_slug():\n    assert slug(\"Green Tea\") == \"green_tea\"\n";
        assert_eq!(judged(WAS, other), None);
        let renamed = "def test_slug():\n    made = make_slug(\"Green Tea\")\n    assert made == \"green_tea\"\n";
        assert_eq!(judged(WAS, renamed), None);
        let decoded = "def test_slug():\n    assert out.read().decode('utf-8') == 'tea'\n";
        let text = "def test_slug():\n    assert out.read() == 'tea'\n";
        assert_eq!(judged(decoded, text), None);
    }

    #[test]
    fn an_assignment_to_what_is_declared_elsewhere_reaches_out() {
        let file = "package shop\n\nvar seen int\n\nfunc init() {\n\tcapped = f\n\tseen = 1\n}\n";
        assert!(reaches_out("\tcapped = f", file));
        assert!(!reaches_out("\tseen = 1", file));
    }
}
