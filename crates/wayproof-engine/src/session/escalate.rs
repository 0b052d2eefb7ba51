//! Moves a job up when its task's rules say so. There is no way down here, and no rule for a provider's fault.

use super::{CauseNoted, JobState, Noted};
use crate::{
    names::{Cause, ClassName},
    policy::Policy,
};

/// Notes a cause and applies the rules of the job's task to it.
pub(crate) fn note(
    policy: &Policy,
    job: &mut JobState,
    cause: Cause,
    why: String,
    noted: &mut Vec<Noted>,
) {
    let count = job.cause_counts.entry(cause).or_default();
    *count = count.saturating_add(1);
    let times = *count;
    let to = higher(policy, job, cause, times);
    let cause_noted = CauseNoted {
        cause,
        at_turn: job.turns,
        to: to.clone(),
        why: why.clone(),
    };
    job.keep_cause(cause_noted.clone());
    match to {
        Some(to) => {
            let from = std::mem::replace(&mut job.class, to.clone());
            noted.push(Noted::Escalated {
                cause,
                from,
                to,
                why,
            });
        }
        None => noted.push(Noted::Cause(cause_noted)),
    }
}

/// The highest class a rule moves the job to, if that is above the one it is in.
fn higher(policy: &Policy, job: &JobState, cause: Cause, times: u32) -> Option<ClassName> {
    let now = policy.rank(&job.class);
    let rules = policy.task(&job.task)?.escalate.iter();
    rules
        .filter(|rule| rule.on == cause && times >= rule.after)
        .map(|rule| (policy.rank(&rule.to), &rule.to))
        .filter(|(rank, _)| *rank > now)
        .max()
        .map(|(_, to)| to.clone())
}
