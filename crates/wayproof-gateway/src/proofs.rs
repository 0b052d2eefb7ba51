//! Proofs that are under way, by the jobs they are of: shown while they go on, and kept nowhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A step of a proof that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofStep {
    /// When it began.
    pub at_us: i64,
    /// What is done, in words.
    pub words: String,
}

/// All proofs that are under way.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<BTreeMap<String, Vec<ProofStep>>>);

/// How many steps of a proof are remembered, the latest.
const MAX_STEPS: usize = 64;
/// How many proofs are remembered. Ids of jobs grow with time, so the oldest job goes first.
const MAX_PROOFS: usize = 256;
/// The longest words of a step, in bytes.
pub(crate) const MAX_STEP_BYTES: usize = 400;
/// Whoever proves and says nothing for so long has gone without a word.
const SILENCE_US: i64 = 60 * 60 * 1_000_000;

impl Proofs {
    /// Notes that a step of a job's proof began.
    pub(crate) fn stepped(&self, job: &str, step: ProofStep) {
        let mut proofs = self.lock();
        let steps = proofs.entry(job.to_owned()).or_default();
        if steps.len() >= MAX_STEPS {
            steps.remove(0);
        }
        steps.push(step);
        if proofs.len() > MAX_PROOFS {
            proofs.pop_first();
        }
    }

    /// Notes that a job is not being proven any more.
    pub(crate) fn ended(&self, job: &str) {
        self.lock().remove(job);
    }

    /// The steps of every proof, by job.
    pub(crate) fn under_way(&self, now_us: i64) -> Vec<(String, Vec<ProofStep>)> {
        let mut proofs = self.lock();
        proofs.retain(|_, steps| {
            let last = steps.last().map_or(i64::MIN, |step| step.at_us);
            now_us.saturating_sub(last) < SILENCE_US
        });
        let all = proofs.iter();
        all.map(|(job, steps)| (job.clone(), steps.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<ProofStep>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_us: i64) -> ProofStep {
        ProofStep {
            at_us,
            words: at_us.to_string(),
        }
    }

    #[test]
    fn steps_are_seen_until_the_proof_ends_and_only_so_many() {
        let proofs = Proofs::default();
        assert!(proofs.under_way(0).is_empty());
        for number in 0..100 {
            proofs.stepped("j", step(number));
        }
        let seen = proofs.under_way(100);
        let (id, steps) = seen
            .first()
            .map(|(id, steps)| (id.as_str(), steps))
            .unwrap();
        assert_eq!((id, steps.len()), ("j", MAX_STEPS));
        assert_eq!(steps.last().map(|step| step.words.as_str()), Some("99"));
        proofs.ended("j");
        assert!(proofs.under_way(100).is_empty());
    }

    #[test]
    fn who_went_without_a_word_is_forgotten() {
        let proofs = Proofs::default();
        proofs.stepped("gone", step(0));
        proofs.stepped("here", step(SILENCE_US));
        let seen = proofs.under_way(SILENCE_US);
        assert_eq!(seen.len(), 1);
        for number in 0..=MAX_PROOFS {
            proofs.stepped(&format!("{number:04}"), step(SILENCE_US));
        }
        assert_eq!(proofs.under_way(SILENCE_US).len(), MAX_PROOFS);
    }
}
