//! Measures the engine's judgement on labelled data: one command, any folder of the same shape.
//!
//! Figures are printed, never asserted; `--write` puts them in the reference with their conditions.

mod adapt;
mod advise;
mod backtest;
mod classify;
mod counterfactual;
pub(crate) mod data;
mod evidence;
mod hindsight;
mod page;
mod runs;

use std::{env, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use crate::run::{command, root};

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Eval {
    /// How well tools' output is read.
    Evidence(EvalArgs),
    /// How well asks are told apart.
    Classify {
        #[command(flatten)]
        args: EvalArgs,
        /// A second folder of the same shape: what is fitted in memory is fitted on that, instead of on the parts of
        /// the first that are not judged.
        #[arg(long, value_name = "DIR")]
        fit: Option<PathBuf>,
    },
    /// Whether backtests are exact, and how fast.
    Backtest(EvalArgs),
    /// Whether what is said about policies that did not run is true.
    Counterfactual(EvalArgs),
    /// Whether advice from a ledger may be trusted.
    Advise {
        #[command(flatten)]
        args: EvalArgs,
        /// A second folder of the same shape: what is chosen on the first is scored on it as well.
        #[arg(long, value_name = "DIR")]
        score: Option<PathBuf>,
    },
    /// Whether a cascade takes in new models well.
    Adapt(EvalArgs),
}

/// Where the data is and what becomes of the figures.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The folder with the data sets.
    #[arg(long)]
    data: PathBuf,
    /// Prints one JSON object a set, a line each.
    #[arg(long)]
    json: bool,
    /// Writes the figures into docs/reference/evaluation.md.
    #[arg(long)]
    write: bool,
    /// Prints every row that was read wrongly to standard error.
    #[arg(long)]
    misses: bool,
}

/// The figures of one set, in the order they are told.
#[derive(Debug)]
pub(crate) struct Figures(Map<String, Value>);

impl Figures {
    /// Starts with the set's name and size.
    fn of(set: &str, rows: usize) -> Self {
        let mut figures = Self(Map::new());
        figures.put("set", set);
        figures.put("rows", rows);
        figures
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Adds a share as a number with four places; of nothing there is no share.
    fn share(&mut self, name: &str, part: usize, whole: usize) {
        self.put(name, share(part, whole));
    }
}

/// A share with four places, or nothing when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| rounded(part as f64 / whole as f64))
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// A part of a whole; nothing of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
fn part(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Runs one evaluation; what simulates or times is run by an optimised build of this program.
pub(crate) fn run(what: &Eval) -> Result<()> {
    if cfg!(debug_assertions) && !matches!(what, Eval::Evidence(_)) {
        return optimised();
    }
    let (name, args, sets) = match what {
        Eval::Evidence(args) => ("evidence", args, evidence::run(args)?),
        Eval::Classify { args, fit } => ("classify", args, classify::run(args, fit.as_deref())?),
        Eval::Backtest(args) => ("backtest", args, backtest::run(args)?),
        Eval::Counterfactual(args) => ("counterfactual", args, counterfactual::run(args)?),
        Eval::Advise { args, score } => ("advise", args, advise::run(args, score.as_deref())?),
        Eval::Adapt(args) => ("adapt", args, adapt::run(args)?),
    };
    for figures in &sets {
        if args.json {
            println!("{}", serde_json::to_string(&figures.0)?);
        } else {
            println!("{}", page::line(figures));
        }
    }
    if args.write {
        page::write(name, &sets)?;
    }
    Ok(())
}

/// The same command again, optimised. Paths stay relative to where it was called.
pub(crate) fn optimised() -> Result<()> {
    let manifest = root().join("Cargo.toml").to_string_lossy().into_owned();
    let mut cargo = command(
        "cargo",
        &[
            "run",
            "--quiet",
            "--release",
            "--package",
            "xtask",
            "--manifest-path",
            &manifest,
            "--",
        ],
    );
    cargo
        .args(env::args_os().skip(1))
        .current_dir(env::current_dir()?);
    let status = cargo.status().context("starting an optimised build")?;
    ensure!(status.success(), "the optimised build ended with {status}");
    Ok(())
}
