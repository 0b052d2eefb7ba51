//! Whether advice may be trusted: chosen on some tasks, scored on others, never on the same.

use std::path::Path;

use anyhow::{Context, Result};
use wayproof_engine::{Advice, Ask, Cascade, Draws, GateSeen, Goal, Share, advise};

use super::{
    EvalArgs, Figures,
    hindsight::{self, Wanted},
    part, rounded,
    runs::{self, Runs},
};

const LEDGERS: usize = 200;
const ROUNDS: usize = 10;
const FOLDS: usize = 10;
const STEPS: usize = 4;
/// Resampled ledgers leave at least so many tasks to be scored on.
const FEWEST_SCORED: usize = 30;
/// A loss of more than this is counted, as a share of tasks.
const LOSS: f64 = 0.02;
/// Standard deviations of an interval of 95 %.
const Z: f64 = 1.959_964;
/// What is asked of all tasks: name, benchmark, leak and goal.
const CHOICES: [(&str, &str, &str, Goal); 3] = [
    (
        "bug fixing, perfect gate",
        "swe-bench",
        "0",
        Goal::Prove { cost_share: 0.40 },
    ),
    (
        "bug fixing, one wrong patch in five accepted",
        "swe-bench",
        "0.2",
        Goal::Prove { cost_share: 0.45 },
    ),
    (
        "test writing, perfect gate, the least cost",
        "swt-bench",
        "0",
        Goal::Save,
    ),
];
/// Resampled ledgers: leak and tasks.
const RESAMPLED: [(&str, usize); 3] = [("0", 100), ("0", 200), ("0.2", 100)];

/// Resamples ledgers, then chooses on most tasks and scores on the rest; with another folder, chooses on the first and scores on it.
pub(crate) fn run(args: &EvalArgs, score: Option<&Path>) -> Result<Vec<Figures>> {
    let mut sets = Vec::new();
    let fixing = runs::openhands(&args.data, "swe-bench")?;
    for world in [World::Known, World::Rest] {
        for (leak, tasks) in RESAMPLED {
            sets.push(resampled(&fixing, world, leak.parse()?, tasks)?);
        }
    }
    for (name, benchmark, leak, goal) in CHOICES {
        let runs = runs::openhands(&args.data, benchmark)?;
        let leak = leak.parse()?;
        sets.push(folded(name, &runs, goal, leak)?);
        if let Some(folder) = score {
            let other = runs::openhands(folder, benchmark)?;
            sets.push(elsewhere(name, (&runs, &other), goal, leak)?);
        }
    }
    Ok(sets)
}

/// What advice from these tasks is, the strongest model alone being the policy in force.
fn advice(
    runs: &Runs,
    today: usize,
    goal: Goal,
    leak: Share,
    draws: &mut Draws,
) -> Result<Option<Vec<usize>>> {
    let mut gate = GateSeen::default();
    let wrong = runs
        .attempts
        .iter()
        .flatten()
        .filter(|attempt| !attempt.right);
    for _ in wrong {
        gate.wrong += 1;
        gate.accepted += usize::from(draws.happens(leak.as_f64()));
    }
    let name = runs
        .models
        .get(today)
        .context("the policy in force is no run")?;
    let ask = Ask {
        today: Cascade::new(vec![name.clone()])?,
        goal,
        gate,
        most_steps: STEPS,
    };
    Ok(match advise(&runs.outcomes()?, &ask)? {
        Advice::NotEnough { .. } => None,
        Advice::Change(change) => Some(runs.steps(change.to.models())?),
    })
}

/// What became of tasks under a proposal and under the policy in force.
#[derive(Debug, Clone, Copy, Default)]
struct Scored {
    gain: f64,
    cost: f64,
    today: f64,
}

fn scored(runs: &Runs, steps: &[usize], today: usize, leak: Share) -> Vec<Scored> {
    (0..runs.tasks.len())
        .map(|task| {
            let (new, cost) = runs.worth(steps, task, leak.as_f64());
            let (old, today) = runs.worth(&[today], task, leak.as_f64());
            Scored {
                gain: new - old,
                cost,
                today,
            }
        })
        .collect()
}

fn mean(scored: &[Scored], value: impl Fn(&Scored) -> f64) -> f64 {
    scored.iter().map(value).sum::<f64>() * part(1, scored.len())
}

/// Where the tasks of a ledger come from, and where its advice is scored.
#[derive(Debug, Clone, Copy)]
enum World {
    /// Drawn with replacement from tasks whose outcomes are all known, so that what the advice is truly worth is known.
    Known,
    /// Drawn without; scored on the tasks that the ledger does not hold.
    Rest,
}

