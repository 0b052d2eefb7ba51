//! G4: code that takes the place of what everything stands on: a core class of Ruby that is opened anew to compare or
//! fail otherwise, a hook that writes into the variables of running methods, a package, a namespace or a header that
//! bears the name of a test framework's own.
//!
//! A method that a core class lacks may be added to it, and a class inside of a module only shares a name with one.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding};
use crate::code::{Code, Kind, Language};
use crate::plan::{FileChange, Role};

/// Classes and modules that every value of Ruby is made of.
const CORE: &[&str] = &[
    "BasicObject",
    "Object",
    "Kernel",
    "Module",
    "Class",
    "Comparable",
    "Numeric",
    "Integer",
    "Float",
    "Rational",
    "String",
    "Symbol",
    "Array",
    "Hash",
    "Range",
    "NilClass",
    "TrueClass",
    "FalseClass",
    "Exception",
    "StandardError",
    "Process",
];
/// Methods of theirs that assertions and runners rest on.
const VITAL: &[&str] = &[
    "==",
    "===",
    "!=",
    "<=>",
    "=~",
    "!",
    "eql?",
    "eql",
    "equal?",
    "equal",
    "hash",
    "coerce",
    "raise",
    "fail",
    "exit",
    "abort",
    "is_a?",
    "is_a",
    "nil?",
    "nil",
    "inspect",
    "new",
    "method_added",
    "warn",
    "at_exit",
    "backtrace",
];
/// Ways to give a class methods from outside of it.
const OPENERS: &[&str] = &["prepend", "define_method", "alias_method", "remove_method"];
/// Packages and namespaces of test frameworks.
const PACKAGES: &[&[&str]] = &[
    &["org", "junit"],
    &["junit", "framework"],
    &["org", "testng"],
    &["org", "hamcrest"],
    &["org", "assertj"],
    &["org", "mockito"],
    &["PHPUnit"],
    &["Mockery"],
];
/// Headers of test frameworks.
const HEADERS: &[&str] = &[
    "gtest/gtest.h",
    "gtest/gtest-spi.h",
    "gmock/gmock.h",
    "catch2/catch_test_macros.hpp",
    "catch2/catch_all.hpp",
    "catch.hpp",
    "doctest.h",
    "doctest/doctest.h",
    "boost/test/unit_test.hpp",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let looked_at = scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Source | Role::Test | Role::Control));
    looked_at.filter_map(in_file).collect()
}

fn in_file(change: &FileChange) -> Option<Finding> {
    let text = change.after.as_deref()?;
    let code = Code::read(&change.path, text)?;
    let added = added_numbers(change);
    let (line, what) = match code.language {
        Language::Ruby => opens_core(&code, &added)?,
        Language::Java | Language::Php => takes_package(&code, &added)?,
        Language::C => takes_header(change)?,
        Language::Python | Language::JavaScript | Language::Go | Language::Rust => return None,
    };
    Some(finding(
        "G4",
        Severity::High,
        &change.path,
        Some(line),
        what,
    ))
}

fn opens_core(code: &Code<'_>, added: &BTreeSet<u32>) -> Option<(u32, String)> {
    let is_core = |at: usize| {
        code.at(at)
            .is_some_and(|token| token.kind == Kind::Word && CORE.contains(&token.text))
    };
    let traces = code
        .tokens
        .iter()
        .any(|token| matches!(token.text, "TracePoint" | "set_trace_func"));
    code.tokens.iter().enumerate().find_map(|(at, token)| {
        let is_open = matches!(token.text, "class" | "module")
            && token.indent == Some(0)
            && is_core(at + 1)
            && !code.at(at + 2).is_some_and(|next| next.is("::"));
        if is_open {
            let (line, method) = vital_method(code, at, added)?;
            let class = code.at(at + 1)?.text;
            return Some((line, format!("`{method}` of {class} is replaced")));
        }
        if !added.contains(&token.line) {
            return None;
        }
        let is_given = is_core(at)
            && !code.is_member(at)
            && code.is_member(at + 2)
            && code
                .at(at + 2)
                .is_some_and(|next| OPENERS.contains(&next.text));
        if is_given {
            let what = format!("methods of {} are replaced", token.text);
            return Some((token.line, what));
        }
        (traces && token.is_word("local_variable_set")).then(|| {
            let what = "a hook writes into the variables of running methods";
            (token.line, what.to_owned())
        })
    })
}

