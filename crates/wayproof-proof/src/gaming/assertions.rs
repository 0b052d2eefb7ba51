//! G2: assertions made weaker: a test that was there before asserts less, or nothing, than it did.

use std::collections::BTreeMap;

use wayproof_receipt::predicate::{Finding, Severity};

use super::helpers::calls_an_armed_one;
use super::{Scene, finding};
use crate::plan::{FileChange, Role};
use crate::test_text::{Strength, tests_in};

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.changes.iter().filter(|change| may_hold_tests(change)) {
        let (Some(before), Some(after)) = (&change.before, &change.after) else {
            continue;
        };
        let file = after.as_str();
        let (before, after) = (by_name(before), by_name(after));
        for (name, (was, _)) in &before {
            let Some((now, line)) = after.get(name) else {
                continue;
            };
            let at = Some(*line);
            let is_bare = || {
                let tests = tests_in(file);
                let test = tests.iter().find(|test| test.name == *name);
                !test.is_some_and(|test| calls_an_armed_one(&change.path, file, &test.lines))
            };
            if !was.is_empty() && now.is_empty() && !now.has_helper && is_bare() {
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

pub(super) fn may_hold_tests(change: &FileChange) -> bool {
    change.role == Role::Test
        || change.role == Role::Source && crate::plan::extension(&change.path) == "rs"
}

/// The strength and line of every test of a file whose name is given once.
fn by_name(text: &str) -> BTreeMap<&str, (Strength, u32)> {
    let mut tests = BTreeMap::new();
    let mut doubled = Vec::new();
    for test in tests_in(text) {
        let read = (Strength::of(&test), test.line);
        if tests.insert(test.name, read).is_some() {
            doubled.push(test.name);
        }
    }
    for name in doubled {
        tests.remove(name);
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::{by_name, look, loosened};
    use crate::gaming::tests::scene_of;

    #[test]
    fn a_loosened_assertion_is_told_from_a_removed_one() {
        let test = |body: &str| {
            by_name(&format!("fn a() {{\n    {body}\n}}"))
                .remove("a")
                .unwrap()
                .0
        };
        let was = test("assert_eq!(x.len(), 3);\n    assert_eq!(y.len(), 4);");
        assert_eq!(
            loosened(
                &was,
                &test("assert!(x.len() > 0);\n    assert_eq!(y.len(), 4);")
            ),
            Some("x.len()")
        );
        assert_eq!(loosened(&was, &test("assert_eq!(y.len(), 4);")), None);
    }

    #[test]
    fn a_test_that_asserts_through_a_helper_of_its_file_is_not_bare() {
        let was = "#[test]\nfn joins() {\n    assert_eq!(slug(1), 2);\n}\n";
        let count = |after: &str| scene_of("bug-fix", "tests/a.rs", was, after, look).len();
        let through = "#[test]\nfn joins() {\n    is_joined(1, 2);\n}\n\nfn is_joined(a: i32, b: i32) {\n    assert_eq!(slug(a), b);\n}\n";
        assert_eq!(count(through), 0);
        assert_eq!(count("#[test]\nfn joins() {\n    slug(1);\n}\n"), 1);
    }

    #[test]
    fn what_another_class_calls_alike_is_no_helper() {
        let file = |body: &str| {
            format!(
                "class CalcTest {{\n    @Test\n    public void twice() {{\n        assertEquals(4, Calc.twice(2));\n    }}\n\n    @Test\n    public void twiceOne() {{\n        {body}\n    }}\n\n    void isTwice(int a) {{\n        assertEquals(a + a, Calc.twice(a));\n    }}\n}}\n"
            )
        };
        let was = file("assertEquals(2, Calc.twice(1));");
        let count = |body: &str| {
            let path = "src/test/java/CalcTest.java";
            scene_of("bug-fix", path, &was, &file(body), look).len()
        };
        assert_eq!(count("Calc.twice(1);"), 1);
        assert_eq!(count("isTwice(1);"), 0);
        assert_eq!(count("this.isTwice(1);"), 0);
        assert_eq!(count("CalcTest.isTwice(1);"), 0);
    }
}
