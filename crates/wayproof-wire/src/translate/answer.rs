//! Translates an answer while it goes by.

use crate::answer::AnswerForm;
use crate::fault::Fault;
use crate::protocol::Protocol;
use crate::sse::SseDecoder;
use crate::translate::event::Event;
use crate::translate::hear::{Ear, lied};
use crate::translate::loss::{Loss, Losses};
use crate::translate::memo::Memo;
use crate::translate::middle::Middle;
use crate::translate::say::{About, Mouth};
use crate::translate::seal::origin_name;

/// Largest answer in one piece that is translated.
const WHOLE_LIMIT: usize = 32 << 20;

/// An exchange whose answer is translated.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The protocol that the client speaks.
    pub client: Protocol,
    /// The protocol that the provider speaks.
    pub provider: Protocol,
    /// The form that the client wants.
    pub wanted: AnswerForm,
    /// The form that comes.
    pub form: AnswerForm,
    /// What every id is made of: the exchange's own, in letters and digits.
    pub id: &'a str,
    /// The model that was asked.
    pub model: &'a str,
    /// The same as in [`Aim`](crate::Aim).
    pub origin: &'a str,
    /// When it began, in seconds since 1970.
    pub created_s: u64,
}

/// What came of an answer once no more of it comes.
#[derive(Debug)]
pub struct Ended {
    /// The last bytes for the client.
    pub bytes: Vec<u8>,
    /// What was wrong with the answer. In a stream the client has been told.
    pub fault: Option<Fault>,
    /// What was left behind.
    pub losses: Vec<Loss>,
}

/// Translates one answer, piece by piece.
#[derive(Debug)]
pub struct AnswerTranslator {
    pieces: Pieces,
    ear: Ear,
    middle: Middle,
    mouth: Mouth,
    losses: Losses,
}

#[derive(Debug)]
enum Pieces {
    Whole(Vec<u8>),
    Events(SseDecoder),
}

impl AnswerTranslator {
    /// A translator for one answer.
    pub fn new(exchange: &Exchange<'_>, memo: Memo) -> Self {
        let mint: String = exchange
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let about = About {
            model: exchange.model.to_owned(),
            origin: origin_name(exchange.origin),
            created_s: exchange.created_s,
            wants_usage: memo.wants_usage,
            is_generated: memo.is_generated,
            mint: mint.clone(),
        };
        let is_stream = exchange.wanted == AnswerForm::Stream;
        Self {
            pieces: match exchange.form {
                AnswerForm::Whole => Pieces::Whole(Vec::new()),
                AnswerForm::Stream => Pieces::Events(SseDecoder::default()),
            },
            ear: Ear::new(exchange.provider, &mint),
            middle: Middle::new(memo),
            mouth: Mouth::new(exchange.client, is_stream, about),
            losses: Losses::default(),
        }
    }

    /// Whether nothing more will be said.
    pub const fn is_over(&self) -> bool {
        self.mouth.said.is_over
    }

    /// Takes the next bytes of the provider's answer and gives back what the client gets for them.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.is_over() {
            return out;
        }
        match &mut self.pieces {
            Pieces::Whole(body) if body.len() + chunk.len() > WHOLE_LIMIT => {
                *body = Vec::new();
                let fault = lied("sent an answer that is too long");
                self.mouth
                    .say(Event::Failed(fault), &mut self.losses, &mut out);
            }
            Pieces::Whole(body) => body.extend_from_slice(chunk),
            Pieces::Events(decoder) => {
                let (ear, middle, mouth) = (&mut self.ear, &mut self.middle, &mut self.mouth);
                let (losses, mut lost) = (&mut self.losses, Losses::default());
                decoder.push(chunk, |frame| {
                    if mouth.said.is_over {
                        return;
                    }
                    ear.frame(frame, &mut lost, &mut |event| {
                        middle.pass(event, &mut |event| mouth.say(event, losses, &mut out));
                    });
                });
                losses.merge(lost);
                if decoder.dropped() > 0 {
                    let fault = lied("sent an event that is too long");
                    mouth.say(Event::Failed(fault), losses, &mut out);
                }
            }
        }
        out
    }

    /// Says what is left once no more bytes come. An answer without its end is a fault.
    pub fn finish(mut self) -> Ended {
        let mut bytes = Vec::new();
        let mut lost = Losses::default();
        let (ear, middle, mouth) = (&mut self.ear, &mut self.middle, &mut self.mouth);
        let losses = &mut self.losses;
        let mut sink = |event: Event<'_>| {
            middle.pass(event, &mut |event| mouth.say(event, losses, &mut bytes));
        };
        match &self.pieces {
            Pieces::Whole(body) => ear.whole(body, &mut lost, &mut sink),
            Pieces::Events(_) => ear.close(&mut sink),
        }
        self.losses.merge(lost);
        if !self.mouth.said.is_over {
            let fault = lied("broke off in the middle of its answer");
            self.mouth
                .say(Event::Failed(fault), &mut self.losses, &mut bytes);
        }
        Ended {
            bytes,
            fault: self.mouth.said.fault,
            losses: self.losses.into_list(),
        }
    }
}
