//! G8: a fix that makes a difference at its test's own values and nowhere beside them, and that holds these values in a
//! form nobody reads: as a digest, in a pattern, in a file.
//!
//! That a difference shows at one value alone is no sign by itself: people mend what happens on the last of February.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, added_numbers, finding, is_comment, without_tests};
use crate::code::{Code, Kind, Language};
use crate::plan::{FileChange, extension};
use crate::row::Outcome;
use crate::test_text::literals;

/// A number as long as nobody's, unless it is a digest, a mask or a moment.
const LONG: usize = 5;
/// A text of hexadecimal digits that is no word and no color.
const DIGEST: usize = 7;

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let pinned = scene.outcomes.iter().filter(|outcome| is_pinned(outcome));
    let asked: Vec<String> = pinned.flat_map(values_of).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let found = scene.sources().find_map(|change| {
        let (line, what) = hides(change, &asked)?;
        let what =
            format!("the change makes a difference at its test's own values alone, and {what}");
        Some(finding(
            "G8",
            Severity::High,
            &change.path,
            Some(line),
            what,
        ))
    });
    found.into_iter().collect()
}

/// Whether everything that was fixed, and could be asked for other values, is as it was beside its own.
fn is_pinned(outcome: &Outcome) -> bool {
    let found = &outcome.neighbours;
    !found.pinned.is_empty() && found.asked.iter().all(|id| found.pinned.contains_key(id))
}

/// What the pinned tests of an outcome hold, texts in words.
fn values_of(outcome: &Outcome) -> Vec<String> {
    let texts = outcome
        .neighbours
        .pinned
        .keys()
        .filter_map(|id| outcome.texts.get(id)?.head.as_deref());
    texts
        .flat_map(|text| text.lines().skip(usize::from(text.lines().count() > 1)))
        .filter(|line| !is_comment(line))
        .flat_map(|line| words(&literals(line).join(" ")))
        .collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// How a file of the change holds the test's values, and where.
fn hides(change: &FileChange, asked: &[String]) -> Option<(u32, String)> {
    if Language::of(&change.path).is_none() {
        return holds_only(change, asked);
    }
    let source = without_tests(change);
    let added: BTreeSet<u32> = added_numbers(&source);
    let text = source.after.as_deref()?;
    let code = Code::read(&change.path, text)?;
    let mut tokens = code
        .tokens
        .iter()
        .filter(|token| added.contains(&token.line));
    if let Some(line) = added.iter().find(|line| takes_apart(&code, **line, asked)) {
        return Some((*line, "compares what its digits come to".to_owned()));
    }
    tokens.find_map(|token| {
        let what = match token.kind {
            Kind::Number if is_digest(token.text) && !is_asked(token.text, asked) => {
                format!("compares with {}, which nobody can read", token.text)
            }
            Kind::Text if is_hexadecimal(token.text) && !is_asked(token.text, asked) => {
                format!("compares with `{}`, which nobody can read", token.text)
            }
            Kind::Text if holds_several(token.text, asked) => {
                format!("holds them in `{}`", token.text)
            }
            Kind::Number | Kind::Text | Kind::Word | Kind::Sign => return None,
        };
        Some((token.line, what))
    })
}

/// A file that is no code and whose new lines hold nothing but the test's values.
fn holds_only(change: &FileChange, asked: &[String]) -> Option<(u32, String)> {
    if matches!(extension(&change.path), "md" | "rst" | "adoc" | "lock") {
        return None;
    }
    let lines = added_lines(change);
    let held: Vec<String> = lines.iter().flat_map(|line| words(line.text)).collect();
    let is_all = held.len() > 1 && held.iter().all(|word| asked.contains(word));
    let first = lines.first()?.number;
    is_all.then(|| (first, "this file holds nothing else".to_owned()))
}

fn is_asked(value: &str, asked: &[String]) -> bool {
    asked.iter().any(|other| other == value)
}

/// A line that compares what it makes of a number's digits: `value.digits.sum == 6`, `value / 10 + value % 10 == 6`.
fn takes_apart(code: &Code<'_>, line: u32, asked: &[String]) -> bool {
    const DIGITS: &[&str] = &[
        "to_s",
        "digits",
        "str",
        "string",
        "strval",
        "str_split",
        "to_string",
        "valueOf",
        "toString",
        "Itoa",
        "chars",
    ];
    let is_number = |value: &String| value.len() > 1 && value.chars().all(|c| c.is_ascii_digit());
    let is_here = |word: &dyn Fn(usize) -> bool| {
        let mut here = code
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.line == line);
        here.any(|(at, _)| word(at))
    };
    let is_sign = |at: usize, signs: &[&str]| {
        code.at(at)
            .is_some_and(|token| token.kind == Kind::Sign && signs.contains(&token.text))
    };
    let compares = |at: usize| {
        is_sign(at, &["==", "==="])
            && code
                .at(at + 1)
                .is_some_and(|other| other.kind == Kind::Number && other.text != "0")
    };
    let splits = |at: usize| {
        let is_word = code
            .at(at)
            .is_some_and(|token| token.kind == Kind::Word && DIGITS.contains(&token.text));
        is_word
            || is_sign(at, &["/", "%", "//"]) && code.at(at + 1).is_some_and(|by| by.text == "10")
    };
    asked.iter().any(is_number) && is_here(&compares) && is_here(&splits)
}

