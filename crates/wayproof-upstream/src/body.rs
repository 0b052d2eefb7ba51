//! Bodies on their way: segments going out, frames coming back.
//!
//! Nothing is copied and nothing is joined or split. An answer that is dropped before its end
//! takes its connection with it, which is how the provider learns that nobody listens.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use wayproof_wire::{CloudAnswer, EventStreamError};

use crate::pool::Lease;

/// A request body in pieces, with a length known from the start.
#[derive(Debug)]
pub(crate) struct Segments {
    left: u64,
    pieces: std::vec::IntoIter<Bytes>,
}

impl Segments {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self {
            left: pieces.iter().map(|piece| piece.len() as u64).sum(),
            pieces: pieces.into_iter(),
        }
    }
}

impl Body for Segments {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let next = this.pieces.find(|piece| !piece.is_empty());
        if let Some(piece) = &next {
            this.left = this.left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Why an answer stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or what came was not HTTP.
    #[error("the provider's answer broke off")]
    Broken(#[source] hyper::Error),
    /// What came is not in the frames that it should be in.
    #[error("the provider's answer cannot be read on")]
    Misframed(#[source] EventStreamError),
    /// Nothing came for too long.
    #[error("the provider sent nothing for {} s", .0.as_secs())]
    Stalled(Duration),
}

/// A provider's answer, frame by frame as it comes.
#[derive(Debug)]
pub struct AnswerBody {
    incoming: Incoming,
    lease: Option<Lease>,
    stall: Stall,
    /// What reads an answer that is not in its protocol's words yet.
    heard: Option<Box<Heard>>,
    /// Frames that were looked at before they were wanted; they go first.
    ahead: VecDeque<Result<Frame<Bytes>, BodyError>>,
}

/// What reads an answer of a cloud.
#[derive(Debug)]
struct Heard {
    /// Until its end.
    cloud: Option<CloudAnswer>,
    /// What ends an answer once everything before it is on its way.
    ending: Option<BodyError>,
}

/// What is given for a frame.
enum Step {
    Wait,
    Say(Vec<u8>),
    Fail(BodyError),
    End,
}

impl Heard {
    fn take(&mut self, next: Option<Result<Frame<Bytes>, BodyError>>) -> Step {
        let mut said = Vec::new();
        let heard = match (next, &mut self.cloud) {
            (Some(Ok(frame)), Some(cloud)) => {
                let data = frame.data_ref();
                let pushed = data.map_or(Ok(()), |data| cloud.push(data, &mut said));
                pushed.map_err(BodyError::Misframed)
            }
            (Some(Err(error)), _) => Err(error),
            (None, _) => match self
                .cloud
                .take()
                .map_or(Ok(Vec::new()), CloudAnswer::finish)
            {
                Ok(rest) if rest.is_empty() => return Step::End,
                Ok(rest) => return Step::Say(rest),
                Err(error) => Err(BodyError::Misframed(error)),
            },
            (Some(Ok(_)), None) => return Step::End,
        };
        match heard {
            Ok(()) if said.is_empty() => Step::Wait,
            Ok(()) => Step::Say(said),
            Err(error) if said.is_empty() => Step::Fail(error),
            Err(error) => {
                self.ending = Some(error);
                Step::Say(said)
            }
        }
    }
}

impl AnswerBody {
    pub(crate) fn new(incoming: Incoming, lease: Lease, longest_silence: Duration) -> Self {
        Self {
            incoming,
            lease: Some(lease),
            stall: Stall {
                longest: longest_silence,
                last_frame: None,
                sleep: None,
            },
            heard: None,
            ahead: VecDeque::new(),
        }
    }

    /// Reads up to so many bytes ahead, and gives them all the same when it is their turn.
    pub async fn look_ahead(&mut self, most: usize) -> Vec<Bytes> {
        let (mut seen, mut length, mut waiting) = (Vec::new(), 0, VecDeque::new());
        while length < most {
            let Some(frame) = self.frame().await else {
                break;
            };
            if let Some(data) = frame.as_ref().ok().and_then(Frame::data_ref) {
                length += data.len();
                seen.push(data.clone());
            }
            let is_over = frame.is_err();
            waiting.push_back(frame);
            if is_over {
                break;
            }
        }
        waiting.append(&mut self.ahead);
        self.ahead = waiting;
        seen
    }

    /// The same answer, said in its protocol's words.
    pub(crate) fn read_by(mut self, cloud: CloudAnswer) -> Self {
        self.heard = Some(Box::new(Heard {
            cloud: Some(cloud),
            ending: None,
        }));
        self
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Some(frame) = this.ahead.pop_front() {
            return Poll::Ready(Some(frame));
        }
        if this.heard.is_none() {
            return this.poll_incoming(cx);
        }
        loop {
            let ending = this.heard.as_mut().and_then(|heard| heard.ending.take());
            if let Some(error) = ending {
                return Poll::Ready(Some(Err(error)));
            }
            let next = std::task::ready!(this.poll_incoming(cx));
            let step = this.heard.as_mut().map(|heard| heard.take(next));
            match step {
                Some(Step::Wait) => {}
                Some(Step::Say(said)) => {
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from(said)))));
                }
                Some(Step::Fail(error)) => return Poll::Ready(Some(Err(error))),
                Some(Step::End) | None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.heard.is_none() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.heard.is_some() {
            return SizeHint::default();
        }
        let seen = self.ahead.iter().flatten().filter_map(Frame::data_ref);
        let seen: u64 = seen.map(|data| data.len() as u64).sum();
        let rest = self.incoming.size_hint();
        let mut all = SizeHint::new();
        if let Some(upper) = rest.upper() {
            all.set_upper(upper.saturating_add(seen));
        }
        all.set_lower(rest.lower().saturating_add(seen));
        all
    }
}

impl AnswerBody {
    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self;
        let mut next = Pin::new(&mut this.incoming).poll_frame(cx);
        if next.is_pending()
            && let Some(lease) = &mut this.lease
        {
            lease.drive(cx);
            next = Pin::new(&mut this.incoming).poll_frame(cx);
        }
        match next {
            Poll::Ready(Some(Ok(frame))) => {
                this.stall.note_frame();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Broken(error)))),
            Poll::Ready(None) => {
                this.release();
                Poll::Ready(None)
            }
            Poll::Pending => this.stall.poll(cx).map(|error| Some(Err(error))),
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // A body of known length is at its end without anybody having asked for the frame
        // after the last one. Anything else that is left is an answer nobody wants any more.
        if self.incoming.is_end_stream() {
            self.release();
        }
    }
}

/// Watches for silence. The timer is made only when there is something to wait for, and moved
/// only when it rings: a busy stream costs it one reading of the clock a frame.
#[derive(Debug)]
struct Stall {
    longest: Duration,
    last_frame: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn note_frame(&mut self) {
        if self.sleep.is_some() {
            self.last_frame = Some(Instant::now());
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let longest = self.longest;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        loop {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match self.last_frame.take().map(|at| at + longest) {
                Some(due) if due > Instant::now() => sleep.as_mut().reset(due),
                Some(_) | None => return Poll::Ready(BodyError::Stalled(longest)),
            }
        }
    }
}
