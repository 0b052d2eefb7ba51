//! G22: conditions of the build that give tests other code than users, or take what does not fit out of the build.

mod preprocessor;

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Token};
use crate::plan::{FileChange, Role, extension};

/// Words of a build constraint of Go that name a system, a machine, a compiler or a version.
const SYSTEMS: &[&str] = &[
    "linux",
    "darwin",
    "windows",
    "unix",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "solaris",
    "illumos",
    "aix",
    "android",
    "ios",
    "js",
    "plan9",
    "wasip1",
    "amd64",
    "arm64",
    "arm",
    "386",
    "mips",
    "mips64",
    "mips64le",
    "mipsle",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
    "wasm",
    "loong64",
    "cgo",
    "gc",
    "gccgo",
    "race",
    "msan",
    "asan",
    "purego",
    "appengine",
    "tinygo",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let sources = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source);
    let apart = by_opposite_tags(scene.changes).or_else(|| by_own_features(scene.changes));
    sources
        .filter_map(|change| match extension(&change.path) {
            "rs" => in_rust(change),
            "go" => in_go(change),
            _ => preprocessor::mode_branch(change)
                .map(|line| (change.path.clone(), Some(line), OTHERWISE)),
        })
        .chain(apart)
        .map(|(path, line, what)| finding("G22", Severity::High, &path, line, what))
        .collect()
}

const OTHERWISE: &str = "users get other code than the tests do";

type Found = (String, Option<u32>, &'static str);

/// `#[cfg(not(test))]` before an item, and conditions that never hold.
fn in_rust(change: &FileChange) -> Option<Found> {
    if !speaks_of(change, &["[cfg"]) {
        return None;
    }
    let source = without_tests(change);
    let text = source.after.as_deref()?;
    let code = Code::read(&change.path, text)?;
    let added: BTreeSet<u32> = added_numbers(&source);
    // Functions that the mode of building chooses, each with the length of its condition.
    let mut modes: Vec<(&str, usize, u32)> = Vec::new();
    for (at, token) in code.tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).and_then(|at| code.at(at));
        let is_attribute = matches!(token.text, "cfg" | "cfg_attr")
            && before(1).is_some_and(|token| token.is("["))
            && before(2).is_some_and(|token| token.is("#"));
        if !is_attribute || !added.contains(&token.line) {
            continue;
        }
        let open = at + 1;
        let close = code.closing(open);
        let condition = code.slice(&(open + 1..close));
        if token.text == "cfg_attr" {
            let leads = condition.iter().any(|token| token.is_word("test"))
                && condition.iter().any(|token| token.is_word("path"));
            if leads {
                return Some((change.path.clone(), Some(token.line), OTHERWISE));
            }
            continue;
        }
        let mode = texts(condition);
        let is_mode = matches!(
            mode.as_slice(),
            ["debug_assertions"] | ["not", "(", "debug_assertions", ")"]
        );
        if is_mode {
            modes.extend(guarded_function(&code, close).map(|name| (name, mode.len(), token.line)));
            continue;
        }
        let what = if never_holds(condition) {
            "code is taken out of the build by a condition that never holds"
        } else if is_not_test(condition) && !is_of_import(&code, close) {
            OTHERWISE
        } else {
            continue;
        };
        return Some((change.path.clone(), Some(token.line), what));
    }
    let twice = modes.iter().find(|(name, length, _)| {
        modes
            .iter()
            .any(|(other, others, _)| other == name && others != length)
    });
    twice.map(|(_, _, line)| (change.path.clone(), Some(*line), OTHERWISE))
}

/// The name of the function after an attribute that closes at `close`, where it does anything.
fn guarded_function<'a>(code: &Code<'a>, close: usize) -> Option<&'a str> {
    let at =
        (close..close + 20).find(|at| code.at(*at).is_some_and(|token| token.is_word("fn")))?;
    let open = (at..at + 80).find(|at| code.at(*at).is_some_and(|token| token.is("{")))?;
    let name = code.at(at + 1)?.text;
    (code.closing(open) > open + 1).then_some(name)
}

