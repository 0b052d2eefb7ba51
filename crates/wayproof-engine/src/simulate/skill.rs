//! How strong models are and what they cost, learnt from attempts that were made for other reasons.
//!
//! A cascade tries its later models on what the earlier ones failed at, so counts of successes compare nothing.
//! Here a task has a difficulty, on a grid of a bell curve, and a model a strength; the chance of success is the
//! logistic function of their distance. What a model failed at is then known to be hard, and a few attempts on hard
//! tasks are as good as a few on any.

use std::array;

const POINTS: usize = 13;
/// Standard deviations between two points of the grid.
const STEP: f64 = 0.5;
/// What is assumed of a strength before anything is seen, as a variance.
const VAGUE: f64 = 4.0;
/// Attempts at the price that is assumed of a model before anything is seen.
const ASSUMED_ATTEMPTS: f64 = 0.5;

/// A number for each difficulty.
pub(crate) type Curve = [f64; POINTS];

/// One attempt that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) model: usize,
    pub(crate) solved: bool,
    pub(crate) cost: f64,
}

/// What is known of one model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skill {
    pub(crate) strength: f64,
    pub(crate) variance: f64,
    /// Of a task of middling difficulty.
    pub(crate) cost: f64,
    pub(crate) attempts: usize,
    assumed: Assumed,
}

/// What was known before the attempts at hand.
#[derive(Debug, Clone, Copy)]
struct Assumed {
    strength: f64,
    variance: f64,
    cost: f64,
    attempts: f64,
}

/// All models.
#[derive(Debug, Clone)]
pub(crate) struct Skills {
    pub(crate) models: Vec<Skill>,
    /// How far apart easy and hard tasks are.
    spread: f64,
    /// How many times a middling task's cost a task of a difficulty costs.
    toll: Curve,
}

/// Sums over attempts of one model.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    attempts: usize,
    surprise: f64,
    information: f64,
    cost: f64,
    toll: f64,
}

/// How common each difficulty is.
pub(crate) fn common() -> Curve {
    let height: Curve = array::from_fn(|at| (-deviation(at).powi(2) / 2.0).exp());
    let all: f64 = height.iter().sum();
    height.map(|height| height / all)
}

fn deviation(at: usize) -> f64 {
    let at = i32::try_from(at).unwrap_or(0);
    let middle = i32::try_from(POINTS / 2).unwrap_or(0);
    f64::from(at - middle) * STEP
}

impl Skills {
    /// Learns so many models from tasks on which they were tried.
    pub(crate) fn learn(models: usize, tasks: &[Vec<Attempt>]) -> Self {
        // The spread is the one by which models fail together as often as they did.
        let (mut low, mut high) = (0.5, 5.0);
        let mut skills = Self::with_spread(models, tasks, f64::midpoint(low, high));
        for _ in 0..8 {
            if skills.expected_open(tasks) < seen_open(tasks) {
                low = skills.spread;
            } else {
                high = skills.spread;
            }
            skills = Self::with_spread(models, tasks, f64::midpoint(low, high));
        }
        skills.settle();
        skills
    }

    fn with_spread(models: usize, tasks: &[Vec<Attempt>], spread: f64) -> Self {
        const ROUNDS: usize = 12;
        let assumed = Assumed {
            strength: 0.0,
            variance: VAGUE,
            cost: 0.0,
            attempts: 0.0,
        };
        let mut skills = Self {
            models: vec![Skill::new(assumed); models],
            spread,
            toll: [1.0; POINTS],
        };
        for _ in 0..ROUNDS {
            skills.centre();
            let posteriors = skills.update(tasks);
            skills.learn_toll(tasks, &posteriors);
        }
        skills
    }

    /// Adds a model that nobody has tried: assumed a little stronger than the others, so that it is tried.
    pub(crate) fn add(&mut self) -> usize {
        let tried: Vec<&Skill> = self
            .models
            .iter()
            .filter(|skill| skill.cost > 0.0)
            .collect();
        let count = super::share::count(tried.len()).max(1.0);
        let mean = tried.iter().map(|skill| skill.strength).sum::<f64>() / count;
        let squares = tried
            .iter()
            .map(|skill| (skill.strength - mean).powi(2))
            .sum::<f64>();
        let deviation = (squares / count).sqrt().max(0.5);
        let cost = (tried.iter().map(|skill| skill.cost.ln()).sum::<f64>() / count).exp();
        self.models.push(Skill::new(Assumed {
            strength: mean + 0.5 * deviation,
            variance: 1.5 * deviation * deviation,
            cost,
            attempts: ASSUMED_ATTEMPTS,
        }));
        self.models.len() - 1
    }

    /// Learns from attempts on top of what is assumed.
    pub(crate) fn refine(&mut self, tasks: &[Vec<Attempt>]) {
        for _ in 0..2 {
            self.update(tasks);
        }
    }

    /// The chance that a model fails, by difficulty.
    pub(crate) fn fails(&self, strength: f64) -> Curve {
        array::from_fn(|at| {
            let chance = 1.0 / (1.0 + (self.spread * deviation(at) - strength).exp());
            1.0 - chance.clamp(1e-6, 1.0 - 1e-6)
        })
    }

    /// What an attempt costs on tasks of which so many of each difficulty are left.
    pub(crate) fn price(&self, cost: f64, left: &Curve) -> f64 {
        cost * left
            .iter()
            .zip(&self.toll)
            .map(|(left, toll)| left * toll)
            .sum::<f64>()
    }

