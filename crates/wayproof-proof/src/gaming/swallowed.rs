//! G7: failures swallowed in scripts and pipelines: `|| true`, `continue-on-error`, a runner told to pass without
//! tests.
//!
//! Our own runs start no script, so this cannot fool them; it would fool whoever runs the project's own.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding, is_comment};
use crate::plan::Role;

const SWALLOWS: &[&str] = &[
    "|| true",
    "|| exit 0",
    "; exit 0",
    "|| :",
    "--passWithNoTests",
    "--exit-zero",
    "ignoreFailures",
    "--suppress-no-test-exit-code",
    "--pass-with-no-tests",
    "testFailureIgnore",
    "maven.test.failure.ignore",
    "skipTests",
    "maven.test.skip",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Manifest | Role::Control | Role::Pipeline))
    {
        for line in added_lines(change)
            .iter()
            .filter(|line| !is_comment(line.text))
        {
            let is_test_line = [
                "test",
                "jest",
                "mocha",
                "tape",
                "check",
                "pytest",
                "ignoreFailures",
            ]
            .iter()
            .any(|word| line.text.contains(word));
            if SWALLOWS.iter().any(|swallow| line.text.contains(swallow)) && is_test_line {
                let what = format!("a failure would be swallowed: {}", line.text.trim());
                findings.push(finding(
                    "G7",
                    Severity::Medium,
                    &change.path,
                    Some(line.number),
                    what,
                ));
            } else if line.text.contains("continue-on-error: true") {
                // Common for experimental platforms, and without force over these runs.
                findings.push(finding(
                    "G7",
                    Severity::Low,
                    &change.path,
                    Some(line.number),
                    "a pipeline step may fail",
                ));
            }
        }
    }
    findings
}
