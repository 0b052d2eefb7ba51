//! The user's word on what the job in hand is. It wins at once, over every rule and over the classifier.

use super::{JobState, Noted, SessionState};
use crate::{names::TaskName, policy::Policy};

/// Gives the job in hand another task and says what changed; nothing when there is no job or no such task.
///
/// The job goes on in the new task's class.
pub fn correct(policy: &Policy, state: &mut SessionState, task: &TaskName) -> Option<Noted> {
    let first = policy.task(task)?.route.first()?;
    let job = state.job.as_mut()?;
    job.become_task(policy, task, first);
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
