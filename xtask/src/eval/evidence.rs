//! How well tools' output is read: one set of labelled outputs a file.

mod ci;
mod clippy;
mod hits;
mod names;
mod places;
mod runners;
mod speed;
mod terminal;

use std::fmt;

use anyhow::Result;
use wayproof_engine::{Evidence, EvidenceKind, Exit, Outcome, recognize};

use super::{EvalArgs, Figures};

/// Measures every set.
pub(crate) fn run(args: &EvalArgs) -> Result<Vec<Figures>> {
    Ok(vec![
        terminal::terminal_bench(args)?,
        ci::bugswarm(args)?,
        places::errorformat(args)?,
        runners::go(args)?,
        clippy::clippy(args)?,
        runners::python(args)?,
        speed::speed(args)?,
    ])
}

/// Reads output of which nothing else is known.
fn read(text: &str) -> Vec<Evidence> {
    recognize(text, None, Exit::Unknown)
}

/// What the items say together: one failure outweighs any number of passes.
fn verdict<'a>(items: impl Iterator<Item = &'a Evidence>) -> Outcome {
    items.fold(Outcome::Unknown, |verdict, item| {
        match (verdict, item.outcome) {
            (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
            (Outcome::Passed, _) | (_, Outcome::Passed) => Outcome::Passed,
            (Outcome::Unknown, Outcome::Unknown) => Outcome::Unknown,
        }
    })
}

fn tests(found: &[Evidence]) -> impl Iterator<Item = &Evidence> {
    found.iter().filter(|item| item.kind == EvidenceKind::Test)
}

/// The names of all failed tests, every mention.
fn failed_names(found: &[Evidence]) -> Vec<String> {
    tests(found)
        .flat_map(|item| item.failures.iter().map(|failure| failure.name.clone()))
        .collect()
}

/// How many tests failed or broke, by the runners' own sums.
fn failed_count(found: &[Evidence]) -> u64 {
    tests(found)
        .filter_map(|item| item.counts)
        .map(|counts| counts.failed + counts.errors)
        .sum()
}

/// Tells of a row that was read wrongly, when that was asked for.
#[expect(clippy::print_stderr, reason = "misses are told beside the figures")]
fn miss(args: &EvalArgs, told: fmt::Arguments<'_>) {
    if args.misses {
        eprintln!("{told}");
    }
}

#[cfg(test)]
mod verdicts {
    use super::*;

    #[test]
    fn one_failure_outweighs_any_number_of_passes() {
        let found = read("=== 3 passed in 0.1s ===\nTests:       1 failed, 1 total\n");
        assert_eq!(verdict(found.iter()), Outcome::Failed);
        assert_eq!(failed_count(&found), 1);
        let passed = read("=== 3 passed in 0.1s ===\n");
        assert_eq!(verdict(passed.iter()), Outcome::Passed);
        assert_eq!(verdict([].iter()), Outcome::Unknown);
    }
}
