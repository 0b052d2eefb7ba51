//! Outcomes that may be trusted: one agent's runs on one benchmark, without runs that contradict their own report.
//!
//! A run is kept when its resolved share is within 1.5 points and its mean cost within a tenth of what was reported,
//! and at most one cost in twenty is nought. A cost of nought is unknown. Tasks on which a kept run has an unknown
//! outcome or cost are left out, and counted.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use wayproof_engine::{Cell, Draws, Outcome, Outcomes, read_outcomes};

use super::{backtest::keep, data};

const AGENT: &str = "openhands";
/// Far above every other model on a public benchmark; its figures may be memory.
const PERHAPS_CONTAMINATED: &str = "claude-fable-5";

/// One attempt: whether it was right, and its dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) right: bool,
    pub(crate) cost_nano_usd: i64,
}

/// A full matrix: every model on every task.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    pub(crate) models: Vec<String>,
    /// When each model was published, as a date that sorts.
    pub(crate) released: Vec<String>,
    /// By model, then by task.
    pub(crate) attempts: Vec<Vec<Attempt>>,
    pub(crate) tasks: Vec<String>,
    /// Tasks with something unknown.
    pub(crate) left_out: usize,
}

/// Reads the trusted runs on a benchmark.
pub(crate) fn openhands(folder: &Path, benchmark: &str) -> Result<Runs> {
    let text = data::text(folder, "openhands_index_outcomes.csv.gz")?;
    let outcomes = read_outcomes(&text, &[keep("agent", AGENT), keep("benchmark", benchmark)])
        .context("reading openhands_index_outcomes.csv.gz")?;
    let reported = reported(folder, benchmark)?;
    let trusted: Vec<(usize, String, String)> = outcomes
        .models()
        .enumerate()
        .filter_map(|(at, model)| Some((at, model.to_owned(), reported.get(model)?.clone())))
        .collect();
    Ok(full(&outcomes, trusted))
}

/// Reads all models of the table of one bash-only agent.
pub(crate) fn bash_only(folder: &Path) -> Result<Runs> {
    let text = data::text(folder, "swebv_bashonly_outcomes.csv.gz")?;
    let outcomes = read_outcomes(&text, &[]).context("reading swebv_bashonly_outcomes.csv.gz")?;
    let known = |model: usize| {
        let tasks = 0..outcomes.tasks().len();
        tasks
            .filter(|task| is_known(outcomes.cell(model, *task)))
            .count()
    };
    let whole = outcomes.tasks().len();
    let trusted = outcomes
        .models()
        .enumerate()
        .filter(|(at, _)| known(*at) * 20 >= whole * 19)
        .map(|(at, model)| (at, model.to_owned(), String::new()))
        .collect();
    Ok(full(&outcomes, trusted))
}

fn is_known(cell: Cell) -> bool {
    cell.outcome != Outcome::Unknown && cell.cost_nano_usd.is_some_and(|cost| cost > 0)
}

fn full(outcomes: &Outcomes, models: Vec<(usize, String, String)>) -> Runs {
    let all = outcomes.tasks().len();
    let is_full = |task: &usize| {
        models
            .iter()
            .all(|(at, ..)| is_known(outcomes.cell(*at, *task)))
    };
    let kept: Vec<usize> = (0..all).filter(is_full).collect();
    let attempt = |model: usize, task: usize| {
        let cell = outcomes.cell(model, task);
        Attempt {
            right: cell.outcome == Outcome::Passed,
            cost_nano_usd: cell.cost_nano_usd.unwrap_or(0),
        }
    };
    let names: Vec<&str> = outcomes.tasks().collect();
    Runs {
        attempts: models
            .iter()
            .map(|(at, ..)| kept.iter().map(|task| attempt(*at, *task)).collect())
            .collect(),
        tasks: kept
            .iter()
            .filter_map(|task| names.get(*task))
            .map(|name| (*name).to_owned())
            .collect(),
        left_out: all - kept.len(),
        released: models.iter().map(|(_, _, date)| date.clone()).collect(),
        models: models.into_iter().map(|(_, name, _)| name).collect(),
    }
}

/// The models whose run on a benchmark agrees with its own report, with their dates.
fn reported(folder: &Path, benchmark: &str) -> Result<BTreeMap<String, String>> {
    let text = data::plain(folder, "openhands_index_runs.csv")?;
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut trusted = BTreeMap::new();
    for line in lines {
        let fields: BTreeMap<&str, &str> = heading.iter().copied().zip(line.split(',')).collect();
        let text = |name: &str| fields.get(name).copied().unwrap_or_default();
        if text("agent") != AGENT
            || text("benchmark") != benchmark
            || text("model") == PERHAPS_CONTAMINATED
        {
            continue;
        }
        let number = |name: &str| text(name).parse::<f64>().ok();
        let agrees = || {
            let share = (number("pct")? - number("reported_score")?).abs() <= 1.5;
            let (mean, reported) = (number("mean_cost")?, number("reported_cost")?);
            let cost = (mean - reported).abs() <= 0.1 * reported;
            Some(share && cost && number("zero_cost")? * 20.0 <= number("n")?)
        };
        if agrees() == Some(true) {
            trusted.insert(text("model").to_owned(), text("release_date").to_owned());
        }
    }
    Ok(trusted)
}

