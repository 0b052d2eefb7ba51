//! G4: source that has to do with a test framework: it takes something from one, changes what it finds among the
//! loaded modules, or defines a framework's assertions anew.
//!
//! A file that spoke of one before, and one that is there for tests or to be plugged into a runner, may.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Kind, Language, Token};
use crate::plan::FileChange;

/// What has to do with it, for a first look.
const WORDS: &[&str] = &[
    "pytest",
    "unittest",
    "testing",
    "node:test",
    "vitest",
    "jest",
    "mocha",
    "sinon",
    "Minitest",
    "RSpec",
    "PHPUnit",
    "junit",
    "mockito",
    "sys.modules",
    "builtins",
    "EXPECT_",
    "ASSERT_",
    "REQUIRE",
    "CHECK",
];
/// Modules of test frameworks, by the name they are taken in by.
const MODULES: &[&str] = &[
    "pytest",
    "_pytest",
    "unittest",
    "nose",
    "node:test",
    "vitest",
    "jest",
    "@jest/globals",
    "mocha",
    "sinon",
    "testing",
];
/// Assertions of frameworks for C and C++.
const MACROS: &[&str] = &[
    "EXPECT_EQ",
    "EXPECT_NE",
    "EXPECT_TRUE",
    "EXPECT_FALSE",
    "EXPECT_STREQ",
    "EXPECT_NEAR",
    "EXPECT_THAT",
    "EXPECT_THROW",
    "ASSERT_EQ",
    "ASSERT_NE",
    "ASSERT_TRUE",
    "ASSERT_FALSE",
    "REQUIRE",
    "REQUIRE_FALSE",
    "REQUIRE_THROWS",
    "CHECK_FALSE",
    "TEST_CASE",
    "BOOST_CHECK",
    "BOOST_REQUIRE",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    scene.sources().flat_map(in_file).collect()
}

fn in_file(change: &FileChange) -> Vec<Finding> {
    if !speaks_of(change, WORDS) || is_for_tests(&change.path) {
        return Vec::new();
    }
    let source = without_tests(change);
    let (Some(text), added) = (source.after.as_deref(), added_numbers(&source)) else {
        return Vec::new();
    };
    let Some(code) = Code::read(&change.path, text) else {
        return Vec::new();
    };
    let spoke = source
        .before
        .as_deref()
        .and_then(|text| Code::read(&change.path, text))
        .is_some_and(|code| framework(&code, &|_| true).is_some());
    let taken = framework(&code, &|line| added.contains(&line)).filter(|_| !spoke);
    let taken = taken.map(|line| (line, "the source takes part of a test framework in"));
    let bent = changes_modules(&code, &added)
        .map(|line| (line, "the source changes what is loaded beside it"));
    let found = taken.into_iter().chain(bent);
    found
        .map(|(line, what)| finding("G4", Severity::High, &change.path, Some(line), what))
        .collect()
}

/// Files that are there for tests, or are run by people who test.
fn is_for_tests(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let speaks = [
        "test", "mock", "fixture", "plugin", "spec", "bench", "fake", "stub",
    ];
    speaks.iter().any(|word| lower.contains(word))
        || matches!(
            name,
            "setup.py"
                | "noxfile.py"
                | "tasks.py"
                | "fabfile.py"
                | "dodo.py"
                | "manage.py"
                | "rakefile"
        )
}

/// The first wanted line on which something of a test framework is taken in or defined.
fn framework(code: &Code<'_>, is_wanted: &dyn Fn(u32) -> bool) -> Option<u32> {
    let tokens = code.tokens.iter().enumerate();
    tokens
        .filter(|(_, token)| is_wanted(token.line))
        .find(|(at, token)| is_of_framework(code, *at, token))
        .map(|(_, token)| token.line)
}

fn is_of_framework(code: &Code<'_>, at: usize, token: &Token<'_>) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| code.at(at));
    let follows = |words: &[&str]| before(1).is_some_and(|token| words.contains(&token.text));
    match code.language {
        Language::Python => {
            token.kind == Kind::Word
                && MODULES.contains(&token.text)
                && follows(&["import", "from"])
        }
        Language::JavaScript => {
            token.kind == Kind::Text
                && MODULES.contains(&token.text)
                && (follows(&["from", "import"])
                    || follows(&["("])
                        && before(2)
                            .is_some_and(|token| matches!(token.text, "require" | "import")))
        }
        // A package of that name is imported by a line of its own or in a list.
        Language::Go => {
            token.kind == Kind::Text
                && matches!(token.text, "testing" | "testing/quick")
                && (follows(&["import", "("]) || token.indent.is_some())
        }
        Language::Ruby => {
            let opens = follows(&["module", "class"]);
            matches!(token.text, "Minitest" | "RSpec")
                && token.kind == Kind::Word
                && (opens || is_bent(code, at))
        }
        Language::Php => {
            token.kind == Kind::Word && token.text == "PHPUnit" && follows(&["use", "\\"])
        }
        Language::Java => {
            token.kind == Kind::Word
                && matches!(token.text, "junit" | "mockito" | "testng")
                && code.is_member(at)
        }
        Language::C => {
            token.kind == Kind::Word
                && MACROS.contains(&token.text)
                && follows(&["define", "undef"])
        }
        Language::Rust => false,
    }
}

