//! Reads what test runners and compilers report. Every reader is pure, takes bytes, never fails and never panics:
//! what it cannot make sense of becomes a problem, and a report with problems is not complete.
//!
//! It refuses to guess: no count is taken from prose when a structured report exists, a missing result is not a
//! pass, and two results for one test are merged into the worse one.

mod builder;
mod cargo_messages;
mod ctest;
mod gotest;
mod jest;
mod junit;
mod junit_place;
mod libtest;
mod mocha;
mod phpunit;
mod reason;
mod tap;
mod trx;
mod tsc;
pub(crate) mod xml;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use phpunit::classes as php_classes;

/// The name of a test, stable across runs and readable by people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestId(String);

impl TestId {
    /// Makes an id of a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a test ended. Later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// It ran and held.
    Passed,
    /// It failed where a failure was announced.
    XFail,
    /// It did not run.
    Skipped,
    /// It ran and did not hold.
    Failed,
    /// It could not be run, or broke outside the test itself.
    Error,
}

/// Why a test is red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RedReason {
    /// An assertion did not hold.
    Assertion,
    /// Something was thrown that is not an assertion.
    Exception,
    /// It took too long.
    Timeout,
    /// It, or what it needs, does not compile or import.
    BuildError,
    /// It was expected and has no result.
    Missing,
    /// The process died.
    Crash,
}

/// A place in a file, as the runner named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub file: String,
    /// The line, counting from 1.
    pub line: Option<u32>,
    /// The column, counting from 1.
    pub column: Option<u32>,
}

/// The result of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// How it ended.
    pub status: Status,
    /// Why it is red, when it is.
    pub red: Option<RedReason>,
    /// What the runner said about it, cut to a sensible length.
    pub message: String,
    /// Where the runner says it failed or is.
    pub location: Option<Location>,
}

/// What one run of a runner reported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestRun {
    /// Every test with its result.
    pub results: BTreeMap<TestId, TestResult>,
    /// Whether the report itself says that the run came to its end and its counts agree.
    pub is_complete: bool,
    /// What was wrong with the report, in sentences.
    pub problems: Vec<String>,
}

/// How grave a diagnostic is. Later is graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something to know.
    Note,
    /// Something to look at.
    Warning,
    /// Something that stops the build.
    Error,
}

/// One diagnostic of a compiler or type checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub location: Option<Location>,
    /// How grave.
    pub severity: Severity,
    /// The compiler's own code, such as `E0308` or `TS2322`.
    pub code: Option<String>,
    /// What it says.
    pub message: String,
}

/// What one run of a compiler or type checker reported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compilation {
    /// The diagnostics, in the order they came, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the report says that the run came to its end, and how.
    pub succeeded: Option<bool>,
    /// What was wrong with the report, in sentences.
    pub problems: Vec<String>,
}

/// Who wrote a test report, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestFormat {
    /// JUnit XML of a named dialect.
    Junit(JunitDialect),
    /// `go test -json`.
    GoTest,
    /// The JSON reporter of Jest, which Vitest writes too.
    Jest,
    /// The JSON reporter of Mocha.
    Mocha,
    /// Test Anything Protocol, with subtests, as `node --test`, tape and Mocha write it.
    Tap,
    /// TRX, as .NET's runner writes it.
    Trx,
    /// The text Rust's built-in harness prints. The binary's name starts every id.
    Libtest {
        /// The name of the test binary, in nextest's form.
        binary: String,
    },
}

/// Whose JUnit XML it is; each writes names and counts in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JunitDialect {
    /// pytest: `path::Class::name[param]`.
    Pytest,
    /// cargo-nextest: `binary::module::test`.
    Nextest,
    /// gotestsum: `package.TestName/sub`.
    Gotestsum,
    /// Vitest: `file > describe > test`.
    Vitest,
    /// jest-junit: `file > describe > test` as far as it tells. It leaves out files that failed to load and shows
    /// tests still to be written as passed, so [`TestFormat::Jest`] is the better report.
    Jest,
    /// `node --test`: `file > describe > test`.
    Node,
    /// Mocha's xunit and junit reporters.
    Mocha,
    /// PHPUnit: `file::Class::name[data set]`.
    PhpUnit,
    /// CTest, which names programs or the tests found in them.
    Ctest,
    /// Maven Surefire, Gradle and whoever writes like them: `class::name`.
    Surefire,
}

/// Reads a test report. Absolute paths in names are made relative to `root`, the directory the run was started in.
pub fn read_tests(format: &TestFormat, root: &str, bytes: &[u8]) -> TestRun {
    match format {
        TestFormat::Junit(dialect) => junit::read(*dialect, root, bytes),
        TestFormat::GoTest => gotest::read(root, bytes),
        TestFormat::Jest => jest::read(root, bytes),
        TestFormat::Mocha => mocha::read(root, bytes),
        TestFormat::Tap => tap::read(root, bytes),
        TestFormat::Trx => trx::read(root, bytes),
        TestFormat::Libtest { binary } => libtest::read(binary, bytes),
    }
}

/// The form of a report that nobody named, told by how it begins.
pub(crate) fn sniff(bytes: &[u8]) -> Option<TestFormat> {
    const HEAD: usize = 16 << 10;
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(HEAD)).unwrap_or_default());
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let has = |words: &str| head.contains(words);
    if head.starts_with('<') {
        let is_junit = has("<testsuite");
        let junit = TestFormat::Junit(JunitDialect::Surefire);
        return if is_junit {
            Some(junit)
        } else {
            has("<TestRun").then_some(TestFormat::Trx)
        };
    }
    if head.starts_with('{') {
        return Some(if has("\"Action\"") {
            TestFormat::GoTest
        } else if has("\"numTotalTests\"") || has("\"testResults\"") {
            TestFormat::Jest
        } else {
            TestFormat::Mocha
        });
    }
    let is_tap = |line: &str| {
        ["TAP version", "1..", "ok ", "not ok "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    head.lines().any(is_tap).then_some(TestFormat::Tap)
}

/// Who wrote a compiler's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompileFormat {
    /// `cargo --message-format=json`.
    Cargo,
    /// `tsc --noEmit --pretty false`.
    Tsc,
}

/// Reads a compiler's report.
pub fn read_diagnostics(format: CompileFormat, bytes: &[u8]) -> Compilation {
    match format {
        CompileFormat::Cargo => cargo_messages::read(bytes),
        CompileFormat::Tsc => tsc::read(bytes),
    }
}
