//! Ninth stage: the answer goes to the client, byte for byte and frame by frame.
//!
//! A copy is read on the way by. Frames are neither joined nor split nor held back, trailers go
//! along, and a cut stays a cut.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use wayproof_upstream::{AnswerBody, BodyError};

use crate::body::Outgoing;
use crate::exchange::attempt::Attempted;
use crate::exchange::settle::{End, Settlement};

/// An answer on its way through.
pub(crate) struct Relay {
    answer: AnswerBody,
    settlement: Box<Settlement>,
    /// An error that is told once everything before it is on its way.
    cut: Option<BodyError>,
}

/// Turns a provider's answer into the client's.
pub(crate) fn relay(attempted: Attempted) -> Response<Outgoing> {
    let Attempted {
        response,
        mut settlement,
        ..
    } = attempted;
    let (mut parts, answer) = response.into_parts();
    settlement.add_headers(&mut parts);
    if answer.is_end_stream() {
        settlement.end(End::Whole);
    }
    let relay = Relay {
        answer,
        settlement,
        cut: None,
    };
    Response::from_parts(parts, Outgoing::Relayed(Box::new(relay)))
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Some(error) = this.cut.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let next = ready!(Pin::new(&mut this.answer).poll_frame(cx));
        match next {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.settlement.saw(data);
                }
                if this.answer.is_end_stream() {
                    this.settlement.end(End::Whole);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "an answer was cut");
                this.settlement.end(End::Cut);
                // The server breaks the connection off as soon as it is told, with what it has
                // not written yet. Waiting for one turn lets it write first.
                this.cut = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                this.settlement.end(End::Whole);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}
