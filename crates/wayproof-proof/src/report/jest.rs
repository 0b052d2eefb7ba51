//! The JSON reporter of Jest, which Vitest writes too. It refuses a report whose totals do not add up.

use serde::Deserialize;

use super::builder::{Builder, passed, quiet, red, relative};
use super::reason::classify;
use super::{Location, Status, TestResult, TestRun, junit_place};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    num_total_tests: Option<u64>,
    #[serde(default)]
    was_interrupted: bool,
    #[serde(default)]
    test_results: Vec<Suite>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    assertion_results: Vec<Assertion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
    #[serde(default)]
    location: Option<Place>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Place {
    line: u32,
    #[serde(default)]
    column: Option<u32>,
}

/// Reads a report.
pub(super) fn read(root: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let report: Report = match serde_json::from_slice(bytes) {
        Ok(report) => report,
        Err(error) => {
            run.broken(format!("the JSON is malformed: {error}"));
            return run.finish();
        }
    };
    for suite in &report.test_results {
        read_suite(root, suite, &mut run);
    }
    let broken = report
        .test_results
        .iter()
        .filter(|suite| suite.assertion_results.is_empty())
        .count() as u64;
    let tests = run.reported().saturating_sub(broken);
    match report.num_total_tests {
        None => run.broken("the report lacks its totals".to_owned()),
        Some(total) if total != tests => {
            run.broken(format!(
                "the report announces {total} tests and holds {tests}"
            ));
        }
        Some(_) => {}
    }
    if report.was_interrupted {
        run.broken("the run was interrupted".to_owned());
    }
    run.finish()
}

/// Reads one file of tests.
fn read_suite(root: &str, suite: &Suite, run: &mut Builder) {
    let file = relative(root, &suite.name);
    let message = suite.message.as_deref().unwrap_or_default();
    if suite.assertion_results.is_empty() {
        if suite.status == "failed" {
            run.add(
                &file,
                red(
                    Status::Error,
                    classify("", message),
                    message,
                    junit_place::stack(root, message),
                ),
            );
        } else {
            run.broken(format!("{file} ended without reporting a test"));
        }
    }
    let mut is_red = false;
    for test in &suite.assertion_results {
        let parts = [&file]
            .into_iter()
            .chain(&test.ancestor_titles)
            .chain([&test.title]);
        let id = parts
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" > ");
        let result = read_test(root, &file, test);
        is_red |= result.status == Status::Failed;
        run.add(&id, result);
    }
    if suite.status == "failed" && !is_red && !suite.assertion_results.is_empty() {
        run.broken(format!("{file} failed outside its tests"));
    }
}

/// Reads one test.
fn read_test(root: &str, file: &str, test: &Assertion) -> TestResult {
    let at = test.location.map(|at| Location {
        file: file.to_owned(),
        line: Some(at.line),
        column: at.column,
    });
    match test.status.as_str() {
        "passed" => TestResult {
            location: at,
            ..passed()
        },
        "failed" => {
            let message = test
                .failure_messages
                .as_deref()
                .unwrap_or_default()
                .join("\n");
            red(
                Status::Failed,
                classify("", &message),
                &message,
                junit_place::stack(root, &message).or(at),
            )
        }
        // Whatever else there is (pending, skipped, todo, disabled, focused), it did not run.
        other => quiet(Status::Skipped, other),
    }
}
