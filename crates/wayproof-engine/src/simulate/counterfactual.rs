//! What another policy would have proven, from a ledger that saw it only here and there.
//!
//! A ledger of a cascade knows the strong model after a failure and in shadow runs, and nowhere else, so the mean of
//! what it saw is no estimate of anything. Every task says with which chance the other policy's outcome was to be
//! seen; tasks that were alike before that draw form a stratum.
//! Where the chance is nought, or nothing was drawn, there is no estimate but a bound.

use std::collections::BTreeMap;

use super::share::{Share, count};

/// Standard deviations on either side of an interval of 95 %.
const Z: f64 = 1.959_964;
/// The same for the ends of a bound: wrong once in a million ledgers, because a bound is a promise.
const Z_BOUND: f64 = 4.891_638;

/// A task of a ledger, seen from the other policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// What was known before it was drawn whether the other policy's outcome is seen; it may say nothing about that
    /// outcome itself.
    pub stratum: u32,
    /// The chance of that draw.
    pub chance: Share,
    /// Whether the other policy's work was proven, where it was seen.
    pub proven: Option<bool>,
}

/// An estimate of a share between its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The estimate.
    pub value: f64,
    /// The upper end.
    pub high: f64,
}

/// A range without an estimate in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What can be said about tasks like those of the ledger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Estimate {
    /// Everything had a chance to be seen, and some of every kind was.
    Known {
        /// Weighs what was seen by the inverse of its chance.
        self_normalised: Interval,
        /// Takes each stratum's own mean for what was not seen; right when either the chances or the means are.
        doubly_robust: Interval,
    },
    /// Some kind of task was never seen: between these ends, and nothing more can be said.
    Bounded(Ends),
}

/// What a ledger says about another policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counterfactual {
    /// Tasks in the ledger.
    pub tasks: usize,
    /// Tasks on which the other policy's outcome was seen.
    pub seen: usize,
    /// The proven share of the ledger's own tasks: certain, whatever the unseen outcomes are.
    pub own: Ends,
    /// The proven share of tasks like these.
    pub like: Estimate,
}

/// Reads a ledger as evidence about another policy; nothing can be said from no tasks.
pub fn counterfactual(glimpses: &[Glimpse]) -> Option<Counterfactual> {
    if glimpses.is_empty() {
        return None;
    }
    let strata = strata(glimpses);
    let total = count(glimpses.len());
    let proven = count(
        glimpses
            .iter()
            .filter(|glimpse| glimpse.proven == Some(true))
            .count(),
    );
    let seen = glimpses
        .iter()
        .filter(|glimpse| glimpse.proven.is_some())
        .count();
    let unseen = count(glimpses.len() - seen);
    let like = if strata.iter().all(|stratum| stratum.mean().is_some()) {
        Estimate::Known {
            self_normalised: self_normalised(glimpses),
            doubly_robust: stratified(&strata, total, Z, 0.0),
        }
    } else {
        Estimate::Bounded(Ends {
            low: stratified(&strata, total, Z_BOUND, 0.0).low,
            high: stratified(&strata, total, Z_BOUND, 1.0).high,
        })
    };
    Some(Counterfactual {
        tasks: glimpses.len(),
        seen,
        own: Ends {
            low: proven / total,
            high: (proven + unseen) / total,
        },
        like,
    })
}

/// Tasks that were alike before the draw, with the weights of those that were seen.
#[derive(Debug, Clone, Copy, Default)]
struct Stratum {
    tasks: f64,
    weight: f64,
    weight_squared: f64,
    proven: f64,
}

impl Stratum {
    /// The weighted mean of what was seen.
    fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.proven / self.weight)
    }

    /// As how many equally weighted tasks those that were seen count.
    fn effective(&self) -> f64 {
        if self.weight_squared > 0.0 {
            self.weight * self.weight / self.weight_squared
        } else {
            0.0
        }
    }
}

fn strata(glimpses: &[Glimpse]) -> Vec<Stratum> {
    let mut strata: BTreeMap<(u32, bool), Stratum> = BTreeMap::new();
    for glimpse in glimpses {
        let has_chance = glimpse.chance > Share::NONE;
        let stratum = strata.entry((glimpse.stratum, has_chance)).or_default();
        stratum.tasks += 1.0;
        // An outcome that had no chance to be seen is no draw and speaks for no other task.
        if let (Some(proven), true) = (glimpse.proven, has_chance) {
            let weight = 1.0 / glimpse.chance.as_f64();
            stratum.weight += weight;
            stratum.weight_squared += weight * weight;
            stratum.proven += if proven { weight } else { 0.0 };
        }
    }
    strata.into_values().collect()
}

/// The mean over strata, with score intervals inside each and the spread between them.
///
/// The distances from the estimate to each stratum's own ends add up in squares, on either side apart, which keeps its
/// coverage where normal intervals lose it: few shadow runs of which nearly all were proven.
/// A stratum without a mean counts as `missing`.
fn stratified(strata: &[Stratum], total: f64, z: f64, missing: f64) -> Interval {
    let part = |stratum: &Stratum| stratum.tasks / total;
    let mean = |stratum: &Stratum| stratum.mean().unwrap_or(missing);
    let value: f64 = strata
        .iter()
        .map(|stratum| part(stratum) * mean(stratum))
        .sum();
    let between: f64 = strata
        .iter()
        .map(|stratum| part(stratum) * (mean(stratum) - value).powi(2))
        .sum::<f64>()
        / total;
    let (mut below, mut above) = (z * z * between, z * z * between);
    for stratum in strata.iter().filter(|stratum| stratum.mean().is_some()) {
        let ends = score(mean(stratum), stratum.effective(), z);
        below += (part(stratum) * (mean(stratum) - ends.low)).powi(2);
        above += (part(stratum) * (ends.high - mean(stratum))).powi(2);
    }
    Interval {
        low: (value - below.sqrt()).max(0.0),
        value,
        high: (value + above.sqrt()).min(1.0),
    }
}

/// Wilson's interval for a share of so many tasks.
pub(crate) fn score(share: f64, tasks: f64, z: f64) -> Ends {
    let shrink = 1.0 + z * z / tasks;
    let middle = (share + z * z / (2.0 * tasks)) / shrink;
    let spread = share * (1.0 - share) / tasks + z * z / (4.0 * tasks * tasks);
    let half = z * spread.sqrt() / shrink;
    Ends {
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    }
}

fn self_normalised(glimpses: &[Glimpse]) -> Interval {
    let seen: Vec<(f64, f64)> = glimpses
        .iter()
        .filter(|glimpse| glimpse.chance > Share::NONE)
        .filter_map(|glimpse| {
            let outcome = f64::from(u8::from(glimpse.proven?));
            Some((1.0 / glimpse.chance.as_f64(), outcome))
        })
        .collect();
    let weight: f64 = seen.iter().map(|(weight, _)| weight).sum();
    let value = seen
        .iter()
        .map(|(weight, proven)| weight * proven)
        .sum::<f64>()
        / weight;
    let squares: f64 = seen
        .iter()
        .map(|(weight, proven)| (weight * (proven - value)).powi(2))
        .sum();
    let half = Z * squares.sqrt() / weight;
    Interval {
        low: (value - half).max(0.0),
        value,
        high: (value + half).min(1.0),
    }
}
