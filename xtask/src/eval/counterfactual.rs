//! Whether what is said about a policy that did not run is true: ledgers simulated from outcomes that are all known.
//!
//! A simulated ledger is that of a cascade: the cheap model runs on every task, the strong one where it failed and, as
//! a shadow, on some of the rest. The question is how often the strong model alone would have been right.

use anyhow::{Context, Result};
use wayproof_engine::{Counterfactual, Draws, Estimate, Glimpse, Interval, Share, counterfactual};

use super::{
    EvalArgs, Figures, part, rounded,
    runs::{self, Attempt, Runs},
};

const LEDGERS: usize = 1_000;
const TASKS: usize = 500;
const SHADOWS: [&str; 2] = ["0.1", "0.05"];
/// How many cheap models are paired with the strongest.
const PAIRS: usize = 3;

/// Measures every pair on every matrix.
pub(crate) fn run(args: &EvalArgs) -> Result<Vec<Figures>> {
    let matrices = [
        ("bug fixing", runs::openhands(&args.data, "swe-bench")?),
        ("test writing", runs::openhands(&args.data, "swt-bench")?),
        ("bug fixing, bash only", runs::bash_only(&args.data)?),
    ];
    let mut sets = Vec::new();
    for (name, runs) in &matrices {
        let strong = runs.strongest()?;
        for cheap in runs.cheap(strong).into_iter().take(PAIRS) {
            for shadow in SHADOWS {
                sets.push(pair(name, runs, (cheap, strong), shadow)?);
            }
        }
    }
    Ok(sets)
}

/// What is kept of the ledgers of one pair.
#[derive(Default)]
struct Tally {
    robust: Held,
    weighed: Held,
    undecided: usize,
    naive: f64,
    bounds_held: usize,
    own_held: usize,
    bounds_width: f64,
}

/// How one interval did.
#[derive(Default)]
struct Held {
    times: usize,
    width: f64,
    squares: f64,
}

impl Held {
    fn add(&mut self, interval: Interval, truth: f64) {
        self.times += usize::from(interval.low <= truth && truth <= interval.high);
        self.width += interval.high - interval.low;
        self.squares += (interval.value - truth).powi(2);
    }
}

fn pair(name: &str, runs: &Runs, pair: (usize, usize), shadow: &str) -> Result<Figures> {
    let column = |model: usize| {
        runs.attempts
            .get(model)
            .context("the model has no attempts")
    };
    let (cheap, strong) = (column(pair.0)?, column(pair.1)?);
    let truth = runs.share(pair.1);
    let chance: Share = shadow.parse()?;
    let mut draws = Draws::seeded(2);
    let mut tally = Tally::default();
    for _ in 0..LEDGERS {
        let tasks = runs.drawn(TASKS, &mut draws);
        let both: Vec<(Attempt, Attempt)> = tasks
            .iter()
            .filter_map(|task| Some((*cheap.get(*task)?, *strong.get(*task)?)))
            .collect();
        let own = part(
            both.iter().filter(|(_, strong)| strong.right).count(),
            both.len(),
        );
        tally.sampled(&ledger(&both, chance, &mut draws), truth)?;
        tally.unsampled(&ledger(&both, Share::NONE, &mut draws), truth, own)?;
    }
    let names = |model: usize| runs.models.get(model).map_or("", String::as_str);
    let title = format!(
        "{name}: {} > {}, {shadow} shadows",
        names(pair.0),
        names(pair.1)
    );
    let mut figures = tally.figures(&title, truth);
    figures.put("drawn_from_tasks", runs.tasks.len());
    figures.put("left_out_as_unknown", runs.left_out);
    Ok(figures)
}

/// What a ledger of the cascade holds about the strong model.
fn ledger(both: &[(Attempt, Attempt)], shadow: Share, draws: &mut Draws) -> Vec<Glimpse> {
    both.iter()
        .map(|(cheap, strong)| {
            let chance = if cheap.right { shadow } else { Share::ALL };
            Glimpse {
                stratum: u32::from(cheap.right),
                chance,
                proven: draws.happens(chance.as_f64()).then_some(strong.right),
            }
        })
        .collect()
}

fn read(ledger: &[Glimpse]) -> Result<Counterfactual> {
    counterfactual(ledger).context("the ledger is empty")
}

impl Tally {
    fn sampled(&mut self, ledger: &[Glimpse], truth: f64) -> Result<()> {
        let seen = ledger
            .iter()
            .filter(|glimpse| glimpse.proven.is_some())
            .count();
        let proven = ledger
            .iter()
            .filter(|glimpse| glimpse.proven == Some(true))
            .count();
        self.naive += (part(proven, seen) - truth).abs();
        match read(ledger)?.like {
            Estimate::Known {
                self_normalised,
                doubly_robust,
            } => {
                self.robust.add(doubly_robust, truth);
                self.weighed.add(self_normalised, truth);
            }
            Estimate::Bounded(_) => self.undecided += 1,
        }
        Ok(())
    }

    fn unsampled(&mut self, ledger: &[Glimpse], truth: f64, own: f64) -> Result<()> {
        let result = read(ledger)?;
        let slack = 1e-12;
        self.own_held +=
            usize::from(result.own.low <= own + slack && own <= result.own.high + slack);
        if let Estimate::Bounded(ends) = result.like {
            self.bounds_held += usize::from(ends.low <= truth && truth <= ends.high);
            self.bounds_width += ends.high - ends.low;
        }
        Ok(())
    }

    fn figures(&self, title: &str, truth: f64) -> Figures {
        let estimated = LEDGERS - self.undecided;
        let mean = |sum: f64| rounded(sum * part(1, estimated));
        let mut figures = Figures::of(title, LEDGERS);
        figures.put("tasks", TASKS);
        figures.put("truth", rounded(truth));
        figures.share("coverage", self.robust.times, estimated);
        figures.put("mean_width", mean(self.robust.width));
        figures.put(
            "rmse",
            rounded((self.robust.squares * part(1, estimated)).sqrt()),
        );
        figures.share("self_normalised_coverage", self.weighed.times, estimated);
        figures.put("self_normalised_mean_width", mean(self.weighed.width));
        figures.put("without_an_estimate", self.undecided);
        figures.put("naive_mean_error", rounded(self.naive * part(1, LEDGERS)));
        figures.put("zero_propensity_bounds_with_the_truth", self.bounds_held);
        figures.put("zero_propensity_bounds_with_the_ledgers_own", self.own_held);
        figures.put(
            "zero_propensity_mean_width",
            rounded(self.bounds_width * part(1, LEDGERS)),
        );
        figures
    }
}
