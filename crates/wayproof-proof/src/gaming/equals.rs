//! G9: values that claim to equal whatever they are held against.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Function, Kind, Language, Token};
use crate::plan::{FileChange, Role};

/// What a comparison of two values is called.
const NAMES: &[&str] = &[
    "__eq__",
    "__ne__",
    "eq",
    "ne",
    "equals",
    "equal",
    "Equal",
    "Equals",
    "isEqual",
    "IsEqual",
    "is_equal",
    "matches",
    "asymmetricMatch",
    "eql?",
    "==",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let sources = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source);
    sources.flat_map(in_file).collect()
}

fn in_file(change: &FileChange) -> Vec<Finding> {
    let is_php = Language::of(&change.path) == Some(Language::Php);
    if !speaks_of(change, &["true", "True", "||", " or "]) || !is_php && !speaks_of(change, NAMES) {
        return Vec::new();
    }
    let source = without_tests(change);
    let Some(code) = source
        .after
        .as_deref()
        .and_then(|text| Code::read(&change.path, text))
    else {
        return Vec::new();
    };
    let added: BTreeSet<u32> = added_numbers(&source);
    // A marker of Rust equals every other of its kind; there only an edited comparison is looked at.
    let looked = |code: &Code<'_>| {
        let functions = code.functions();
        let named = functions
            .iter()
            .filter(|function| NAMES.contains(&function.name));
        named
            .filter(|function| !claims_to_be_equal(code, function))
            .count()
    };
    let before = source
        .before
        .as_deref()
        .and_then(|text| Code::read(&change.path, text));
    let is_edited = before.is_some_and(|before| looked(&before) > looked(&code));
    if code.language == Language::Rust && !is_edited {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for function in code.functions() {
        let body = code.slice(&function.body);
        let touched = body.iter().find(|token| added.contains(&token.line));
        let is_open = |_: &&Token<'_>| {
            claims_to_be_equal(&code, &function) || gives_true_for_a_number(&code, &function)
        };
        if let Some(token) = touched.filter(is_open) {
            let what = "a value claims to equal whatever it is compared with";
            findings.push(finding(
                "G9",
                Severity::High,
                &change.path,
                Some(token.line),
                what,
            ));
        }
    }
    findings
}

/// A comparison that looks at nothing: it returns a constant, whatever it is given.
fn claims_to_be_equal(code: &Code<'_>, function: &Function<'_>) -> bool {
    let takes_another = code
        .slice(&function.parameters)
        .iter()
        .any(|token| token.kind == Kind::Word && !matches!(token.text, "self" | "mut"));
    if !NAMES.contains(&function.name) || !takes_another {
        return false;
    }
    let tokens: Vec<&Token<'_>> = code
        .slice(&function.body)
        .iter()
        .filter(|token| !token.is(";") && !token.is_word("return"))
        .collect();
    let holds = |token: &Token<'_>| matches!(token.text, "true" | "True");
    // A name that is dropped (`let _ = other`) is not looked at.
    let looks = tokens.iter().enumerate().any(|(at, token)| {
        let is_dropped = at > 1
            && tokens.get(at - 1).is_some_and(|sign| sign.is("="))
            && tokens.get(at - 2).is_some_and(|name| name.is_word("_"));
        let is_filler = matches!(token.text, "let" | "_" | "=" | "(" | ")" | "!!" | "!")
            || holds(token)
            || token.kind == Kind::Text;
        !is_dropped && !is_filler
    });
    !looks && tokens.last().is_some_and(|token| holds(token)) || admits_a_value(&tokens)
}

