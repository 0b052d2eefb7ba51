//! The word of a model on what the job in hand is, where the words of the ask were not sure.

use serde::{Deserialize, Serialize};

use super::{JobState, Noted, SessionState};
use crate::{
    classify::{Heard, judge},
    names::TaskName,
    policy::Policy,
};

/// A question that waits to be put, or to be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenQuestion {
    heard: Heard,
    /// Whether somebody is asking.
    pub(crate) is_put: bool,
}

impl OpenQuestion {
    pub(crate) fn about(heard: Heard) -> Self {
        Self {
            heard,
            is_put: false,
        }
    }
}

/// Notes that somebody asks about the job in hand, so that nobody else does.
pub fn put_question(state: &mut SessionState) {
    let job = state.job.as_mut();
    if let Some(open) = job.and_then(|job| job.question.as_mut()) {
        open.is_put = true;
    }
}

/// Takes in what a model made of the ask of a job, and says what changed; nothing when it made nothing of it, when the
/// user has said meanwhile what the job is, or when another job is in hand.
pub fn answer_question(
    policy: &Policy,
    state: &mut SessionState,
    job_id: &str,
    answer: Option<&TaskName>,
) -> Option<Noted> {
    let job: &mut JobState = state.job.as_mut().filter(|job| job.id == job_id)?;
    let OpenQuestion { mut heard, .. } = *job.question.take()?;
    let Some(answer) = answer else {
        job.rule
            .push_str(", and the model that was asked does not say");
        return None;
    };
    heard.judged = Some(answer.clone());
    let found = judge(policy, &heard);
    let first = policy.first_class(&found)?;
    job.become_task(policy, &found.task, first);
    job.rule = found.rule;
    job.confidence_pm = found.confidence_pm;
    job.runner_up = found.runner_up;
    Some(Noted::JobOpened {
        id: job.id.clone(),
        task: job.task.clone(),
        class: job.class.clone(),
        rule: job.rule.clone(),
        heard: Some(Box::new(heard)),
        replaces: None,
    })
}
