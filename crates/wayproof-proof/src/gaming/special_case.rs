//! G8: source that knows it is being tested: the runner's variables, or the very input and answer of a test.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{AddedLine, Scene, added_lines, finding, is_comment, without_tests};
use crate::plan::{FileChange, Role, inline};

const RUNNERS: &[&str] = &[
    "PYTEST_CURRENT_TEST",
    "\"pytest\" in sys.modules",
    "'pytest' in sys.modules",
    "\"unittest\" in sys.modules",
    "'unittest' in sys.modules",
    "JEST_WORKER_ID",
    "VITEST_WORKER_ID",
    "process.env.VITEST",
    "NODE_ENV === 'test'",
    "NODE_ENV === \"test\"",
    "NODE_ENV == 'test'",
    "NODE_ENV == \"test\"",
    "NODE_TEST_CONTEXT",
    "NEXTEST",
    "RUST_TEST_",
    "cfg!(test)",
    "testing.Testing()",
    "flag.Lookup(\"test.v\")",
    "defined?(Minitest",
    "defined?(MiniTest",
    "defined?(RSpec",
    "const_defined?(:Minitest",
    "const_defined?(:RSpec",
    "ENV[\"RACK_ENV\"] == \"test\"",
    "ENV['RACK_ENV'] == 'test'",
    "Rails.env.test?",
    "PHPUNIT_COMPOSER_INSTALL",
    "__PHPUNIT_PHAR__",
    "PHPUnit\\Framework",
    "\"org.junit",
    "sun.java.command",
    "surefire.",
    "GTEST_",
    "CTEST_",
    "testing::UnitTest",
    "InitGoogleTest",
    "RUN_ALL_TESTS",
    "7testing",
    "WAYPROOF",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let expected = literals_of_tests(scene.changes);
    let mut findings = Vec::new();
    for change in scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source && is_code(&change.path))
    {
        let source = without_tests(change);
        let lines = added_lines(&source);
        for line in lines.iter().filter(|line| !is_comment(line.text)) {
            if let Some(word) = RUNNERS.iter().find(|word| line.text.contains(**word)) {
                findings.push(finding(
                    "G8",
                    Severity::High,
                    &change.path,
                    Some(line.number),
                    format!("the source asks whether it is being tested: {word}"),
                ));
            }
        }
        findings.extend(special_cases(&change.path, &lines, &expected));
    }
    findings
}

fn is_code(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    matches!(
        extension,
        Some(
            "rs" | "py"
                | "js"
                | "mjs"
                | "cjs"
                | "jsx"
                | "ts"
                | "mts"
                | "cts"
                | "tsx"
                | "go"
                | "rb"
                | "php"
                | "java"
                | "kt"
                | "c"
                | "cc"
                | "cpp"
                | "cxx"
                | "h"
                | "hpp"
        )
    )
}

/// A comparison with an input of the tests, answered by an output of the tests, both new.
fn special_cases(path: &str, lines: &[AddedLine<'_>], expected: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_comparison = ["==", "case ", "=>", ".eq("]
            .iter()
            .any(|word| line.text.contains(word));
        let Some(input) = literals(line.text)
            .into_iter()
            .find(|literal| is_comparison && expected.contains(literal))
        else {
            continue;
        };
        let near = lines
            .iter()
            .skip(at)
            .take(3)
            .take_while(|next| next.number <= line.number + 2);
        let answers: Vec<String> = near
            .filter(|next| next.text.contains("return") || next.text.contains("=>"))
            .flat_map(|next| literals(next.text))
            .filter(|answer| *answer != input && expected.contains(answer))
            .collect();
        if let Some(answer) = answers.first() {
            let what =
                format!("the source answers {input} with {answer}, as a changed test has them");
            findings.push(finding(
                "G8",
                Severity::Medium,
                path,
                Some(line.number),
                what,
            ));
        }
    }
    findings
}

/// The literals of lines that the change adds to tests.
fn literals_of_tests(changes: &[FileChange]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for change in changes {
        match change.role {
            Role::Test => found.extend(
                added_lines(change)
                    .iter()
                    .flat_map(|line| literals(line.text)),
            ),
            Role::Source if crate::plan::extension(&change.path) == "rs" => {
                let tests = change
                    .after
                    .as_deref()
                    .and_then(inline::parse)
                    .map(|file| file.tests())
                    .unwrap_or_default();
                found.extend(tests.lines().flat_map(literals));
            }
            Role::Source | Role::Golden | Role::Control | Role::Manifest | Role::Pipeline => {}
        }
    }
    found
}

/// Quoted texts of four letters and more, and numbers of three digits and more.
fn literals(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for quote in ['"', '\''] {
        for text in line
            .split(quote)
            .skip(1)
            .step_by(2)
            .filter(|text| text.chars().count() >= 4)
        {
            found.push(text.to_owned());
        }
    }
    let numbers = line
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.len() >= 3 && word.chars().all(|c| c.is_ascii_digit()));
    found.extend(numbers.map(str::to_owned));
    found
}
