//! Whole logs: the end of a terminal after a benchmark's tests, and jobs of two CI systems.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::{Evidence, Outcome};

use super::{Hits, miss, names, read, tests, verdict};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct TerminalRow {
    id: String,
    truth: Option<BTreeMap<String, String>>,
    log_tail: String,
}

/// The verdict and the failed tests of each run, against the benchmark's own parser.
pub(super) fn terminal_bench(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<TerminalRow> = data::lines(&args.data, "evidence_tb_logs.jsonl.gz")?;
    let mut hits = Hits::default();
    let mut repeats = Hits::default();
    let (mut judged, mut right, mut false_passes, mut unparsed_passes) = (0, 0, 0, 0);
    for row in &rows {
        let found = read(&row.log_tail);
        let said = verdict(tests(&found));
        let Some(truth) = &row.truth else {
            unparsed_passes += usize::from(said == Outcome::Passed);
            continue;
        };
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
        judged += 1;
        right += usize::from(said == expected);
        false_passes += usize::from(said == Outcome::Passed && expected == Outcome::Failed);
        let named: Vec<String> = failed_names(&found)
            .iter()
            .map(|name| own_name(name))
            .collect();
        let here = exact(&named, &failed);
        hits.add(here);
        repeats.add(exact_repeats(&named, &failed));
        if said != expected || !here.is_exact() {
            miss(
                args,
                format_args!(
                    "terminal-bench {}: {said:?}, {named:?} for {failed:?}",
                    row.id
                ),
            );
        }
    }
    let mut figures = Figures::of("terminal-bench", rows.len());
    figures.put("judged", judged);
    figures.share("verdict", right, judged);
    figures.put("failed_test_f1", hits.f1());
    figures.put("failed_test_f1_with_repeats", repeats.f1());
    figures.put("failed_test_precision", hits.precision());
    figures.put("failed_test_recall", hits.recall());
    figures.put("failing_read_as_passing", false_passes);
    figures.put("without_result_read_as_passing", unparsed_passes);
    Ok(figures)
}

/// The test without its file and classes, and without a message behind it.
fn own_name(name: &str) -> String {
    let head = name.split(" - ").next().unwrap_or(name);
    let end = head.find('[').unwrap_or(head.len());
    let (path, parameters) = head.split_at_checked(end).unwrap_or((head, ""));
    let own = path.rsplit("::").next().unwrap_or(path);
    format!("{own}{parameters}")
}

fn exact(found: &[String], true_ones: &[String]) -> Hits {
    let found: BTreeSet<&String> = found.iter().collect();
    let true_ones: BTreeSet<&String> = true_ones.iter().collect();
    Hits {
        found: found.len(),
        true_ones: true_ones.len(),
        both: found.intersection(&true_ones).count(),
    }
}

/// The same, but a name that is repeated is one too many.
fn exact_repeats(found: &[String], true_ones: &[String]) -> Hits {
    Hits {
        found: found.len(),
        true_ones: true_ones.len(),
        ..exact(found, true_ones)
    }
}

fn failed_names(found: &[Evidence]) -> Vec<String> {
    tests(found)
        .flat_map(|item| item.failures.iter().map(|failure| failure.name.clone()))
        .collect()
}

#[derive(Deserialize)]
struct CiRow {
    id: String,
    truth: CiTruth,
    log: String,
}

#[derive(Deserialize)]
struct CiTruth {
    status: Option<String>,
    tests_failed: Option<u64>,
    did_tests_fail: Option<bool>,
    #[serde(default)]
    failed_tests: Option<Vec<String>>,
}

/// The verdict on the tests, how many failed and which, against asserted values.
#[expect(clippy::too_many_lines, reason = "one tally, read from top to bottom")]
pub(super) fn bugswarm(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<CiRow> = data::lines(&args.data, "evidence_bugswarm.jsonl.gz")?;
    let mut hits = Hits::default();
    let mut repeats = Hits::default();
    let (mut judged, mut right, mut counted, mut exact, mut false_passes) = (0, 0, 0, 0, 0);
    let mut unknown = 0;
    for row in &rows {
        let found = read(&row.log);
        let said = verdict(tests(&found));
        let failed: u64 = tests(&found)
            .filter_map(|item| item.counts)
            .map(|counts| counts.failed + counts.errors)
            .sum();
        let truth = &row.truth;
        let mut told = String::new();
        let has_failed = truth
            .did_tests_fail
            .or(truth.tests_failed.map(|failed| failed > 0));
        if let Some(has_failed) = has_failed {
            judged += 1;
            let is_right = (said == Outcome::Failed) == has_failed;
            right += usize::from(is_right);
            unknown += usize::from(is_right && said == Outcome::Unknown);
            if !is_right {
                told.push_str(" verdict");
            }
        }
        if let Some(number) = truth.tests_failed {
            counted += 1;
            exact += usize::from(number == failed);
            if number != failed {
                told.push_str(" count");
            }
        }
        let is_broken = has_failed == Some(true) || truth.status.as_deref() == Some("broken");
        if is_broken && verdict(found.iter()) == Outcome::Passed {
            false_passes += 1;
            told.push_str(" FALSE PASS");
        }
        let named = failed_names(&found);
        if let Some(names) = truth
            .failed_tests
            .as_ref()
            .filter(|names| !names.is_empty())
        {
            let here = names::compare(&named, names);
            hits.add(here);
            repeats.add(names::compare_repeats(&named, names));
            if !here.is_exact() {
                told.push_str(" names");
            }
        }
        if !told.is_empty() {
            miss(
                args,
                format_args!(
                    "bugswarm {}:{told}: {said:?}, {failed} for {:?}; {named:?} for {:?}",
                    row.id, truth.tests_failed, truth.failed_tests
                ),
            );
        }
    }
    let mut figures = Figures::of("bugswarm", rows.len());
    figures.put("judged", judged);
    figures.share("verdict", right, judged);
    figures.share("exact_count", exact, counted);
    figures.put("failed_test_recall", hits.recall());
    figures.put("failed_test_precision", hits.precision());
    figures.put("failed_test_recall_with_repeats", repeats.recall());
    figures.put("failed_test_precision_with_repeats", repeats.precision());
    figures.put("right_but_unknown", unknown);
    figures.put("failing_read_as_passing", false_passes);
    Ok(figures)
}
