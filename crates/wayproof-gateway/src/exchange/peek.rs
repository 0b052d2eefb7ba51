//! Third stage: what routing needs to know of the body, without parsing the rest.

use bytes::Bytes;
use wayproof_wire::{Fault, FaultKind, Peek};

use crate::exchange::admit::Call;
use crate::exchange::read::Received;

/// A request whose body has been looked into.
pub(crate) struct Peeked {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    pub(crate) packed: Option<Bytes>,
    pub(crate) peek: Peek,
}

/// Looks into the body.
pub(crate) fn peek(received: Received) -> Result<Peeked, Fault> {
    let Received { call, body, packed } = received;
    let bad = |message: String| Fault::new(FaultKind::BadRequest, message);
    let peek = wayproof_wire::peek(call.protocol, &body).map_err(|error| bad(error.to_string()))?;
    if let Some(missing) = peek.missing() {
        return Err(bad(missing.to_owned()));
    }
    Ok(Peeked {
        call,
        body,
        packed,
        peek,
    })
}
