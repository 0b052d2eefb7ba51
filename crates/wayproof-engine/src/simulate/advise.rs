//! Proposes another policy from attempts that a ledger holds, or says that they are too few.
//!
//! A proposal is safe first and good second: what is not known is read against the change, one task more is assumed on
//! which it loses as much as it can, and a change that drops what proves the work today must be surer than one that
//! only puts something in front of it. Nothing here is applied; a person reads it.

use super::{
    cascade::{Cascade, CascadeError},
    counterfactual::{Interval, score},
    outcomes::Outcomes,
    search,
    share::{Share, count},
    trials::{Leak, Trials},
};

/// Fewer tasks than this say nothing.
const FEWEST_TASKS: usize = 30;
/// Standard deviations of an interval of 95 %.
const Z: f64 = 1.959_964;
/// The same with all that may be wrong on one side.
const Z_ONE_SIDE: f64 = 1.644_854;

/// What is wanted of another policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The least cost at which no less is proven than today.
    Save,
    /// The most that is proven at no more than a share of today's cost.
    Prove {
        /// The share.
        cost_share: f64,
    },
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The policy in force.
    pub today: Cascade,
    /// What is wanted.
    pub goal: Goal,
    /// How the gate did.
    pub gate: GateSeen,
    /// How many models a cascade may have.
    pub most_steps: usize,
}

/// How often the gate met wrong work, and how often it accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateSeen {
    /// Wrong attempts that the gate judged.
    pub wrong: usize,
    /// Those that it accepted.
    pub accepted: usize,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// The attempts do not carry a change.
    NotEnough {
        /// Why, as a sentence without a full stop.
        why: String,
    },
    /// Another policy.
    Change(Change),
}

/// A policy that is proposed, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The policy.
    pub to: Cascade,
    /// How much more of the tasks it is expected to prove; less than nought is less.
    pub gain: Interval,
    /// Its cost as a share of today's.
    pub cost_share: Interval,
    /// The tasks it rests on.
    pub tasks: usize,
    /// Tasks of which some outcome is unknown, and was read against the change.
    pub undetermined: usize,
    /// The leak of the gate that was reckoned with, and the most that it may be.
    pub leak: (Share, Share),
}

/// Proposes a policy over attempts on the same tasks.
pub fn advise(outcomes: &Outcomes, ask: &Ask) -> Result<Advice, CascadeError> {
    let today = ask.today.steps(outcomes)?;
    let tasks = outcomes.tasks().len();
    if tasks < FEWEST_TASKS {
        return Ok(not_enough(format!(
            "there are {tasks} tasks, and fewer than {FEWEST_TASKS} say nothing"
        )));
    }
    let leak = ask.gate.leak();
    let trials = Trials::of(outcomes, &today, leak);
    let Some(found) = search::best(&trials, ask.goal, ask.most_steps) else {
        return Ok(not_enough("no change is safe by what these tasks show"));
    };
    let (gain, saving) = (trials.gain(&found.steps), trials.saving(&found.steps));
    let is_sure = match ask.goal {
        Goal::Save => saving.lower(Z_ONE_SIDE) > 0.0,
        // The search took nothing whose gain is not sure.
        Goal::Prove { .. } => true,
    };
    let Ok(to) = Trials::named(outcomes, &found.steps) else {
        return Ok(not_enough("no change was found"));
    };
    if !is_sure {
        return Ok(not_enough(
            "what a change would bring is within what chance does",
        ));
    }
    Ok(Advice::Change(Change {
        to,
        gain: gain.interval(Z),
        cost_share: trials.cost_share(&found.steps).interval(Z),
        tasks,
        undetermined: trials.undetermined(&found.steps),
        leak: (leak.likely, leak.most),
    }))
}

fn not_enough(why: impl Into<String>) -> Advice {
    Advice::NotEnough { why: why.into() }
}

impl GateSeen {
    /// What is assumed of a gate in use before anything is known of it: one wrong attempt in five accepted, as if ten
    /// had been seen. Published gates of tests accept between 8 and 30 % of wrong patches, and nobody tells a ledger
    /// of every one.
    const ASSUMED: Self = Self {
        wrong: 10,
        accepted: 2,
    };

    /// What a ledger saw together with what is assumed of every gate.
    #[must_use]
    pub fn assumed(self) -> Self {
        Self {
            wrong: self.wrong + Self::ASSUMED.wrong,
            accepted: self.accepted + Self::ASSUMED.accepted,
        }
    }

    /// The leak that was seen, and the most that it may be; all of it when the gate never met wrong work.
    fn leak(self) -> Leak {
        let (wrong, accepted) = (count(self.wrong), count(self.accepted));
        let seen = if wrong > 0.0 { accepted / wrong } else { 1.0 };
        let most = if wrong > 0.0 {
            score(seen, wrong, Z_ONE_SIDE).high
        } else {
            1.0
        };
        Leak {
            likely: Share::nearest(seen),
            most: Share::nearest(most),
        }
    }
}
