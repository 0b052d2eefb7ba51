//! A stream in the client's words, said while it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::Sleep;
use wayproof_upstream::{AnswerBody, BodyError};

use super::Interpreter;
use crate::exchange::settle::{End, Settlement};
use crate::exchange::unpack::Unpacker;

/// How long a provider may take to end an answer that is over.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much may follow an answer that is over.
const MAX_TAIL: usize = 64 << 10;

/// An answer on its way through a translator.
pub(crate) struct Interpreted {
    answer: AnswerBody,
    settlement: Box<Settlement>,
    unpacker: Unpacker<Interpreter>,
    stage: Stage,
}

/// How far an answer is.
enum Stage {
    /// It is being said.
    Saying,
    /// All is said; the provider may end its side, so that its connection can be used again.
    Over {
        patience: Pin<Box<Sleep>>,
        tail: usize,
    },
    /// It broke off, and the client is told once everything before it is on its way.
    Cut(BodyError),
    /// The same, one turn later.
    Cutting(BodyError),
    /// Nothing more comes.
    Done,
}

impl Interpreted {
    pub(super) fn new(
        answer: AnswerBody,
        settlement: Box<Settlement>,
        unpacker: Unpacker<Interpreter>,
    ) -> Self {
        Self {
            answer,
            settlement,
            unpacker,
            stage: Stage::Saying,
        }
    }

    /// Takes the next bytes in and gives back what the client gets for them.
    fn hear(&mut self, data: &Bytes) -> Option<Frame<Bytes>> {
        self.settlement.saw(data);
        let is_broken = self.unpacker.push(data).is_err();
        if is_broken || self.unpacker.sink().is_over() {
            self.conclude();
            self.stage = Stage::Over {
                patience: Box::pin(tokio::time::sleep(PATIENCE)),
                tail: 0,
            };
        }
        self.said()
    }

    /// Ends the answer: with its own end, or by saying that it has none.
    fn conclude(&mut self) {
        let fault = self.unpacker.sink().finish(&mut self.settlement);
        self.settlement
            .end(fault.map_or(End::Whole, |_| End::Garbled));
    }

    fn said(&mut self) -> Option<Frame<Bytes>> {
        let said = std::mem::take(&mut self.unpacker.sink().said);
        (!said.is_empty()).then(|| Frame::data(Bytes::from(said)))
    }

    /// The next step of an answer that is being said; `None` when there is nothing to give for it.
    fn say(&mut self, next: Option<Result<Frame<Bytes>, BodyError>>) -> Option<Frame<Bytes>> {
        match next {
            Some(Ok(frame)) => frame.data_ref().and_then(|data| self.hear(data)),
            Some(Err(error)) => {
                tracing::debug!(%error, "an answer was cut");
                self.settlement.end(End::Cut);
                self.conclude();
                self.stage = Stage::Cut(error);
                self.said()
            }
            None => {
                self.conclude();
                self.stage = Stage::Done;
                self.said()
            }
        }
    }

    /// Waits for the provider's side to end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Stage::Over { patience, tail } = &mut self.stage else {
                return Poll::Ready(());
            };
            match Pin::new(&mut self.answer).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let length = frame.data_ref().map_or(0, Bytes::len);
                    *tail = tail.saturating_add(length);
                    if *tail > MAX_TAIL {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return patience.as_mut().poll(cx),
            }
        }
    }
}

impl Body for Interpreted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            match std::mem::replace(&mut this.stage, Stage::Done) {
                Stage::Saying => {
                    this.stage = Stage::Saying;
                    let next = ready!(Pin::new(&mut this.answer).poll_frame(cx));
                    if let Some(frame) = this.say(next) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                over @ Stage::Over { .. } => {
                    this.stage = over;
                    ready!(this.poll_end(cx));
                    this.stage = Stage::Done;
                }
                Stage::Cut(error) => {
                    // The server breaks the connection off as soon as it is told, with what it
                    // has not written yet. Waiting for one turn lets it write first.
                    this.stage = Stage::Cutting(error);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Stage::Cutting(error) => return Poll::Ready(Some(Err(error))),
                Stage::Done => return Poll::Ready(None),
            }
        }
    }
}
