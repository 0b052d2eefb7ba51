//! Sealed reasoning that a target's provider did not make: it is not shown to it.
//!
//! Who made what is known from the answers that went through here, and from the ledger of those before this process
//! began. A request is searched only where its conversation holds seals of others, and once after a restart. A provider
//! that refuses a seal all the same is asked once more without those that are not known to be its own.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::Response;
use wayproof_upstream::{AnswerBody, AttemptFault, Call, Candidate, Content, Make, Walked, walk};
use wayproof_wire::{
    Foreign, Loss, Peek, Protocol, Request, SealMark, foreign, is_seal_refused, model_edits, seals,
    splice,
};

use crate::exchange::copy::error_ahead;
use crate::exchange::decide::Decided;
use crate::exchange::prepare::without_encoding;
use crate::exchange::settle::Settlement;
use crate::gateway::Shared;
use crate::sessions::Session;

/// Whether requests of this protocol bring sealed reasoning along.
pub(crate) const fn has_seals(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Messages | Protocol::Responses | Protocol::Gemini
    )
}

/// Who seals what a provider's models think.
pub(crate) fn sealer<'a>(shared: &'a Shared, provider: &'a str, protocol: Protocol) -> &'a str {
    let known = shared.upstream.provider(provider);
    known.map_or(provider, |known| known.sealer(protocol))
}

/// A conversation that brings seals along from before this process met it.
pub(crate) struct Unrecalled {
    session: Arc<Session>,
    name: String,
    protocol: Protocol,
}

/// The conversation, if it has to be asked of the ledger who sealed what in it.
pub(crate) fn unrecalled(decided: &Decided) -> Option<Unrecalled> {
    let settlement = &decided.settlement;
    let session = settlement.session();
    // What an agent asks beside its conversation says nothing about the seals in that.
    if !has_seals(decided.call.protocol) || !decided.is_main || session.origins().is_recalled() {
        return None;
    }
    let request = Request {
        body: &decided.body,
        peek: &decided.peek,
    };
    if seals(&request).is_empty() {
        session.origins().recall(&[]);
        return None;
    }
    Some(Unrecalled {
        session: Arc::clone(session),
        name: settlement.about().session.clone()?,
        protocol: decided.call.protocol,
    })
}

/// Learns from the ledger who sealed what.
pub(crate) async fn recall(shared: &Shared, unrecalled: Unrecalled) {
    let Unrecalled {
        session,
        name,
        protocol,
    } = unrecalled;
    match shared.ledger.seals_of_session(&name).await {
        Ok(mut known) => {
            for (provider, _) in &mut known {
                *provider = sealer(shared, provider, protocol).to_owned();
            }
            session.origins().recall(&known);
        }
        Err(error) => tracing::warn!(%error, "who sealed a conversation's reasoning is not known"),
    }
}

/// A request to one target, made without what others sealed when that target is tried.
#[derive(Debug)]
pub(crate) struct Shown {
    sent: Sent,
    session: Arc<Session>,
    sealer: String,
    made: OnceLock<(Vec<Bytes>, Vec<Loss>)>,
}

/// A request as it would go out with every seal in it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) body: Bytes,
    pub(crate) peek: Arc<Peek>,
    /// The model, as the body names it.
    pub(crate) model: String,
}

impl Sent {
    fn without(&self, is_foreign: impl FnMut(SealMark) -> bool) -> (Vec<Bytes>, Vec<Loss>) {
        let found = foreign(&self.request(), is_foreign);
        let (mut edits, losses) = found
            .map_or_else(Default::default, |Foreign { edits, losses }| {
                (edits, losses)
            });
        edits.extend(model_edits(&self.body, &self.peek, &self.model));
        edits.sort_by_key(|edit| edit.span.start);
        (splice(&self.body, &edits), losses)
    }

    fn request(&self) -> Request<'_> {
        Request {
            body: &self.body,
            peek: &self.peek,
        }
    }
}

impl Shown {
    pub(crate) const fn new(sent: Sent, session: Arc<Session>, sealer: String) -> Self {
        Self {
            sent,
            session,
            sealer,
            made: OnceLock::new(),
        }
    }

    /// The request as it would go out otherwise.
    pub(crate) const fn sent(&self) -> &Sent {
        &self.sent
    }

    /// What was left behind.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.made().1.clone()
    }

    fn made(&self) -> &(Vec<Bytes>, Vec<Loss>) {
        self.made.get_or_init(|| {
            let others = self.session.origins().of_others(&self.sealer);
            self.sent.without(|mark| others.contains(&mark))
        })
    }
}

impl Make for Shown {
    fn make(&self) -> Result<Vec<Bytes>, String> {
        Ok(self.made().0.clone())
    }
}

/// Asks a provider once more whose bad request is one for a seal, without those that are not known to be its own, or without any where
/// all are; says what was left behind then. Every other answer stays what it is.
pub(crate) async fn ask_again(
    shared: &Shared,
    call: &Call<'_>,
    (candidate, sent): (&Candidate, &Sent),
    response: &mut Response<AnswerBody>,
    settlement: &mut Settlement,
) -> Option<Vec<Loss>> {
    if !is_refusal(response).await {
        return None;
    }
    let all: BTreeSet<SealMark> = seals(&sent.request()).into_iter().collect();
    let sealer = sealer(shared, &candidate.provider, candidate.protocol);
    let own = settlement.session().origins().of(sealer);
    let others: BTreeSet<SealMark> = all.difference(&own).copied().collect();
    let refused = if others.is_empty() { all } else { others };
    let (pieces, losses) = sent.without(|mark| refused.contains(&mark));
    if losses.is_empty() {
        return None;
    }
    if let Some(record) = settlement.records.last_mut() {
        record.fault = Some(AttemptFault::ForeignSeal);
    }
    let again = Candidate {
        body: Content::Ready(pieces),
        headers: Some(without_encoding(
            candidate.headers.as_ref().unwrap_or(call.headers),
        )),
        ..candidate.clone()
    };
    let (tried, begun) = (settlement.records.len(), settlement.elapsed_us());
    let walked = walk(&shared.upstream, call, &[again], &mut settlement.records).await;
    for record in settlement.records.iter_mut().skip(tried) {
        record.started_us = record.started_us.saturating_add(begun);
    }
    let Walked::Answered {
        response: better, ..
    } = walked
    else {
        return None;
    };
    if better.status().is_success() {
        let refused: Vec<SealMark> = refused.into_iter().collect();
        let origins = settlement.session().origins();
        origins.disown(sealer, &refused);
    }
    *response = better;
    Some(losses)
}

/// Whether an error speaks of a seal. It is read ahead, and goes to the client all the same if nothing better comes.
async fn is_refusal(response: &mut Response<AnswerBody>) -> bool {
    let status = response.status().as_u16();
    let error = error_ahead(response).await;
    error.is_some_and(|error| is_seal_refused(status, &error))
}
