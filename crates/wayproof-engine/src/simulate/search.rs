//! Looks through all cascades of a few steps for the best one that is safe.
//!
//! A cascade is built step by step over the tasks that are still open, and left as soon as it costs too much.

use super::{
    advise::Goal,
    share::count,
    trials::{Mean, Trials},
};
use crate::evidence::Outcome;

/// How sure a change must be to be safe, in standard deviations, and what it may then lose, in proven share of tasks.
#[derive(Debug, Clone, Copy)]
struct Caution {
    /// When the policy in force stays as its end.
    keeps: f64,
    /// When it does not: thousands of such are tried, and the luckiest looks best.
    drops: f64,
    tolerated: f64,
    /// How sure it must be that the cost is within the budget.
    cost: f64,
}

/// When the least cost is looked for, a cascade without the policy in force may cost at most this share of the cheapest
/// that keeps it: what keeping it costs is known, what is lost without it shows later and on other tasks.
const WORTH_DROPPING: f64 = 0.65;

impl Caution {
    fn of(goal: Goal) -> Self {
        match goal {
            Goal::Save => Self {
                keeps: 1.645,
                drops: 2.8,
                tolerated: 0.02,
                cost: 0.0,
            },
            // The most sure gain is looked for, which is caution enough.
            Goal::Prove { .. } => Self {
                keeps: 1.0,
                drops: 1.0,
                tolerated: 0.01,
                cost: 1.0,
            },
        }
    }
}

/// A cascade that is safe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) steps: Vec<usize>,
    score: f64,
}

/// The best safe cascade, if there is one that beats the policy in force.
pub(crate) fn best(trials: &Trials, goal: Goal, most_steps: usize) -> Option<Found> {
    let today: f64 = trials.worths().iter().map(|worth| worth.cost).sum();
    let budget = match goal {
        Goal::Save => today,
        Goal::Prove { cost_share } => today * cost_share,
    };
    let mut search = Search {
        trials,
        goal,
        caution: Caution::of(goal),
        most_steps,
        budget,
        best: None,
        without: None,
    };
    let open: Vec<usize> = (0..trials.worths().len()).collect();
    search.extend(&mut Vec::new(), &open, Sums::default());
    match (search.without, search.best) {
        (Some(without), Some(kept)) if without.score <= WORTH_DROPPING * kept.score => Some(kept),
        (without, kept) => without.or(kept),
    }
}

struct Search<'a> {
    trials: &'a Trials,
    goal: Goal,
    caution: Caution,
    most_steps: usize,
    /// What a cascade may cost over all tasks.
    budget: f64,
    best: Option<Found>,
    /// The best without the policy in force.
    without: Option<Found>,
}

/// Over the tasks that are no longer open: how much more than today they are worth, with its squares; and all cost.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    gain: f64,
    squares: f64,
    cost: f64,
}

impl Sums {
    fn add(&mut self, gain: f64) {
        self.gain += gain;
        self.squares += gain * gain;
    }
}

impl Search<'_> {
    fn extend(&mut self, steps: &mut Vec<usize>, open: &[usize], sums: Sums) {
        for model in 0..self.trials.models() {
            if steps.contains(&model) {
                continue;
            }
            let Some((still_open, sums)) = self.step(steps.len(), model, open, sums) else {
                continue;
            };
            // A step that solves nothing is no use, here or later.
            if still_open.len() == open.len() {
                continue;
            }
            steps.push(model);
            self.consider(steps, &still_open, sums);
            if steps.len() < self.most_steps && !still_open.is_empty() {
                self.extend(steps, &still_open, sums);
            }
            steps.pop();
        }
    }

    /// Tries a model on the open tasks; nothing when that has an unknown cost or costs too much.
    fn step(
        &self,
        depth: usize,
        model: usize,
        open: &[usize],
        mut sums: Sums,
    ) -> Option<(Vec<usize>, Sums)> {
        let column = self.trials.column(model);
        let worths = self.trials.worths();
        let likely = self.trials.leak.likely.never_in(depth);
        let worst = self.trials.leak.most.never_in(depth);
        let mut still_open = Vec::with_capacity(open.len());
        for &task in open {
            let attempt = column.get(task)?;
            sums.cost += likely * attempt.cost?;
            if sums.cost >= self.budget {
                return None;
            }
            if attempt.outcome == Outcome::Passed {
                sums.add(worst - worths.get(task)?.worst);
            } else {
                still_open.push(task);
            }
        }
        Some((still_open, sums))
    }

    fn consider(&mut self, steps: &[usize], open: &[usize], mut sums: Sums) {
        for &task in open {
            sums.add(
                self.trials
                    .worths()
                    .get(task)
                    .map_or(0.0, |today| -today.worst),
            );
        }
        let sure = self.sure_gain(steps, sums);
        if sure < -self.caution.tolerated {
            return;
        }
        match self.goal {
            // It is cheaper than the best so far that keeps the policy in force, which is the budget.
            Goal::Save => {
                let found = Found {
                    steps: steps.to_vec(),
                    score: -sums.cost,
                };
                if steps.ends_with(&self.trials.today) {
                    self.budget = sums.cost;
                    self.best = Some(found);
                } else if self
                    .without
                    .as_ref()
                    .is_none_or(|best| found.score > best.score)
                {
                    self.without = Some(found);
                }
            }
            Goal::Prove { cost_share } => {
                let is_better = self.best.as_ref().is_none_or(|best| sure > best.score);
                let cost = self.trials.cost_share(steps);
                if is_better && cost.value + self.caution.cost * cost.error <= cost_share {
                    self.best = Some(Found {
                        steps: steps.to_vec(),
                        score: sure,
                    });
                }
            }
        }
    }

    /// The gain that is sure enough, one task more assumed on which the most is lost.
    fn sure_gain(&self, steps: &[usize], sums: Sums) -> f64 {
        let kept = steps.strip_suffix(self.trials.today.as_slice());
        let (least, z) = match kept {
            Some(before) => (
                self.trials.leak.most.never_in(before.len()) - 1.0,
                self.caution.keeps,
            ),
            None => (-1.0, self.caution.drops),
        };
        let count = count(self.trials.worths().len()) + 1.0;
        Mean::from_sums(count, sums.gain + least, sums.squares + least * least)
            .lower(z)
            .max(least)
    }
}
