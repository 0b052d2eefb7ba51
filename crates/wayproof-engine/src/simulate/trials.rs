//! Attempts beside the policy in force: what every task is worth under it, and under a cascade in its place.
//!
//! What is not known is read against the change: an unknown attempt of a candidate failed, one of the policy in force
//! was right, and an unknown cost of the policy in force is nothing.

use super::{
    cascade::{Cascade, NotACascade},
    counterfactual::Interval,
    outcomes::Outcomes,
    share::Share,
};
use crate::evidence::Outcome;

/// All attempts on the tasks of a ledger.
#[derive(Debug)]
pub(crate) struct Trials {
    /// By model, then by task.
    attempts: Vec<Vec<Attempt>>,
    pub(crate) today: Vec<usize>,
    /// By task, under the policy in force.
    worth: Vec<Worth>,
    pub(crate) leak: Leak,
}

/// What is known of an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) outcome: Outcome,
    pub(crate) cost: Option<f64>,
}

/// What a task is worth under a policy: the chance that it is proven rightly, by either leak, and its cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Worth {
    pub(crate) likely: f64,
    pub(crate) worst: f64,
    pub(crate) cost: f64,
}

/// The leak of the gate: what it seems to be, and the most that it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leak {
    pub(crate) likely: Share,
    pub(crate) most: Share,
}

/// The mean of numbers, one a task, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mean {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Mean {
    /// From the sum and the sum of squares of so many numbers.
    pub(crate) fn from_sums(count: f64, sum: f64, squares: f64) -> Self {
        let value = sum / count;
        let spread = (squares / count - value * value).max(0.0);
        Self {
            value,
            error: (spread / count).sqrt(),
        }
    }

    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let (count, sum, squares) = numbers.fold((0.0, 0.0, 0.0), |(count, sum, squares), x| {
            (count + 1.0, sum + x, squares + x * x)
        });
        Self::from_sums(count, sum, squares)
    }

    pub(crate) fn lower(self, z: f64) -> f64 {
        self.value - z * self.error
    }

    pub(crate) fn interval(self, z: f64) -> Interval {
        Interval {
            low: self.lower(z),
            value: self.value,
            high: self.value + z * self.error,
        }
    }
}

impl Trials {
    pub(crate) fn of(outcomes: &Outcomes, today: &[usize], leak: Leak) -> Self {
        let tasks = 0..outcomes.tasks().len();
        let attempt = |model: usize, task: usize| {
            let cell = outcomes.cell(model, task);
            Attempt {
                outcome: cell.outcome,
                cost: cell.cost_nano_usd.map(nano),
            }
        };
        let column = |model: usize| tasks.clone().map(|task| attempt(model, task)).collect();
        let mut trials = Self {
            attempts: (0..outcomes.models().len()).map(column).collect(),
            today: today.to_vec(),
            worth: Vec::new(),
            leak,
        };
        trials.worth = tasks
            .map(|task| trials.task(today, task, Outcome::Passed).0)
            .collect();
        trials
    }

    pub(crate) fn models(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn worths(&self) -> &[Worth] {
        &self.worth
    }

    /// A model's attempts by task.
    pub(crate) fn column(&self, model: usize) -> &[Attempt] {
        self.attempts.get(model).map_or(&[], Vec::as_slice)
    }

    /// A task under a cascade, unknown outcomes read as given; whether there was one, or an unknown cost.
    fn task(&self, steps: &[usize], task: usize, unknown: Outcome) -> (Worth, bool) {
        let mut worth = Worth::default();
        let mut is_open = false;
        for (at, &model) in steps.iter().enumerate() {
            let (likely, worst) = (self.leak.likely.never_in(at), self.leak.most.never_in(at));
            let Some(attempt) = self.column(model).get(task) else {
                return (worth, true);
            };
            is_open |= attempt.outcome == Outcome::Unknown || attempt.cost.is_none();
            worth.cost += likely * attempt.cost.unwrap_or(0.0);
            let is_right = attempt.outcome == Outcome::Passed
                || (attempt.outcome == Outcome::Unknown && unknown == Outcome::Passed);
            if is_right {
                worth.likely = likely;
                worth.worst = worst;
                break;
            }
        }
        (worth, is_open)
    }

    fn against<'a>(&'a self, steps: &'a [usize]) -> impl Iterator<Item = (Worth, Worth)> + 'a {
        let tasks = self.worth.iter().enumerate();
        tasks.map(|(task, today)| (self.task(steps, task, Outcome::Failed).0, *today))
    }

    /// How much more a cascade proves than the policy in force.
    pub(crate) fn gain(&self, steps: &[usize]) -> Mean {
        Mean::of(
            self.against(steps)
                .map(|(new, today)| new.likely - today.likely),
        )
    }

    /// How much less a cascade costs than the policy in force, in nano-dollars a task.
    pub(crate) fn saving(&self, steps: &[usize]) -> Mean {
        Mean::of(
            self.against(steps)
                .map(|(new, today)| today.cost - new.cost),
        )
    }

    /// What a cascade costs as a share of the policy in force; the error is that of a ratio of two sums.
    pub(crate) fn cost_share(&self, steps: &[usize]) -> Mean {
        let new: f64 = self.against(steps).map(|(new, _)| new.cost).sum();
        let today: f64 = self.worth.iter().map(|worth| worth.cost).sum();
        let share = new / today;
        let rest = Mean::of(
            self.against(steps)
                .map(|(new, today)| new.cost - share * today.cost),
        );
        let mean = Mean::of(self.worth.iter().map(|worth| worth.cost)).value;
        Mean {
            value: share,
            error: rest.error / mean,
        }
    }

    /// On how many tasks a cascade meets something unknown.
    pub(crate) fn undetermined(&self, steps: &[usize]) -> usize {
        let tasks = 0..self.worth.len();
        tasks
            .filter(|task| self.task(steps, *task, Outcome::Failed).1)
            .count()
    }

    /// A cascade by the names of its models.
    pub(crate) fn named(outcomes: &Outcomes, steps: &[usize]) -> Result<Cascade, NotACascade> {
        let names: Vec<&str> = outcomes.models().collect();
        let name = |step: &usize| names.get(*step).map(|name| (*name).to_owned());
        Cascade::new(steps.iter().filter_map(name).collect())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "one attempt costs less than millions"
)]
fn nano(cost: i64) -> f64 {
    cost as f64
}
