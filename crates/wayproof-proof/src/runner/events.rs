//! Reads the event lines that our reporters write: what was planned, each result, what did not load, and the end.
//!
//! It reads bytes only; a line it does not understand is a problem, not an exception to step over.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::report::{Location, RedReason, Status, TestId, TestResult};
use crate::run::{Stop, SuiteRun};
use crate::sandbox::Ran;

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Planned {
        ids: Vec<String>,
    },
    Broken {
        scope: String,
        message: String,
        file: Option<String>,
        line: Option<u32>,
    },
    Result {
        id: String,
        status: String,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        message: String,
        file: Option<String>,
        line: Option<u32>,
    },
    Complete {},
}

/// Reads the events of a run in the tree at `root`, whose paths become relative to it.
pub(crate) fn read(bytes: &[u8], root: &str) -> SuiteRun {
    let mut run = SuiteRun {
        is_structured: true,
        ..SuiteRun::default()
    };
    let mut twice = BTreeSet::new();
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        match serde_json::from_slice::<Event>(line) {
            Ok(Event::Planned { ids }) => run.planned.extend(ids.into_iter().map(TestId::new)),
            Ok(Event::Broken {
                scope,
                message,
                file,
                line,
            }) => {
                let place = file.map(|file| place(&relative(&file, root), line));
                run.stopped.insert(
                    scope,
                    Stop {
                        reason: RedReason::BuildError,
                        message: last_words(&message),
                        place,
                    },
                );
            }
            Ok(Event::Result {
                id,
                status,
                reason,
                message,
                file,
                line,
            }) => {
                let result = TestResult {
                    status: status_of(&status),
                    red: reason.as_deref().map(reason_of),
                    message: message.trim().to_owned(),
                    location: file.map(|file| Location {
                        file: relative(&file, root),
                        line,
                        column: None,
                    }),
                };
                let id = TestId::new(id);
                if run.results.insert(id.clone(), result).is_some() && twice.insert(id.clone()) {
                    run.problems.push(format!("{id} was reported twice"));
                }
            }
            Ok(Event::Complete {}) => run.is_complete = true,
            Err(error) => run
                .problems
                .push(format!("a report line could not be read: {error}")),
        }
    }
    run
}

/// Holds the exit status of a run against the events it left.
pub(crate) fn hold_against_exit(run: &mut SuiteRun, ran: &Ran) {
    if ran.is_timed_out {
        run.is_complete = false;
    } else if !run.is_complete && ran.exit == Some(0) {
        let problem = "the runner ended well without finishing its report";
        run.problems.push(problem.to_owned());
    } else if !run.is_complete && run.results.is_empty() {
        let message = last_words(&String::from_utf8_lossy(&ran.stderr));
        let message = if message.is_empty() {
            "the runner ended without a word".to_owned()
        } else {
            message
        };
        run.stopped.insert(
            String::new(),
            Stop {
                reason: RedReason::BuildError,
                message,
                place: None,
            },
        );
    }
}

fn status_of(word: &str) -> Status {
    match word {
        "passed" => Status::Passed,
        "skipped" => Status::Skipped,
        "xfail" => Status::XFail,
        "error" => Status::Error,
        _ => Status::Failed,
    }
}

fn reason_of(word: &str) -> RedReason {
    match word {
        "assertion" => RedReason::Assertion,
        "timeout" => RedReason::Timeout,
        "build" => RedReason::BuildError,
        _ => RedReason::Exception,
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// A path as the repository knows it.
pub(crate) fn relative(file: &str, root: &str) -> String {
    file.strip_prefix(root)
        .map_or(file, |rest| rest.trim_start_matches('/'))
        .to_owned()
}

/// The last line that says something: where Python and node put the error itself.
fn last_words(message: &str) -> String {
    let line = message
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.strip_prefix("E ").unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::report::{RedReason, Status, TestId};

    #[test]
    fn a_run_without_its_end_is_not_complete() {
        let lines = concat!(
            "{\"event\":\"planned\",\"ids\":[\"t.py::a\",\"t.py::b\"]}\n",
            "{\"event\":\"result\",\"id\":\"t.py::a\",\"status\":\"failed\",\"reason\":\"assertion\",\"message\":\"assert 1 == 2\",\"file\":\"/w/t.py\",\"line\":3}\n",
        );
        let run = read(lines.as_bytes(), "/w");
        assert!(!run.is_complete && run.planned.len() == 2);
        let result = &run.results[&TestId::new("t.py::a".to_owned())];
        assert_eq!(
            (result.status, result.red),
            (Status::Failed, Some(RedReason::Assertion))
        );
        assert_eq!(
            result.location.as_ref().map(|at| at.file.as_str()),
            Some("t.py")
        );
        assert!(read(b"{\"event\":\"complete\",\"exit\":0}\n", "/w").is_complete);
    }

    #[test]
    fn doubled_and_strange_lines_are_problems() {
        let line = "{\"event\":\"result\",\"id\":\"a\",\"status\":\"passed\",\"file\":null,\"line\":null}\n";
        assert_eq!(
            read(format!("{line}{line}nonsense\n").as_bytes(), "/w")
                .problems
                .len(),
            2
        );
    }
}
