//! A policy tried on the jobs that a ledger recorded: the same classifying and deciding, over the same inputs.
//!
//! What another policy would have had the models do is not known, so what is told ends where the first target differs:
//! the cost up to there is certain, what comes after has a bound where the policy has a budget, and else none.

use crate::{
    catalog::Catalog,
    classify::{Heard, judge},
    decide::decide,
    decision::{Decision, Next},
    evidence::Outcome,
    facts::{Facts, Needs, World},
    names::{ClassName, Target, TaskName},
    policy::Policy,
    session::{CauseNoted, SessionState, begin, recall_cause},
};
use wayproof_wire::Protocol;

/// A job as the ledger recorded it.
#[derive(Debug, Clone)]
pub struct RecordedJob {
    /// Its id.
    pub id: String,
    /// The task it was given.
    pub task: TaskName,
    /// What was heard of its ask; absent where an older version did not record it.
    pub heard: Option<Heard>,
    /// Its requests, oldest first.
    pub exchanges: Vec<RecordedExchange>,
    /// Whether it was proven in the end.
    pub outcome: Outcome,
    /// Whether a person turned down what was proven.
    pub is_contradicted: bool,
}

/// A request as the ledger recorded it.
#[derive(Debug, Clone)]
pub struct RecordedExchange {
    /// The dialect the client spoke.
    pub protocol: Protocol,
    /// The model the client asked for.
    pub requested_model: String,
    /// Length of the request's body.
    pub request_bytes: u64,
    /// When it came.
    pub at_us: i64,
    /// What was decided then.
    pub decision: Decision,
    /// What it cost, where that is known.
    pub cost_nano_usd: Option<i64>,
}

/// What another policy makes of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Replayed {
    /// Everything goes where it went: cost and outcome are the recorded ones.
    Same,
    /// Something else happens.
    Changed(Box<Changed>),
    /// The ledger lacks what it takes to say.
    Unknown {
        /// Why, as a sentence without a full stop.
        why: String,
    },
}

/// How another policy differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The task it gives the job.
    pub task: TaskName,
    /// The class at the first request that differs.
    pub class: Option<ClassName>,
    /// Which request is the first to go elsewhere, counted from nought.
    pub at: usize,
    /// Where it went.
    pub from: Option<Target>,
    /// Where it would go; nowhere when the policy refuses it.
    pub to: Option<Target>,
    /// Why, in the words of the decision or the refusal.
    pub rule: String,
    /// What the requests before it cost, where all of that is known.
    pub certain_nano_usd: Option<i64>,
    /// The most the job may cost by the policy's budget, where it has one.
    pub at_most_nano_usd: Option<i64>,
}

/// Tries a policy on a job.
pub fn replay(policy: &Policy, job: &RecordedJob, world: &World, catalog: &Catalog) -> Replayed {
    let Some(heard) = &job.heard else {
        return Replayed::Unknown {
            why: "what was heard of its ask is not in the ledger".to_owned(),
        };
    };
    let found = judge(policy, heard);
    let mut state = SessionState::new(job.id.clone());
    if !begin(policy, &mut state, &job.id, &found) {
        return Replayed::Unknown {
            why: format!("task `{}` has no class to start in", found.task),
        };
    }
    let view = View {
        policy,
        job,
        heard,
        world,
        catalog,
    };
    if let Some(elsewhere) = view.first_elsewhere(&mut state) {
        return Replayed::Changed(Box::new(Changed {
            task: found.task.clone(),
            certain_nano_usd: sum(&job.exchanges, elsewhere.at),
            at_most_nano_usd: policy
                .task(&found.task)
                .and_then(|task| task.budget_per_job_nano_usd),
            class: elsewhere.class,
            at: elsewhere.at,
            from: elsewhere.from,
            to: elsewhere.to,
            rule: elsewhere.rule,
        }));
    }
    if found.task == job.task {
        return Replayed::Same;
    }
    // Every request goes where it went, and another proof is owed for it.
    let whole = sum(&job.exchanges, job.exchanges.len());
    Replayed::Changed(Box::new(Changed {
        task: found.task,
        class: state.job.map(|job| job.class),
        at: job.exchanges.len(),
        from: None,
        to: None,
        rule: found.rule,
        certain_nano_usd: whole,
        at_most_nano_usd: whole,
    }))
}

/// Everything that a replay looks at.
struct View<'a> {
    policy: &'a Policy,
    job: &'a RecordedJob,
    heard: &'a Heard,
    world: &'a World,
    catalog: &'a Catalog,
}

/// The first request that goes elsewhere.
struct Elsewhere {
    at: usize,
    class: Option<ClassName>,
    from: Option<Target>,
    to: Option<Target>,
    rule: String,
}

impl View<'_> {
    fn first_elsewhere(&self, state: &mut SessionState) -> Option<Elsewhere> {
        let mut known = 0;
        for (at, exchange) in self.job.exchanges.iter().enumerate() {
            for noted in news(&exchange.decision.causes, known) {
                recall_cause(self.policy, state, noted);
            }
            known = exchange.decision.causes.len();
            // The conversation was warm where it was, also from before the job.
            state.last = exchange.decision.warm.clone();
            state.switched_nano_usd = exchange.decision.switched_nano_usd;
            let from = first_target(&exchange.decision);
            let facts = facts(exchange, self.heard, &self.job.id);
            let (to, class, rule) =
                match decide(self.policy, state, &facts, self.world, self.catalog) {
                    Next::Refused(refusal) => (None, None, refusal.message),
                    // What a model said is in what was heard, and nobody is asked again.
                    Next::Ask(_) => (None, None, "a model would be asked".to_owned()),
                    Next::Decided(decision) => {
                        let to = first_target(&decision);
                        (to, decision.class, decision.rule)
                    }
                };
            if to.is_none() || to != from {
                return Some(Elsewhere {
                    at,
                    class,
                    from,
                    to,
                    rule,
                });
            }
            state.settle(&self.job.id, exchange.cost_nano_usd, None);
        }
        None
    }
}

fn first_target(decision: &Decision) -> Option<Target> {
    decision
        .attempts
        .first()
        .map(|planned| planned.target.clone())
}

/// The causes that are new since the last decision.
fn news(causes: &[CauseNoted], known: usize) -> &[CauseNoted] {
    causes.get(known..).unwrap_or_default()
}

/// What the first requests cost together; unknown when one of them is.
fn sum(exchanges: &[RecordedExchange], count: usize) -> Option<i64> {
    exchanges
        .iter()
        .take(count)
        .map(|exchange| exchange.cost_nano_usd)
        .sum()
}

fn facts<'a>(exchange: &'a RecordedExchange, heard: &'a Heard, id: &'a str) -> Facts<'a> {
    Facts {
        protocol: exchange.protocol,
        requested_model: &exchange.requested_model,
        explicit_task: heard.explicit.as_ref(),
        housekeeping: None,
        is_subagent: false,
        paths: &heard.paths,
        branch: heard.branch.as_deref(),
        body_bytes: exchange.request_bytes,
        new_job_id: id,
        at_us: exchange.at_us,
        needs: Needs::default(),
    }
}
