//! What a job may still spend, kept in memory with its conversation.
//!
//! The policy limits every job, so this is on the way of every exchange and never waits. Budgets that operators set
//! are in the ledger's books; where gateways share a ledger, jobs' limits are there too.

/// How a job stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    job: String,
    /// Spent, or charged for answers whose cost nobody told.
    spent: i64,
    /// Held for exchanges under way.
    held: i64,
}

/// Why a job may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) spent: i64,
    pub(crate) held: i64,
}

impl Envelope {
    /// One in which a job finds what it had spent before.
    pub(crate) const fn resumed(job: String, spent: i64) -> Self {
        Self {
            job,
            spent,
            held: 0,
        }
    }

    /// Holds an amount within a limit, or says how the job stands.
    pub(crate) fn hold(&mut self, job: &str, limit: i64, amount: i64) -> Result<(), Spent> {
        if self.job != job {
            *self = Self::resumed(job.to_owned(), 0);
        }
        let used = self.spent.saturating_add(self.held);
        if amount > limit.saturating_sub(used) {
            return Err(Spent {
                spent: self.spent,
                held: self.held,
            });
        }
        self.held = self.held.saturating_add(amount);
        Ok(())
    }

    /// Puts a cost in the place of what was held. What an earlier job held is its own affair.
    pub(crate) fn settle(&mut self, job: &str, held: i64, cost: i64) {
        if self.job == job {
            self.held = self.held.saturating_sub(held).max(0);
            self.spent = self.spent.saturating_add(cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_never_passes_its_limit() {
        let mut envelope = Envelope::default();
        assert_eq!(envelope.hold("a", 100, 60), Ok(()));
        let refused = envelope.hold("a", 100, 41);
        assert_eq!(refused, Err(Spent { spent: 0, held: 60 }));
        assert_eq!(envelope.hold("a", 100, 40), Ok(()));
        envelope.settle("a", 60, 10);
        assert_eq!(envelope.hold("a", 100, 50), Ok(()));
        envelope.settle("a", 40, 40);
        assert_eq!(
            envelope.hold("a", 100, 1),
            Err(Spent {
                spent: 50,
                held: 50
            })
        );
        // The next job begins with nothing, and is not charged for the last one.
        assert_eq!(envelope.hold("b", 100, 100), Ok(()));
        envelope.settle("a", 50, 50);
        assert_eq!(
            envelope.hold("b", 100, 1),
            Err(Spent {
                spent: 0,
                held: 100
            })
        );
        let mut resumed = Envelope::resumed("c".to_owned(), 99);
        assert_eq!(resumed.hold("c", 100, 2), Err(Spent { spent: 99, held: 0 }));
        assert_eq!(resumed.hold("c", 100, 1), Ok(()));
    }
}
