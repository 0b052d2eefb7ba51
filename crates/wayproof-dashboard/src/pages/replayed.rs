//! What a changed policy makes of the last jobs, job by job: where each would have gone, what is certain of its outcome
//! and its cost, what has a bound, and what nobody knows.

use std::sync::Arc;

use wayproof_engine::Policy;

use super::{Badge, badge};
use crate::advice::{Fate, JobReplayed, ReplaySeen};
use crate::desk::Desk;
use crate::show::money::usd;
use crate::show::text::{abbreviated, counted, cut, or_none};

/// Jobs that are shown; those that would change come first.
const ROWS: usize = 50;

/// What would become of the last jobs.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Why nothing can be said.
    pub(super) problem: Option<String>,
    pub(super) jobs: String,
    pub(super) same: usize,
    pub(super) changed: usize,
    pub(super) unknown: usize,
    pub(super) proven: String,
    pub(super) cost: String,
    pub(super) rows: Vec<Row>,
    pub(super) left_out: usize,
}

/// One job that would change, or of which it is not known.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) job: String,
    pub(super) short: String,
    pub(super) was: String,
    pub(super) to: String,
    /// The outcome, where it is known.
    pub(super) outcome: Option<Badge>,
    pub(super) cost: String,
    pub(super) why: String,
}

/// Replays the last jobs; nothing where nobody can.
pub(super) async fn replay(desk: &Desk, policy: Policy) -> Option<Replay> {
    let adviser = desk.parts().adviser.as_ref()?;
    Some(match adviser.replay(Arc::new(policy)).await {
        Ok(seen) => told(&seen),
        Err(sentence) => Replay {
            problem: Some(sentence),
            ..Replay::default()
        },
    })
}

fn told(seen: &ReplaySeen) -> Replay {
    let of = |wanted: fn(&Fate) -> bool| seen.jobs.iter().filter(move |job| wanted(&job.fate));
    let changed = || of(|fate| matches!(fate, Fate::Changed { .. }));
    let unknown = || of(|fate| matches!(fate, Fate::Unknown { .. }));
    let rows: Vec<Row> = changed().chain(unknown()).take(ROWS).map(row).collect();
    let (changed, unknown) = (changed().count(), unknown().count());
    let whole = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let jobs = counted(whole(seen.jobs.len()), "job", "jobs");
    let (least, most) = seen.proven;
    let (low, high) = seen.cost_nano_usd;
    let unpriced = match seen.unpriced {
        0 => String::new(),
        some => format!(
            ", beside {} of unknown cost",
            counted(whole(some), "job", "jobs")
        ),
    };
    Replay {
        problem: None,
        jobs: if seen.jobs.len() >= seen.most {
            format!("the last {jobs}")
        } else {
            jobs
        },
        same: seen.jobs.len() - changed - unknown,
        changed,
        unknown,
        proven: if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        },
        cost: range(Some(low), high) + &unpriced,
        left_out: changed + unknown - rows.len(),
        rows,
    }
}

fn range(low: Option<i64>, high: Option<i64>) -> String {
    match (low, high) {
        (None, None) => "unknown".to_owned(),
        (Some(low), Some(high)) if low == high => usd(low),
        (Some(low), Some(high)) => format!("{} to {}", usd(low), usd(high)),
        (Some(low), None) => format!("{} or more", usd(low)),
        (None, Some(high)) => format!("at most {}", usd(high)),
    }
}

fn row(job: &JobReplayed) -> Row {
    let (to, why) = match &job.fate {
        Fate::Same => ("the same".to_owned(), String::new()),
        Fate::Changed { to, why } => (cut(to, 200), cut(why, 300)),
        Fate::Unknown { why } => ("unknown".to_owned(), cut(why, 300)),
    };
    let (low, high) = job.cost_nano_usd;
    Row {
        short: abbreviated(&job.job),
        job: job.job.clone(),
        was: or_none(job.task.as_deref()),
        to,
        outcome: job
            .verdict
            .as_deref()
            .filter(|_| job.is_outcome_known)
            .map(badge),
        cost: range(low, high),
        why,
    }
}
