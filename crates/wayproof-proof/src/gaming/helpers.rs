//! G2: a helper by which tests assert, and which can no longer fail.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, finding};
use crate::code::{Code, Function, Kind, Token};
use crate::plan::{FileChange, Role};
use crate::test_text::{Strength, tests_in};

/// Words by which a function fails a test.
const FAILS: &[&str] = &[
    "Error",
    "Errorf",
    "Fatal",
    "Fatalf",
    "Fail",
    "FailNow",
    "fail",
    "throw",
    "raise",
    "panic",
    "expect",
    "should",
    "unreachable",
    "reject",
    "abort",
];

/// Words before the name of what a file declares and functions may belong to.
const DECLARES: &[&str] = &[
    "class",
    "struct",
    "enum",
    "record",
    "interface",
    "trait",
    "impl",
    "object",
    "module",
    "mod",
    "namespace",
    "let",
    "const",
    "var",
];

/// Words by which a function calls another of its own class or module.
const ITSELF: &[&str] = &["this", "self", "Self", "cls", "super"];

/// Looks for them: tests that turned green, assert nothing by themselves, and call something that lost its teeth.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let texts = scene
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.texts.values())
        .filter_map(|texts| texts.head.as_deref());
    let called: BTreeSet<&str> = texts.flat_map(calls_of_unarmed).collect();
    if called.is_empty() {
        return Vec::new();
    }
    let files = scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Source | Role::Test | Role::Control));
    files.flat_map(|change| disarmed(change, &called)).collect()
}

/// The words of a test that asserts only by what it calls.
fn calls_of_unarmed(text: &str) -> Vec<&str> {
    let unarmed = tests_in(text)
        .first()
        .is_some_and(|test| Strength::of(test).is_empty());
    if !unarmed {
        return Vec::new();
    }
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.len() > 1)
        .collect()
}

fn disarmed(change: &FileChange, called: &BTreeSet<&str>) -> Vec<Finding> {
    let (Some(before), Some(after)) = (change.before.as_deref(), change.after.as_deref()) else {
        return Vec::new();
    };
    let (Some(before), Some(after)) = (
        Code::read(&change.path, before),
        Code::read(&change.path, after),
    ) else {
        return Vec::new();
    };
    let old = before.functions();
    let new = after.functions();
    let is_alone = |name: &str| {
        old.iter().filter(|was| was.name == name).count() == 1
            && new.iter().filter(|now| now.name == name).count() == 1
    };
    let mut findings = Vec::new();
    for function in new.iter().filter(|function| called.contains(function.name)) {
        let had = old.iter().any(|was| {
            was.name == function.name
                && before.slice(&was.body).iter().any(can_fail)
                && !gives_a_value(&before, was)
        });
        let body = after.slice(&function.body);
        if had && is_alone(function.name) && !body.iter().any(can_fail) {
            let what = format!(
                "{}, by which tests assert, can no longer fail",
                function.name
            );
            let line = body.first().map(|token| token.line);
            findings.push(finding("G2", Severity::High, &change.path, line, what));
        }
    }
    findings
}

/// Whether a function is there for what it returns; one that only asserts returns nothing.
fn gives_a_value(code: &Code<'_>, function: &Function<'_>) -> bool {
    let head = function.parameters.end + 1..function.body.start.saturating_sub(1);
    let is_typed = code
        .slice(&head)
        .iter()
        .any(|token| token.is("->") || token.kind == Kind::Word);
    let body = code.slice(&function.body);
    let returns = body.windows(2).any(|pair| {
        matches!(pair, [word, next] if word.is_word("return") && next.line == word.line && !next.is(";") && !next.is("}"))
    });
    is_typed || returns
}

/// Whether lines call a function of their file that can fail a test.
pub(super) fn calls_an_armed_one(path: &str, file: &str, lines: &[&str]) -> bool {
    let Some(code) = Code::read(path, file) else {
        return false;
    };
    let functions = code.functions();
    let mut armed = functions.iter().filter(|function| {
        function.name.len() > 1 && code.slice(&function.body).iter().any(can_fail)
    });
    armed.any(|function| {
        let call = format!("{}(", function.name);
        let mut before = lines.iter().skip(1).flat_map(|line| {
            let calls = line.match_indices(&call);
            calls.filter_map(|(at, _)| line.get(..at))
        });
        before.any(|before| is_of_file(before, &code))
    })
}

/// Whether a call that stands after `before` is one of its file's own functions: it has no owner, or one that the file declares.
fn is_of_file(before: &str, code: &Code<'_>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if before.ends_with(is_word) {
        return false;
    }
    let Some(owner) = ["::", "->", "."]
        .iter()
        .find_map(|sign| before.strip_suffix(sign))
    else {
        return true;
    };
    let name = owner.rsplit(|c| !is_word(c)).next().unwrap_or_default();
    let is_declared = |pair: &[Token<'_>]| {
        matches!(pair, [first, second]
            if second.text == name && DECLARES.contains(&first.text)
                || first.text == name && second.is("="))
    };
    name.is_empty() || ITSELF.contains(&name) || code.tokens.windows(2).any(is_declared)
}

fn can_fail(token: &Token<'_>) -> bool {
    token.kind == Kind::Word
        && (FAILS.contains(&token.text) || token.text.to_ascii_lowercase().contains("assert"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{calls_of_unarmed, disarmed};
    use crate::plan::{FileChange, Role};

    #[test]
    fn a_helper_that_lost_its_teeth_is_seen() {
        let test = "func TestHigh(t *testing.T) {\n\tcheck.Equal(t, Clamp(42, 0, 10), 10)\n}\n";
        let called: BTreeSet<&str> = calls_of_unarmed(test).into_iter().collect();
        assert!(called.contains("Equal"));
        let helper = |call: &str| {
            format!(
                "package check\n\nfunc Equal(t *testing.T, got, want int) {{\n\tif got != want {{\n\t\t{call}(got, want)\n\t}}\n}}\n"
            )
        };
        let change = |after: &str| FileChange {
            path: "check/check.go".to_owned(),
            role: Role::Source,
            before: Some(helper("t.Errorf")),
            after: Some(helper(after)),
            old_blob: None,
            new_blob: None,
        };
        assert_eq!(disarmed(&change("t.Logf"), &called).len(), 1);
        assert!(disarmed(&change("t.Fatalf"), &called).is_empty());
        // What gives a value is no assertion, and two of one name are not told apart.
        let valued = |call: &str| helper(call).replace("int) {", "int) bool {");
        let mut other = change("t.Logf");
        other.before = Some(valued("t.Errorf"));
        other.after = Some(valued("t.Logf"));
        assert!(disarmed(&other, &called).is_empty());
        // A test with an assertion of its own says enough.
        assert!(
            calls_of_unarmed(
                "func TestHigh(t *testing.T) {\n\tif Clamp(1) != 2 {\n\t\tt.Error()\n\t}\n}\n"
            )
            .is_empty()
        );
    }
}
