//! What leaves through the front door: an answer on its way through, or one of our own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wayproof_upstream::BodyError;

use crate::exchange::{Interpreted, Relay};

/// The body of a response.
pub(crate) enum Outgoing {
    /// A provider's answer, frame by frame.
    Relayed(Box<Relay>),
    /// A provider's answer in the client's protocol.
    Interpreted(Box<Interpreted>),
    /// An answer of our own, in one piece.
    Whole(Option<Bytes>),
    /// A page of the cold routes.
    Page(axum::body::Body),
}

impl Outgoing {
    /// A body in one piece.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }
}

/// Why a body stopped before its end; the connection is broken off with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    /// The provider's answer stopped.
    #[error(transparent)]
    Answer(#[from] BodyError),
    /// A page stopped.
    #[error(transparent)]
    Page(#[from] axum::Error),
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = OutgoingError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, OutgoingError>>> {
        match &mut *self {
            Self::Relayed(relay) => Pin::new(relay.as_mut())
                .poll_frame(cx)
                .map(|next| next.map(|frame| frame.map_err(OutgoingError::from))),
            Self::Interpreted(answer) => Pin::new(answer.as_mut())
                .poll_frame(cx)
                .map(|next| next.map(|frame| frame.map_err(OutgoingError::from))),
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Page(page) => Pin::new(page)
                .poll_frame(cx)
                .map(|next| next.map(|frame| frame.map_err(OutgoingError::from))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Relayed(relay) => relay.is_end_stream(),
            Self::Interpreted(answer) => answer.is_end_stream(),
            Self::Whole(bytes) => bytes.is_none(),
            Self::Page(page) => page.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Relayed(relay) => relay.size_hint(),
            Self::Interpreted(answer) => answer.size_hint(),
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Page(page) => page.size_hint(),
        }
    }
}
