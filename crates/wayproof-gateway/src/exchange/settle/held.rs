//! What is held for an exchange, and what it comes to in the end.

use wayproof_ledger::ExchangeOutcome;
use wayproof_upstream::{AttemptFault, AttemptRecord as Tried};

use super::Settlement;
use crate::envelope::Spent;

impl Settlement {
    /// Notes that money is held for it, or about to be.
    pub(crate) fn holds(&mut self, nano_usd: i64) {
        self.held_nano_usd = Some(nano_usd);
    }

    /// Holds an amount on its job, or says how the job stands.
    pub(crate) fn hold_on_job(&mut self, limit: i64, amount: i64) -> Result<(), Spent> {
        let job = self.about.job.as_deref().unwrap_or_default();
        self.session.envelope().hold(job, limit, amount)?;
        self.held_on_job = Some(amount);
        Ok(())
    }

    /// Puts what it cost in the place of what is held.
    ///
    /// What was asked of a provider and never told is charged with the most it can be: a broken-off answer's tokens
    /// are billed too.
    pub(super) fn settle_budgets(&self, outcome: ExchangeOutcome, listed: Option<i64>) {
        if self.held_nano_usd.is_none() && self.held_on_job.is_none() {
            return;
        }
        let is_open = |tried: &Tried| match tried.fault {
            None => tried.status.is_none(),
            Some(AttemptFault::Broken | AttemptFault::TimedOut | AttemptFault::Abandoned) => true,
            Some(
                AttemptFault::Connect
                | AttemptFault::Status
                | AttemptFault::BreakerOpen
                | AttemptFault::Misdirected
                | AttemptFault::Credential
                | AttemptFault::ForeignSeal
                | AttemptFault::Unspoken
                | AttemptFault::Unsayable,
            ) => false,
        };
        let cost = match self.status {
            _ if !self.is_paid_by_use() => Some(0),
            Some(status) if !status.is_success() => Some(0),
            Some(_) if outcome == ExchangeOutcome::Completed => listed,
            Some(_) => None,
            None if self.records.iter().any(is_open) => None,
            None => Some(0),
        };
        if let (Some(held), Some(job)) = (self.held_on_job, &self.about.job) {
            let mut envelope = self.session.envelope();
            envelope.settle(job, held, cost.unwrap_or(held));
        }
        if self.held_nano_usd.is_some() {
            self.shared.ledger.books().settle(self.exchange(), cost);
        }
    }
}
