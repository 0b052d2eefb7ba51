//! Eighth stage: the targets are asked, while the opening event becomes durable.
//!
//! Whichever takes longer, nothing of an answer is let through before both are done. A ledger
//! that cannot write ends the exchange at once, and with it the call to the provider.

use http::Response;
use wayproof_upstream::{AnswerBody, AttemptError, Call as UpstreamCall, Walked, walk};
use wayproof_wire::{Fault, FaultKind};

use crate::exchange::prepare::Prepared;
use crate::exchange::settle::{End, Settlement};
use crate::gateway::Shared;

/// An exchange that a provider has answered.
pub(crate) struct Attempted {
    pub(crate) response: Response<AnswerBody>,
    pub(crate) settlement: Box<Settlement>,
}

/// Asks the targets in their order.
pub(crate) async fn attempt(shared: &Shared, prepared: Prepared) -> Result<Attempted, Fault> {
    let Prepared {
        call,
        candidates,
        opened,
        mut settlement,
    } = prepared;
    let upstream_call = UpstreamCall {
        method: &call.head.method,
        headers: &call.head.headers,
        caller: call.credential,
        deadline: call.began + shared.settings.answer_deadline,
    };
    let records = &mut settlement.records;
    let walking = async { Ok(walk(&shared.upstream, &upstream_call, &candidates, records).await) };
    // A ledger that is known to be unable to write says so at once, before anybody is asked.
    let walked = tokio::try_join!(biased; opened, walking);
    let fault = match walked {
        Ok((
            (),
            Walked::Answered {
                response,
                candidate,
            },
        )) => {
            settlement.answered(&response, candidates.get(candidate));
            return Ok(Attempted {
                response,
                settlement,
            });
        }
        Ok(((), Walked::Unanswered(error))) => unanswered(&error),
        Ok(((), Walked::Empty)) => Fault::new(FaultKind::Internal, "there was no target to ask"),
        Err(error) => {
            settlement.end(End::Refused);
            let message = format!("no new work is taken while the ledger cannot write: {error}");
            return Err(Fault::new(FaultKind::LedgerUnavailable, message));
        }
    };
    settlement.end(End::Failed);
    Err(fault)
}

fn unanswered(error: &AttemptError) -> Fault {
    let kind = match error {
        AttemptError::TimedOut(_) => FaultKind::UpstreamTimeout,
        AttemptError::Connect(_) | AttemptError::Broken(_) => FaultKind::UpstreamUnreachable,
        AttemptError::UnknownProvider(_) | AttemptError::Path(_) => FaultKind::Internal,
    };
    let cause = std::error::Error::source(error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    Fault::new(kind, format!("no provider answered: {error}{cause}"))
}
