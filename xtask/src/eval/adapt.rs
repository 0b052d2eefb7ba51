//! Whether a cascade takes in new models well: streams of tasks to which four models are added on the way.
//!
//! Until then the policy is what advice made of the first tasks. Afterwards the cascade learns from its own attempts
//! alone; everything it is compared with is reckoned from outcomes it never saw.

use anyhow::{Context, Result};
use wayproof_engine::{
    Adaptive, Advice, Ask, Attempted, Cascade, Draws, GateSeen, Goal, Outcomes, advise,
};

use super::{
    EvalArgs, Figures,
    hindsight::{self, Wanted},
    part, rounded,
    runs::{self, Runs},
};

const STREAMS: usize = 100;
const TASKS: usize = 500;
const ADDED_AT: usize = 200;
const ADDED: usize = 4;
/// Tasks after the models were added from which on cost is compared.
const SETTLED: usize = 150;
/// Tasks after the models were added from which on quality is compared.
const GRACE: usize = 50;
const STEPS: usize = 3;
const LOSS: f64 = 0.02;
const NEAR: f64 = 1.15;

/// Measures both choices of new models on bug fixing.
pub(crate) fn run(args: &EvalArgs) -> Result<Vec<Figures>> {
    let runs = runs::openhands(&args.data, "swe-bench")?;
    Ok(vec![
        streams("the four newest models added", &runs, &newest(&runs))?,
        streams("the four most useful models added", &runs, &useful(&runs)?)?,
    ])
}

fn newest(runs: &Runs) -> Vec<usize> {
    let mut models: Vec<usize> = (0..runs.models.len()).collect();
    models.sort_by_key(|model| std::cmp::Reverse(runs.released.get(*model)));
    models.truncate(ADDED);
    models
}

/// The strongest, and the three cheapest that are at least three quarters as good.
fn useful(runs: &Runs) -> Result<Vec<usize>> {
    let strong = runs.strongest()?;
    let mut models = runs.cheap(strong);
    models.truncate(ADDED - 1);
    models.push(strong);
    Ok(models)
}

/// How one stream went, as shares and ratios.
struct Stream {
    /// Cost beside the best fixed cascade in hindsight, once settled.
    beside_best: f64,
    /// Cost beside the policy before, once settled.
    beside_before: f64,
    /// Cost beside the policy before, until settled.
    while_learning: f64,
    /// By task: proven so far less what the policy before would have, a task.
    ahead: Vec<f64>,
}

fn streams(title: &str, runs: &Runs, added: &[usize]) -> Result<Figures> {
    let mut draws = Draws::seeded(6);
    let streams: Vec<Stream> = (0..STREAMS)
        .map(|_| stream(runs, added, &mut draws))
        .collect::<Result<_>>()?;
    let mean = |value: &dyn Fn(&Stream) -> f64| {
        rounded(streams.iter().map(value).sum::<f64>() * part(1, streams.len()))
    };
    let worst = |stream: &Stream| {
        stream
            .ahead
            .iter()
            .skip(GRACE)
            .copied()
            .fold(f64::INFINITY, f64::min)
    };
    let average = |at: usize| {
        let ahead = streams.iter().filter_map(|stream| stream.ahead.get(at));
        ahead.sum::<f64>() * part(1, streams.len())
    };
    let count = |is: &dyn Fn(&Stream) -> bool| streams.iter().filter(|stream| is(stream)).count();
    let mut figures = Figures::of(title, STREAMS);
    figures.put("added", runs.names(added).join(", "));
    figures.put(
        "cost_beside_best_in_hindsight",
        mean(&|stream| stream.beside_best),
    );
    figures.share(
        "streams_within_15_percent",
        count(&|stream| stream.beside_best <= NEAR),
        STREAMS,
    );
    figures.put(
        "cost_beside_policy_before",
        mean(&|stream| stream.beside_before),
    );
    figures.put(
        "cost_beside_policy_before_while_learning",
        mean(&|stream| stream.while_learning),
    );
    let lowest = (GRACE..TASKS - ADDED_AT)
        .map(average)
        .fold(f64::INFINITY, f64::min);
    figures.put("points_ahead_at_worst_on_average", rounded(100.0 * lowest));
    figures.share(
        "streams_never_2_points_below",
        count(&|stream| worst(stream) >= -LOSS),
        STREAMS,
    );
    figures.put(
        "points_ahead_in_the_end",
        rounded(100.0 * average(TASKS - ADDED_AT - 1)),
    );
    Ok(figures)
}

