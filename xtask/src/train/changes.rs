//! The weights for asks whose changed files are known, fitted on the histories of repositories and on nothing else:
//! every labelled set then stays unseen.

use anyhow::{Result, ensure};
use wayproof_engine::{
    WorkKind,
    classifier::{KINDS, Weights},
};

use super::{
    TrainArgs,
    fit::{Example, Options, fit},
    history::{self, Most},
    likeliest, repositories,
    rows::{Row, digest},
    written,
};
use crate::run::root;

/// Where they live.
const FILE: &str = "crates/wayproof-engine/src/classify/changes.bin";

/// How much of a history is read.
const OF_A_HISTORY: Most = Most {
    of_a_kind: 400,
    commits: 15_000,
};

/// One repository in so many is held out.
const PARTS: u64 = 5;

/// How they are fitted; chosen by what `--held-out` prints.
pub(crate) const CHANGES: Options = Options {
    l2: 4.0,
    balance: 0.6,
    least: 3,
    slots: 32_768,
    telling: 1.0,
    steps: 120,
};

/// Fits and writes them, or says how well they do on histories that were held out.
pub(super) fn run(args: &TrainArgs) -> Result<()> {
    ensure!(
        !args.history.is_empty(),
        "weights for changes are fitted on histories; name some with --history"
    );
    let mut rows: Vec<Row> = Vec::new();
    for history in &args.history {
        rows.extend(history::commits_of(history, OF_A_HISTORY)?);
    }
    let examples: Vec<Example> = rows.iter().map(|row| row.example(1.0, false)).collect();
    let is_out = |at: usize| {
        rows.get(at)
            .is_some_and(|row| digest(&row.repo).is_multiple_of(PARTS))
    };
    let (out, rest): (Vec<_>, Vec<_>) =
        examples.iter().enumerate().partition(|(at, _)| is_out(*at));
    let bare = |pairs: Vec<(usize, _)>| {
        pairs
            .into_iter()
            .map(|(_, example)| example)
            .collect::<Vec<&Example>>()
    };
    let (out, rest) = (bare(out), bare(rest));
    if args.held_out {
        let score = macro_f1(&fit(&rest, &CHANGES), &out);
        println!(
            "{score:.4} macro-F1 on {} of {} rows",
            out.len(),
            rows.len()
        );
        return Ok(());
    }
    let left_out = [(fit(&rest, &CHANGES), out)];
    let mut weights = fit(&examples.iter().collect::<Vec<_>>(), &CHANGES);
    weights.temperature = likeliest(&left_out);
    weights.fitted_on = repositories(&rows);
    let path = args.out.clone().unwrap_or_else(|| root().join(FILE));
    written(&weights, rows.len(), &path)
}

/// The mean over kinds of what is told apart, with errors of both sorts.
#[expect(clippy::cast_precision_loss, reason = "a handful of kinds")]
fn macro_f1(weights: &Weights, rows: &[&Example]) -> f64 {
    let mut hits = [0.0_f64; KINDS];
    let mut both = [0.0_f64; KINDS];
    for row in rows {
        let logits = weights.logits_of(&row.features, &row.lexicon);
        let taken = (0..KINDS)
            .max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
            .unwrap_or(0);
        both[row.kind] += 1.0;
        both[taken] += 1.0;
        if taken == row.kind {
            hits[taken] += 2.0;
        }
    }
    let kinds = [
        WorkKind::Fix,
        WorkKind::Feature,
        WorkKind::Docs,
        WorkKind::Test,
        WorkKind::Refactor,
        WorkKind::Performance,
        WorkKind::Pipeline,
        WorkKind::Chore,
    ];
    kinds
        .iter()
        .map(|kind| hits[kind.index()] / both[kind.index()].max(1.0))
        .sum::<f64>()
        / kinds.len() as f64
}
