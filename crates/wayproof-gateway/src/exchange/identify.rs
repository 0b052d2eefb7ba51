//! Fourth stage: which agent, session and turn this is.

use bytes::Bytes;
use wayproof_wire::{Housekeeping, Identity, Peek, Request, SessionSource};

use crate::exchange::Wish;
use crate::exchange::admit::Call;
use crate::exchange::keep::Continued;
use crate::exchange::peek::Peeked;

/// A request whose sender is known.
pub(crate) struct Turn {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    pub(crate) packed: Option<Bytes>,
    pub(crate) peek: Peek,
    pub(crate) identity: Identity,
    /// What it continues from without bringing it along.
    pub(crate) continued: Option<Continued>,
}

impl Turn {
    /// Whether it brings tools that the model may call.
    pub(crate) fn has_tools(&self) -> bool {
        let request = Request {
            body: &self.body,
            peek: &self.peek,
        };
        request.has_tools()
    }
}

/// Finds out which agent is calling, and for what.
pub(crate) fn identify(peeked: Peeked) -> Turn {
    let Peeked {
        call,
        body,
        packed,
        peek,
    } = peeked;
    let request = Request {
        body: &body,
        peek: &peek,
    };
    let mut identity = wayproof_wire::identify(&call.head.headers, &request);
    match call.wish {
        Wish::Count => identity.housekeeping = Some(Housekeeping::CountTokens),
        Wish::Embed => {
            identity.housekeeping = Some(Housekeeping::Embedding);
            // What is embedded begins no conversation.
            if identity.session_source == SessionSource::Fingerprint {
                identity.session = format!("embedding-{}", identity.agent);
            }
        }
        Wish::Answer => {}
    }
    Turn {
        call,
        body,
        packed,
        peek,
        identity,
        continued: None,
    }
}
