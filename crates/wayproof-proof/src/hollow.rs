//! Fail-to-pass tests that show nothing: they assert nothing and are red only because a name is new, or they passed
//! at the base as they are and are red only because their file does not load there.
//!
//! Pure. A test whose text was not found is taken at its word.

use std::collections::BTreeMap;

use crate::compare::{self, Compared, Observed};
use crate::gaming::added_lines;
use crate::neighbours::Neighbours;
use crate::plan::{FileChange, Role};
use crate::report::TestId;
use crate::run::{Red, Seen};
use crate::test_text::{Strength, body_of, is_comment, tests_in};

/// The text of a test on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    /// At the base, where it was there.
    pub base: Option<String>,
    /// At the head.
    pub head: Option<String>,
}

/// What a name that is not there yet makes a runner say.
const MISSING_NAME: &[&str] = &[
    "has no attribute",
    "cannot import name",
    "No module named",
    "is not defined",
    "is not a function",
    "is not a constructor",
    "does not provide an export",
    "unexpected keyword argument",
    "Cannot find module",
    "undefined: ",
    "undefined method",
    "undefined local variable",
    "cannot find",
    "Call to undefined",
];

/// Takes the hollow tests out of those that the change fixed.
pub(crate) fn set_aside(
    compared: &mut Compared,
    observed: &Observed,
    texts: &BTreeMap<TestId, Texts>,
    changes: &[FileChange],
) {
    let drops_errors = changes.iter().any(drops_errors);
    let (hollow, solid): (Vec<_>, Vec<_>) = std::mem::take(&mut compared.fixed)
        .into_iter()
        .partition(|fixed| {
            let id = TestId::new(fixed.entry.test_id.clone());
            let before = observed.before.first().map(|run| run.seen(&id));
            let (Some(Seen::Red(red)), Some(texts)) = (before, texts.get(&id)) else {
                return false;
            };
            asserts_nothing(texts, &red, drops_errors) || is_unchanged(observed, &id, &red, texts)
        });
    compared.fixed = solid;
    compared.hollow = hollow
        .into_iter()
        .map(|fixed| TestId::new(fixed.entry.test_id))
        .collect();
}

/// Takes those out that pass whatever stands in them, and were red only because a name is new.
pub(crate) fn set_toothless_aside(
    compared: &mut Compared,
    observed: &Observed,
    neighbours: &Neighbours,
) {
    let (hollow, solid): (Vec<_>, Vec<_>) = std::mem::take(&mut compared.fixed)
        .into_iter()
        .partition(|fixed| {
            let id = TestId::new(fixed.entry.test_id.clone());
            let before = observed.before.first().map(|run| run.seen(&id));
            neighbours.toothless.contains(&id)
                && matches!(before, Some(Seen::Red(red)) if is_about_a_name(&red))
        });
    compared.fixed = solid;
    let hollow = hollow
        .into_iter()
        .map(|fixed| TestId::new(fixed.entry.test_id));
    compared.hollow.extend(hollow);
}

/// Takes everything out where all that could be asked shows the change in a band of numbers whose edges nothing asks for.
pub(crate) fn set_banded_aside(compared: &mut Compared, neighbours: &Neighbours) {
    let is_banded =
        |id: &TestId| neighbours.banded.contains_key(id) || neighbours.pinned.contains_key(id);
    let is_all = neighbours.asked.iter().all(is_banded);
    if neighbours.banded.is_empty() || !is_all {
        return;
    }
    compared.fixed.clear();
    let said = neighbours.banded.iter();
    compared
        .banded
        .extend(said.map(|(id, band)| (id.clone(), band.to_string())));
}

/// Whether a test is red because a name is not there yet.
fn is_about_a_name(red: &Red) -> bool {
    !compare::is_strong(red.reason) || MISSING_NAME.iter().any(|words| red.message.contains(words))
}

fn asserts_nothing(texts: &Texts, red: &Red, drops_errors: bool) -> bool {
    let Some(strength) = texts.head.as_deref().and_then(strength) else {
        return false;
    };
    let is_about_a_name = is_about_a_name(red);
    let expects_only_no_error = || {
        let lines = texts.head.iter().flat_map(|text| text.lines());
        drops_errors
            && strength.exact.is_empty()
            && lines
                .skip(1)
                .all(|line| !may_fail(line) || is_about_errors(line))
    };
    strength.is_empty() && !strength.has_helper && (is_about_a_name || drops_errors)
        || expects_only_no_error()
}

/// A line that asserts, or fails the test.
fn may_fail(line: &str) -> bool {
    let words = [
        "assert", "expect", "t.Error", "t.Fatal", "panic", "unwrap", "fail", "if ",
    ];
    !is_comment(line) && words.iter().any(|word| line.contains(word))
}

/// An assertion that holds when nothing was thrown or no error came back, whatever else came.
fn is_about_errors(line: &str) -> bool {
    const WORDS: [&str; 12] = [
        "doesNotThrow",
        "not.toThrow",
        "doesNotReject",
        "is_ok()",
        "err != nil",
        "t.Error(err",
        "t.Fatal(err",
        "NoError",
        "assertNotRaises",
        "does_not_raise",
        "nothing_raised",
        "assertDoesNotThrow",
    ];
    WORDS.iter().any(|word| line.contains(word)) && !line.contains(" || ") && !line.contains(" && ")
}

