//! Bodies on their way into the ledger, where the operator says that they are kept.
//!
//! A policy may have less kept than the operator allows, and never more.
//!
//! Nobody waits for it: bodies are prepared and packed beside the exchanges. What there is no room for is left out and
//! said so, because keeping bodies must not slow an answer down.

mod assemble;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use wayproof_ledger::{About, Body, Capture, Ledger};
use wayproof_redact::{redact, redact_json};

use crate::exchange::{MAX_UNPACKED, Sink, Turn, Unpacker, packing};
use crate::gateway::Shared;

/// The longest part of an answer that is kept.
const MAX_ANSWER: usize = 16 << 20;

/// How many exchanges may wait for their bodies to be kept.
const WAITING: usize = 32;

/// What is kept of one exchange.
pub(crate) struct Pending {
    capture: Capture,
    holder: Option<String>,
    request: Bytes,
    answer: Option<Unpacker<Beginning>>,
}

/// As much of an answer as is kept.
#[derive(Default)]
pub(crate) struct Beginning {
    bytes: Vec<u8>,
    length: u64,
}

impl Sink for Beginning {
    fn take(&mut self, bytes: &[u8]) {
        let room = MAX_ANSWER.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.length += bytes.len() as u64;
    }
}

impl Pending {
    /// Begins to keep an exchange; `None` where nothing is kept.
    pub(crate) fn of(shared: &Shared, turn: &Turn) -> Option<Self> {
        let allowed = shared.settings.capture;
        let wanted = shared.policy.load().capture;
        let capture = wanted.map_or(allowed, |wanted| wanted.min(allowed));
        (capture != Capture::None).then(|| Self {
            capture,
            holder: holder_of(turn),
            request: turn.body.clone(),
            answer: None,
        })
    }

    /// Takes in the head of the answer.
    pub(crate) fn answered(&mut self, headers: &HeaderMap) {
        let unpacker = packing(headers)
            .and_then(|packing| Unpacker::new(packing, Beginning::default(), MAX_UNPACKED).ok());
        self.answer = unpacker;
    }

    /// Takes in the next bytes of the answer.
    pub(crate) fn saw(&mut self, data: &Bytes) {
        if let Some(answer) = &mut self.answer
            && let Err(error) = answer.push(data)
        {
            tracing::warn!(%error, "a packed answer cannot be read, so it is not kept");
            self.answer = None;
        }
    }

    /// The bodies as they are kept; takes its time.
    fn bodies(mut self) -> Vec<Body> {
        let length = self.request.len() as u64;
        let mut bodies = vec![self.body("request", &self.request, length)];
        // An answer that was cut is kept as far as it came.
        if let Some(answer) = &mut self.answer {
            let Beginning { bytes, length } = std::mem::take(answer.sink());
            bodies.push(self.body("answer", &bytes, length));
        }
        bodies
    }

    fn body(&self, part: &'static str, bytes: &[u8], length: u64) -> Body {
        Body {
            part,
            capture: self.capture,
            bytes: match self.capture {
                Capture::Redacted => redacted(bytes),
                Capture::None | Capture::Full => bytes.to_vec(),
            },
            length,
            is_cut: (bytes.len() as u64) < length,
            holder: self.holder.clone(),
        }
    }
}

/// The person whose key a request came with, else the key's name.
fn holder_of(turn: &Turn) -> Option<String> {
    let holder = turn.call.caller.holder()?;
    holder.person.clone().or_else(|| Some(holder.name.clone()))
}

/// A body without secrets. A stream is put together first, because a secret may be spread over its events.
fn redacted(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    if is_json {
        return redact_json(&text).into_owned().into_bytes();
    }
    match assemble::assemble(&text) {
        Some(whole) => redact_json(&whole).into_owned().into_bytes(),
        None => redact(&text).into_owned().into_bytes(),
    }
}

/// What is on its way into the ledger.
#[derive(Debug)]
pub(crate) struct Captures {
    room: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Captures {
    pub(crate) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(WAITING)),
            tasks: TaskTracker::new(),
        }
    }

    /// Keeps what was pending of an exchange.
    pub(crate) fn keep(&self, ledger: &Ledger, about: &About, pending: Pending) {
        let exchange = about.exchange.clone().unwrap_or_default();
        let (Ok(place), Ok(_runtime)) = (
            Arc::clone(&self.room).try_acquire_owned(),
            Handle::try_current(),
        ) else {
            tracing::warn!(
                exchange,
                "the bodies of an exchange are not kept: too many wait"
            );
            return;
        };
        let (ledger, about) = (ledger.clone(), about.clone());
        self.tasks.spawn(async move {
            let bodies = tokio::task::spawn_blocking(move || pending.bodies()).await;
            for body in bodies.unwrap_or_default() {
                if let Err(error) = ledger.capture(about.clone(), body).await {
                    tracing::error!(%error, exchange, "a body could not be kept");
                }
            }
            drop(place);
        });
    }

    /// Waits for what is under way.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_spread_over_a_stream_is_found() {
        let secret = ["ghp", "_", "A1b2C3d4E5f6G7h8I9j0", "K1l2M3n4O5p6Q7r8"].concat();
        let mut stream = String::new();
        for piece in secret.as_bytes().chunks(3) {
            let piece = std::str::from_utf8(piece).unwrap();
            let event = serde_json::json!({
                "type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}
            });
            stream.extend([
                "event: content_block_delta\ndata: ",
                &event.to_string(),
                "\n\n",
            ]);
        }
        let kept = String::from_utf8(redacted(stream.as_bytes())).unwrap();
        assert!(kept.contains("[redacted:github-token]"), "{kept}");
        for odd in [
            "",
            "not json",
            "data: {\"a\"",
            "data: [DONE]\n\n",
            "\u{0}\u{1}",
        ] {
            assert_eq!(redacted(odd.as_bytes()), odd.as_bytes());
        }
        assert_eq!(redacted(&[0xff, b'a']), "\u{fffd}a".as_bytes());
    }
}
