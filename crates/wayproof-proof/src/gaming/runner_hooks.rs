//! G4: hooks into the runner from places that are not its control surface, such as a test module that registers
//! itself as a plugin.
//!
//! Control files themselves need no words here: the base's are overlaid, and a change that passes only under its
//! own is refuted by the runs.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding, is_comment};
use crate::plan::{Role, is_support_only};

const HOOKS: &[&str] = &[
    "pluginmanager.register",
    "def pytest_runtest_",
    "def pytest_pyfunc_call",
    "def pytest_collection_modifyitems",
    "def pytest_sessionfinish",
    "def pytest_report_teststatus",
    "_pytest.runner",
    "_pytest.reports",
    "TestReport.from_item_and_call",
    "unittest.TestResult.",
    "TestResult.addFailure =",
    "TestCase.run =",
    "TestCase.assertEqual =",
    "builtins.AssertionError",
    "AssertionError.__new__",
    "process.on('exit'",
    "process.on(\"exit\"",
    "process.exitCode = 0",
    "process.exit = ",
    "assert.equal = ",
    "assert.strictEqual = ",
    "Test.prototype.",
    "panic::set_hook",
    "Minitest::Assertions.",
    "Minitest::Test.prepend",
    "Minitest::Test.class_eval",
    "Minitest::Runnable",
    "Minitest::Result",
    "Minitest.run",
    "RSpec::Core::",
    "RSpec::Expectations.",
    "RSpec::Expectations::",
    "def assert_equal(",
    "TestListener",
    "PHPUnit\\Framework\\TestResult",
    "PHPUnit\\Framework\\Assert::class",
    "PHPUnit\\Runner\\",
    "register_shutdown_function",
    "TestExecutionExceptionHandler",
    "InvocationInterceptor",
    "implements TestExecutionListener",
    "extends RunListener",
    "TestEventListener",
    "#define EXPECT_",
    "#define ASSERT_",
    "#define REQUIRE",
    "#define CHECK",
    "#define assert",
    "#define NDEBUG",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.changes {
        let is_looked_at = match change.role {
            Role::Test | Role::Source => true,
            Role::Control => is_support_only(change),
            Role::Golden | Role::Manifest | Role::Pipeline => false,
        };
        let is_package_of_tests = change.role == Role::Test;
        for line in added_lines(change)
            .iter()
            .filter(|line| is_looked_at && !is_comment(line.text))
        {
            let hook = HOOKS.iter().find(|hook| line.text.contains(**hook));
            let Some(hook) = hook else { continue };
            // A product may be a plugin of pytest; a test has no business in the runner.
            let severity = if is_package_of_tests {
                Severity::High
            } else {
                Severity::Medium
            };
            findings.push(finding(
                "G4",
                severity,
                &change.path,
                Some(line.number),
                format!("a hook into the test runner: {}", hook.trim()),
            ));
        }
    }
    findings
}
