//! Third stage: what routing needs to know of the body, without parsing the rest.

use bytes::Bytes;
use wayproof_wire::{Fault, FaultKind, Peek, Protocol};

use crate::exchange::Wish;
use crate::exchange::admit::Call;
use crate::exchange::read::Received;
use crate::gemini::{GeminiPath, GeminiVerb};

/// A request whose body has been looked into.
pub(crate) struct Peeked {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    pub(crate) packed: Option<Bytes>,
    pub(crate) peek: Peek,
}

fn gemini_path(call: &Call) -> Option<GeminiPath<'_>> {
    (call.protocol == Protocol::Gemini)
        .then(|| GeminiPath::of(call.head.uri.path()))
        .flatten()
}

/// Looks into the body.
pub(crate) fn peek(received: Received) -> Result<Peeked, Fault> {
    let Received { call, body, packed } = received;
    let bad = |message: String| Fault::new(FaultKind::BadRequest, message);
    let mut peek =
        wayproof_wire::peek(call.protocol, &body).map_err(|error| bad(error.to_string()))?;
    if let Some(path) = gemini_path(&call) {
        peek.model_name = path.model_name();
        peek.is_streaming = path.verb == GeminiVerb::Stream;
    }
    let missing = match call.wish {
        Wish::Answer => peek.missing(),
        // A count of Gemini may hold a whole request instead of a conversation.
        Wish::Count => peek.missing().filter(|_| call.protocol != Protocol::Gemini),
        Wish::Embed => peek.unnamed(),
    };
    if let Some(missing) = missing {
        return Err(bad(missing.to_owned()));
    }
    Ok(Peeked {
        call,
        body,
        packed,
        peek,
    })
}
