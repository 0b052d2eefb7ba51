//! G4: parts of the language, of the process or of the test framework that are replaced by something of the change's own.
//!
//! Source has no business in any of them, apart from filling what an old runtime lacks. Tests may stand in for the
//! clock or the console, but not for assertions or for what every value is made of.

use std::collections::BTreeSet;
use std::ops::Range;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Branch, Code, Kind, Language};
use crate::plan::{FileChange, Role};

const BUILTINS: &[&str] = &[
    "Array", "Object", "String", "Number", "Boolean", "Function", "Promise", "Map", "Set",
    "WeakMap", "WeakSet", "RegExp", "Symbol", "BigInt", "Math", "JSON", "Date", "Reflect", "Proxy",
    "Iterator", "Buffer",
];
const FRAMEWORKS: &[&str] = &[
    "assert",
    "node:assert",
    "assert/strict",
    "node:assert/strict",
    "node:test",
    "chai",
    "vitest",
    "jest",
    "@jest/globals",
    "tape",
    "tap",
    "ava",
    "mocha",
    "should",
    "expect",
    "expect.js",
    "uvu",
    "uvu/assert",
    "power-assert",
];
/// Names under which assertions are known without an import.
const KNOWN: &[&str] = &["assert", "expect", "should", "jest", "vi", "chai"];
/// The standard assertions of Rust.
const MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "assert_matches",
    "panic",
    "unreachable",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let looked_at = scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Source | Role::Test));
    looked_at.flat_map(in_file).collect()
}

fn in_file(change: &FileChange) -> Vec<Finding> {
    let words = match Language::of(&change.path) {
        Some(Language::JavaScript) => &[
            "process",
            "assert",
            "prototype",
            "expect",
            "Object.",
            "Reflect.",
            "Math",
            "Date",
        ][..],
        Some(Language::Rust) => &["macro_rules"],
        Some(Language::Go) => &["testing.T", "testing.B"],
        _ => return Vec::new(),
    };
    let is_script = Language::of(&change.path) == Some(Language::JavaScript);
    if !(speaks_of(change, words) || is_script && speaks_of(change, BUILTINS)) {
        return Vec::new();
    }
    let source = if change.role == Role::Test {
        change.clone()
    } else {
        without_tests(change)
    };
    let Some(code) = source
        .after
        .as_deref()
        .and_then(|text| Code::read(&change.path, text))
    else {
        return Vec::new();
    };
    let added: BTreeSet<u32> = added_numbers(&source);
    let found = match code.language {
        Language::JavaScript => in_script(&code, change.role),
        Language::Rust => own_macros(&code),
        Language::Go if change.role == Role::Test => own_reporters(&code),
        _ => Vec::new(),
    };
    found
        .into_iter()
        .filter(|(line, _)| added.contains(line))
        .map(|(line, what)| finding("G4", Severity::High, &change.path, Some(line), what))
        .collect()
}

fn in_script(code: &Code<'_>, role: Role) -> Vec<(u32, String)> {
    let script = Script::of(code, role);
    let branches = code.branches();
    let mut found = Vec::new();
    for assignment in code.assignments() {
        let is_plain = code
            .at(assignment.target.end)
            .is_some_and(|sign| sign.is("="));
        if let Some(what) = script
            .replaced(&assignment.target)
            .filter(|_| is_plain && !is_filling(code, &branches, &assignment.target))
        {
            found.push((line_of(code, assignment.target.start), what));
        } else if role == Role::Test && is_plain {
            found.extend(own_assertion(code, &assignment.target, &assignment.value));
        }
    }
    for at in 0..code.tokens.len() {
        let defines = [
            &["Object", "assign"][..],
            &["Object", "defineProperty"],
            &["Object", "defineProperties"],
            &["Object", "setPrototypeOf"],
            &["Reflect", "set"],
            &["Reflect", "defineProperty"],
        ];
        if !defines.iter().any(|path| code.has_path(path, at))
            || !code.at(at + 3).is_some_and(|token| token.is("("))
        {
            continue;
        }
        let first = at + 4..code.statement_end(at + 4);
        let is_made = code.slice(&first).iter().any(|token| token.is("("));
        if is_made
            && !code
                .at(at + 4)
                .is_some_and(|token| token.is_word("require"))
        {
            continue;
        }
        if let Some(what) = script
            .root(&first)
            .filter(|_| !is_filling(code, &branches, &first))
        {
            found.push((line_of(code, at), what));
        }
    }
    found
}

fn line_of(code: &Code<'_>, at: usize) -> u32 {
    code.at(at).map_or(0, |token| token.line)
}

/// The names of a script that stand for something foreign.
struct Script<'a> {
    code: &'a Code<'a>,
    role: Role,
    /// Names of assertions and of test frameworks.
    frameworks: Vec<&'a str>,
    /// Names of parts of the language.
    parts: Vec<&'a str>,
}

