//! How well tools' output is read: one set of labelled outputs a file.

mod clippy;
mod logs;
mod names;
mod places;
mod runners;
mod speed;

use std::fmt;

use anyhow::Result;
use wayproof_engine::{Evidence, EvidenceKind, Exit, Outcome, recognize};

use super::{EvalArgs, Figures, share};

/// Measures every set.
pub(crate) fn run(args: &EvalArgs) -> Result<Vec<Figures>> {
    Ok(vec![
        logs::terminal_bench(args)?,
        logs::bugswarm(args)?,
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

/// Things found, things there are, and how many are the same.
#[derive(Debug, Clone, Copy, Default)]
struct Hits {
    found: usize,
    true_ones: usize,
    both: usize,
}

impl Hits {
    fn add(&mut self, more: Self) {
        self.found += more.found;
        self.true_ones += more.true_ones;
        self.both += more.both;
    }

    fn precision(self) -> Option<f64> {
        share(self.both, self.found)
    }

    fn recall(self) -> Option<f64> {
        share(self.both, self.true_ones)
    }

    fn f1(self) -> Option<f64> {
        share(2 * self.both, self.found + self.true_ones)
    }

    fn is_exact(self) -> bool {
        self.both == self.found && self.both == self.true_ones
    }
}

/// Tells of a row that was read wrongly, when that was asked for.
#[expect(clippy::print_stderr, reason = "misses are told beside the figures")]
fn miss(args: &EvalArgs, told: fmt::Arguments<'_>) {
    if args.misses {
        eprintln!("{told}");
    }
}
