//! Jobs brought back from what a ledger recorded, so that another policy can be tried on them.

use super::{CauseNoted, JobState, SessionState, escalate};
use crate::{classify::Classified, policy::Policy};

/// Begins a job whose ask was heard before; false when its task starts in no class.
pub(crate) fn begin(
    policy: &Policy,
    state: &mut SessionState,
    id: &str,
    found: &Classified,
) -> bool {
    let Some(class) = policy.first_class(found) else {
        return false;
    };
    state.job = Some(JobState::open(id, found, class.clone(), ""));
    true
}

/// Takes in a cause that was noted before, by the rules of this policy.
pub(crate) fn recall_cause(policy: &Policy, state: &mut SessionState, noted: &CauseNoted) {
    if let Some(job) = state.job.as_mut() {
        job.turns = noted.at_turn;
        escalate::note(policy, job, noted.cause, noted.why.clone(), &mut Vec::new());
    }
}
