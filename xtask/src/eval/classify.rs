//! How well asks are told apart: the weights as shipped, and the same features and fitting with weights that are
//! fitted in memory on other rows than those they are judged on.

use std::{
    hint::black_box,
    path::{Path, PathBuf},
};

use anyhow::Result;
use wayproof_engine::{
    Asked, Classifier, WorkKind,
    classifier::{KINDS, Weights},
    hear,
};

use super::{EvalArgs, Figures, part, rounded};
use crate::train::{
    SHIPPED,
    fit::{Example, Options, fit},
    rows::{Row, Set, commits, digest, issues, own, reports, statements},
    weight,
};

/// What is told apart, and what counts as what.
type Fold = fn(WorkKind) -> Option<WorkKind>;

/// A row that was judged: what it is, what it was taken for, how surely.
struct Judged {
    is: WorkKind,
    taken_for: WorkKind,
    share: f32,
}

/// Measures every set.
pub(crate) fn run(args: &EvalArgs, fit_on: Option<&Path>) -> Result<Vec<Figures>> {
    let folder = &args.data;
    let other = fit_on.map(PathBuf::from);
    let sets = [
        (
            reports(folder)?,
            Judge {
                name: "nlbse24",
                fold: report_kind,
                kinds: &REPORT_KINDS,
                options: REPORTS,
                weights: Classifier.weights(),
            },
        ),
        (
            issues(folder)?,
            Judge {
                name: "issue to type",
                fold: issue_kind,
                kinds: &ISSUE_KINDS,
                options: ISSUES,
                weights: Classifier.weights(),
            },
        ),
        (
            commits(folder)?,
            Judge {
                name: "commit to type",
                fold: commit_kind,
                kinds: &COMMIT_KINDS,
                options: COMMITS,
                weights: Classifier.changes(),
            },
        ),
    ];
    let mut figures = Vec::new();
    for (rows, judge) in &sets {
        figures.push(judge.fitted(rows, folder, other.as_deref())?);
        figures.push(judge.shipped(rows));
    }
    figures.push(speed());
    Ok(figures)
}

const REPORTS: Options = Options {
    l2: 1.0,
    telling: 1.0,
    slots: 1 << 18,
    ..SHIPPED
};
const ISSUES: Options = Options {
    l2: 1.0,
    balance: 0.5,
    ..SHIPPED
};
const COMMITS: Options = Options {
    l2: 1.0,
    balance: 1.0,
    ..SHIPPED
};

const REPORT_KINDS: [WorkKind; 3] = [WorkKind::Fix, WorkKind::Feature, WorkKind::Question];
const ISSUE_KINDS: [WorkKind; 6] = [
    WorkKind::Fix,
    WorkKind::Feature,
    WorkKind::Docs,
    WorkKind::Test,
    WorkKind::Refactor,
    WorkKind::Chore,
];
const COMMIT_KINDS: [WorkKind; 8] = [
    WorkKind::Fix,
    WorkKind::Feature,
    WorkKind::Docs,
    WorkKind::Test,
    WorkKind::Refactor,
    WorkKind::Performance,
    WorkKind::Pipeline,
    WorkKind::Chore,
];

fn report_kind(kind: WorkKind) -> Option<WorkKind> {
    REPORT_KINDS.contains(&kind).then_some(kind)
}

/// Speed is another shape of the same behaviour, pipelines are upkeep.
fn issue_kind(kind: WorkKind) -> Option<WorkKind> {
    match kind {
        WorkKind::Performance => Some(WorkKind::Refactor),
        WorkKind::Pipeline | WorkKind::Migration => Some(WorkKind::Chore),
        WorkKind::Edit | WorkKind::Security => Some(WorkKind::Fix),
        WorkKind::Question => None,
        kind => Some(kind),
    }
}

fn commit_kind(kind: WorkKind) -> Option<WorkKind> {
    COMMIT_KINDS.contains(&kind).then_some(kind)
}

/// How a set is judged.
struct Judge {
    name: &'static str,
    fold: Fold,
    kinds: &'static [WorkKind],
    options: Options,
    weights: &'static Weights,
}