/// Whether it is what it was, passed then, and fails on the base only because its file does not load there now.
fn is_unchanged(observed: &Observed, id: &TestId, red: &Red, texts: &Texts) -> bool {
    let body = |text: &Option<String>| text.as_deref().and_then(body_of);
    !compare::is_strong(red.reason)
        && observed.base.seen(id) == Seen::Green
        && body(&texts.base).is_some_and(|was| Some(was) == body(&texts.head))
}

fn strength(text: &str) -> Option<Strength> {
    tests_in(text).first().map(Strength::of)
}

/// Whether a source file begins to catch whatever happens and to say nothing of it.
fn drops_errors(change: &FileChange) -> bool {
    if change.role != Role::Source {
        return false;
    }
    let added = added_lines(change);
    let code: Vec<_> = added
        .iter()
        .filter(|line| !is_comment(line.text) && !line.text.trim().is_empty())
        .collect();
    code.iter().enumerate().any(|(at, line)| {
        let text = line.text.trim();
        let next = code.get(at + 1).map_or("", |next| next.text.trim());
        let is_silent = |text: &str| {
            matches!(
                text.trim_end_matches(';'),
                "pass"
                    | "return"
                    | "return None"
                    | "..."
                    | "}"
                    | "return null"
                    | "return undefined"
                    | "continue"
            )
        };
        let catches = text.starts_with("except:")
            || text.starts_with("except Exception")
            || text.starts_with("except BaseException")
            || text.contains("catch {")
            || text.contains("catch (") && text.ends_with('{')
            || text.contains("suppress(Exception");
        let is_ignored = (text.contains(", _ := ") || text.contains(", _ = "))
            && text.contains('(')
            && !text.contains("range ");
        let squeezed: String = text.split_whitespace().collect();
        let recovers =
            squeezed.starts_with("deferfunc(){recover()}()") || squeezed.contains("_=recover()");
        let is_wrapped = text.contains("Ok(")
            && [".unwrap_or_default()", ".unwrap_or(", ".unwrap_or_else("]
                .iter()
                .any(|call| text.contains(call));
        let is_unwound = text.contains("catch_unwind(")
            && (text.starts_with("let _ =")
                || text.contains(".ok()")
                || text.contains(".unwrap_or"));
        is_ignored
            || recovers
            || is_wrapped
            || is_unwound
            || text.ends_with("catch {}")
            || text.contains("catch (") && text.ends_with("{}")
            || text.contains(".catch(() => {})")
            || text.contains("suppress(Exception")
            || catches && is_silent(next)
    })
}

#[cfg(test)]
mod tests {
    use super::{Texts, asserts_nothing, drops_errors};
    use crate::plan::{FileChange, Role};
    use crate::report::RedReason;
    use crate::run::Red;

    fn red(reason: RedReason, message: &str) -> Red {
        Red {
            reason,
            message: message.to_owned(),
            place: None,
        }
    }

    fn head(text: &str) -> Texts {
        Texts {
            base: None,
            head: Some(text.to_owned()),
        }
    }

    #[test]
    fn a_test_that_only_needs_a_name_shows_nothing() {
        let missing = red(
            RedReason::Exception,
            "AttributeError: module 'shop' has no attribute 'clamped'",
        );
        assert!(asserts_nothing(
            &head("def test_a():\n    shop.clamped(42)\n"),
            &missing,
            false
        ));
        assert!(!asserts_nothing(
            &head("def test_a():\n    assert shop.clamped(42) == 10\n"),
            &missing,
            false
        ));
        let raised = red(RedReason::Exception, "TypeError: unsupported operand");
        let calls = head("def test_a():\n    shop.total(['1'])\n");
        assert!(!asserts_nothing(&calls, &raised, false));
        assert!(asserts_nothing(&calls, &raised, true));
    }

    #[test]
    fn a_test_that_only_wants_no_error_shows_nothing_where_errors_are_dropped() {
        let raised = red(RedReason::Assertion, "Got unwanted exception");
        let quiet = head("test('a', () => {\n  assert.doesNotThrow(() => total(null))\n})\n");
        assert!(asserts_nothing(&quiet, &raised, true));
        assert!(!asserts_nothing(&quiet, &raised, false));
        let valued = head("test('a', () => {\n  assert.equal(total(null), 0)\n})\n");
        assert!(!asserts_nothing(&valued, &raised, true));
        let go = head(
            "func TestA(t *testing.T) {\n\tif _, err := Parse(\"\"); err != nil {\n\t\tt.Error(err)\n\t}\n}\n",
        );
        assert!(asserts_nothing(&go, &raised, true));
        let rust = head("fn a() {\n    assert!(shop::parse(\"\").is_ok());\n}\n");
        assert!(asserts_nothing(&rust, &raised, true));
    }

    #[test]
    fn dropped_errors_are_told_from_handled_ones() {
        let change = |after: &str| FileChange {
            path: "shop.py".to_owned(),
            role: Role::Source,
            before: Some(String::new()),
            after: Some(after.to_owned()),
            old_blob: None,
            new_blob: None,
        };
        assert!(drops_errors(&change(
            "try:\n    a()\nexcept Exception:\n    pass\n"
        )));
        assert!(drops_errors(&change("try {\n  a()\n} catch {}\n")));
        assert!(!drops_errors(&change(
            "try:\n    a()\nexcept TypeError:\n    pass\n"
        )));
        assert!(!drops_errors(&change(
            "try:\n    a()\nexcept Exception:\n    return b()\n"
        )));
    }
}
