//! Seventh stage: the bytes that go out to each target.
//!
//! Same protocol only: the name of the model is put in its place and every other byte stays.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http::uri::PathAndQuery;
use wayproof_ledger::Durable;
use wayproof_upstream::Candidate;
use wayproof_wire::splice_model;

use crate::exchange::admit::Call;
use crate::exchange::decide::Decided;
use crate::exchange::settle::Settlement;

/// An exchange that is ready to be sent.
pub(crate) struct Prepared {
    pub(crate) call: Call,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) opened: Durable,
    pub(crate) settlement: Box<Settlement>,
}

/// Puts every target's model name into the body.
pub(crate) fn prepare(decided: Decided) -> Prepared {
    let Decided {
        mut call,
        body,
        packed,
        peek,
        opened,
        settlement,
    } = decided;
    let path_and_query = call
        .head
        .uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    let attempts = &settlement.decision.attempts;
    let is_renamed = attempts
        .iter()
        .any(|planned| planned.target.model != peek.model_name);
    // A packed body in which nothing changes goes out as it came. Otherwise it goes out unpacked.
    let as_sent = packed.filter(|_| !is_renamed);
    if as_sent.is_none() && call.head.headers.contains_key(CONTENT_ENCODING) {
        call.head.headers = without_encoding(&call.head.headers);
    }
    let candidates = attempts
        .iter()
        .map(|planned| Candidate {
            segments: match &as_sent {
                Some(packed) => vec![packed.clone()],
                None => splice_model(&body, &peek, &planned.target.model),
            },
            provider: planned.target.provider.clone(),
            model: planned.target.model.clone(),
            protocol: call.protocol,
            path_and_query: path_and_query.clone(),
        })
        .collect();
    Prepared {
        call,
        candidates,
        opened,
        settlement,
    }
}

/// Removing from a header map would change the order of what is left.
fn without_encoding(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if name != CONTENT_ENCODING {
            kept.append(name, value.clone());
        }
    }
    kept
}
