//! Single runners: `go test`, and Python's with asserted numbers.

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::Outcome;

use super::{Hits, miss, read, tests, verdict};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct GoRow {
    name: String,
    input: String,
    tests: Vec<(String, String, String, String)>,
}

/// Whether each output is read as its results say, and which tests failed.
pub(super) fn go(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<GoRow> = data::lines(&args.data, "evidence_gotest.jsonl.gz")?;
    let mut hits = Hits::default();
    let (mut right, mut false_passes) = (0, 0);
    for row in &rows {
        let found = read(&row.input);
        let said = verdict(found.iter());
        let is = |status: &'static str| row.tests.iter().filter(move |test| test.3 == status);
        let has_failed = is("failed").chain(is("error")).next().is_some();
        let has_passed = is("passed").next().is_some();
        let is_right = match said {
            Outcome::Failed => has_failed,
            Outcome::Passed => has_passed && !has_failed,
            Outcome::Unknown => !has_failed && !has_passed,
        };
        right += usize::from(is_right);
        false_passes += usize::from(said == Outcome::Passed && has_failed);
        let mut named: Vec<String> = tests(&found)
            .flat_map(|item| item.failures.iter().map(|failure| failure.name.clone()))
            .collect();
        let mut here = Hits {
            found: named.len(),
            true_ones: is("failed").chain(is("error")).count(),
            both: 0,
        };
        // A package that broke before its tests stands under the package's name.
        for test in is("failed").chain(is("error")) {
            let name = if test.3 == "error" { &test.0 } else { &test.2 };
            if let Some(at) = named.iter().position(|other| other == name) {
                named.swap_remove(at);
                here.both += 1;
            }
        }
        if !is_right || !here.is_exact() {
            miss(
                args,
                format_args!(
                    "go {}: {said:?}, {here:?}, {named:?} for {:?}",
                    row.name, row.tests
                ),
            );
        }
        hits.add(here);
    }
    let mut figures = Figures::of("go", rows.len());
    figures.put("verdicts_right", right);
    figures.put("failed_test_precision", hits.precision());
    figures.put("failed_test_recall", hits.recall());
    figures.put("failing_read_as_passing", false_passes);
    Ok(figures)
}

#[derive(Deserialize)]
struct PythonRow {
    id: String,
    asserted_tests: Option<u64>,
    asserted_failed: Option<u64>,
    log: String,
}

/// Whether the failures are counted as asserted. A log without asserted failures may still fail.
pub(super) fn python(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<PythonRow> = data::lines(&args.data, "evidence_python_runners.jsonl.gz")?;
    let (mut counted, mut exact, mut false_passes) = (0, 0, 0);
    for row in &rows {
        let found = read(&row.log);
        let failed: u64 = tests(&found)
            .filter_map(|item| item.counts)
            .map(|counts| counts.failed + counts.errors)
            .sum();
        let Some(expected) = row.asserted_failed else {
            continue;
        };
        counted += 1;
        exact += usize::from(failed == expected);
        let said = verdict(tests(&found));
        false_passes += usize::from(expected > 0 && said == Outcome::Passed);
        if failed != expected {
            miss(
                args,
                format_args!(
                    "python {}: {failed} failed for {expected} of {:?}",
                    row.id, row.asserted_tests
                ),
            );
        }
    }
    let mut figures = Figures::of("python-runners", rows.len());
    figures.share("exact_failed_count", exact, counted);
    figures.put("failing_read_as_passing", false_passes);
    Ok(figures)
}