impl Judge {
    /// The kind with the largest share among those that are told apart.
    fn judge(&self, row: &Row, shares: &[f32; KINDS]) -> Option<Judged> {
        let is = (self.fold)(row.kind)?;
        let mut sums = [0.0_f32; KINDS];
        for (kind, share) in WorkKind::ALL.into_iter().zip(shares) {
            if let Some(kind) = (self.fold)(kind) {
                sums[kind.index()] += share;
            }
        }
        let whole: f32 = sums.iter().sum();
        let best = self
            .kinds
            .iter()
            .max_by(|a, b| sums[a.index()].total_cmp(&sums[b.index()]))?;
        Some(Judged {
            is,
            taken_for: *best,
            share: sums[best.index()] / whole.max(f32::MIN_POSITIVE),
        })
    }

    /// The weights as shipped, on repositories they were not fitted on.
    fn shipped(&self, rows: &[Row]) -> Figures {
        let weights = self.weights;
        let unseen = rows
            .iter()
            .filter(|row| !weights.fitted_on.contains(&digest(&row.repo)));
        let judged: Vec<Judged> = unseen
            .filter_map(|row| {
                let example = row.example(1.0, false);
                self.judge(row, &weights.shares_of(&example.features, &example.lexicon))
            })
            .collect();
        self.figures("weights as shipped", &judged)
    }

    /// Weights of the same make, fitted on other rows: another folder's, or this one's other folds.
    fn fitted(&self, rows: &[Row], folder: &Path, other: Option<&Path>) -> Result<Figures> {
        let own_words = self.name == "nlbse24";
        let example = |row: &Row, own_words: bool| row.example(weight(row.set), own_words);
        let examples: Vec<Example> = rows.iter().map(|row| example(row, own_words)).collect();
        let from = other.unwrap_or(folder);
        let beside: Vec<Row> = match rows.first().map(|row| row.set) {
            Some(Set::Issues) => [commits(from)?, statements(from)?, own()?].concat(),
            _ => Vec::new(),
        };
        let mut base: Vec<Example> = beside.iter().map(|row| example(row, false)).collect();
        let mut judged = Vec::new();
        let mut judge = |weights: &Weights, here: &mut dyn Iterator<Item = (&Row, &Example)>| {
            judged.extend(here.filter_map(|(row, example)| {
                self.judge(row, &weights.shares_of(&example.features, &example.lexicon))
            }));
        };
        if let Some(other) = other {
            base.extend(self.same(other)?.iter().map(|row| example(row, own_words)));
            let weights = fit(&base.iter().collect::<Vec<_>>(), &self.options);
            judge(&weights, &mut rows.iter().zip(&examples));
            return Ok(self.figures("fitted on another folder", &judged));
        }
        let folds = self.folds(rows);
        let count = folds.iter().max().map_or(0, |most| most + 1);
        for fold in 0..count {
            let rest = examples.iter().zip(&folds).filter(|(_, of)| **of != fold);
            let rest = rest.map(|(example, _)| example);
            let weights = fit(&base.iter().chain(rest).collect::<Vec<_>>(), &self.options);
            let pairs = rows.iter().zip(&examples).zip(&folds);
            let here = pairs.filter(|(_, of)| **of == fold);
            judge(&weights, &mut here.map(|(pair, _)| pair));
        }
        Ok(self.figures("fitted without what is judged", &judged))
    }

    /// The rows of the same set in another folder.
    fn same(&self, folder: &Path) -> Result<Vec<Row>> {
        match self.name {
            "nlbse24" => reports(folder),
            "issue to type" => issues(folder),
            _ => commits(folder),
        }
    }