/// `Minitest::Assertions.module_eval`: a module of somebody else's is opened.
fn is_bent(code: &Code<'_>, at: usize) -> bool {
    const OPENS: &[&str] = &[
        "module_eval",
        "class_eval",
        "class_exec",
        "prepend",
        "include",
        "define_method",
        "send",
        "instance_variable_set",
        "remove_method",
        "alias_method",
        "autorun",
        "plugins",
    ];
    let line = code.at(at).map_or(0, |token| token.line);
    code.tokens
        .iter()
        .skip(at)
        .take_while(|token| token.line == line)
        .any(|token| OPENS.contains(&token.text))
}

/// An added line on which a member of a loaded module, or of what every module has, gets another value.
fn changes_modules(code: &Code<'_>, added: &BTreeSet<u32>) -> Option<u32> {
    if code.language != Language::Python {
        return None;
    }
    let mut foreign: BTreeSet<&str> = BTreeSet::from(["builtins", "__builtins__"]);
    let assignments = code.assignments();
    let is_foreign = |range: &std::ops::Range<usize>, foreign: &BTreeSet<&str>| {
        range.clone().any(|at| {
            code.has_path(&["sys", "modules"], at)
                || code.has_path(&["gc", "get_objects"], at)
                || code.at(at).is_some_and(|token| {
                    token.kind == Kind::Word && foreign.contains(token.text) && !code.is_member(at)
                })
        })
    };
    for _ in 0..2 {
        for one in &assignments {
            let has_member = one.target.clone().any(|at| code.is_member(at));
            if !has_member && is_foreign(&one.value, &foreign) {
                let names = code.slice(&one.target).iter();
                foreign.extend(
                    names
                        .filter(|token| token.kind == Kind::Word && token.text.len() > 1)
                        .map(|token| token.text),
                );
            }
        }
    }
    let set = assignments.iter().find_map(|one| {
        let line = code.at(one.target.start)?.line;
        let is_plain = code.at(one.target.end).is_some_and(|sign| sign.is("="));
        let has_member = one.target.clone().any(|at| code.is_member(at));
        (added.contains(&line) && is_plain && has_member && is_foreign(&one.target, &foreign))
            .then_some(line)
    });
    let called = || {
        code.tokens.iter().enumerate().find_map(|(at, token)| {
            let is_call = token.is_word("setattr") && added.contains(&token.line);
            let first = at + 2..code.statement_end(at + 2);
            (is_call && is_foreign(&first, &foreign)).then_some(token.line)
        })
    };
    set.or_else(called)
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    #[test]
    fn source_that_has_to_do_with_a_framework_is_seen() {
        let count = |path: &str, text: &str| scene_of("bug-fix", path, "", text, look).len();
        for (path, text) in [
            ("shop.py", "from unittest.mock import ANY\n"),
            (
                "shop.py",
                "import sys\nfor name, module in sys.modules.items():\n    module.Function.runtest = lambda self: None\n",
            ),
            ("shop.py", "import builtins\nsetattr(builtins, 'len', f)\n"),
            ("src/a.js", "import { mock } from 'node:test'\n"),
            (
                "a.go",
                "package shop\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n",
            ),
            (
                "lib/shop.rb",
                "module Minitest\n  def assert_equal(*)\n  end\nend\n",
            ),
            ("lib/shop.rb", "Minitest::Assertions.module_eval do\nend\n"),
            ("src/Shop.php", "<?php\nuse PHPUnit\\Framework\\Assert;\n"),
            ("src/main/java/shop/Shop.java", "import org.junit.Assert;\n"),
            (
                "src/shop.h",
                "#undef EXPECT_EQ\n#define EXPECT_EQ(a, b) SUCCEED()\n",
            ),
        ] {
            assert!(count(path, text) > 0, "{text}");
        }
        for (path, text) in [
            (
                "shop.py",
                "import sys\nnames = [name for name in sys.modules]\n",
            ),
            ("shop.py", "import testing_tools\nself.value = 1\n"),
            ("shop_testing/helpers.py", "from unittest import mock\n"),
            ("src/a.js", "import { test } from './test.js'\n"),
            (
                "a.go",
                "package shop\n\nvar words = []string{\"testing\"}\n",
            ),
            (
                "lib/shop.rb",
                "puts Minitest::VERSION if defined?(Minitest)\n",
            ),
            (
                "src/shop.h",
                "#define SHOP_CHECK(a) do_check(a)\nCHECK(x);\n",
            ),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
        let before = "from unittest.mock import ANY\n";
        let after = "from unittest.mock import ANY, call\n";
        assert!(scene_of("bug-fix", "shop.py", before, after, look).is_empty());
    }
}