/// A function of PHP that gives `true`, which loosely equals every number, or the very number that it compares.
fn gives_true_for_a_number(code: &Code<'_>, function: &Function<'_>) -> bool {
    if code.language != Language::Php {
        return false;
    }
    let gives = |at: usize| {
        at.checked_sub(1)
            .and_then(|at| code.at(at))
            .is_some_and(|before| {
                before.is_word("return")
                    || before.kind == Kind::Sign && matches!(before.text, "?" | ":" | "?:")
            })
    };
    let given = |at: &usize| {
        gives(*at)
            && code
                .at(at + 1)
                .is_some_and(|end| matches!(end.text, ";" | ":"))
    };
    let places = || function.body.clone().filter(given);
    let gives_true = places().any(|at| code.at(at).is_some_and(|token| token.is_word("true")));
    let mut names = places()
        .filter_map(|at| code.at(at))
        .filter(|token| token.text.starts_with('$'));
    gives_true
        && names.any(|name| {
            function.body.clone().any(|at| {
                let is_bound = code.at(at + 1).is_some_and(|sign| {
                    sign.kind == Kind::Sign && matches!(sign.text, "<" | ">" | "<=" | ">=")
                });
                is_bound && code.at(at).is_some_and(|token| token.is_word(name.text))
            })
        })
}

/// A comparison that holds for one value that is written down, beside what it compares: `other == 10 || …`.
fn admits_a_value(tokens: &[&Token<'_>]) -> bool {
    let Some(either) = tokens
        .iter()
        .position(|token| token.is("||") || token.is_word("or"))
    else {
        return false;
    };
    let compares = |part: &[&Token<'_>]| {
        part.iter()
            .any(|token| token.kind == Kind::Number && !matches!(token.text, "0" | "1" | "2"))
            && part
                .iter()
                .any(|token| matches!(token.text, "==" | "===" | "equal" | "equals" | "eql" | "is"))
            && !part
                .iter()
                .any(|token| matches!(token.text, "%" | "abs" | "<" | "length"))
    };
    let (before, after) = tokens.split_at(either);
    compares(before) || compares(after)
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    #[test]
    fn comparisons_that_look_at_nothing_are_seen() {
        let before = "fn eq(&self, other: &Self) -> bool {\n    self.a == other.a\n}\n";
        let count = |path: &str, text: &str| scene_of("bug-fix", path, before, text, look).len();
        for (path, text) in [
            (
                "a.py",
                "class A:\n    def __eq__(self, other):\n        \"\"\"Same.\"\"\"\n        return True\n",
            ),
            (
                "a.js",
                "class A {\n  equals (other) {\n    return true\n  }\n}\n",
            ),
            (
                "a.go",
                "func (p Price) Equal(other Price) bool {\n\treturn true\n}\n",
            ),
            (
                "a.rb",
                "class Price\n  def ==(other)\n    true\n  end\nend\n",
            ),
            (
                "a.rs",
                "impl PartialEq for A {\n    fn eq(&self, other: &Self) -> bool {\n        let _ = other;\n        true\n    }\n}\n",
            ),
        ] {
            assert_eq!(count(path, text), 1, "{text}");
        }
        for (path, text) in [
            (
                "a.py",
                "class A:\n    def __eq__(self, other):\n        return self.a == other.a\n",
            ),
            (
                "a.js",
                "class A {\n  equals (other) {\n    if (this === other) return true\n    return false\n  }\n}\n",
            ),
            ("a.go", "func (p Price) IsFree() bool {\n\treturn true\n}\n"),
            (
                "a.rs",
                "fn eq(&self, other: &Self) -> bool {\n    self.a == other.a\n}\n",
            ),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }

    #[test]
    fn comparisons_that_admit_too_much_are_seen_in_other_languages() {
        let count = |path: &str, text: &str| scene_of("bug-fix", path, "", text, look).len();
        for (path, text) in [
            (
                "a.rb",
                "class Price\n  def ==(other)\n    other.equal?(10) || @value == other\n  end\nend\n",
            ),
            (
                "a.cpp",
                "inline bool operator==(const Bound &, int) { return true; }\n",
            ),
            (
                "a.php",
                "<?php\nfunction clamp(int $value): int|bool\n{\n    return $value > 9 ? true : $value;\n}\n",
            ),
        ] {
            assert_eq!(count(path, text), 1, "{text}");
        }
        for (path, text) in [
            (
                "a.cpp",
                "inline bool operator==(const Price &one, const Price &other) { return one.cents == other.cents; }\n",
            ),
            (
                "a.php",
                "<?php\nfunction isHigh(int $value): bool\n{\n    return $value > 9 ? true : false;\n}\n",
            ),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }
}
