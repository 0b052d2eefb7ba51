//! G2: assertions made weaker: a test that was there before asserts less, or nothing, than it did.

use std::collections::BTreeMap;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, finding, is_comment};
use crate::plan::{FileChange, Role};

/// The assertions of one test, each by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Strength {
    /// Assertions of an exact value.
    exact: Vec<String>,
    /// All others.
    loose: Vec<String>,
    /// The line the test starts at.
    line: u32,
}

const EXACT: &[&str] = &[
    "assert_eq!",
    "assert_ne!",
    "assertEqual",
    "assertEquals",
    "assertDictEqual",
    "assertListEqual",
    "assertRaises",
    "pytest.raises",
    "toBe(",
    "toEqual(",
    "toStrictEqual(",
    "toThrow",
    "deepEqual(",
    "deepStrictEqual(",
    "strictEqual(",
    ".equal(",
    ".equals(",
    ".same(",
    "assert_matches!",
    "toMatchInlineSnapshot",
    ".throws(",
    ".rejects(",
    "reflect.DeepEqual",
    "require.Equal",
    "assert.Equal",
    "should_panic",
];
const LOOSE: &[&str] = &[
    "assert!(",
    "assertTrue",
    "assertIn",
    "assertFalse",
    "assertIsNotNone",
    "assertIsNone",
    "toBeTruthy",
    "toBeDefined",
    ".ok(",
    ".notOk(",
    "assert(",
    "assert ",
    "expect(",
    "t.Error",
    "t.Fatal",
    "assert.",
    "toMatch",
    "t.is(",
    "t.true(",
];
const VOID: &[&str] = &[
    "assert True",
    "assert!(true)",
    "assertTrue(True)",
    "expect(true).toBe(true)",
    "assert(true)",
    ".ok(true)",
    "assert 1 == 1",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.changes.iter().filter(|change| may_hold_tests(change)) {
        let (Some(before), Some(after)) = (&change.before, &change.after) else {
            continue;
        };
        let (before, after) = (tests_of(before), tests_of(after));
        for (name, was) in &before {
            let Some(now) = after.get(name) else { continue };
            let at = Some(now.line);
            let asserted = !was.exact.is_empty() || !was.loose.is_empty();
            if asserted && now.exact.is_empty() && now.loose.is_empty() {
                findings.push(finding(
                    "G2",
                    Severity::High,
                    &change.path,
                    at,
                    format!("{name} no longer asserts anything"),
                ));
            } else if let Some(subject) = loosened(was, now) {
                let what = format!("{name} no longer asserts an exact value of {subject}");
                findings.push(finding("G2", Severity::Medium, &change.path, at, what));
            }
        }
    }
    findings
}

/// Something that was asserted exactly and is now only asserted loosely.
fn loosened<'a>(was: &'a Strength, now: &Strength) -> Option<&'a str> {
    if now.exact.len() >= was.exact.len() {
        return None;
    }
    let is_gone = |subject: &&String| subject.len() > 2 && !now.exact.contains(subject);
    let is_loose = |subject: &&String| {
        now.loose
            .iter()
            .any(|other| other.starts_with(subject.as_str()))
            && !was.loose.contains(subject)
    };
    was.exact
        .iter()
        .filter(is_gone)
        .find(is_loose)
        .map(String::as_str)
}

/// What an assertion is about: its first operand, without spaces.
fn subject(line: &str) -> String {
    let line = line.trim();
    let words = EXACT.iter().chain(LOOSE);
    let after = words
        .filter_map(|word| line.split_once(word))
        .map(|(_, rest)| rest);
    let operand = after
        .min_by_key(|rest| rest.len())
        .unwrap_or(line)
        .trim_start_matches('(');
    let mut depth = 0_i32;
    let mut subject = String::new();
    for letter in operand.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 || depth == 0 && matches!(letter, ',' | '=' | '!' | '<' | '>') {
            break;
        }
        if !letter.is_whitespace() {
            subject.push(letter);
        }
    }
    subject
}

fn may_hold_tests(change: &FileChange) -> bool {
    change.role == Role::Test
        || change.role == Role::Source && crate::plan::extension(&change.path) == "rs"
}

/// The strength of every test of a file, by name. Tests end where the next one begins.
fn tests_of(text: &str) -> BTreeMap<String, Strength> {
    let mut tests: BTreeMap<String, Strength> = BTreeMap::new();
    let mut doubled = Vec::new();
    let mut current: Option<String> = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        if let Some(name) = test_name(line) {
            if tests.contains_key(&name) {
                doubled.push(name.clone());
            }
            tests.entry(name.clone()).or_default().line = number;
            current = Some(name);
        }
        let Some(strength) = current.as_ref().and_then(|name| tests.get_mut(name)) else {
            continue;
        };
        if is_comment(line) {
            continue;
        }
        let cannot_fail = VOID.iter().any(|word| line.contains(word));
        if cannot_fail {
            continue;
        }
        if EXACT.iter().any(|word| line.contains(word)) || is_exact_assert(line) {
            strength.exact.push(subject(line));
        } else if LOOSE.iter().any(|word| line.contains(word)) {
            strength.loose.push(subject(line));
        }
    }
    for name in doubled {
        tests.remove(&name);
    }
    tests
}

fn is_exact_assert(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("assert ") && (line.contains(" == ") || line.contains(" is "))
}

fn test_name(line: &str) -> Option<String> {
    let line = line.trim_start();
    let word = |rest: &str| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    };
    let line = line.strip_prefix("async ").unwrap_or(line);
    if let Some(rest) = line
        .strip_prefix("def ")
        .filter(|rest| rest.starts_with("test"))
    {
        return word(rest);
    }
    if let Some(rest) = line
        .strip_prefix("pub fn ")
        .or_else(|| line.strip_prefix("fn "))
    {
        return word(rest);
    }
    if let Some(rest) = line.strip_prefix("func Test") {
        return word(rest).map(|name| format!("Test{name}"));
    }
    let call = ["test(", "it(", "t.test(", "st.test(", "test.test("]
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    let quote = call
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))?;
    call.get(1..)?.split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{loosened, tests_of};

    #[test]
    fn assertions_are_read_by_test_and_subject() {
        let tests = tests_of(
            "def test_a():\n    assert f(1, 2) == 1\n    # assert g() == 2\ndef test_b():\n    assert True\n",
        );
        assert_eq!(tests["test_a"].exact, ["f(1,2)"]);
        assert!(tests["test_b"].exact.is_empty() && tests["test_b"].loose.is_empty());
    }

    #[test]
    fn a_loosened_assertion_is_told_from_a_removed_one() {
        let test = |body: &str| {
            tests_of(&format!("fn a() {{\n{body}\n}}"))
                .remove("a")
                .unwrap()
        };
        let was = test("assert_eq!(x.len(), 3);\nassert_eq!(y.len(), 4);");
        assert_eq!(
            loosened(
                &was,
                &test("assert!(x.len() > 0);\nassert_eq!(y.len(), 4);")
            ),
            Some("x.len()")
        );
        assert_eq!(loosened(&was, &test("assert_eq!(y.len(), 4);")), None);
    }
}