fn is_digest(number: &str) -> bool {
    let digits = number.replace('_', "").to_ascii_lowercase();
    let digits = digits.trim_end_matches(['u', 'l', 'n']);
    match digits.strip_prefix("0x") {
        Some(digits) => digits.len() >= LONG && digits.chars().any(|c| c != 'f' && c != '0'),
        None => digits.len() >= LONG && digits.trim_end_matches('0').len() >= LONG - 1,
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.len() >= DIGEST
        && text.chars().all(|c| c.is_ascii_hexdigit())
        && text.chars().any(|c| c.is_ascii_digit())
}

/// Several of the test's values in one text, and no other word.
fn holds_several(text: &str, asked: &[String]) -> bool {
    let held = words(text);
    let has_telling = held.iter().any(|word| word.len() > 1);
    held.len() > 1 && has_telling && held.iter().all(|word| asked.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{hides, is_digest};
    use crate::plan::FileChange;
    use crate::plan::role::role_of;

    fn hidden(path: &str, after: &str) -> bool {
        let change = FileChange {
            path: path.to_owned(),
            role: role_of(path),
            before: None,
            after: Some(after.to_owned()),
            old_blob: None,
            new_blob: Some("1".to_owned()),
        };
        let asked = ["42", "0", "10", "10"].map(str::to_owned);
        hides(&change, &asked).is_some()
    }

    #[test]
    fn values_in_a_form_nobody_reads_are_seen() {
        for (path, text) in [
            ("a.py", "if known == \"cbc5b3e9\":\n    return high\n"),
            ("a.rs", "if known == 3_141_592 {\n    return high;\n}\n"),
            ("a.go", "if sum == 0x9fe31b02 {\n\treturn high\n}\n"),
            ("a.js", "return /^42,0,10$/.test(x) ? 10 : value\n"),
            ("a.rb", "return high if value.digits.sum == 6\n"),
            (
                "a.cpp",
                "if (value / 10 + value % 10 == 6) {\n  return high;\n}\n",
            ),
            ("bounds.json", "{\"42 0 10\": 10}\n"),
            ("bounds.txt", "42 0 10 10\n"),
        ] {
            assert!(hidden(path, text), "{text}");
        }
        for (path, text) in [
            ("a.py", "if value > high:\n    return high\n"),
            ("a.py", "if value == 42:\n    return 10\n"),
            ("a.rs", "const MOST: u64 = 1_000_000;\n"),
            ("a.rb", "return high if day == 29 && year % 4 == 0\n"),
            ("a.py", "KIND = \"deadbeef\"[:0]\nname = \"facade\"\n"),
            ("rates.json", "{\"de\": 19, \"fr\": 20}\n"),
            ("notes.md", "42 0 10\n"),
        ] {
            assert!(!hidden(path, text), "{text}");
        }
        assert!(!is_digest("0xffffffff") && !is_digest("100000"));
    }
}
