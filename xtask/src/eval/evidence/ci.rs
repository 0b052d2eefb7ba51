//! Whole logs of jobs of two CI systems, against values that were asserted of them.

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::{Evidence, Outcome};

use super::{failed_count, failed_names, hits::Hits, miss, names, read, tests, verdict};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct Row {
    id: String,
    truth: Truth,
    log: String,
}

#[derive(Default, Deserialize)]
struct Truth {
    status: Option<String>,
    tests_run: Option<u64>,
    tests_failed: Option<u64>,
    did_tests_fail: Option<bool>,
    failed_tests: Option<Vec<String>>,
}

#[derive(Default)]
struct Tally {
    hits: Hits,
    distinct: Hits,
    judged: usize,
    right: usize,
    without_tests: usize,
    counted: usize,
    exact: usize,
    false_passes: usize,
}

/// The verdict on the tests, how many failed and which.
pub(super) fn bugswarm(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_bugswarm.jsonl.gz")?;
    let mut tally = Tally::default();
    for row in &rows {
        let found = read(&row.log);
        let wrong = tally.judge(&found, &row.truth);
        if !wrong.is_empty() {
            miss(
                args,
                format_args!(
                    "bugswarm {}: {wrong:?}: {:?}, {} for {:?}; {:?} for {:?}",
                    row.id,
                    verdict(tests(&found)),
                    failed_count(&found),
                    row.truth.tests_failed,
                    failed_names(&found),
                    row.truth.failed_tests
                ),
            );
        }
    }
    let mut figures = Figures::of("bugswarm", rows.len());
    figures.put("judged", tally.judged);
    figures.share("verdict", tally.right, tally.judged);
    figures.share("exact_count", tally.exact, tally.counted);
    figures.put("failed_test_recall", tally.hits.recall());
    figures.put("failed_test_precision", tally.hits.precision());
    figures.put("distinct_failed_test_recall", tally.distinct.recall());
    figures.put("distinct_failed_test_precision", tally.distinct.precision());
    figures.put("jobs_without_tests", tally.without_tests);
    figures.put("failing_read_as_passing", tally.false_passes);
    Ok(figures)
}

impl Truth {
    /// What the tests of the job came to; not knowing is right only where no test ran.
    fn verdict(&self) -> Option<Outcome> {
        let has_failed = self
            .did_tests_fail
            .or(self.tests_failed.map(|failed| failed > 0))?;
        Some(if has_failed {
            Outcome::Failed
        } else if self.tests_run == Some(0) {
            Outcome::Unknown
        } else {
            Outcome::Passed
        })
    }

    fn is_broken(&self) -> bool {
        self.verdict() == Some(Outcome::Failed) || self.status.as_deref() == Some("broken")
    }
}

impl Tally {
    /// Judges one job; what was read wrongly is returned.
    fn judge(&mut self, found: &[Evidence], truth: &Truth) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        if let Some(expected) = truth.verdict() {
            let is_right = verdict(tests(found)) == expected;
            self.judged += 1;
            self.right += usize::from(is_right);
            self.without_tests += usize::from(expected == Outcome::Unknown);
            wrong.extend((!is_right).then_some("verdict"));
        }
        if let Some(number) = truth.tests_failed {
            let is_exact = failed_count(found) == number;
            self.counted += 1;
            self.exact += usize::from(is_exact);
            wrong.extend((!is_exact).then_some("count"));
        }
        if truth.is_broken() && verdict(found.iter()) == Outcome::Passed {
            self.false_passes += 1;
            wrong.push("FALSE PASS");
        }
        let labels = truth.failed_tests.as_ref();
        if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
            let named = failed_names(found);
            let here = names::compare(&named, labels);
            self.hits.add(here);
            self.distinct.add(names::compare_distinct(&named, labels));
            wrong.extend((!here.is_exact()).then_some("names"));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(run: u64, failed: u64, names: &[&str]) -> Truth {
        Truth {
            tests_run: Some(run),
            tests_failed: Some(failed),
            failed_tests: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            ..Truth::default()
        }
    }

    #[test]
    fn not_knowing_is_right_only_without_tests() {
        let mut tally = Tally::default();
        assert_eq!(tally.judge(&[], &failed(0, 0, &[])), Vec::<&str>::new());
        assert_eq!(tally.judge(&[], &failed(3, 0, &[])), ["verdict"]);
        assert_eq!(
            tally.judge(&[], &failed(3, 1, &["a"])),
            ["verdict", "count", "names"]
        );
        let passing = read("=== 3 passed in 0.1s ===\n");
        assert_eq!(tally.judge(&passing, &failed(0, 0, &[])), ["verdict"]);
        assert_eq!(
            tally.judge(&passing, &failed(3, 0, &[])),
            Vec::<&str>::new()
        );
        assert_eq!((tally.judged, tally.right, tally.without_tests), (5, 2, 2));
    }

    #[test]
    fn repeats_are_judged_as_the_labels_list_them() {
        let run = "FAILED a.py::test_b - no\n=== 1 failed in 0.1s ===\n";
        let mut tally = Tally::default();
        let twice = failed(2, 2, &["a::test_b", "a::test_b"]);
        assert_eq!(
            tally.judge(&read(&run.repeat(2)), &twice),
            Vec::<&str>::new()
        );
        assert_eq!(tally.judge(&read(run), &twice), ["count", "names"]);
        assert_eq!(tally.hits.recall(), Some(0.75));
        assert_eq!(tally.distinct.recall(), Some(1.0));
    }

    #[test]
    fn a_broken_job_that_reads_as_passing_is_told() {
        let mut tally = Tally::default();
        let broken = Truth {
            status: Some("broken".to_owned()),
            ..Truth::default()
        };
        let wrong = tally.judge(&read("=== 3 passed in 0.1s ===\n"), &broken);
        assert_eq!(
            (wrong.as_slice(), tally.false_passes),
            (&["FALSE PASS"][..], 1)
        );
    }
}
