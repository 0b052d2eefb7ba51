//! Backtests against an implementation of their own kind: written apart, from the same words, as plainly as possible.

mod naive;

use std::{collections::BTreeSet, fmt::Write, hint::black_box};

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use wayproof_engine::{Backtest, Cascade, Draws, Keep, Outcomes, Share, backtest, read_outcomes};

use super::{EvalArgs, Figures, data, rounded};

const FILE: &str = "openhands_index_outcomes.csv.gz";
const POLICIES: usize = 1_000;
const MOST_STEPS: usize = 6;
const SPEED_ROWS: usize = 1_000_000;
const SPEED_ROUNDS: usize = 5;

/// Compares random policies, then times a million rows.
pub(crate) fn run(args: &EvalArgs) -> Result<Vec<Figures>> {
    let text = data::text(&args.data, FILE)?;
    Ok(vec![policies(&text)?, speed(&text)?])
}

/// The runs of one agent on one benchmark, read by either side.
struct Runs {
    ours: Outcomes,
    naive: naive::Table,
}

fn policies(text: &str) -> Result<Figures> {
    let groups = groups(text)?;
    let mut draws = Draws::seeded(1);
    let (mut counts_equal, mut perfect, mut ranges) = (0, 0, 0);
    let (mut furthest_count, mut furthest_cost) = (0.0_f64, 0.0_f64);
    for _ in 0..POLICIES {
        let runs = groups
            .get(draws.below(groups.len()))
            .context("there are no runs")?;
        let cascade = random_cascade(&runs.ours, &mut draws)?;
        let leak = random_leak(&mut draws)?;
        let ours = ends(&backtest(&runs.ours, &cascade)?, leak);
        let naive = naive::ends(&runs.naive, cascade.models(), leak.as_f64());
        let count = furthest(ours.0, naive.solved);
        counts_equal += usize::from(count < 1e-9);
        furthest_count = furthest_count.max(count);
        furthest_cost = furthest_cost.max(furthest(ours.1, naive.cost_usd));
        perfect += usize::from(leak == Share::NONE);
        ranges += usize::from(ours.0.0.total_cmp(&ours.0.1).is_ne());
    }
    let mut figures = Figures::of("random policies", text.lines().count().saturating_sub(1));
    figures.put("policies", POLICIES);
    figures.put("with_a_perfect_gate", perfect);
    figures.put("with_unknown_outcomes", ranges);
    figures.put("counts_equal", counts_equal);
    figures.put("largest_count_difference", furthest_count);
    figures.put("largest_cost_difference_usd", furthest_cost);
    Ok(figures)
}

/// Lower and upper ends of the solved count and of the dollars; an open end is infinite.
fn ends(result: &Backtest, leak: Share) -> ((f64, f64), (f64, f64)) {
    let (solved, cost) = (result.solved(leak), result.cost_nano_usd(leak));
    let open = |end: Option<f64>| end.unwrap_or(f64::INFINITY);
    (
        (solved.low, open(solved.high)),
        (cost.low / 1e9, open(cost.high) / 1e9),
    )
}

fn furthest(a: (f64, f64), b: (f64, f64)) -> f64 {
    let apart = |a: f64, b: f64| {
        if a.total_cmp(&b).is_eq() {
            0.0
        } else {
            (a - b).abs()
        }
    };
    apart(a.0, b.0).max(apart(a.1, b.1))
}

fn groups(text: &str) -> Result<Vec<Runs>> {
    let names: BTreeSet<(&str, &str)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            Some((fields.next()?, fields.nth(1)?))
        })
        .collect();
    let mut groups = Vec::new();
    for (agent, benchmark) in names {
        let keep = [keep("agent", agent), keep("benchmark", benchmark)];
        let runs = Runs {
            ours: read_outcomes(text, &keep).with_context(|| format!("reading {FILE}"))?,
            naive: naive::read(text, agent, benchmark)?,
        };
        groups.push(runs);
    }
    Ok(groups)
}

pub(crate) fn keep(column: &str, value: &str) -> Keep {
    Keep {
        column: column.to_owned(),
        value: value.to_owned(),
    }
}

fn random_cascade(outcomes: &Outcomes, draws: &mut Draws) -> Result<Cascade> {
    let mut models: Vec<String> = outcomes.models().map(str::to_owned).collect();
    draws.shuffle(&mut models);
    models.truncate(1 + draws.below(MOST_STEPS));
    Ok(Cascade::new(models)?)
}

fn random_leak(draws: &mut Draws) -> Result<Share> {
    let millionths = match draws.below(4) {
        0 | 1 => 0,
        2 => 200_000,
        _ => u32::try_from(draws.below(1_000_001))?,
    };
    Share::from_millionths(millionths).context("drawing a leak")
}

/// A million rows of the same attempts under other names: read from text, then put through a cascade of five steps.
fn speed(text: &str) -> Result<Figures> {
    let table = million(text)?;
    let mut best = (f64::INFINITY, 0.0, 0.0);
    let mut attempts = 0;
    for _ in 0..SPEED_ROUNDS {
        let start = seconds();
        let outcomes = read_outcomes(black_box(&table), &[])?;
        let read = seconds();
        let models = outcomes.models().take(5).map(str::to_owned).collect();
        let result = black_box(backtest(&outcomes, &Cascade::new(models)?)?);
        let done = seconds();
        if done - start < best.0 {
            best = (done - start, read - start, done - read);
        }
        attempts = outcomes.models().len() * result.tasks;
    }
    ensure!(attempts >= SPEED_ROWS, "the table for timing lost rows");
    let mut figures = Figures::of("speed", SPEED_ROWS);
    figures.put("bytes", table.len());
    figures.put("cores_used", 1);
    figures.put("read_seconds", rounded(best.1));
    figures.put("replay_seconds", rounded(best.2));
    figures.put("seconds", rounded(best.0));
    Ok(figures)
}

fn million(text: &str) -> Result<String> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let mut table = String::from("model,instance_id,resolved,cost_usd\n");
    let mut written = 0;
    for copy in 0.. {
        for row in &rows {
            let [agent, model, benchmark, instance, resolved, cost] = row.as_slice() else {
                continue;
            };
            if written == SPEED_ROWS {
                return Ok(table);
            }
            writeln!(
                table,
                "{agent}/{model},{benchmark}/{instance}/{copy},{resolved},{cost}"
            )?;
            written += 1;
        }
        ensure!(written > 0, "{FILE} has no rows");
    }
    Ok(table)
}

#[expect(clippy::cast_precision_loss, reason = "a run is short")]
fn seconds() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
