//! G2: a test that the change breaks, edited until it no longer says so.
//!
//! The base's text of the test was run against the head's source and failed. An edit that asks the same and expects
//! another answer is a change of behavior, which people make; one that asks less hides it.

use wayproof_receipt::predicate::{Finding, Severity};

use super::assertions::may_hold_tests;
use super::{Scene, finding};
use crate::plan::FileChange;
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
        findings.push(edits.next().unwrap_or_else(|| Finding {
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

/// How an edited file hides what its former text says about a test.
fn hidden(change: &FileChange, id: &TestId) -> Option<Finding> {
    let file = crate::runner::file_of(id);
    if file.contains('/') && !change.path.ends_with(file) {
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
    let is_other = after.exact.iter().any(asks_other);
    is_other.then(|| format!("now it asks for something else than {dropped}"))
}

/// A line around unchanged tests that puts something else in the place of what they test.
fn steered(before: &str, after: &str) -> Option<String> {
    let known = around_tests(before);
    let added = around_tests(after).into_iter().find(|line| {
        !known.contains(line)
            && (replaces_attribute(line) || line.contains("mock") || line.contains("patch"))
    })?;
    Some(format!("now its file steers it: {}", added.trim()))
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
    use super::hidden;
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
}
