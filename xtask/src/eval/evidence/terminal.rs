//! The end of a terminal after a benchmark's tests, against the benchmark's own parser.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::Outcome;

use super::{failed_names, hits::Hits, miss, read, tests, verdict};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct Row {
    id: String,
    truth: Option<BTreeMap<String, String>>,
    log_tail: String,
}

#[derive(Default)]
struct Tally {
    hits: Hits,
    distinct: Hits,
    judged: usize,
    right: usize,
    false_passes: usize,
}

/// The verdict and the failed tests of each run.
pub(super) fn terminal_bench(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_tb_logs.jsonl.gz")?;
    let mut tally = Tally::default();
    let mut unlabelled_passes = 0;
    for row in &rows {
        let found = read(&row.log_tail);
        let said = verdict(tests(&found));
        let Some(truth) = &row.truth else {
            if said == Outcome::Passed {
                unlabelled_passes += 1;
                miss(
                    args,
                    format_args!("terminal-bench {}: passes, no label", row.id),
                );
            }
            continue;
        };
        let named = failed_names(&found);
        if !tally.judge(said, &named, truth) {
            miss(
                args,
                format_args!(
                    "terminal-bench {}: {said:?}, {named:?} for {truth:?}",
                    row.id
                ),
            );
        }
    }
    let mut figures = Figures::of("terminal-bench", rows.len());
    figures.put("judged", tally.judged);
    figures.share("verdict", tally.right, tally.judged);
    figures.put("failed_test_f1", tally.hits.f1());
    figures.put("failed_test_precision", tally.hits.precision());
    figures.put("failed_test_recall", tally.hits.recall());
    figures.put("distinct_failed_test_f1", tally.distinct.f1());
    figures.put("failing_read_as_passing", tally.false_passes);
    figures.put("without_label_read_as_passing", unlabelled_passes);
    Ok(figures)
}

impl Tally {
    /// Judges one run; whether all of it was read rightly.
    fn judge(&mut self, said: Outcome, named: &[String], truth: &BTreeMap<String, String>) -> bool {
        let failed: Vec<String> = truth
            .iter()
            .filter(|(_, result)| *result != "passed")
            .map(|(name, _)| own_name(name))
            .collect();
        let expected = if failed.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        let named: Vec<String> = named.iter().map(|name| own_name(name)).collect();
        let distinct = |names: &[String]| -> Vec<String> {
            names
                .iter()
                .cloned()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect()
        };
        self.distinct
            .add(Hits::between(distinct(&named), distinct(&failed)));
        let here = Hits::between(named, failed);
        self.hits.add(here);
        self.judged += 1;
        self.right += usize::from(said == expected);
        self.false_passes += usize::from(said == Outcome::Passed && expected == Outcome::Failed);
        said == expected && here.is_exact()
    }
}

/// The test without its file and classes, and without a message behind it.
fn own_name(name: &str) -> String {
    let head = name.split(" - ").next().unwrap_or(name);
    let end = head.find('[').unwrap_or(head.len());
    let (path, parameters) = head.split_at_checked(end).unwrap_or((head, ""));
    let own = path.rsplit("::").next().unwrap_or(path);
    format!("{own}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(results: &[(&str, &str)]) -> BTreeMap<String, String> {
        results
            .iter()
            .map(|(name, result)| ((*name).to_owned(), (*result).to_owned()))
            .collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_are_compared_without_file_and_message() {
        assert_eq!(own_name("a/b.py::T::test_x[c::d] - no"), "test_x[c::d]");
        assert_eq!(own_name("test_x"), "test_x");
    }

    #[test]
    fn a_verdict_that_is_not_known_is_wrong() {
        let mut tally = Tally::default();
        assert!(!tally.judge(Outcome::Unknown, &[], &truth(&[("a", "passed")])));
        assert!(tally.judge(Outcome::Passed, &[], &truth(&[("a", "passed")])));
        assert!(!tally.judge(Outcome::Passed, &[], &truth(&[("a", "failed")])));
        assert_eq!((tally.judged, tally.right, tally.false_passes), (3, 1, 1));
    }

    #[test]
    fn a_name_too_many_costs_precision() {
        let mut tally = Tally::default();
        let labels = truth(&[("a", "failed"), ("b", "passed")]);
        assert!(tally.judge(Outcome::Failed, &names(&["x.py::a"]), &labels));
        assert!(!tally.judge(Outcome::Failed, &names(&["x.py::a", "y.py::a"]), &labels));
        assert_eq!(tally.hits.precision(), Some(0.6667));
        assert_eq!(tally.hits.recall(), Some(1.0));
        assert_eq!(tally.distinct.precision(), Some(1.0));
    }
}