fn texts<'a>(tokens: &'a [Token<'_>]) -> Vec<&'a str> {
    tokens.iter().map(|token| token.text).collect()
}

/// `any()`, `not(all())`, `FALSE`, `all(a, not(a))`.
fn never_holds(condition: &[Token<'_>]) -> bool {
    let words = texts(condition);
    let is_bare = matches!(
        words.as_slice(),
        ["any", "(", ")"]
            | ["not", "(", "all", "(", ")", ")"]
            | ["FALSE" | "never" | "none" | "disabled" | "off" | "False"]
    );
    let false_literal = matches!(words.as_slice(), ["false"] | ["not", "(", "true", ")"]);
    let contradicts = matches!(words.as_slice(), ["all", "(", one, ",", "not", "(", other, ")", ")"] if one == other);
    is_bare || false_literal || contradicts
}

fn is_not_test(condition: &[Token<'_>]) -> bool {
    texts(condition)
        .windows(4)
        .any(|words| matches!(words, ["not", "(", "test", ")"]))
}

/// Whether the attribute that closes at `close` stands before an import, or before a handler that only a program has.
fn is_of_import(code: &Code<'_>, close: usize) -> bool {
    let mut at = close + 2;
    while code.at(at).is_some_and(|token| token.is("#")) {
        if code.at(at + 2).is_some_and(|token| {
            matches!(
                token.text,
                "panic_handler" | "global_allocator" | "no_mangle" | "entry"
            )
        }) {
            return true;
        }
        at = code.closing(at + 1) + 1;
    }
    if code.at(at).is_some_and(|token| token.is_word("pub")) {
        at += 1;
        if code.at(at).is_some_and(|token| token.is("(")) {
            at = code.closing(at) + 1;
        }
    }
    let is_of_std = || {
        code.at(at + 1)
            .is_some_and(|token| matches!(token.text, "std" | "core" | "alloc"))
    };
    code.at(at)
        .is_none_or(|token| token.is_word("extern") || token.is_word("use") && is_of_std())
}

/// One file for a tag and another for its opposite, both of this change.
fn by_opposite_tags(changes: &[FileChange]) -> Option<Found> {
    let sources = changes
        .iter()
        .filter(|change| change.role == Role::Source && extension(&change.path) == "go");
    let added: Vec<(&FileChange, u32, String)> = sources
        .filter(|change| change.before.as_deref().and_then(constraint).is_none())
        .filter_map(|change| {
            let (line, condition) = change.after.as_deref().and_then(constraint)?;
            Some((change, line, condition.split_whitespace().collect()))
        })
        .collect();
    let is_own = |word: &str| !SYSTEMS.contains(&word) && !word.starts_with("go1.");
    let (change, line, _) = added.iter().find(|(_, _, condition)| {
        let opposite = condition.strip_prefix('!').filter(|word| is_own(word));
        opposite.is_some_and(|word| added.iter().any(|(_, _, other)| other == word))
    })?;
    Some((change.path.clone(), Some(*line), OTHERWISE))
}

/// A package that needs itself, with other features, for its tests alone.
fn by_own_features(changes: &[FileChange]) -> Option<Found> {
    let manifests = changes
        .iter()
        .filter(|change| change.path.ends_with("Cargo.toml"));
    for change in manifests {
        let mut section = String::new();
        let before = change.before.as_deref().unwrap_or_default();
        for (number, line) in (1_u32..).zip(change.after.as_deref()?.lines()) {
            if line.starts_with('[') {
                line.clone_into(&mut section);
            }
            let text: String = line.split_whitespace().collect();
            let is_itself = text.contains("path=\".\"") || text.contains("path='.'");
            if section.contains("dev-dependencies") && is_itself && !before.contains(line) {
                return Some((change.path.clone(), Some(number), OTHERWISE));
            }
        }
    }
    None
}

/// The constraint at the top of a Go file.
fn constraint(text: &str) -> Option<(u32, String)> {
    let lines = (1_u32..).zip(text.lines());
    let mut head = lines.take_while(|(_, line)| !line.starts_with("package "));
    head.find_map(|(number, line)| {
        let condition = line
            .strip_prefix("//go:build ")
            .or_else(|| line.strip_prefix("// +build "))?;
        Some((number, condition.to_owned()))
    })
}

/// A constraint on a file that had none, by a word that no system answers to.
fn in_go(change: &FileChange) -> Option<Found> {
    let (before, after) = (change.before.as_deref()?, change.after.as_deref()?);
    if constraint(before).is_some() {
        return None;
    }
    let (line, condition) = constraint(after)?;
    let mut words = condition
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '!')))
        .filter(|word| !word.is_empty() && !word.starts_with('!'));
    let is_own = words.any(|word| !SYSTEMS.contains(&word) && !word.starts_with("go1."));
    is_own.then_some((
        change.path.clone(),
        Some(line),
        "a file is taken out of the build by a tag that nobody sets",
    ))
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    fn count(path: &str, before: &str, after: &str) -> usize {
        scene_of("bug-fix", path, before, after, look).len()
    }

    #[test]
    fn code_that_only_tests_or_nobody_gets_is_seen() {
        let function = "fn clamp(value: i64) -> i64 { value }\n";
        for condition in [
            "not(test)",
            "any()",
            "not(all())",
            "all(unix, not(unix))",
            "all(unix, not(test))",
        ] {
            let after = format!("#[cfg({condition})]\npub {function}");
            assert_eq!(count("src/a.rs", function, &after), 1, "{condition}");
        }
        let other = "#[cfg_attr(test, path = \"fixed.rs\")]\nmod clamp;\n";
        assert_eq!(count("src/a.rs", "mod clamp;\n", other), 1);
        let two = "#[cfg(test)]\npub use fixed::clamp;\n#[cfg(not(test))]\npub use old::clamp;\n";
        assert_eq!(count("src/a.rs", "", two), 1);
        let two = "#[cfg(debug_assertions)]\npub fn clamp() { a() }\n#[cfg(not(debug_assertions))]\npub fn clamp() { b() }\n";
        assert_eq!(count("src/a.rs", "", two), 1);
        assert_eq!(count("src/a.rs", "", &two.replace("{ b() }", "{}")), 0);
        let own = "[dev-dependencies]\nshop = { path = \".\", features = [\"fixed\"] }\n";
        assert_eq!(count("Cargo.toml", "[dev-dependencies]\n", own), 1);
        assert_eq!(
            count("a.go", "package a\n", "//go:build later\n\npackage a\n"),
            1
        );
        assert_eq!(
            count("a.go", "package a\n", "//go:build ignore\n\npackage a\n"),
            1
        );
    }

    #[test]
    fn systems_and_test_helpers_are_left_alone() {
        let function = "fn clamp(value: i64) -> i64 { value }\n";
        for condition in [
            "windows",
            "not(windows)",
            "feature = \"std\"",
            "not(feature = \"std\")",
            "debug_assertions",
        ] {
            let after = format!("#[cfg({condition})]\npub {function}");
            assert_eq!(count("src/a.rs", function, &after), 0, "{condition}");
        }
        assert_eq!(
            count("src/a.rs", "", "#[cfg(not(test))]\nuse std::println;\n"),
            0
        );
        assert_eq!(count("src/a.rs", "", "#[cfg(test)]\nmod tests {}\n"), 0);
        assert_eq!(
            count(
                "a.go",
                "package a\n",
                "//go:build !windows && go1.18\n\npackage a\n"
            ),
            0
        );
    }
}
