//! What is answered here instead of at a provider, because providers of another protocol have no such thing.
//!
//! Tokens are estimated, and the head of the answer says so; a client of Ollama that only wants a model in memory is
//! told that it is there. Both are exchanges like any other: opened, settled, in the ledger.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use wayproof_wire::{Fault, FaultKind, Peek, Protocol, Request, estimate_tokens};

use crate::body::Outgoing;
use crate::exchange::Wish;
use crate::exchange::decide::Decided;
use crate::exchange::settle::End;
use crate::fault;

/// Says that the number of tokens in the answer is an estimate.
const ESTIMATE: HeaderName = HeaderName::from_static("x-wayproof-estimate");
const HOW: HeaderValue = HeaderValue::from_static("tokens; method=weights");

/// An answer of our own.
pub(crate) enum Own {
    /// So many tokens, about.
    Tokens(u64),
    /// The model is in memory.
    Loaded,
}

/// What can be answered here, where the target to be asked first speaks another protocol.
pub(crate) fn own(decided: &mut Decided) -> Result<Option<Own>, Fault> {
    let first = decided.settlement.decision.attempts.first();
    let Some(asked_in) = first.and_then(|planned| planned.asked_in) else {
        return Ok(None);
    };
    let call = &decided.call;
    if call.wish == Wish::Count {
        let counted = tokens(&decided.body, &decided.peek, asked_in);
        if counted.is_err() {
            decided.settlement.end(End::Refused);
        }
        return counted.map(|tokens| Some(Own::Tokens(tokens)));
    }
    let is_load = call.protocol == Protocol::Ollama && decided.peek.items.is_empty();
    Ok(is_load.then_some(Own::Loaded))
}

fn tokens(body: &Bytes, peek: &Peek, asked_in: Protocol) -> Result<u64, Fault> {
    let bad = |message: String| Fault::new(FaultKind::BadRequest, message);
    let request = Request { body, peek };
    // A count of Gemini may hold a whole request.
    let inner = request.field("generateContentRequest");
    let counted = match inner.filter(|_| peek.protocol == Protocol::Gemini) {
        Some(inner) => {
            let peek = wayproof_wire::peek(Protocol::Gemini, inner);
            let peek = peek.map_err(|error| bad(error.to_string()))?;
            let request = Request {
                body: inner,
                peek: &peek,
            };
            estimate_tokens(&request, asked_in)
        }
        None => estimate_tokens(&request, asked_in),
    };
    counted.map_err(|error| bad(error.to_string()))
}

/// Answers once the opening event cannot be lost.
pub(crate) async fn answer(decided: Decided, own: Own) -> Result<Response<Outgoing>, Fault> {
    let Decided {
        call,
        peek,
        opened,
        mut settlement,
        ..
    } = decided;
    if let Err(error) = opened.await {
        settlement.end(End::Refused);
        let message = format!("no new work is taken while the ledger cannot write: {error}");
        return Err(Fault::new(FaultKind::LedgerUnavailable, message));
    }
    let said = match own {
        Own::Tokens(tokens) if call.protocol == Protocol::Gemini => {
            json!({ "totalTokens": tokens })
        }
        Own::Tokens(tokens) => json!({ "input_tokens": tokens }),
        Own::Loaded => loaded(&peek, call.head.uri.path()),
    };
    let response = fault::json(StatusCode::OK, said.to_string().into_bytes());
    let (mut parts, body) = response.into_parts();
    if matches!(own, Own::Tokens(_)) {
        parts.headers.insert(ESTIMATE, HOW);
    }
    settlement.told(parts.status);
    settlement.end(End::Whole);
    settlement.add_headers(&mut parts);
    Ok(Response::from_parts(parts, body))
}

fn loaded(peek: &Peek, path: &str) -> Value {
    let mut said = json!({ "model": peek.model_name, "done": true, "done_reason": "load" });
    if path == "/api/generate" {
        said["response"] = json!("");
    } else {
        said["message"] = json!({ "role": "assistant", "content": "" });
    }
    said
}
