//! What a cascade would have done over a matrix of attempts.
//!
//! A right attempt passes the gate and ends the task. A wrong one is accepted with the gate's leak and ends it
//! unsolved; otherwise the next model is tried. Every attempt made is paid.
//! Tasks are counted by the step that they reach, so the counts are integers and a leak only weighs them.
//! A task that meets an unknown outcome is read both ways, which gives the two ends of a range.

use super::{
    cascade::{Cascade, CascadeError},
    outcomes::Outcomes,
    share::Share,
};
use crate::evidence::Outcome;

/// The two ends between which a number lies; equal where nothing unknown was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// It is not less.
    pub low: f64,
    /// It is not more; `None` when nothing limits it.
    pub high: Option<f64>,
}

/// What a cascade would have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backtest {
    /// Tasks that were given to it.
    pub tasks: usize,
    /// Tasks on the way of which an outcome is unknown.
    pub undetermined: usize,
    /// Attempts, unknown ones read as failures, whose cost is unknown.
    pub unpriced: usize,
    /// By step, when every unknown outcome is a failure.
    if_failed: Vec<Step>,
    /// By step, when every unknown outcome is a success.
    if_solved: Vec<Step>,
}

/// What happens at one step when nothing wrong was accepted before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Step {
    solved: u64,
    cost_nano_usd: i128,
}

/// Tries a cascade on every task of a matrix.
pub fn backtest(outcomes: &Outcomes, cascade: &Cascade) -> Result<Backtest, CascadeError> {
    Ok(over(outcomes, &cascade.steps(outcomes)?))
}

fn over(outcomes: &Outcomes, steps: &[usize]) -> Backtest {
    let mut result = Backtest {
        tasks: outcomes.tasks().len(),
        undetermined: 0,
        unpriced: 0,
        if_failed: vec![Step::default(); steps.len()],
        if_solved: vec![Step::default(); steps.len()],
    };
    for task in 0..result.tasks {
        result.attempt(outcomes, steps, task);
    }
    result
}

impl Backtest {
    fn attempt(&mut self, outcomes: &Outcomes, steps: &[usize], task: usize) {
        let mut is_open = false;
        let sides = self.if_failed.iter_mut().zip(&mut self.if_solved);
        for (&model, (failed, solved)) in steps.iter().zip(sides) {
            let cell = outcomes.cell(model, task);
            let cost = i128::from(cell.cost_nano_usd.unwrap_or(0));
            self.unpriced += usize::from(cell.cost_nano_usd.is_none());
            failed.cost_nano_usd += cost;
            if !is_open {
                solved.cost_nano_usd += cost;
            }
            match cell.outcome {
                Outcome::Failed => {}
                Outcome::Passed => {
                    failed.solved += 1;
                    solved.solved += u64::from(!is_open);
                    break;
                }
                // Solved here in the one reading; in the other the task goes on.
                Outcome::Unknown => {
                    solved.solved += u64::from(!is_open);
                    is_open = true;
                }
            }
        }
        self.undetermined += usize::from(is_open);
    }

    /// How many tasks end solved: a count when the gate does not leak, else what is to be expected.
    pub fn solved(&self, leak: Share) -> Span {
        Span {
            low: weigh(&self.if_failed, leak, |step| exact(i128::from(step.solved))),
            high: Some(weigh(&self.if_solved, leak, |step| {
                exact(i128::from(step.solved))
            })),
        }
    }

    /// What all attempts cost together, in nano-dollars; an unknown cost leaves no upper end.
    pub fn cost_nano_usd(&self, leak: Share) -> Span {
        let high = weigh(&self.if_failed, leak, |step| exact(step.cost_nano_usd));
        Span {
            low: weigh(&self.if_solved, leak, |step| exact(step.cost_nano_usd)),
            high: (self.unpriced == 0).then_some(high),
        }
    }
}

fn weigh(steps: &[Step], leak: Share, value: impl Fn(&Step) -> f64) -> f64 {
    let weighed = steps.iter().enumerate();
    weighed
        .map(|(at, step)| leak.never_in(at) * value(step))
        .sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to nine million dollars, and far finer than a cent beyond"
)]
fn exact(value: i128) -> f64 {
    value as f64
}