fn stream(runs: &Runs, added: &[usize], draws: &mut Draws) -> Result<Stream> {
    let tasks = runs.drawn(TASKS, draws);
    let (before, after) = tasks.split_at(ADDED_AT);
    let old: Vec<usize> = (0..runs.models.len())
        .filter(|model| !added.contains(model))
        .collect();
    let known = runs.over(before).only(&old);
    let ledger = known.outcomes()?;
    let policy = policy(&known, &ledger)?;
    let steps = runs.steps(policy.models())?;
    let mut adaptive = Adaptive::new(&ledger, &policy, STEPS)?;
    for name in runs.names(added) {
        adaptive.add(&name);
    }
    let stream = runs.over(after);
    let mut mine = Vec::new();
    for task in 0..stream.tasks.len() {
        let cascade = adaptive.next(draws)?;
        let attempts = attempts(&stream, &cascade, task)?;
        mine.push((
            f64::from(u8::from(attempts.iter().any(|attempt| attempt.proven))),
            attempts
                .iter()
                .map(|attempt| attempt.cost_nano_usd)
                .sum::<i64>(),
        ));
        adaptive.observe(&attempts);
    }
    let theirs: Vec<(f64, f64)> = (0..stream.tasks.len())
        .map(|task| stream.worth(&steps, task, 0.0))
        .collect();
    compare(&stream, &mine, &theirs)
}

/// What advice makes of the ledger, else the strongest model.
fn policy(known: &Runs, ledger: &Outcomes) -> Result<Cascade> {
    let strongest = Cascade::new(known.names(&[known.strongest()?]))?;
    let wrong = known
        .attempts
        .iter()
        .flatten()
        .filter(|attempt| !attempt.right)
        .count();
    let ask = Ask {
        today: strongest.clone(),
        goal: Goal::Save,
        gate: GateSeen { wrong, accepted: 0 },
        most_steps: STEPS,
    };
    Ok(match advise(ledger, &ask)? {
        Advice::Change(change) => change.to,
        Advice::NotEnough { .. } => strongest,
    })
}

/// The attempts that a cascade makes on a task, the gate being perfect.
fn attempts(runs: &Runs, cascade: &Cascade, task: usize) -> Result<Vec<Attempted>> {
    let mut made = Vec::new();
    for step in runs.steps(cascade.models())? {
        let attempt = runs.attempts.get(step).and_then(|column| column.get(task));
        let attempt = attempt.context("a task has no attempt")?;
        made.push(Attempted {
            model: runs.names(&[step]).concat(),
            proven: attempt.right,
            cost_nano_usd: attempt.cost_nano_usd,
        });
        if attempt.right {
            break;
        }
    }
    Ok(made)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a task costs less than millions"
)]
fn compare(stream: &Runs, mine: &[(f64, i64)], theirs: &[(f64, f64)]) -> Result<Stream> {
    let proven: f64 = theirs.iter().map(|(proven, _)| proven).sum();
    let wanted = Wanted::Cheapest { right: proven };
    let best = hindsight::best(stream, wanted, 0.0, STEPS)
        .context("no cascade proves as much as before")?;
    let tasks = 0..stream.tasks.len();
    let best: f64 = tasks
        .skip(SETTLED)
        .map(|task| stream.worth(&best.steps, task, 0.0).1)
        .sum();
    let cost = |from: usize, to: usize| {
        let part = mine.get(from..to).unwrap_or_default();
        part.iter().map(|(_, cost)| *cost as f64 / 1e9).sum::<f64>()
    };
    let before = |from: usize, to: usize| {
        let part = theirs.get(from..to).unwrap_or_default();
        part.iter().map(|(_, cost)| cost).sum::<f64>()
    };
    let end = mine.len();
    let mut sum = 0.0;
    let ahead = mine
        .iter()
        .zip(theirs)
        .enumerate()
        .map(|(at, (mine, theirs))| {
            sum += mine.0 - theirs.0;
            sum * part(1, at + 1)
        });
    let ahead = ahead.collect();
    Ok(Stream {
        beside_best: cost(SETTLED, end) / best,
        beside_before: cost(SETTLED, end) / before(SETTLED, end),
        while_learning: cost(0, SETTLED) / before(0, SETTLED),
        ahead,
    })
}
