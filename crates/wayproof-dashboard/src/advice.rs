//! The seam to advice: what `wayproof policy advise` would say of the policy in force, and what `wayproof policy replay`
//! makes of another. The binary fills it, so that a page says exactly what the commands say.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use wayproof_engine::Policy;

use crate::desk::Desk;
use crate::reviews::Answer;

/// Advice is worked out again when it is older; it reads many jobs.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// Whoever advises.
pub trait Adviser: Send + Sync + 'static {
    /// What may be changed, task by task, from the jobs of the last 90 days.
    fn advise(&self, policy: Arc<Policy>) -> Answer<'_, Vec<AdviceSeen>>;
    /// What a policy makes of the last jobs of 30 days.
    fn replay(&self, policy: Arc<Policy>) -> Answer<'_, ReplaySeen>;
}

/// What a policy makes of jobs that the ledger recorded. What is certain stands apart from what is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplaySeen {
    /// The jobs, newest first.
    pub jobs: Vec<JobReplayed>,
    /// How many jobs are looked at, at most.
    pub most: usize,
    /// The least and the most of them that would be proven.
    pub proven: (usize, usize),
    /// The least and the most that those with a known price would cost, in nano-dollars; no most where there is no bound.
    pub cost_nano_usd: (i64, Option<i64>),
    /// Jobs of whose cost nothing is known.
    pub unpriced: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct JobReplayed {
    /// Its id.
    pub job: String,
    /// The task it was given.
    pub task: Option<String>,
    /// Its last verdict.
    pub verdict: Option<String>,
    /// Whether it would have the same outcome.
    pub is_outcome_known: bool,
    /// The least and the most it would cost, in nano-dollars, where that is known.
    pub cost_nano_usd: (Option<i64>, Option<i64>),
    /// What would become of it.
    pub fate: Fate,
}

/// What would become of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Everything goes where it went.
    Same,
    /// Something goes elsewhere.
    Changed {
        /// What, from which request on, in a few words.
        to: String,
        /// Why.
        why: String,
    },
    /// The ledger lacks what it takes to say.
    Unknown {
        /// What it lacks.
        why: String,
    },
}

/// Advice on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct AdviceSeen {
    /// The task.
    pub task: String,
    /// The models it goes through today; nothing where none of them has worked on it yet.
    pub today: Option<String>,
    /// Jobs of it that were looked at.
    pub jobs: usize,
    /// What is advised.
    pub advised: Advised,
}

/// What is advised.
#[derive(Debug, Clone, PartialEq)]
pub enum Advised {
    /// There is too little to go by.
    NotEnough {
        /// Why.
        why: String,
    },
    /// A change of the policy.
    Change(Box<Proposal>),
}

/// A change of the policy with what it is expected to bring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// The models it would go through.
    pub to: String,
    /// The least and the most that more of the work would be proven, in percentage points.
    pub gain_points: (f64, f64),
    /// The least and the most that it would cost, in percent of today's cost.
    pub cost_percent: (f64, f64),
    /// Jobs it rests on.
    pub tasks: usize,
    /// Those whose outcome is unknown, which was read against the change.
    pub undetermined: usize,
    /// How much wrong work the gate may accept at most, in percent.
    pub leak_percent: f64,
    /// Wrong work that the gate is known to have accepted, and all that was seen.
    pub leaked: (usize, usize),
    /// The change of the policy file.
    pub diff: String,
}

/// The last advice.
#[derive(Default)]
pub(crate) struct LastAdvice(Mutex<Option<Given>>);

struct Given {
    at: Instant,
    /// Of which policy.
    digest: String,
    advice: Arc<[AdviceSeen]>,
}

impl Desk {
    /// Has advice worked out by the time somebody who looks at the policy asks for it.
    pub(crate) fn prepare_advice(&self, policy: &Arc<Policy>) {
        if self.parts().adviser.is_none() {
            return;
        }
        let (desk, policy) = (self.clone(), Arc::clone(policy));
        #[expect(
            clippy::disallowed_methods,
            reason = "nobody waits for advice that is worked out beforehand"
        )]
        tokio::spawn(async move {
            if let Some(Err(why)) = desk.advice(&policy).await {
                tracing::debug!(why, "advice is not worked out beforehand");
            }
        });
    }

    /// Advice on the policy, and how old it is; nothing where nobody advises.
    pub(crate) async fn advice(
        &self,
        policy: &Arc<Policy>,
    ) -> Option<Result<(Arc<[AdviceSeen]>, Duration), String>> {
        let adviser = self.parts().adviser.as_ref()?;
        // Whoever comes meanwhile waits and reads the same.
        let mut last = self.last_advice().0.lock().await;
        if let Some(given) = last.as_ref()
            && given.digest == policy.digest()
            && given.at.elapsed() < GOOD_FOR
        {
            return Some(Ok((Arc::clone(&given.advice), given.at.elapsed())));
        }
        let advice = match adviser.advise(Arc::clone(policy)).await {
            Ok(advice) => Arc::from(advice),
            Err(sentence) => return Some(Err(sentence)),
        };
        *last = Some(Given {
            at: Instant::now(),
            digest: policy.digest().to_owned(),
            advice: Arc::clone(&advice),
        });
        drop(last);
        Some(Ok((advice, Duration::ZERO)))
    }
}