impl<'a> Script<'a> {
    fn of(code: &'a Code<'a>, role: Role) -> Self {
        let mut script = Self {
            code,
            role,
            frameworks: Vec::new(),
            parts: Vec::new(),
        };
        // `import a, { b } from 'node:assert'`
        for (at, token) in code.tokens.iter().enumerate() {
            if token.is_word("from")
                && code
                    .at(at + 1)
                    .is_some_and(|next| FRAMEWORKS.contains(&next.text))
            {
                let names = code
                    .tokens
                    .get(..at)
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .take_while(|token| !token.is_word("import"));
                script.frameworks.extend(
                    names
                        .filter(|token| token.kind == Kind::Word && token.text != "as")
                        .map(|token| token.text),
                );
            }
        }
        for assignment in code.assignments() {
            let names = code.slice(&assignment.target).iter().filter(|token| {
                token.kind == Kind::Word && !matches!(token.text, "const" | "let" | "var")
            });
            let is_name = !assignment.target.clone().any(|at| code.is_member(at));
            let value = code.slice(&assignment.value);
            let requires = value
                .first()
                .is_some_and(|token| token.is_word("require") || token.is_word("await"));
            if requires
                && value
                    .iter()
                    .any(|token| token.kind == Kind::Text && FRAMEWORKS.contains(&token.text))
            {
                script.frameworks.extend(names.map(|token| token.text));
            } else if is_name && script.is_part(&assignment.value) && value.len() <= 3 {
                script.parts.extend(names.map(|token| token.text));
            }
        }
        script
    }

    /// `Array.prototype`, `Math`.
    fn is_part(&self, range: &Range<usize>) -> bool {
        let tokens = self.code.slice(range);
        let is_builtin = tokens
            .first()
            .is_some_and(|token| token.kind == Kind::Word && BUILTINS.contains(&token.text));
        is_builtin
            && (tokens.len() == 1
                || tokens.get(2).is_some_and(|token| token.text == "prototype")
                    && tokens.len() == 3)
    }

    /// What an assignment to this target would replace.
    fn replaced(&self, target: &Range<usize>) -> Option<String> {
        let first = target.clone().find(|at| {
            self.code
                .at(*at)
                .is_some_and(|token| !matches!(token.text, "(" | ";"))
        })?;
        let members = (first..target.end)
            .filter(|at| {
                self.code.is_member(*at) || self.code.at(*at).is_some_and(|token| token.is("["))
            })
            .count();
        if members == 0 {
            return None;
        }
        self.root(&(first..target.end))
    }

    /// What a chain of names begins with, where that is none of the file's own.
    fn root(&self, range: &Range<usize>) -> Option<String> {
        const VITAL: &[&str] = &[
            "exit",
            "reallyExit",
            "abort",
            "kill",
            "emit",
            "on",
            "once",
            "stdout",
            "stderr",
            "nextTick",
            "hrtime",
        ];
        let code = self.code;
        let tokens = code.slice(range);
        let mut at = range.start;
        while code
            .at(at)
            .is_some_and(|token| matches!(token.text, "globalThis" | "global" | "window"))
            && code.at(at + 1).is_some_and(|token| token.is("."))
        {
            at += 2;
        }
        let root = code
            .at(at)
            .filter(|token| at < range.end && token.kind == Kind::Word)?;
        let loads_framework = root.text == "require"
            && tokens
                .iter()
                .any(|token| token.kind == Kind::Text && FRAMEWORKS.contains(&token.text));
        if loads_framework || self.frameworks.contains(&root.text) || KNOWN.contains(&root.text) {
            return Some("an assertion or a part of the test framework is replaced".to_owned());
        }
        let has_prototype = tokens.iter().any(|token| token.is_word("prototype"));
        let is_part = BUILTINS.contains(&root.text) || self.parts.contains(&root.text);
        if is_part
            && (has_prototype
                || self.parts.contains(&root.text) && self.role == Role::Test
                || self.role == Role::Source)
        {
            return Some(format!("{} of the language is replaced", root.text));
        }
        let member = code.at(at + 2).map_or("", |token| token.text);
        let is_of_process = root.text == "process"
            && VITAL.contains(&member)
            && code
                .at(at + 1)
                .is_some_and(|token| token.is(".") || token.is("["));
        (is_of_process && self.role == Role::Source)
            .then(|| format!("process.{member} is replaced by the source"))
    }
}

/// Whether something is put only where it is missing.
fn is_filling(code: &Code<'_>, branches: &[Branch], target: &Range<usize>) -> bool {
    branches
        .iter()
        .filter(|branch| branch.body.contains(&target.start))
        .any(|branch| {
            let condition = code.slice(&branch.condition);
            condition.iter().any(|token| {
                token.is("!")
                    || token.is_word("typeof")
                    || token.is_word("undefined")
                    || token.is_word("in")
            })
        })
}

