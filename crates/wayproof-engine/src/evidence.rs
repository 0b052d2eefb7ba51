//! Typed facts read from the text a tool printed.
//!
//! [`recognize`] turns the output of one command into [`Evidence`]: which tool spoke, whether it
//! passed, the counts it printed, the tests it named and the places it pointed at. It reads; it
//! never runs anything, never trusts prose over an exit status, and prefers
//! [`Outcome::Unknown`] to a guess, because a failure read as a pass is the one mistake that
//! cannot be taken back.

mod ant;
mod build;
mod checked;
mod command;
mod compiler;
mod ctest;
mod dotnet;
mod eslint;
mod forms;
mod gotest;
mod gradle;
mod gtest;
mod jest;
mod junit;
mod karma;
mod libtest;
mod linker;
mod location;
mod log;
mod maven;
mod minitest;
mod mocha;
mod nextest;
mod phpunit;
mod pytest;
mod report;
mod rspec;
mod rustc;
mod sbt;
mod scan;
mod settle;
mod sympy;
mod table;
mod tap;
mod triggers;
mod unittest;
mod vitest;
mod xctest;

use serde::{Deserialize, Serialize};

pub use self::table::recognize;

/// How far a fact can be trusted, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The assistant said so.
    Narrated,
    /// A tool result shown to the model said so.
    Observed,
    /// Wayproof ran it.
    Executed,
    /// A person or CI signed it.
    Attested,
}

/// What kind of work the fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// Source was compiled.
    Compile,
    /// Types were checked without producing an artifact.
    Typecheck,
    /// Tests ran.
    Test,
    /// A linter or formatter looked at the source.
    Lint,
    /// A build tool ran to its end.
    Build,
    /// A command about which nothing more is known.
    Shell,
    /// A file was changed.
    Edit,
    /// The user turned a result down.
    Rejection,
    /// A proof was run.
    Proof,
    /// A person reviewed the work.
    Review,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The tool itself said that everything it ran was good, and nothing contradicts it.
    Passed,
    /// The tool reported a failure.
    Failed,
    /// Neither can be told from what is there.
    Unknown,
}

/// The numbers a test runner printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counts {
    /// Tests that ran, whatever came of them; skipped ones did not. Larger than
    /// `passed + failed + errors` where a runner counts expected failures apart.
    pub run: u64,
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were skipped, ignored, pending or left to do.
    pub skipped: u64,
    /// Tests or suites that broke before they could fail: collection, set-up, build.
    pub errors: u64,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file as the tool wrote it.
    pub file: String,
    /// The line, counted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column as the tool counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// One test that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// The test's name as its runner wrote it.
    pub name: String,
    /// Where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The first line of why; empty when the runner gave none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A remark.
    Note,
    /// The tool gave no severity.
    Unstated,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// One finding of a compiler, type checker or linter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// How bad it is.
    pub severity: Severity,
    /// The tool's own code for it: `E0308`, `TS2345`, `CS0618`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong, in the tool's words.
    pub message: String,
}

/// One fact about one tool's run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// What kind of work it is about.
    pub kind: EvidenceKind,
    /// The tool that said it, lower case: `pytest`, `cargo-test`, `tsc`.
    pub tool: String,
    /// How far it can be trusted.
    pub grade: Grade,
    /// What came of it.
    pub outcome: Outcome,
    /// The numbers, where the tool printed any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The tests that failed, at most [`MAX_ITEMS`](Evidence::MAX_ITEMS) of them. A test that failed in
    /// several runs, of a retry or of other modules, is listed for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// The findings, at most [`MAX_ITEMS`](Evidence::MAX_ITEMS) of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Evidence {
    /// The most failures, and the most diagnostics, that one item keeps. Counts stay exact.
    pub const MAX_ITEMS: usize = 1_000;
    /// The longest message or name that is kept, in bytes.
    pub const MAX_TEXT: usize = 400;

    /// Starts an observed item without an outcome.
    fn observed(kind: EvidenceKind, tool: &str) -> Self {
        Self {
            kind,
            tool: tool.to_owned(),
            grade: Grade::Observed,
            outcome: Outcome::Unknown,
            counts: None,
            failures: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}
