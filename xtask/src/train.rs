//! Fits the weights of the text classifier that ship, on rows whose licence allows that, and on nothing else.
//!
//! Each row is our own or comes under MIT, Apache-2.0, ISC or MPL-2.0. How good the weights are says `eval classify`.
//! There are two tables: one for asks alone, and one for asks whose changed files are known, which read like commits.

mod changes;
pub(crate) mod fit;
mod history;
pub(crate) mod rows;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use wayproof_engine::classifier::Weights;

use crate::{
    eval::optimised,
    run::root,
    train::{
        fit::{Example, Options, fit},
        history::Most,
        rows::{Row, Set, commits, digest, own, statements},
    },
};

/// Where the weights live.
const FILE: &str = "crates/wayproof-engine/src/classify/weights.bin";

/// How much of a history the weights for asks are fitted on.
const OF_A_HISTORY: Most = Most {
    of_a_kind: 220,
    commits: 6_000,
};

/// What the weights are fitted on.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The folder with the data sets; the weights for changes take nothing from it.
    #[arg(long, required_unless_present = "changes")]
    data: Option<PathBuf>,
    /// The git directory of a repository under MIT, Apache-2.0, ISC or MPL-2.0 whose authors name the kinds of their
    /// commits. May be repeated.
    #[arg(long, value_name = "OWNER/NAME=DIR")]
    history: Vec<String>,
    /// Fits the weights for asks whose changed files are known, on the histories alone.
    #[arg(long)]
    changes: bool,
    /// Fits on four fifths of the histories, prints how well the rest are told apart, and writes nothing.
    #[arg(long, requires = "changes")]
    held_out: bool,
    /// Writes the weights here instead of where they ship from.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How the weights that ship are fitted.
pub(crate) const SHIPPED: Options = Options {
    l2: 2.0,
    balance: 0.7,
    least: 2,
    slots: 16_384,
    telling: 0.5,
    steps: 60,
};

/// Fits and writes the weights.
pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    if cfg!(debug_assertions) {
        return optimised();
    }
    if args.changes {
        return changes::run(args);
    }
    let data = args.data.as_deref().context("there is no --data")?;
    let mut rows = shippable(data)?;
    for history in &args.history {
        rows.extend(history::commits_of(history, OF_A_HISTORY)?);
    }
    let out = args.out.clone().unwrap_or_else(|| root().join(FILE));
    written(&fitted(&rows), rows.len(), &out)
}

fn written(weights: &Weights, rows: usize, path: &Path) -> Result<()> {
    let bytes = weights.to_bytes();
    fs::write(path, &bytes).with_context(|| format!("writing {}", path.display()))?;
    println!(
        "fitted {} bytes on {rows} rows of {} repositories, temperature {:.2}: {}",
        bytes.len(),
        weights.fitted_on.len(),
        weights.temperature,
        path.display()
    );
    Ok(())
}

/// All rows whose licence allows weights to ship.
pub(crate) fn shippable(data: &Path) -> Result<Vec<Row>> {
    Ok([commits(data)?, statements(data)?, own()?].concat())
}

/// How much a row of a set counts.
pub(crate) fn weight(set: Set) -> f32 {
    match set {
        Set::Own => 4.0,
        Set::Issues => 3.0,
        Set::Reports | Set::Commits | Set::Statements => 1.0,
    }
}

fn fitted(rows: &[Row]) -> Weights {
    let examples: Vec<Example> = rows
        .iter()
        .map(|row| row.example(weight(row.set), false))
        .collect();
    let mut weights = fit(&examples.iter().collect::<Vec<_>>(), &SHIPPED);
    weights.temperature = temperature(rows, &examples);
    weights.fitted_on = repositories(rows);
    weights
}

/// The repositories of rows, as weights name them.
fn repositories(rows: &[Row]) -> Vec<u64> {
    let repositories: BTreeSet<u64> = rows.iter().map(|row| digest(&row.repo)).collect();
    repositories.into_iter().collect()
}

/// The temperature under which shares of asks that were left out are most likely: a fifth of our own words at a time.
fn temperature(rows: &[Row], examples: &[Example]) -> f32 {
    const FOLDS: usize = 5;
    let mut left_out: Vec<(Weights, Vec<&Example>)> = Vec::new();
    for fold in 0..FOLDS {
        let is_out =
            |at: usize| at % FOLDS == fold && rows.get(at).is_some_and(|row| row.set == Set::Own);
        let (out, rest): (Vec<_>, Vec<_>) =
            examples.iter().enumerate().partition(|(at, _)| is_out(*at));
        let rest: Vec<&Example> = rest.into_iter().map(|(_, example)| example).collect();
        let out = out.into_iter().map(|(_, example)| example).collect();
        left_out.push((fit(&rest, &SHIPPED), out));
    }
    likeliest(&left_out)
}

/// The temperature under which the kinds of what was left out are most likely.
fn likeliest(left_out: &[(Weights, Vec<&Example>)]) -> f32 {
    let candidates = (4_u8..=30).map(|tenths| f32::from(tenths) / 10.0);
    let loss = |temperature: f32| -> f32 {
        let each = left_out.iter().flat_map(|(weights, out)| {
            let mut weights = weights.clone();
            weights.temperature = temperature;
            out.iter().map(move |example| {
                let shares = weights.shares_of(&example.features, &example.lexicon);
                -shares
                    .get(example.kind)
                    .copied()
                    .unwrap_or(0.0)
                    .max(1e-6)
                    .ln()
            })
        });
        each.sum()
    };
    let measured = candidates.map(|temperature| (loss(temperature), temperature));
    measured
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(1.0, |(_, temperature)| temperature)
}
