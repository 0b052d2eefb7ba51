//! Puts a run together from results as a reader finds them. It refuses floods: ids, messages, results and problems are
//! all bounded, and what goes over a bound makes the run incomplete instead of large.

use std::collections::btree_map::Entry;

use super::{Location, RedReason, Status, TestId, TestResult, TestRun};

/// The most bytes of a report that are read.
pub(super) const BYTE_LIMIT: usize = 64 << 20;
/// The most results of one run.
const RESULT_LIMIT: usize = 200_000;
/// The most problems that are listed.
const PROBLEM_LIMIT: usize = 50;
/// The most bytes of a message.
const MESSAGE_LIMIT: usize = 4 << 10;
/// The most bytes of an id.
const ID_LIMIT: usize = 1 << 10;

/// A run being put together.
#[derive(Debug, Default)]
pub(super) struct Builder {
    run: TestRun,
    reported: u64,
    is_broken: bool,
}

impl Builder {
    /// Starts a run, and checks the size of its report.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut builder = Self::default();
        if bytes.len() > BYTE_LIMIT {
            builder.broken(format!("the report is larger than {BYTE_LIMIT} bytes"));
        }
        builder
    }

    /// Adds a result; the worse of two for one test stays.
    pub(super) fn add(&mut self, id: &str, result: TestResult) {
        self.reported = self.reported.saturating_add(1);
        if self.run.results.len() >= RESULT_LIMIT {
            self.broken(format!("there are more than {RESULT_LIMIT} results"));
            return;
        }
        if id.trim().is_empty() {
            self.broken("a test has no name".to_owned());
            return;
        }
        match self.run.results.entry(TestId::new(cut(id, ID_LIMIT))) {
            Entry::Vacant(place) => {
                place.insert(result);
            }
            Entry::Occupied(mut place) => {
                if result.status > place.get().status {
                    place.insert(result);
                }
            }
        }
    }

    /// How many results were added, those for one test counted each.
    pub(super) fn reported(&self) -> u64 {
        self.reported
    }

    /// Notes something that makes the run incomplete.
    pub(super) fn broken(&mut self, problem: String) {
        self.is_broken = true;
        if self.run.problems.len() < PROBLEM_LIMIT && !self.run.problems.contains(&problem) {
            self.run.problems.push(problem);
        }
    }

    /// Ends the run.
    pub(super) fn finish(mut self) -> TestRun {
        self.run.is_complete = !self.is_broken;
        self.run
    }
}

/// Makes the result of a test that held.
pub(super) fn passed() -> TestResult {
    TestResult {
        status: Status::Passed,
        red: None,
        message: String::new(),
        location: None,
    }
}

/// Makes the result of a test that did not run, or failed as announced.
pub(super) fn quiet(status: Status, message: &str) -> TestResult {
    TestResult {
        status,
        red: None,
        message: tidy(message),
        location: None,
    }
}

/// Makes the result of a red test.
pub(super) fn red(
    status: Status,
    reason: RedReason,
    message: &str,
    location: Option<Location>,
) -> TestResult {
    TestResult {
        status,
        red: Some(reason),
        message: tidy(message),
        location,
    }
}

/// Takes terminal colors and stray spaces out of a message and cuts it to length.
pub(super) fn tidy(message: &str) -> String {
    cut(without_escapes(message).trim(), MESSAGE_LIMIT).to_owned()
}

/// Takes terminal escape sequences and other control characters out of a text.
pub(super) fn without_escapes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(MESSAGE_LIMIT));
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // A sequence is an opening bracket, parameters, and a letter that ends it.
                if characters.as_str().starts_with('[') {
                    characters.by_ref().find(char::is_ascii_alphabetic);
                }
            }
            '\n' | '\t' => clean.push(character),
            other if other.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}

/// Cuts a text at a character, not within one.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// Makes a path relative to the directory a run was started in.
pub(super) fn relative(root: &str, path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let inside = path
        .strip_prefix(root.trim_end_matches('/'))
        .and_then(|rest| rest.strip_prefix('/'));
    let path = if root.is_empty() {
        path
    } else {
        inside.unwrap_or(path)
    };
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

/// Tells whether a file has an extension.
pub(super) fn has_extension(file: &str, extension: &str) -> bool {
    std::path::Path::new(file)
        .extension()
        .is_some_and(|found| found == extension)
}

/// Makes a place of `file:line[:column]`.
pub(super) fn place(root: &str, text: &str) -> Option<Location> {
    let mut parts = text.rsplitn(3, ':');
    let (last, middle, first) = (parts.next()?, parts.next()?, parts.next());
    let (file, line, column) = match (first, middle.parse::<u32>(), last.parse::<u32>()) {
        (Some(file), Ok(line), Ok(column)) => (file, line, Some(column)),
        (Some(scheme), Err(_), Ok(line)) => {
            return Some(Location {
                file: relative(root, &format!("{scheme}:{middle}")),
                line: Some(line),
                column: None,
            });
        }
        (None, _, Ok(line)) => (middle, line, None),
        (_, _, Err(_)) => return None,
    };
    Some(Location {
        file: relative(root, file),
        line: Some(line),
        column,
    })
}