    /// What is known becomes what is assumed.
    fn settle(&mut self) {
        for skill in &mut self.models {
            let attempts = super::share::count(skill.attempts);
            skill.assumed = Assumed {
                strength: skill.strength,
                variance: skill.variance,
                cost: skill.cost,
                attempts,
            };
        }
    }

    /// Where strengths are assumed to lie is where they lie on the whole.
    fn centre(&mut self) {
        let tried = self.models.iter().filter(|skill| skill.attempts > 0);
        let (sum, count) = tried.fold((0.0, 0.0), |(sum, count), skill| {
            (sum + skill.strength, count + 1.0)
        });
        if count > 0.0 {
            for skill in &mut self.models {
                skill.assumed.strength = sum / count;
            }
        }
    }

    /// One step towards the strengths and costs that fit best; gives the difficulties it reckoned with.
    fn update(&mut self, tasks: &[Vec<Attempt>]) -> Vec<Curve> {
        let fails: Vec<Curve> = self
            .models
            .iter()
            .map(|skill| self.fails(skill.strength))
            .collect();
        let posteriors: Vec<Curve> = tasks.iter().map(|task| posterior(task, &fails)).collect();
        let mut sums = vec![Sums::default(); self.models.len()];
        for (task, posterior) in tasks.iter().zip(&posteriors) {
            let toll = self.price(1.0, posterior);
            for attempt in task {
                let (Some(sums), Some(fails)) =
                    (sums.get_mut(attempt.model), fails.get(attempt.model))
                else {
                    continue;
                };
                sums.add(attempt, posterior, fails, toll);
            }
        }
        for (skill, sums) in self.models.iter_mut().zip(&sums) {
            skill.take(sums);
        }
        posteriors
    }

    fn learn_toll(&mut self, tasks: &[Vec<Attempt>], posteriors: &[Curve]) {
        const ASSUMED: f64 = 5.0;
        let (mut paid, mut due) = ([ASSUMED; POINTS], [ASSUMED; POINTS]);
        for (task, posterior) in tasks.iter().zip(posteriors) {
            for attempt in task {
                let cost = self
                    .models
                    .get(attempt.model)
                    .map_or(0.0, |skill| skill.cost);
                if cost <= 0.0 {
                    continue;
                }
                let points = paid.iter_mut().zip(&mut due).zip(posterior);
                for ((paid, due), likely) in points {
                    *paid += likely * attempt.cost / cost;
                    *due += likely;
                }
            }
        }
        self.toll = array::from_fn(|at| match (paid.get(at), due.get(at)) {
            (Some(paid), Some(due)) => paid / due,
            _ => 1.0,
        });
    }

    /// On how many tasks every model that was tried should have failed.
    fn expected_open(&self, tasks: &[Vec<Attempt>]) -> f64 {
        let fails: Vec<Curve> = self
            .models
            .iter()
            .map(|skill| self.fails(skill.strength))
            .collect();
        let open = |task: &[Attempt]| {
            let mut left = common();
            for fails in task.iter().filter_map(|attempt| fails.get(attempt.model)) {
                for (left, fails) in left.iter_mut().zip(fails) {
                    *left *= fails;
                }
            }
            left.iter().sum::<f64>()
        };
        groups(tasks).map(open).sum()
    }
}

/// How likely each difficulty is for a task, after its attempts.
fn posterior(task: &[Attempt], fails: &[Curve]) -> Curve {
    let mut logs = common().map(f64::ln);
    for attempt in task {
        let Some(fails) = fails.get(attempt.model) else {
            continue;
        };
        for (log, fails) in logs.iter_mut().zip(fails) {
            *log += if attempt.solved {
                (1.0 - fails).ln()
            } else {
                fails.ln()
            };
        }
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = logs.map(|log| (log - most).exp());
    let all: f64 = height.iter().sum();
    height.map(|height| height / all)
}

/// Attempts on a task by three, so that failing together is seen often enough.
fn groups(tasks: &[Vec<Attempt>]) -> impl Iterator<Item = &[Attempt]> {
    const TOGETHER: usize = 3;
    tasks.iter().flat_map(|task| task.chunks_exact(TOGETHER))
}

fn seen_open(tasks: &[Vec<Attempt>]) -> f64 {
    let is_open = |group: &&[Attempt]| group.iter().all(|attempt| !attempt.solved);
    super::share::count(groups(tasks).filter(is_open).count())
}

impl Skill {
    fn new(assumed: Assumed) -> Self {
        Self {
            strength: assumed.strength,
            variance: assumed.variance,
            cost: assumed.cost,
            attempts: 0,
            assumed,
        }
    }

    /// Newton's step towards the strength, and the cost by what was paid.
    fn take(&mut self, sums: &Sums) {
        let assumed = self.assumed;
        let information = sums.information + 1.0 / assumed.variance;
        let pull = (self.strength - assumed.strength) / assumed.variance;
        self.strength += ((sums.surprise - pull) / information).clamp(-1.0, 1.0);
        self.variance = 1.0 / information;
        let due = sums.toll + assumed.attempts;
        if due > 0.0 {
            self.cost = (sums.cost + assumed.cost * assumed.attempts) / due;
        }
        self.attempts = sums.attempts;
    }
}

impl Sums {
    fn add(&mut self, attempt: &Attempt, posterior: &Curve, fails: &Curve, toll: f64) {
        let came = if attempt.solved { 1.0 } else { 0.0 };
        for (likely, fails) in posterior.iter().zip(fails) {
            let chance = 1.0 - fails;
            self.surprise += likely * (came - chance);
            self.information += likely * chance * fails;
        }
        self.attempts += 1;
        self.cost += attempt.cost;
        self.toll += toll;
    }
}