/// Ledgers of so many tasks, each scored on tasks, or on a world, that it does not know.
fn resampled(runs: &Runs, world: World, leak: Share, tasks: usize) -> Result<Figures> {
    let today = runs.strongest()?;
    let mut draws = Draws::seeded(3);
    let (mut given, mut losing, mut saving, mut gain) = (0, 0, 0.0, 0.0);
    let mut order: Vec<usize> = (0..runs.tasks.len()).collect();
    let (tasks, scored_on) = match world {
        World::Known => (tasks, order.len()),
        World::Rest => {
            let tasks = tasks.min(order.len().saturating_sub(FEWEST_SCORED));
            (tasks, order.len() - tasks)
        }
    };
    for _ in 0..LEDGERS {
        let (ledger, scorer) = match world {
            World::Known => (runs.over(&runs.drawn(tasks, &mut draws)), runs.clone()),
            World::Rest => {
                draws.shuffle(&mut order);
                let (ledger, rest) = order.split_at(tasks);
                (runs.over(ledger), runs.over(rest))
            }
        };
        let steps = advice(&ledger, today, Goal::Save, leak, &mut draws)?;
        let Some(steps) = steps else { continue };
        let scored = scored(&scorer, &steps, today, leak);
        let more = mean(&scored, |task| task.gain);
        given += 1;
        losing += usize::from(more < -LOSS);
        gain += more;
        saving += 1.0 - mean(&scored, |task| task.cost) / mean(&scored, |task| task.today);
    }
    let how = match world {
        World::Known => "drawn with replacement",
        World::Rest => "scored on the rest",
    };
    let title = format!(
        "resampled ledgers of {tasks} tasks, leak {}, {how}",
        leak.as_f64()
    );
    let mut figures = Figures::of(&title, LEDGERS);
    figures.put("leak", leak.as_f64());
    figures.put("ledger_tasks", tasks);
    figures.put("scored_on_tasks", scored_on);
    figures.put("recommendations", given);
    figures.share("losing_over_2_points", losing, given);
    figures.put("mean_saving", rounded(saving * part(1, LEDGERS)));
    figures.put("mean_gain_points", points(gain * part(1, given)));
    Ok(figures)
}

/// Chosen on nine tenths, scored on the last; every task is scored once a round, by what was chosen without it.
fn folded(name: &str, runs: &Runs, goal: Goal, leak: Share) -> Result<Figures> {
    let mut draws = Draws::seeded(4);
    let mut order: Vec<usize> = (0..runs.tasks.len()).collect();
    let mut tasks = vec![Scored::default(); order.len()];
    let (mut choices, mut without) = (0, 0);
    for _ in 0..ROUNDS {
        draws.shuffle(&mut order);
        for scored_on in order.chunks(order.len().div_ceil(FOLDS)) {
            let chosen_on: Vec<usize> = order
                .iter()
                .copied()
                .filter(|task| !scored_on.contains(task))
                .collect();
            let chooser = runs.over(&chosen_on);
            let today = chooser.strongest()?;
            let steps = advice(&chooser, today, goal, leak, &mut draws)?;
            choices += 1;
            without += usize::from(steps.is_none());
            let steps = steps.unwrap_or_else(|| vec![today]);
            let scored = scored(&runs.over(scored_on), &steps, today, leak);
            for (task, one) in scored_on.iter().zip(scored) {
                if let Some(sum) = tasks.get_mut(*task) {
                    sum.gain += one.gain * part(1, ROUNDS);
                    sum.cost += one.cost * part(1, ROUNDS);
                    sum.today += one.today * part(1, ROUNDS);
                }
            }
        }
    }
    let mut figures = told(&format!("{name}, ten-fold"), &tasks);
    figures.put("choices", choices);
    figures.put("choices_without_enough_data", without);
    figures.put(
        "gain_points_at_most_in_hindsight",
        ceiling(runs, goal, leak)?,
    );
    Ok(figures)
}

/// The most that any cascade gains within the budget, chosen with all outcomes known.
fn ceiling(runs: &Runs, goal: Goal, leak: Share) -> Result<Option<f64>> {
    let Goal::Prove { cost_share } = goal else {
        return Ok(None);
    };
    let today = runs.strongest()?;
    let tasks = runs.tasks.len();
    let usd = cost_share * runs.mean_usd(today) * part(tasks, 1);
    let best = hindsight::best(runs, Wanted::Most { usd }, leak.as_f64(), STEPS);
    Ok(best.map(|best| points(best.right * part(1, tasks) - runs.share(today))))
}

/// Chosen on all of one folder, scored on all of another.
fn elsewhere(name: &str, runs: (&Runs, &Runs), goal: Goal, leak: Share) -> Result<Figures> {
    let (here, there) = runs;
    let today = here.strongest()?;
    let steps = advice(here, today, goal, leak, &mut Draws::seeded(4))?;
    let is_given = steps.is_some();
    let names = here.names(&steps.unwrap_or_else(|| vec![today]));
    let today = here.names(&[today]);
    let there_today = *there.steps(&today)?.first().context("no policy in force")?;
    let scored = scored(there, &there.steps(&names)?, there_today, leak);
    let mut figures = told(&format!("{name}, scored elsewhere"), &scored);
    figures.put("today", today.join(" > "));
    figures.put(
        "advice",
        if is_given {
            names.join(" > ")
        } else {
            "not enough data".to_owned()
        },
    );
    Ok(figures)
}

/// Gain with its interval over tasks, and cost.
fn told(title: &str, tasks: &[Scored]) -> Figures {
    let gain = mean(tasks, |task| task.gain);
    let spread = mean(tasks, |task| (task.gain - gain).powi(2));
    let half = Z * (spread * part(1, tasks.len())).sqrt();
    let mut figures = Figures::of(title, tasks.len());
    figures.put("gain_points", points(gain));
    figures.put("gain_points_low", points(gain - half));
    figures.put("gain_points_high", points(gain + half));
    figures.put(
        "cost_share",
        rounded(mean(tasks, |task| task.cost) / mean(tasks, |task| task.today)),
    );
    figures
}

fn points(share: f64) -> f64 {
    rounded(100.0 * share)
}
