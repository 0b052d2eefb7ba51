//! Where a failure happened, from the trace in a JUnit report. It refuses to point into a runner's or a library's own
//! code.

use super::builder::{has_extension, place};
use super::junit::place_after;
use super::{JunitDialect, Location};

/// Finds the place of a failure.
pub(super) fn find(dialect: JunitDialect, root: &str, trace: &str) -> Option<Location> {
    match dialect {
        JunitDialect::Nextest => place_after(root, trace, "panicked at "),
        JunitDialect::Gotestsum => super::gotest::place_in(root, trace),
        JunitDialect::Pytest => pytest(root, trace),
        JunitDialect::Vitest | JunitDialect::Jest | JunitDialect::Node | JunitDialect::Mocha => {
            stack(root, trace)
        }
        JunitDialect::Surefire => java(trace),
        JunitDialect::PhpUnit => php(root, trace),
        JunitDialect::Ctest => super::ctest::place_in(root, trace),
    }
}

/// Finds the first `path.php:line` line, which stand at the end of what PHPUnit says.
fn php(root: &str, trace: &str) -> Option<Location> {
    let found = trace.lines().filter_map(|line| place(root, line.trim()));
    let mut own = found.filter(|at| has_extension(&at.file, "php") && !at.file.contains("vendor/"));
    own.find(|at| !at.file.starts_with('/'))
}

/// Finds the first frame of a JavaScript stack in the project's own code.
pub(super) fn stack(root: &str, trace: &str) -> Option<Location> {
    trace
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("at ") || line.starts_with('❯'))
        .find_map(|line| {
            let is_foreign = ["node_modules/", "node:", "<anonymous>:"]
                .iter()
                .any(|mark| line.contains(mark));
            let inside = line
                .rsplit_once('(')
                .map_or_else(|| line.rsplit(' ').next().unwrap_or(line), |(_, rest)| rest);
            if is_foreign {
                None
            } else {
                place(root, inside.trim_end_matches(')'))
            }
        })
}

/// Finds the last `path.py:line: ErrorName` line, which is where pytest says it ended.
fn pytest(root: &str, trace: &str) -> Option<Location> {
    trace.lines().rev().find_map(|line| {
        let (at, _) = line.split_once(": ")?;
        let found = place(root, at)?;
        // The project's own files are told relative to where pytest was started.
        let is_own = has_extension(&found.file, "py") && !found.file.starts_with(['/', '.']);
        (is_own && !at.contains(' ')).then_some(found)
    })
}

/// Finds the first frame of a Java trace that is not of a test library.
fn java(trace: &str) -> Option<Location> {
    let libraries = [
        "org.junit.",
        "junit.framework.",
        "java.",
        "jdk.",
        "sun.",
        "org.assertj.",
        "org.hamcrest.",
    ];
    trace
        .lines()
        .filter_map(|line| line.trim().strip_prefix("at "))
        .find_map(|frame| {
            let is_library = libraries.iter().any(|library| frame.contains(library));
            let (_, inside) = frame.rsplit_once('(')?;
            if is_library {
                None
            } else {
                place("", inside.trim_end_matches(')'))
            }
        })
}