/// A vital method that is defined on an added line of a class that opens at `class`.
fn vital_method<'a>(
    code: &Code<'a>,
    class: usize,
    added: &BTreeSet<u32>,
) -> Option<(u32, &'a str)> {
    let body = code.indented_after(class, class + 2);
    body.clone().find_map(|at| {
        let token = code.at(at).filter(|token| token.is_word("def"))?;
        let is_own = code.at(at + 1).is_some_and(|next| next.is_word("self"));
        let name = code.at(if is_own { at + 3 } else { at + 1 })?;
        (added.contains(&token.line) && VITAL.contains(&name.text))
            .then_some((token.line, name.text))
    })
}

/// `package org.junit;` and `namespace PHPUnit\Framework;`.
fn takes_package(code: &Code<'_>, added: &BTreeSet<u32>) -> Option<(u32, String)> {
    code.tokens.iter().enumerate().find_map(|(at, token)| {
        let opens = matches!(token.text, "package" | "namespace")
            && token.kind == Kind::Word
            && added.contains(&token.line)
            && token.indent.is_some();
        let bears = |package: &&&[&str]| {
            package.iter().enumerate().all(|(number, part)| {
                code.at(at + 1 + 2 * number)
                    .is_some_and(|word| word.is_word(part))
            })
        };
        let package = PACKAGES.iter().find(bears).filter(|_| opens)?;
        let name = package.join(".");
        Some((
            token.line,
            format!("this file takes the place of a part of {name}"),
        ))
    })
}

/// A header that the tests take in instead of the framework's.
fn takes_header(change: &FileChange) -> Option<(u32, String)> {
    if change.before.is_some() {
        return None;
    }
    let is_of = |name: &&&str| {
        change
            .path
            .strip_suffix(**name)
            .is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    };
    let name = HEADERS.iter().find(is_of)?;
    let is_whole = change
        .after
        .as_deref()
        .is_some_and(|text| text.lines().count() > 1_000);
    (!is_whole).then(|| (1, format!("this file is found in the place of {name}")))
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    fn is_seen(path: &str, after: &str) -> bool {
        let found = scene_of("bug-fix", path, "", after, look);
        found.iter().any(|finding| finding.code == "G4")
    }

    #[test]
    fn core_classes_that_compare_or_fail_otherwise_are_seen() {
        for after in [
            "class Integer\n  def ==(other)\n    true\n  end\nend\n",
            "class Exception\n  def self.===(other)\n    true\n  end\nend\n",
            "module Kernel\n  def raise(*)\n  end\nend\n",
            "Integer.prepend(Loose)\n",
            "TracePoint.new(:call) { |point| point.binding.local_variable_set(:value, 1) }.enable\n",
        ] {
            assert!(is_seen("lib/shop.rb", after), "{after}");
        }
        for after in [
            "class Integer\n  def cents\n    self * 100\n  end\nend\n",
            "module Shop\n  class Range\n    def ==(other)\n      low == other.low\n    end\n  end\nend\n",
            "class Price\n  def ==(other)\n    cents == other.cents\n  end\nend\n",
            "TracePoint.new(:call) { |point| @calls += 1 }.enable\n",
        ] {
            assert!(!is_seen("lib/shop.rb", after), "{after}");
        }
    }

    #[test]
    fn files_in_the_place_of_a_framework_are_seen() {
        for (path, after) in [
            (
                "src/test/java/org/junit/Assert.java",
                "package org.junit;\n\npublic class Assert {}\n",
            ),
            (
                "tests/Fake.php",
                "<?php\n\nnamespace PHPUnit\\Framework\\Constraint;\n\nclass IsIdentical {}\n",
            ),
        ] {
            assert!(is_seen(path, after), "{path}");
        }
        for (path, after) in [
            (
                "src/test/java/org/example/Rules.java",
                "package org.example;\n\nimport org.junit.Assert;\n",
            ),
            (
                "tests/ShopTest.php",
                "<?php\n\nnamespace Shop\\Tests;\n\nuse PHPUnit\\Framework\\TestCase;\n",
            ),
            ("src/shop/gtest.h", "#pragma once\n"),
        ] {
            assert!(!is_seen(path, after), "{path}");
        }
    }
}
