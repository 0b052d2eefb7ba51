//! The copy of an answer that is read on the way by.
//!
//! It is read in the provider's protocol, whatever the client gets. What cannot be read is given up with a word in
//! the log; the answer itself is never touched.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use wayproof_upstream::AnswerBody;
use wayproof_wire::{Answer, AnswerForm, AnswerReader, Protocol};

use crate::exchange::Wish;
use crate::exchange::unpack::{Packing, Sink, Unpacker};

/// How much of a provider's error is kept to look into.
pub(crate) const MAX_ERROR: usize = 64 << 10;
/// How much of a packed answer is unpacked to look into.
pub(crate) const MAX_UNPACKED: usize = 256 << 20;

/// The copy of an answer that is read on the way by.
pub(crate) enum Copy {
    /// Nothing is read.
    None,
    /// An answer of a model.
    Answer(Box<Unpacker<Reading>>),
    /// An error of the provider, kept to look for words in it.
    Error(Unpacker<Kept>),
}

pub(crate) struct Reading(AnswerReader);

impl Sink for Reading {
    fn take(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }
}

/// The beginning of an error.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<u8>);

impl Sink for Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = MAX_ERROR.saturating_sub(self.0.len()).min(bytes.len());
        self.0
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

impl Copy {
    /// Begins to read an answer by its head.
    pub(crate) fn begin(
        protocol: Protocol,
        wish: Wish,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Self {
        let Some(packing) = packing(headers) else {
            tracing::warn!("an answer is packed in an unknown way, so its usage stays unknown");
            return Self::None;
        };
        let copy = if status.is_success() {
            if wish == Wish::Count {
                return Self::None;
            }
            let reader = match wish {
                Wish::Embed => AnswerReader::for_embeddings(protocol),
                Wish::Answer | Wish::Count => AnswerReader::new(protocol, form(headers)),
            };
            let reading = Reading(reader);
            Unpacker::new(packing, reading, MAX_UNPACKED)
                .map(|unpacker| Self::Answer(Box::new(unpacker)))
        } else {
            Unpacker::new(packing, Kept::default(), MAX_UNPACKED).map(Self::Error)
        };
        copy.unwrap_or_else(|error| {
            tracing::warn!(%error, "an answer cannot be unpacked, so its usage stays unknown");
            Self::None
        })
    }

    /// Takes in the next bytes of the answer.
    pub(crate) fn push(&mut self, data: &Bytes) {
        let read = match self {
            Self::None => return,
            Self::Answer(unpacker) => unpacker.push(data),
            Self::Error(unpacker) => unpacker.push(data),
        };
        if let Err(error) = read {
            tracing::warn!(%error, "a packed answer cannot be read, so its usage stays unknown");
            *self = Self::None;
        }
    }

    /// What was learnt of an answer, or what an error said.
    pub(crate) fn finish(self) -> (Option<Answer>, Option<Vec<u8>>) {
        match self {
            Self::None => (None, None),
            Self::Answer(unpacker) => (unpacker.finish().ok().map(|read| read.0.finish()), None),
            Self::Error(unpacker) => (None, unpacker.finish().ok().map(|kept| kept.0)),
        }
    }
}

/// How an answer is packed; `None` is a way that is not known.
pub(crate) fn packing(headers: &HeaderMap) -> Option<Packing> {
    text(headers, CONTENT_ENCODING).map_or(Some(Packing::Plain), Packing::of)
}

/// Whether an answer is a stream.
pub(crate) fn form(headers: &HeaderMap) -> AnswerForm {
    let is_stream = text(headers, CONTENT_TYPE).is_some_and(|kind| {
        kind.starts_with("text/event-stream") || kind.starts_with("application/x-ndjson")
    });
    if is_stream {
        AnswerForm::Stream
    } else {
        AnswerForm::Whole
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The error that an answer is, unpacked, if it can be. It is read ahead, and goes to the client all the same if nothing
/// better comes.
pub(crate) async fn error_ahead(response: &mut Response<AnswerBody>) -> Option<Vec<u8>> {
    let mut unpacker =
        Unpacker::new(packing(response.headers())?, Kept::default(), MAX_UNPACKED).ok()?;
    for piece in response.body_mut().look_ahead(MAX_ERROR).await {
        unpacker.push(&piece).ok()?;
    }
    Some(std::mem::take(&mut unpacker.sink().0))
}
