//! The user's word on what the job in hand is. It wins at once, over every rule and over the classifier.

use super::{JobState, Noted, SessionState};
use crate::{names::TaskName, policy::Policy};

/// Gives the job in hand another task and says what changed; nothing when there is no job or no such task.
///
/// The job goes on in the new task's class. What moved it up before still holds: it never ends in a lower class than
/// a cause has put it in.
pub fn correct(policy: &Policy, state: &mut SessionState, task: &TaskName) -> Option<Noted> {
    let first = policy.task(task)?.route.first()?;
    let job = state.job.as_mut()?;
    let is_moved = job.causes.iter().any(|noted| noted.to.is_some());
    if !is_moved || policy.rank(first) > policy.rank(&job.class) {
        job.class = first.clone();
    }
    job.task = task.clone();
    job.rule = format!("the user says that it is `{task}`");
    job.confidence_pm = JobState::CERTAIN_PM;
    job.runner_up = None;
    Some(Noted::JobOpened {
        id: job.id.clone(),
        task: job.task.clone(),
        class: job.class.clone(),
        rule: job.rule.clone(),
        heard: None,
        replaces: None,
    })
}
