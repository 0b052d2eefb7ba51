//! The JSON reporter of Mocha. It refuses a report whose totals do not add up.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::builder::{Builder, passed, quiet, red, relative};
use super::reason::classify;
use super::{Status, TestRun, junit_place};

#[derive(Debug, Deserialize)]
struct Report {
    stats: Option<Stats>,
    #[serde(default)]
    tests: Vec<Test>,
    #[serde(default)]
    pending: Vec<Test>,
    #[serde(default)]
    failures: Vec<Test>,
    #[serde(default)]
    passes: Vec<Test>,
}

#[derive(Debug, Deserialize)]
struct Stats {
    passes: u64,
    pending: u64,
    failures: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    #[serde(default)]
    title: String,
    #[serde(default)]
    full_title: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    err: Fault,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    name: Option<String>,
    message: Option<String>,
    stack: Option<String>,
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
    for test in &report.passes {
        run.add(&id(root, test), passed());
    }
    for test in &report.pending {
        run.add(&id(root, test), quiet(Status::Skipped, ""));
    }
    for test in &report.failures {
        let fault = &test.err;
        let trace = fault
            .stack
            .as_deref()
            .or(fault.message.as_deref())
            .unwrap_or_default();
        let reason = classify(fault.name.as_deref().unwrap_or_default(), trace);
        let is_hook = test.title.starts_with('"') && test.title.contains(" hook");
        let status = if is_hook {
            Status::Error
        } else {
            Status::Failed
        };
        run.add(
            &id(root, test),
            red(status, reason, trace, junit_place::stack(root, trace)),
        );
    }
    let known: BTreeSet<String> = [&report.passes, &report.pending, &report.failures]
        .into_iter()
        .flatten()
        .map(|test| id(root, test))
        .collect();
    if let Some(test) = report
        .tests
        .iter()
        .find(|test| !known.contains(&id(root, test)))
    {
        run.broken(format!("{} has no result", id(root, test)));
    }
    let found = (
        report.passes.len() as u64,
        report.pending.len() as u64,
        report.failures.len() as u64,
    );
    match report.stats {
        Some(stats) if (stats.passes, stats.pending, stats.failures) == found => {}
        Some(_) => run.broken("the totals differ from the tests listed".to_owned()),
        None => run.broken("the report lacks its totals".to_owned()),
    }
    run.finish()
}

/// Names a test: file, the groups around it as one word, its own title.
fn id(root: &str, test: &Test) -> String {
    let file = test
        .file
        .as_deref()
        .map(|file| relative(root, file))
        .unwrap_or_default();
    let groups = test
        .full_title
        .strip_suffix(&test.title)
        .unwrap_or_default()
        .trim();
    [file.as_str(), groups, &test.title]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" > ")
}
