//! Why a test is red, from what its runner says. It refuses to see an assertion where there is none: what fits nothing
//! is an exception.

use super::RedReason;

/// How much of a message is looked at.
const HEAD_BYTES: usize = 16 << 10;

/// Names of exceptions that are assertions.
const ASSERTION_NAMES: &[&str] = &[
    "AssertionError",
    "AssertionFailedError",
    "AssertionFailure",
    "ComparisonFailure",
    "JestAssertionError",
    "MultipleFailuresError",
    "ExpectationNotMetError",
    "ExpectationFailedException",
    "ERR_ASSERTION",
];
/// Words that only assertions say.
const ASSERTION_WORDS: &[&str] = &[
    "assertion `",
    "assertion failed",
    "expect(",
    "test did not panic as expected",
    "panic did not contain expected",
    "Snapshot name:",
    "DID NOT RAISE",
    "DID NOT WARN",
];
/// Names of exceptions, and words, for what cannot be built or loaded.
const BUILD_WORDS: &[&str] = &[
    "ModuleNotFoundError",
    "ImportError",
    "SyntaxError",
    "IndentationError",
    "TabError",
    "ERR_MODULE_NOT_FOUND",
    "MODULE_NOT_FOUND",
    "Cannot find module",
    "Cannot find package",
    "Failed to resolve import",
    "Failed to load url",
    "Test suite failed to run",
    "[build failed]",
    "[setup failed]",
    "could not compile",
    "NoClassDefFoundError",
    "ClassNotFoundException",
    "Transform failed with",
    "collection failure",
];
/// Words for time that ran out.
const TIMEOUT_WORDS: &[&str] = &[
    "test timed out after",
    "Test timed out in",
    "Hook timed out in",
    "Exceeded timeout of",
    "Timeout of ",
    "from pytest-timeout",
    "testTimeoutFailure",
    "test timeout",
    "TestTimedOutException",
    "timed out after",
    // Vitest's JSON says no more than this about a test that ran out of time.
    "Error: STACK_TRACE_ERROR",
];
/// Words for a process that died.
const CRASH_WORDS: &[&str] = &[
    "SIGSEGV",
    "SIGABRT",
    "SIGBUS",
    "SIGILL",
    "SIGFPE",
    "SIGKILL",
    "process aborted",
    "test abort",
    "fatal error: unexpected signal",
    "Worker exited unexpectedly",
    "worker process has failed to exit",
    "Segmentation fault",
    "The forked VM terminated",
    "core dumped",
    "crashed while running",
];

/// Classifies what a runner said; `kind` is the name of the exception where the runner tells it apart.
pub(super) fn classify(kind: &str, message: &str) -> RedReason {
    let message = super::builder::cut(message, HEAD_BYTES);
    let first = message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let says = |words: &[&str]| {
        words
            .iter()
            .any(|word| kind.contains(word) || message.contains(word))
    };
    let starts = |words: &[&str]| {
        words
            .iter()
            .any(|word| kind.contains(word) || first.contains(word))
    };
    // What the first line says is the runner's; what comes later may be the program's own words.
    if starts(ASSERTION_NAMES) || is_bare_assertion(first) {
        RedReason::Assertion
    } else if starts(TIMEOUT_WORDS) {
        RedReason::Timeout
    } else if starts(CRASH_WORDS) {
        RedReason::Crash
    } else if starts(BUILD_WORDS) {
        RedReason::BuildError
    } else if says(ASSERTION_WORDS) || says(ASSERTION_NAMES) {
        RedReason::Assertion
    } else if says(TIMEOUT_WORDS) {
        RedReason::Timeout
    } else if is_build_trouble(message) {
        RedReason::BuildError
    } else {
        RedReason::Exception
    }
}

/// Tells whether a line is how pytest shows a failed `assert` or a call of `pytest.fail`.
fn is_bare_assertion(line: &str) -> bool {
    line.starts_with("assert ")
        || line.starts_with("[XPASS(strict)]")
        || (line.starts_with("Failed: ") && !line.contains("Timeout"))
}

/// Tells whether a longer message is about code that does not load.
fn is_build_trouble(message: &str) -> bool {
    message
        .lines()
        .map(|line| line.trim_start_matches("E  ").trim())
        .any(|line| {
            BUILD_WORDS.iter().any(|word| line.starts_with(word))
                || line.starts_with("ImportError while importing")
        })
}