    /// The fold of every row: a tenth of the rows where repositories are known to the fitting, else whole
    /// repositories, one at a time where they are few.
    fn folds(&self, rows: &[Row]) -> Vec<usize> {
        const FOLDS: usize = 10;
        if self.name == "nlbse24" {
            return (0..rows.len()).map(|at| at % FOLDS).collect();
        }
        let mut repositories: Vec<u64> = rows.iter().map(|row| digest(&row.repo)).collect();
        let of = repositories.clone();
        repositories.sort_unstable();
        repositories.dedup();
        let count = repositories.len().min(FOLDS * 2);
        let place = |repo: &u64| repositories.binary_search(repo).unwrap_or(0);
        of.iter()
            .map(|repo| {
                if repositories.len() <= FOLDS * 2 {
                    place(repo)
                } else {
                    place(repo) % count.min(FOLDS)
                }
            })
            .collect()
    }

    fn figures(&self, how: &str, judged: &[Judged]) -> Figures {
        let mut figures = Figures::of(&format!("{}, {how}", self.name), judged.len());
        if judged.is_empty() {
            figures.put("accuracy", serde_json::Value::Null);
            return figures;
        }
        let right = |judged: &[&Judged]| {
            part(
                judged.iter().filter(|row| row.is == row.taken_for).count(),
                judged.len(),
            )
        };
        let mut ranked: Vec<&Judged> = judged.iter().collect();
        figures.put("accuracy", rounded(right(&ranked)));
        let scores: Vec<f64> = self.kinds.iter().map(|kind| f1(judged, *kind)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of kinds")]
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        figures.put("macro_f1", rounded(mean));
        ranked.sort_by(|a, b| b.share.total_cmp(&a.share));
        let surer = ranked.get(..judged.len() / 2).unwrap_or_default();
        figures.put("accuracy_on_the_surer_half", rounded(right(surer)));
        for (kind, score) in self.kinds.iter().zip(scores) {
            figures.put(&format!("f1_{}", kind.as_str()), rounded(score));
        }
        figures
    }
}

fn f1(judged: &[Judged], kind: WorkKind) -> f64 {
    let hits = judged
        .iter()
        .filter(|row| row.is == kind && row.taken_for == kind)
        .count();
    let all = judged.iter().filter(|row| row.is == kind).count()
        + judged.iter().filter(|row| row.taken_for == kind).count();
    part(2 * hits, all)
}

/// How long an ask of 3 KB takes, one that its phrases decide and one that they do not, and all that is heard of it.
fn speed() -> Figures {
    let sure = "The login page returns 500 when the token expired. Steps to reproduce: sign in, wait an hour, reload. ".repeat(30);
    let open = "Let people pick the colors of the settings screen, keep what they picked, and show it on every device. ".repeat(30);
    let mut figures = Figures::of("speed of the classifier", 1);
    figures.put("bytes", sure.len());
    let scores = |ask: &str| drop(black_box(Classifier.scores(black_box(ask), &[])));
    figures.put("median_us", median_us(|| scores(&sure)));
    figures.put(
        "median_us_where_phrases_do_not_decide",
        median_us(|| scores(&open)),
    );
    let heard = || drop(black_box(hear(black_box(&sure), &Asked::default())));
    figures.put("median_us_of_all_that_is_heard", median_us(heard));
    figures.put("weights_bytes", Classifier.weights().to_bytes().len());
    figures.put(
        "weights_for_changes_bytes",
        Classifier.changes().to_bytes().len(),
    );
    figures
}

fn median_us(work: impl Fn()) -> f64 {
    const ROUNDS: u32 = 400;
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a chore that measures")]
            let start = std::time::Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    rounded(times.get(times.len() / 2).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(is: WorkKind, taken_for: WorkKind) -> Judged {
        Judged {
            is,
            taken_for,
            share: 0.5,
        }
    }

    #[test]
    fn f1_counts_both_errors() {
        let rows = [
            judged(WorkKind::Fix, WorkKind::Fix),
            judged(WorkKind::Fix, WorkKind::Feature),
            judged(WorkKind::Feature, WorkKind::Fix),
        ];
        assert!((f1(&rows, WorkKind::Fix) - 0.5).abs() < 1e-9);
        assert!(f1(&rows, WorkKind::Feature).abs() < 1e-9);
        assert!(f1(&rows, WorkKind::Docs).abs() < 1e-9);
    }
}
