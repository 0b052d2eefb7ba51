//! Whether a model has to be asked something before it can be decided.

use super::View;
use crate::{
    facts::{Wanted, wanted},
    names::TaskName,
    question::Question,
};

impl View<'_> {
    /// What a model has to be asked first: what the job is, once, where its words are not sure.
    pub(super) fn question(&self) -> Option<Question> {
        let job = self.state.job.as_ref()?;
        let class = self.policy.judge.as_ref()?;
        let is_open = job.question.as_ref().is_some_and(|open| !open.is_put);
        let is_work = is_open && self.facts.housekeeping.is_none();
        let wanted = wanted(self.policy, self.facts.requested_model, Some(self.world));
        if !is_work || self.world.providers.is_empty() || !matches!(wanted, Wanted::Routed) {
            return None;
        }
        let tasks = self.policy.tasks().iter().map(|task| task.name.clone());
        Some(Question {
            class: class.clone(),
            job: job.id.clone(),
            tasks: tasks
                .filter(|task| task.as_str() != TaskName::HOUSEKEEPING)
                .collect(),
            ask: job.ask.clone(),
        })
    }
}
