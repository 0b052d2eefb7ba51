//! Single runners: `go test`, and Python's with asserted numbers.

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::Outcome;

use super::{failed_count, failed_names, hits::Hits, miss, read, tests, verdict};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct GoRow {
    name: String,
    input: String,
    tests: Vec<(String, String, String, String)>,
}

impl GoRow {
    fn is(&self, status: &str) -> bool {
        self.tests.iter().any(|test| test.3 == status)
    }

    fn verdict(&self) -> Outcome {
        if self.is("failed") || self.is("error") {
            Outcome::Failed
        } else if self.is("passed") {
            Outcome::Passed
        } else {
            Outcome::Unknown
        }
    }

    /// What failed. A package that broke before its tests stands under the package's name.
    fn failed_names(&self) -> Vec<String> {
        let names = self.tests.iter().filter_map(|test| match test.3.as_str() {
            "failed" => Some(&test.2),
            "error" => Some(&test.0),
            _ => None,
        });
        names.cloned().collect()
    }
}

/// Whether each output is read as its results say, and which tests failed.
pub(super) fn go(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<GoRow> = data::lines(&args.data, "evidence_gotest.jsonl.gz")?;
    let mut hits = Hits::default();
    let (mut right, mut false_passes) = (0, 0);
    for row in &rows {
        let found = read(&row.input);
        let said = verdict(found.iter());
        let expected = row.verdict();
        right += usize::from(said == expected);
        false_passes += usize::from(said == Outcome::Passed && expected == Outcome::Failed);
        let named = failed_names(&found);
        let here = Hits::between(named.clone(), row.failed_names());
        if said != expected || !here.is_exact() {
            miss(
                args,
                format_args!("go {}: {said:?}, {named:?} for {:?}", row.name, row.tests),
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
        let failed = failed_count(&found);
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

#[cfg(test)]
mod labels {
    use super::*;

    #[test]
    fn labels_tell_what_failed_and_under_which_name() {
        let row = |tests: &[[&str; 4]]| GoRow {
            name: String::new(),
            input: String::new(),
            tests: tests
                .iter()
                .map(|test| test.map(str::to_owned).into())
                .collect(),
        };
        let failing = row(&[
            ["p", "p", "TestA", "failed"],
            ["q", "q", "", "error"],
            ["p", "p", "TestB", "passed"],
        ]);
        assert_eq!(failing.failed_names(), ["TestA", "q"]);
        assert_eq!(failing.verdict(), Outcome::Failed);
        assert_eq!(row(&[["p", "p", "T", "passed"]]).verdict(), Outcome::Passed);
        assert_eq!(
            row(&[["p", "p", "T", "skipped"]]).verdict(),
            Outcome::Unknown
        );
    }
}
