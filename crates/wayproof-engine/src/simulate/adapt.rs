//! Takes new models into a cascade while it works: tries them where that is safe, keeps what is cheaper.
//!
//! A model that nobody has tried is put where a draw from what may be true of it says that it saves most. While little
//! is known, the models of the policy in force come after whatever is tried, so that no less is proven than before and
//! only money is risked. Later the cheapest cascade is run that should prove no less than the policy in force.

use super::{
    cascade::{Cascade, CascadeError, NotACascade},
    draws::Draws,
    outcomes::Outcomes,
    skill::{self, Curve, Skills},
};
use crate::evidence::Outcome;

/// Tasks during which what is not known is drawn, and the policy in force stands behind everything.
const LEARNING: usize = 150;
/// Tasks between two looks at what was learnt.
const LOOK_EVERY: usize = 5;
/// How uncertain the cost of a model is after one attempt, as a share.
const COST_DOUBT: f64 = 0.8;

/// A cascade that learns.
#[derive(Debug, Clone)]
pub struct Adaptive {
    names: Vec<String>,
    /// The policy in force, which sets what must be proven.
    today: Vec<usize>,
    /// Models that may be used.
    in_use: Vec<usize>,
    /// Models that were added, and are therefore drawn.
    added: Vec<usize>,
    skills: Skills,
    seen: Vec<Vec<skill::Attempt>>,
    most_steps: usize,
}

/// One attempt of a cascade that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// The model.
    pub model: String,
    /// Whether the proof accepted its work.
    pub proven: bool,
    /// What it cost.
    pub cost_nano_usd: i64,
}

impl Adaptive {
    /// Begins with a policy in force and the attempts of a ledger.
    pub fn new(
        ledger: &Outcomes,
        today: &Cascade,
        most_steps: usize,
    ) -> Result<Self, CascadeError> {
        let names: Vec<String> = ledger.models().map(str::to_owned).collect();
        let today = today.steps(ledger)?;
        let tasks: Vec<Vec<skill::Attempt>> = (0..ledger.tasks().len())
            .map(|task| known(ledger, task))
            .collect();
        let skills = Skills::learn(names.len(), &tasks);
        let mut adaptive = Self {
            names,
            today,
            in_use: Vec::new(),
            added: Vec::new(),
            skills,
            seen: Vec::new(),
            most_steps,
        };
        adaptive.in_use = adaptive.worthwhile();
        Ok(adaptive)
    }

    /// Takes in a model that nobody has tried.
    pub fn add(&mut self, model: &str) {
        let at = self.skills.add();
        self.names.push(model.to_owned());
        self.added.push(at);
        self.in_use.push(at);
    }

    /// The cascade for the next task.
    pub fn next(&mut self, draws: &mut Draws) -> Result<Cascade, NotACascade> {
        let since = self.seen.len();
        if since.is_multiple_of(LOOK_EVERY) {
            self.skills.refine(&self.seen);
        }
        let needed = self.proves(&self.today);
        let views: Vec<View> = self
            .in_use
            .iter()
            .map(|model| self.view(*model, draws))
            .collect();
        let mut search = Search {
            skills: &self.skills,
            views: &views,
            needed,
            most_steps: self.most_steps,
            best: None,
        };
        search.extend(&mut Vec::new(), &skill::common(), 0.0);
        let mut steps = search
            .best
            .map_or_else(|| self.today.clone(), |(steps, _)| steps);
        if since < LEARNING {
            let rest = self.today.iter().filter(|model| !steps.contains(model));
            let rest: Vec<usize> = rest.copied().collect();
            steps.extend(rest);
        }
        let name = |step: &usize| self.names.get(*step).cloned();
        Cascade::new(steps.iter().filter_map(name).collect())
    }

