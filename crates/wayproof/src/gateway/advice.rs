//! Advice for the dashboard: what `wayproof policy advise` says, and what `wayproof policy replay` does.

use std::sync::Arc;

use wayproof_dashboard::{AdviceSeen, Adviser, Answer, ReplaySeen};
use wayproof_engine::Policy;
use wayproof_ledger::{Clock, Ledger};

use crate::{
    commands::{advise, replay},
    exit,
};

/// Jobs that are older say little about the models of today.
const SINCE_US: i64 = 90 * 24 * 60 * 60 * 1_000_000;
/// Jobs that a page reads at most, the newest. The command reads more.
const MOST_JOBS: usize = 500;
/// What a page replays: jobs of a month, and at most so many.
const REPLAYED_US: i64 = 30 * 24 * 60 * 60 * 1_000_000;
const MOST_REPLAYED: usize = 200;

/// Advises from the ledger.
pub(super) struct FromLedger(pub(super) Ledger);

impl Adviser for FromLedger {
    fn advise(&self, policy: Arc<Policy>) -> Answer<'_, Vec<AdviceSeen>> {
        Box::pin(async move {
            let since = Clock::system().now_us().saturating_sub(SINCE_US);
            let seen = advise::seen(&self.0, &policy, since, MOST_JOBS).await;
            seen.map_err(|error| {
                tracing::error!(error = %exit::chain(&error), "no advice could be worked out");
                "No advice could be worked out. The gateway's log says why.".to_owned()
            })
        })
    }

    fn replay(&self, policy: Arc<Policy>) -> Answer<'_, ReplaySeen> {
        Box::pin(async move {
            let since = Clock::system().now_us().saturating_sub(REPLAYED_US);
            let seen = replay::seen(&self.0, &policy, since, MOST_REPLAYED).await;
            seen.map_err(|error| {
                tracing::error!(error = %exit::chain(&error), "no policy could be replayed");
                "The jobs could not be replayed. The gateway's log says why.".to_owned()
            })
        })
    }
}
