//! The in-toto test-result predicate (v0.1), so that foreign tools can read what ran.
//! Too thin to prove anything by itself; verification only shows it.

use serde::{Deserialize, Serialize};

use crate::statement::ResourceDescriptor;

/// How a test run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TestOutcome {
    /// Every test passed.
    Passed,
    /// Tests passed with warnings.
    Warned,
    /// A test failed.
    Failed,
}

/// One run of a test runner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// How it ended.
    pub result: TestOutcome,
    /// What steered the run.
    pub configuration: Vec<ResourceDescriptor>,
    /// Where it can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Tests that passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_tests: Vec<String>,
    /// Tests that passed with warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned_tests: Vec<String>,
    /// Tests that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_tests: Vec<String>,
}
