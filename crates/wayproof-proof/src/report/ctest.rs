//! What CTest's JUnit report says about one test. The report knows only how a program ended; its output knows why.

use super::builder::{Builder, passed, place, quiet, red};
use super::xml::Element;
use super::{Location, RedReason, Status};

/// Extensions of the files a failure can be in.
const SOURCES: &[&str] = &["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx"];
/// What programs print about an assertion: those of GoogleTest, Catch2, and the standard library's.
const ASSERTIONS: &[&str] = &[
    ": Failure",
    "FAILED:",
    "Assertion `",
    "Assertion failed",
    "ERROR: CHECK",
    "ERROR: REQUIRE",
];
const EXCEPTIONS: &[&str] = &[
    "C++ exception with description",
    "unexpected exception",
    "THREW exception",
];
/// How many lines of an output are kept around a failure.
const LINES: usize = 12;

/// Adds one test's result.
pub(super) fn add(root: &str, id: &str, case: &Element, run: &mut Builder) {
    let said = case
        .child("system-out")
        .map(|out| out.text.as_str())
        .unwrap_or_default();
    let mark = |name: &str| {
        case.child(name)
            .and_then(|mark| mark.attribute("message"))
            .unwrap_or_default()
    };
    let result = match case.attribute("status") {
        Some("run") if is_cut(said) => {
            run.broken(format!("{id} ended well before its tests did"));
            return;
        }
        Some("run") => passed(),
        Some("fail") => {
            let reason = if mark("failure").contains("Timeout") {
                RedReason::Timeout
            } else {
                reason_of(said)
            };
            red(Status::Failed, reason, &words(said), place_in(root, said))
        }
        Some(_) | None => quiet(Status::Skipped, mark("skipped")),
    };
    run.add(id, result);
}

/// Whether a test program of a known framework began and never came to its closing line.
fn is_cut(said: &str) -> bool {
    let is_google = said.contains("[==========] Running") && !said.contains("ran. (");
    let closings = ["All tests passed", "test cases:", "No tests ran"];
    let is_catch = said.lines().any(|line| line.starts_with("Filters: "))
        && !closings.iter().any(|closing| said.contains(closing));
    is_google || is_catch
}

fn reason_of(said: &str) -> RedReason {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(EXCEPTIONS) || !has(ASSERTIONS) {
        RedReason::Exception
    } else {
        RedReason::Assertion
    }
}

/// The lines around the failure, or the last ones.
fn words(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let is_failure = |line: &&str| {
        let mut marks = ASSERTIONS.iter().chain(EXCEPTIONS);
        marks.any(|mark| line.contains(mark))
    };
    let from = lines
        .iter()
        .position(is_failure)
        .unwrap_or_else(|| lines.len().saturating_sub(LINES));
    let kept: Vec<&str> = lines.into_iter().skip(from).take(LINES).collect();
    if kept.is_empty() {
        return "the program ended badly and said nothing".to_owned();
    }
    kept.join("\n")
}

/// Finds the first `path.cpp:line:`.
pub(super) fn place_in(root: &str, said: &str) -> Option<Location> {
    let words = said.lines().flat_map(str::split_whitespace);
    let mut places = words
        .filter_map(|word| word.strip_suffix(':'))
        .filter_map(|word| place(root, word));
    places.find(|at| {
        let extension = at.file.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|found| SOURCES.contains(&found))
    })
}
