//! Reads what node's own runner and jest-like runners report beyond single tests: files that did not load.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::events;
use crate::report::{Location, RedReason, Status, TestId, TestResult};
use crate::run::{Stop, SuiteRun};

#[derive(Deserialize)]
struct NodeEvent {
    event: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    line: Option<u32>,
}

/// Reads the event lines of our reporter for node's runner, which was given these files.
pub(crate) fn read_node(bytes: &[u8], root: &str, files: &[String]) -> SuiteRun {
    let mut run = SuiteRun {
        is_structured: true,
        ..SuiteRun::default()
    };
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let Ok(event) = serde_json::from_slice::<NodeEvent>(line) else {
            run.problems
                .push("a report line could not be read".to_owned());
            continue;
        };
        if event.event == "complete" {
            run.is_complete = true;
            continue;
        }
        let name = event.names.join(" > ");
        let bare = events::relative(&name, root);
        if files.contains(&bare) {
            // The file itself: red when it did not load, or when one of its tests was.
            let has_own = run.results.keys().any(|id| super::file_of(id) == bare);
            if event.status == "failed" && !has_own {
                let stop = Stop {
                    reason: RedReason::BuildError,
                    message: event.message.clone(),
                    place: None,
                };
                run.stopped.insert(bare, stop);
            }
            continue;
        }
        if event.kind == "suite" {
            continue;
        }
        let file = event
            .file
            .as_deref()
            .map(|file| events::relative(file, root))
            .unwrap_or_default();
        let id = TestId::new(format!("{file} > {name}"));
        run.planned.insert(id.clone());
        merge(&mut run.results, id, result_of(event, root));
    }
    run
}

fn result_of(event: NodeEvent, root: &str) -> TestResult {
    let reason = |word: &str| match word {
        "assertion" => RedReason::Assertion,
        "timeout" => RedReason::Timeout,
        _ => RedReason::Exception,
    };
    let status = match event.status.as_str() {
        "passed" => Status::Passed,
        "skipped" => Status::Skipped,
        "xfail" => Status::XFail,
        _ => Status::Failed,
    };
    let place = |at: String| Location {
        file: events::relative(&at, root),
        line: event.line,
        column: None,
    };
    TestResult {
        status,
        red: event.reason.as_deref().map(reason),
        message: event.message,
        location: event.at.map(place),
    }
}

/// Two tests of one name are one test, which is as good as the worse of them.
fn merge(results: &mut BTreeMap<TestId, TestResult>, id: TestId, result: TestResult) {
    match results.get(&id) {
        Some(known) if known.status != Status::Passed => {}
        Some(_) | None => drop(results.insert(id, result)),
    }
}

/// The files a jest-like report calls failed although none of their tests was run.
pub(crate) fn files_that_failed(bytes: &[u8], root: &str) -> BTreeMap<String, Stop> {
    let Ok(report) = serde_json::from_slice::<Value>(bytes) else {
        return BTreeMap::new();
    };
    let files = report
        .get("testResults")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let stopped = files.filter_map(|file| {
        let is_empty = file
            .get("assertionResults")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty);
        let has_failed = file.get("status").and_then(Value::as_str) == Some("failed");
        let name = file.get("name").and_then(Value::as_str)?;
        let message = file
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or("the file did not load");
        let line = message
            .lines()
            .map(str::trim)
            .find(|line| line.contains("Error"))
            .unwrap_or_else(|| message.lines().next().unwrap_or_default());
        let stop = Stop {
            reason: RedReason::BuildError,
            message: line.to_owned(),
            place: None,
        };
        (is_empty && has_failed).then(|| (events::relative(name, root), stop))
    });
    stopped.collect()
}
