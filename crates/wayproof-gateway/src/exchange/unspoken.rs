//! Providers of which nobody said what they speak: they are asked as the client asks, and remembered not to speak what
//! they have no address for.
//!
//! The exchange that finds this out is asked once more in another protocol, and later ones begin there.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use wayproof_upstream::{
    AnswerBody, AttemptFault, AttemptRecord, Call as UpstreamCall, Candidate, Walked, walk,
};
use wayproof_wire::{Peek, is_address_unknown};

use crate::exchange::Wish;
use crate::exchange::admit::Call;
use crate::exchange::copy::error_ahead;
use crate::exchange::prepare::{translated, untranslated};
use crate::exchange::settle::Settlement;
use crate::exchange::translate::Translation;
use crate::gateway::Shared;

/// A request that can be said in another protocol.
pub(crate) struct Sayable<'a> {
    pub(crate) call: &'a Call,
    pub(crate) upstream_call: &'a UpstreamCall<'a>,
    pub(crate) body: &'a Bytes,
    pub(crate) peek: &'a Arc<Peek>,
}

/// The same request as somebody answered it in another protocol.
pub(crate) struct Respoken {
    pub(crate) candidate: Candidate,
    pub(crate) translation: Arc<Translation>,
}

/// Asks a provider in other protocols that has no address for the client's, until it has one; every other answer stays
/// what it is.
pub(crate) async fn ask_again(
    shared: &Shared,
    sayable: &Sayable<'_>,
    asked: &Candidate,
    response: &mut Response<AnswerBody>,
    settlement: &mut Settlement,
) -> Option<Respoken> {
    let client = sayable.call.protocol;
    let (mut refused, mut respoken) = (asked.protocol, None);
    let is_open = sayable.call.wish == Wish::Answer && shared.world.is_guess(&asked.provider);
    while is_open && is_unknown_address(response).await {
        shared.world.unlearn(&asked.provider, refused);
        mark(settlement.records.last_mut());
        let Some(asked_in) = shared.world.asked_in(&asked.provider, client) else {
            break;
        };
        let planned = settlement.decision.attempts.iter().find(|planned| {
            planned.target.provider == asked.provider && planned.target.model == asked.model
        });
        let planned = planned?.clone();
        if untranslated(sayable.call, asked_in, &planned).is_some() {
            break;
        }
        let request = (sayable.body, sayable.peek);
        let (candidate, translation) =
            translated(shared, sayable.call, request, &planned, asked_in);
        let (tried, begun) = (settlement.records.len(), settlement.elapsed_us());
        let asking = std::slice::from_ref(&candidate);
        let walked = walk(
            &shared.upstream,
            sayable.upstream_call,
            asking,
            &mut settlement.records,
        );
        let walked = walked.await;
        for record in settlement.records.iter_mut().skip(tried) {
            record.started_us = record.started_us.saturating_add(begun);
        }
        let Walked::Answered { response: next, .. } = walked else {
            break;
        };
        *response = next;
        refused = asked_in;
        respoken = Some(Respoken {
            candidate,
            translation,
        });
    }
    respoken
}

fn mark(record: Option<&mut AttemptRecord>) {
    if let Some(record) = record {
        record.fault = Some(AttemptFault::Unspoken);
    }
}

/// Whether an error says that there is nothing at the address. It is read ahead, and goes to the client all the same if
/// nothing better comes.
async fn is_unknown_address(response: &mut Response<AnswerBody>) -> bool {
    let status = response.status();
    if !matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    ) {
        return false;
    }
    let error = error_ahead(response).await;
    error.is_some_and(|error| is_address_unknown(status.as_u16(), &error))
}
