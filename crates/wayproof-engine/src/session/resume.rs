//! A conversation taken up where another process, or an earlier one, left it: from what was recorded of its job.
//!
//! Nothing is judged again: the job keeps its task, its class and the causes that put it there. What only the process
//! that saw it knew, such as which files were changed, starts anew.

use super::{CauseNoted, JobState, LastAnswer, SessionState};
use crate::{
    classify::{Basis, Classified},
    evidence::Evidence,
    names::{ClassName, TaskName},
    policy::Policy,
};

/// What was recorded of a job that goes on.
#[derive(Debug, Clone)]
pub struct Recorded<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its task.
    pub task: TaskName,
    /// The class it is in.
    pub class: ClassName,
    /// Which rule found the task, as a sentence.
    pub rule: &'a str,
    /// What the user asked for last, as the request still says it.
    pub ask: &'a str,
    /// The causes seen, oldest first.
    pub causes: Vec<CauseNoted>,
    /// The facts seen, oldest first.
    pub evidence: Vec<Evidence>,
    /// What its answers cost, as far as that is known.
    pub spent_nano_usd: i64,
    /// Whether some answer's cost is not known.
    pub has_unknown_cost: bool,
    /// Where the last answer came from.
    pub last: Option<LastAnswer>,
}

impl SessionState {
    /// The state in which a recorded job goes on; nothing where the policy has no such task or class any more.
    pub fn resumed(
        policy: &Policy,
        session: impl Into<String>,
        recorded: Recorded<'_>,
    ) -> Option<Self> {
        policy.task(&recorded.task)?;
        policy.class(&recorded.class)?;
        let found = Classified {
            task: recorded.task,
            rule: recorded.rule.to_owned(),
            confidence_pm: JobState::CERTAIN_PM,
            runner_up: None,
            surfaces: Vec::new(),
            basis: Basis::Certain,
        };
        let mut job = JobState::open(recorded.id, &found, recorded.class, recorded.ask);
        for noted in recorded.causes {
            let count = job.cause_counts.entry(noted.cause).or_default();
            *count = count.saturating_add(1);
            job.turns = job.turns.max(noted.at_turn);
            job.keep_cause(noted);
        }
        for evidence in recorded.evidence {
            job.keep(evidence);
        }
        job.spent_nano_usd = recorded.spent_nano_usd;
        job.has_unknown_cost = recorded.has_unknown_cost;
        Some(Self {
            job: Some(job),
            last: recorded.last,
            ..Self::new(session)
        })
    }
}
