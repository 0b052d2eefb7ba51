//! Tells support code of tests (fixtures, helpers) from code that steers their runner, by what is new in it.

use super::FileChange;

/// What steers pytest or bends what tests see.
const STEERING: &[&str] = &[
    "pytest_",
    "hookimpl",
    "autouse",
    "sys.modules",
    "sys.path",
    "syspath",
    "plugins",
    "_exit",
    "sys.exit",
    "atexit",
    "setattr",
    "monkeypatch",
    "mock",
    "patch",
    "__eq__",
    "builtins",
    "collect_ignore",
    "skip",
    "xfail",
    "exec(",
    "eval(",
    "import_module",
    "importlib",
    "__import__",
    "subprocess",
    "outcome",
    "TestReport",
    "settrace",
    "setprofile",
    "globals(",
    "__class__",
    "_pytest",
    "except",
    "suppress",
    "signal",
    "ctypes",
    "open(",
];

/// What steers minitest or RSpec, or bends what tests see.
const RUBY: &[&str] = &[
    "configure",
    "config.",
    "Minitest",
    "MiniTest",
    "RSpec::",
    "module RSpec",
    "at_exit",
    "exit",
    "abort",
    "after_run",
    "prepend",
    "refine",
    "class_eval",
    "instance_eval",
    "module_eval",
    "eval(",
    "define_method",
    "define_singleton_method",
    "alias",
    "send(",
    "_set",
    "remove_method",
    "undef",
    "def assert",
    "def expect",
    "def skip",
    "skip",
    "pending",
    "filter",
    "around",
    "rescue",
    "method_missing",
    "TracePoint",
    "Kernel",
    "ObjectSpace",
    "`",
    "system",
    "def ==",
];

/// Whether a changed `conftest.py` or Ruby helper only supplies fixtures and data: nothing in it that steers the
/// runner is new.
pub(crate) fn is_support_only(change: &FileChange) -> bool {
    let name = change.path.rsplit('/').next().unwrap_or(&change.path);
    let words = match name {
        "conftest.py" => STEERING,
        "test_helper.rb" | "spec_helper.rb" | "rails_helper.rb" | "minitest_helper.rb" => RUBY,
        _ => return false,
    };
    let steering = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| words.iter().any(|word| line.contains(word)));
        lines
            .map(|line| line.replace('\'', "\"").split_whitespace().collect())
            .collect()
    };
    let mut known = steering(change.before.as_deref().unwrap_or_default());
    steering(change.after.as_deref().unwrap_or_default())
        .iter()
        .all(|line| {
            known
                .iter()
                .position(|other| other == line)
                .map(|at| known.swap_remove(at))
                .is_some()
        })
}