    /// Learns from the attempts on one task.
    pub fn observe(&mut self, attempts: &[Attempted]) {
        let known = |attempt: &Attempted| {
            let model = self.names.iter().position(|name| *name == attempt.model)?;
            Some(skill::Attempt {
                model,
                solved: attempt.proven,
                cost: nano(attempt.cost_nano_usd),
            })
        };
        self.seen.push(attempts.iter().filter_map(known).collect());
    }

    /// The policy in force, and every model that no other beats in both strength and cost.
    fn worthwhile(&self) -> Vec<usize> {
        let beats = |a: &skill::Skill, b: &skill::Skill| {
            a.strength >= b.strength
                && a.cost <= b.cost
                && (a.strength > b.strength || a.cost < b.cost)
        };
        let models = self.skills.models.iter().enumerate();
        models
            .filter(|(at, skill)| {
                let is_beaten = self
                    .skills
                    .models
                    .iter()
                    .any(|other| other.attempts > 0 && beats(other, skill));
                self.today.contains(at) || (skill.attempts > 0 && !is_beaten)
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// The share of tasks that a cascade should prove.
    fn proves(&self, steps: &[usize]) -> f64 {
        let mut left = skill::common();
        for skill in steps
            .iter()
            .filter_map(|step| self.skills.models.get(*step))
        {
            left = times(&left, &self.skills.fails(skill.strength));
        }
        1.0 - left.iter().sum::<f64>()
    }

    /// A model as it is believed to be, or as it may be while it is new.
    fn view(&self, model: usize, draws: &mut Draws) -> View {
        let Some(skill) = self.skills.models.get(model) else {
            return View {
                model,
                fails: [1.0; _],
                cost: f64::INFINITY,
            };
        };
        let (mut strength, mut cost) = (skill.strength, skill.cost);
        if self.seen.len() < LEARNING && self.added.contains(&model) {
            strength += draws.normal() * skill.variance.sqrt();
            let attempts = super::share::count(skill.attempts);
            cost *= (draws.normal() * COST_DOUBT / (attempts + 1.0).sqrt()).exp();
        }
        View {
            model,
            fails: self.skills.fails(strength),
            cost,
        }
    }
}

fn known(ledger: &Outcomes, task: usize) -> Vec<skill::Attempt> {
    let models = 0..ledger.models().len();
    models
        .filter_map(|model| {
            let cell = ledger.cell(model, task);
            Some(skill::Attempt {
                model,
                solved: match cell.outcome {
                    Outcome::Passed => true,
                    Outcome::Failed => false,
                    Outcome::Unknown => return None,
                },
                cost: nano(cell.cost_nano_usd?),
            })
        })
        .collect()
}

/// A model while a cascade is looked for.
struct View {
    model: usize,
    fails: Curve,
    cost: f64,
}

/// Looks for the cheapest cascade that proves enough.
struct Search<'a> {
    skills: &'a Skills,
    views: &'a [View],
    needed: f64,
    most_steps: usize,
    best: Option<(Vec<usize>, f64)>,
}

impl Search<'_> {
    fn extend(&mut self, steps: &mut Vec<usize>, left: &Curve, cost: f64) {
        for view in self.views {
            if steps.contains(&view.model) {
                continue;
            }
            let cost = cost + self.skills.price(view.cost, left);
            if self.best.as_ref().is_some_and(|(_, best)| cost >= *best) {
                continue;
            }
            let left = times(left, &view.fails);
            steps.push(view.model);
            if 1.0 - left.iter().sum::<f64>() >= self.needed {
                self.best = Some((steps.clone(), cost));
            } else if steps.len() < self.most_steps {
                self.extend(steps, &left, cost);
            }
            steps.pop();
        }
    }
}

fn times(a: &Curve, b: &Curve) -> Curve {
    let mut product = *a;
    for (a, b) in product.iter_mut().zip(b) {
        *a *= b;
    }
    product
}

#[expect(
    clippy::cast_precision_loss,
    reason = "one attempt costs less than millions"
)]
fn nano(cost: i64) -> f64 {
    cost as f64
}