impl Runs {
    /// The share of tasks that a model gets right.
    pub(crate) fn share(&self, model: usize) -> f64 {
        let column = self.attempts.get(model).map_or(&[][..], Vec::as_slice);
        super::part(
            column.iter().filter(|attempt| attempt.right).count(),
            column.len(),
        )
    }

    /// What a model costs a task, in dollars.
    pub(crate) fn mean_usd(&self, model: usize) -> f64 {
        let column = self.attempts.get(model).map_or(&[][..], Vec::as_slice);
        let dollars: f64 = column.iter().map(|attempt| attempt.usd()).sum();
        dollars * super::part(1, column.len())
    }

    /// The model that gets most tasks right.
    pub(crate) fn strongest(&self) -> Result<usize> {
        let models = 0..self.models.len();
        models
            .max_by(|a, b| self.share(*a).total_cmp(&self.share(*b)))
            .context("there is no run to trust")
    }

    /// The matrix over these tasks, in this order; a task may come twice.
    pub(crate) fn over(&self, tasks: &[usize]) -> Self {
        let column = |column: &Vec<Attempt>| {
            let attempt = |task: &usize| column.get(*task).copied();
            tasks.iter().filter_map(attempt).collect()
        };
        Self {
            attempts: self.attempts.iter().map(column).collect(),
            tasks: tasks
                .iter()
                .filter_map(|task| self.tasks.get(*task).cloned())
                .collect(),
            ..self.clone()
        }
    }

    /// The same as the engine holds it; tasks are numbered, so one that was drawn twice is two.
    pub(crate) fn outcomes(&self) -> Result<Outcomes> {
        let mut outcomes = Outcomes::default();
        for (model, column) in self.models.iter().zip(&self.attempts) {
            for (task, attempt) in column.iter().enumerate() {
                let outcome = if attempt.right {
                    Outcome::Passed
                } else {
                    Outcome::Failed
                };
                let cell = Cell {
                    outcome,
                    cost_nano_usd: Some(attempt.cost_nano_usd),
                };
                outcomes.put(model, &task.to_string(), cell)?;
            }
        }
        Ok(outcomes)
    }

    /// Where models stand.
    pub(crate) fn steps(&self, names: &[String]) -> Result<Vec<usize>> {
        let step = |name: &String| {
            let at = self.models.iter().position(|model| model == name);
            at.with_context(|| format!("{name} has no trusted run here"))
        };
        names.iter().map(step).collect()
    }

    /// The names of models.
    pub(crate) fn names(&self, steps: &[usize]) -> Vec<String> {
        steps
            .iter()
            .filter_map(|step| self.models.get(*step).cloned())
            .collect()
    }

    /// The chance that a task is solved by a cascade, and what it costs in dollars.
    pub(crate) fn worth(&self, steps: &[usize], task: usize, leak: f64) -> (f64, f64) {
        let (mut goes_on, mut cost) = (1.0, 0.0);
        for step in steps {
            let Some(attempt) = self.attempts.get(*step).and_then(|column| column.get(task)) else {
                break;
            };
            cost += goes_on * attempt.usd();
            if attempt.right {
                return (goes_on, cost);
            }
            goes_on *= 1.0 - leak;
        }
        (0.0, cost)
    }

    /// The models that are right at least three quarters as often as one, cheapest first.
    pub(crate) fn cheap(&self, strong: usize) -> Vec<usize> {
        let enough = 0.75 * self.share(strong);
        let mut models: Vec<usize> = (0..self.models.len())
            .filter(|model| *model != strong && self.share(*model) >= enough)
            .collect();
        models.sort_by(|a, b| self.mean_usd(*a).total_cmp(&self.mean_usd(*b)));
        models
    }

    /// The matrix of these models alone.
    pub(crate) fn only(&self, models: &[usize]) -> Self {
        let column = |model: &usize| self.attempts.get(*model).cloned();
        let date = |model: &usize| self.released.get(*model).cloned();
        Self {
            models: self.names(models),
            released: models.iter().filter_map(date).collect(),
            attempts: models.iter().filter_map(column).collect(),
            ..self.clone()
        }
    }

    /// So many tasks drawn with replacement.
    pub(crate) fn drawn(&self, count: usize, draws: &mut Draws) -> Vec<usize> {
        (0..count).map(|_| draws.below(self.tasks.len())).collect()
    }
}

impl Attempt {
    #[expect(
        clippy::cast_precision_loss,
        reason = "one attempt costs less than millions"
    )]
    pub(crate) fn usd(self) -> f64 {
        self.cost_nano_usd as f64 / 1e9
    }
}