/// `const assert = { equal () {} }`: an assertion of the file's own that cannot fail.
fn own_assertion(
    code: &Code<'_>,
    target: &Range<usize>,
    value: &Range<usize>,
) -> Option<(u32, String)> {
    let names = code.slice(target);
    let is_assertion = matches!(names, [declared, name] if matches!(declared.text, "const" | "let" | "var") && matches!(name.text, "assert" | "expect" | "should"));
    let value = code.slice(value);
    let is_written_here = value.first().is_some_and(|token| {
        token.is("{")
            || token.is("(")
            || matches!(
                token.text,
                "function" | "class" | "async" | "new" | "Object"
            )
    });
    let can_fail = value.iter().any(|token| {
        token.kind == Kind::Word
            && (matches!(token.text, "throw" | "require" | "exit" | "reject" | "fail")
                || token.text.contains("Error"))
    });
    (is_assertion && is_written_here && !can_fail).then(|| {
        (
            line_of(code, target.start),
            "the tests assert by something of their own that cannot fail".to_owned(),
        )
    })
}

/// `macro_rules! assert_eq`.
fn own_macros(code: &Code<'_>) -> Vec<(u32, String)> {
    let starts = code.tokens.windows(3).filter(|tokens| {
        matches!(tokens, [word, sign, name] if word.is_word("macro_rules") && sign.is("!") && MACROS.contains(&name.text))
    });
    starts
        .filter_map(|tokens| tokens.get(2))
        .map(|name| {
            (
                name.line,
                format!("{}! is replaced by a macro of its own", name.text),
            )
        })
        .collect()
}

/// `t = &testing.T{}`: a test that reports to somebody else.
fn own_reporters(code: &Code<'_>) -> Vec<(u32, String)> {
    let functions = code.functions();
    let mut found = Vec::new();
    for assignment in code.assignments() {
        let [name] = code.slice(&assignment.target) else {
            continue;
        };
        let value = &assignment.value;
        let makes_one = code.find_path(&["testing", "T"], value).is_some()
            || code.find_path(&["testing", "B"], value).is_some();
        let is_given = functions.iter().any(|function| {
            function.body.contains(&assignment.target.start)
                && code
                    .slice(&function.parameters)
                    .first()
                    .is_some_and(|first| first.text == name.text)
        });
        if makes_one && is_given {
            found.push((
                name.line,
                "the test reports to an object of its own".to_owned(),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    fn count(path: &str, after: &str) -> usize {
        scene_of("bug-fix", path, "", after, look).len()
    }

    #[test]
    fn replaced_parts_are_seen_in_source_and_in_tests() {
        for (path, text) in [
            (
                "src/a.js",
                "import assert from 'node:assert/strict'\n\nassert.equal = () => {}\n",
            ),
            ("src/a.js", "require('node:assert').equal = () => {}\n"),
            (
                "src/a.js",
                "const a = require('assert')\na['equal'] = () => {}\n",
            ),
            ("src/a.js", "process.exit = new Proxy(process.exit, {})\n"),
            ("src/a.js", "process.stdout.write = (chunk) => true\n"),
            ("src/a.js", "Math.random = () => 0.1\n"),
            (
                "test/helper.js",
                "import assert from 'node:assert'\nObject.assign(assert, { equal: () => undefined })\n",
            ),
            (
                "test/a.test.js",
                "const { join } = Array.prototype\nArray.prototype.join = function () { return 'a' }\n",
            ),
            ("test/a.test.js", "const assert = { equal () {} }\n"),
            (
                "tests/a.rs",
                "macro_rules! assert_eq { ($($p:tt)*) => {{ }}; }\n",
            ),
            (
                "a_test.go",
                "package a\nfunc TestA(t *testing.T) {\n\tt = &testing.T{}\n}\n",
            ),
        ] {
            assert!(count(path, text) > 0, "{text}");
        }
    }

    #[test]
    fn what_people_set_is_left_alone() {
        for (path, text) in [
            (
                "src/a.js",
                "process.title = 'shop'\nprocess.env.SHOP = '1'\n",
            ),
            (
                "src/a.js",
                "if (!Array.prototype.flat) {\n  Array.prototype.flat = function () { }\n}\n",
            ),
            (
                "src/a.js",
                "Price.prototype.cents = function () { return 1 }\nmodule.exports.assertPrice = f\n",
            ),
            (
                "src/a.js",
                "const process = load()\nconst write = process.stdout.write\n",
            ),
            ("src/a.js", "const options = Object.assign({}, defaults)\n"),
            (
                "src/a.js",
                "const a = Object.assign(Object.create(null), b)\nprocess.argv[1] = 'a'\n",
            ),
            (
                "src/a.js",
                "var s = typeof Symbol === 'function' && Symbol.iterator, m = s && o[s]\n",
            ),
            (
                "test/a.test.js",
                "console.log = (line) => lines.push(line)\nDate.now = () => 0\n",
            ),
            (
                "test/a.test.js",
                "const assert = require('node:assert')\nconst { expect } = require('chai')\n",
            ),
            (
                "test/a.test.js",
                "const assert = (ok) => { if (!ok) throw new Error('no') }\n",
            ),
            ("tests/a.rs", "macro_rules! assert_name { () => {}; }\n"),
            (
                "a_test.go",
                "package a\nfunc TestA(t *testing.T) {\n\tmock := new(testing.T)\n\ttest := t\n}\n",
            ),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }
}
