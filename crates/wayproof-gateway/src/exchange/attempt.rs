//! Eighth stage: the targets are asked, while the opening event becomes durable.
//!
//! Whichever takes longer, nothing of an answer is let through before both are done, nor before it is
//! fixed what the exchange's job owes. A ledger that cannot write ends the exchange at once, and with it
//! the call to the provider.

use std::sync::Arc;

use http::{Response, StatusCode};
use wayproof_ledger::LedgerError;
use wayproof_upstream::{AnswerBody, AttemptError, Call as UpstreamCall, Candidate, Walked, walk};
use wayproof_wire::{Fault, FaultKind};

use crate::exchange::admit::Caller;
use crate::exchange::foreign;
use crate::exchange::prepare::{Prepared, Way};
use crate::exchange::settle::{End, Settlement};
use crate::exchange::translate::Translation;
use crate::exchange::unspoken::{self, Sayable};
use crate::gateway::Shared;
use crate::jobs::Unfrozen;

/// An exchange that a provider has answered.
pub(crate) struct Attempted {
    pub(crate) response: Response<AnswerBody>,
    /// How the answer is translated, if it is.
    pub(crate) translation: Option<Arc<Translation>>,
    pub(crate) settlement: Box<Settlement>,
}

/// Asks the targets in their order.
pub(crate) async fn attempt(shared: &Shared, prepared: Prepared) -> Result<Attempted, Fault> {
    let Prepared {
        call,
        body,
        peek,
        candidates,
        ways,
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
    let walking =
        async { Ok::<_, Halt>(walk(&shared.upstream, &upstream_call, &candidates, records).await) };
    let opened = async { opened.await.map_err(Halt::Ledger) };
    let owed = async {
        match &call.caller {
            Caller::Job(job, _) => job.obligation_settled().await.map_err(Halt::Unfrozen),
            Caller::Local | Caller::Named(_) | Caller::Holder(_) => Ok(()),
        }
    };
    // A ledger that is known to be unable to write says so at once, before anybody is asked.
    let walked = tokio::try_join!(biased; opened, owed, walking);
    let fault = match walked {
        Ok((
            (),
            (),
            Walked::Answered {
                response,
                candidate,
            },
        )) => {
            let by = (candidates.get(candidate), ways.get(candidate));
            if response.status().is_success() {
                return Ok(taken(response, by, settlement));
            }
            let sayable = Sayable {
                call: &call,
                upstream_call: &upstream_call,
                body: &body,
                peek: &peek,
            };
            return Ok(Box::pin(refused(shared, &sayable, by, response, settlement)).await);
        }
        Ok(((), (), Walked::Unanswered(error))) => unanswered(&error),
        Ok(((), (), Walked::Empty)) => {
            Fault::new(FaultKind::Internal, "there was no target to ask")
        }
        Err(halt) => {
            settlement.end(End::Refused);
            return Err(halt.fault());
        }
    };
    settlement.end(End::Failed);
    Err(fault)
}

/// A target with how its request came about.
type By<'a> = (Option<&'a Candidate>, Option<&'a Way>);

/// Takes an answer in.
fn taken(
    response: Response<AnswerBody>,
    (candidate, way): By<'_>,
    mut settlement: Box<Settlement>,
) -> Attempted {
    settlement.lost(way.map(Way::losses).unwrap_or_default());
    settlement.answered(&response, candidate);
    Attempted {
        response,
        translation: way.and_then(Way::translation),
        settlement,
    }
}

/// Takes a refusal in, or what comes of asking once more where that may help.
async fn refused(
    shared: &Shared,
    sayable: &Sayable<'_>,
    by: By<'_>,
    mut response: Response<AnswerBody>,
    mut settlement: Box<Settlement>,
) -> Attempted {
    let call = sayable.upstream_call;
    clear(shared, call, by, &mut response, &mut settlement).await;
    let (candidate, way) = by;
    let respoken = match candidate {
        Some(asked) => {
            unspoken::ask_again(shared, sayable, asked, &mut response, &mut settlement).await
        }
        None => None,
    };
    let last = respoken.as_ref().map(|respoken| &respoken.candidate);
    settlement.answered(&response, last.or(candidate));
    let translation = respoken.map(|respoken| respoken.translation);
    Attempted {
        response,
        translation: translation.or_else(|| way.and_then(Way::translation)),
        settlement,
    }
}

/// Asks once more where a provider refused what another had sealed, and notes what it was not shown.
async fn clear(
    shared: &Shared,
    call: &UpstreamCall<'_>,
    (candidate, way): By<'_>,
    response: &mut Response<AnswerBody>,
    settlement: &mut Settlement,
) {
    let (Some(candidate), Some(way)) = (candidate, way) else {
        return;
    };
    let refused = way
        .sent()
        .filter(|_| response.status() == StatusCode::BAD_REQUEST);
    let again = match refused {
        Some(sent) => {
            let asked = (candidate, sent);
            Box::pin(foreign::ask_again(
                shared, call, asked, response, settlement,
            ))
            .await
        }
        None => None,
    };
    settlement.lost(again.unwrap_or_else(|| way.losses()));
}

/// Why an exchange must not go on.
enum Halt {
    Ledger(LedgerError),
    Unfrozen(Unfrozen),
}

impl Halt {
    fn fault(&self) -> Fault {
        let message = match self {
            Self::Ledger(error) => {
                format!("no new work is taken while the ledger cannot write: {error}")
            }
            Self::Unfrozen(Unfrozen) => {
                "what this job owes was not fixed: the run that opened it does not answer"
                    .to_owned()
            }
        };
        Fault::new(FaultKind::LedgerUnavailable, message)
    }
}

fn unanswered(error: &AttemptError) -> Fault {
    let kind = match error {
        AttemptError::TimedOut(_) => FaultKind::UpstreamTimeout,
        AttemptError::Connect(_) | AttemptError::Broken(_) | AttemptError::Credential { .. } => {
            FaultKind::UpstreamUnreachable
        }
        AttemptError::UnknownProvider(_) | AttemptError::Path(_) => FaultKind::Internal,
        AttemptError::Unsayable(reason) => return Fault::new(FaultKind::BadRequest, reason),
    };
    let cause = std::error::Error::source(error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    Fault::new(kind, format!("no provider answered: {error}{cause}"))
}
