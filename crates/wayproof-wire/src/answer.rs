//! Reads a copy of an answer as it goes by: usage, model, id, why it stopped, and whether it is whole.
//!
//! JSON work is done only for the few frames that can hold any of that; text goes by unread. It refuses to hold bytes
//! back or to change them, and it never calls an answer complete that did not end the way its protocol ends.

mod chat;
mod gemini;
mod messages;
mod ollama;
mod responses;

use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};

use crate::charge::charged;
use crate::json::{Json, is_whole};
use crate::protocol::Protocol;
use crate::seal_mark::{SealInPieces, SealMark};
use crate::sse::{FRAME_LIMIT, SseDecoder, SseFrame};
use crate::usage::Usage;

/// Largest answer in one piece that is read, in bytes. A longer one is relayed all the same, its usage unknown.
const WHOLE_LIMIT: usize = 32 * 1024 * 1024;
/// Longest text kept about a failure.
const FAILURE_BYTES: usize = 600;
/// Most seals of one answer that are remembered.
const MOST_SEALS: usize = 256;

/// The form an answer comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// One JSON document.
    Whole,
    /// A stream of events, or of JSON lines for Ollama.
    Stream,
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// It was done.
    End,
    /// It wants tools to run.
    ToolUse,
    /// It ran out of room.
    Length,
    /// It refused, or a filter did.
    Refusal,
    /// Anything else.
    Other,
}

/// What was learnt from an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Token counts; `None` when the provider reported none.
    pub usage: Option<Usage>,
    /// What the provider says that it charged, in nano-dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_nano_usd: Option<i64>,
    /// The model that answered, in the provider's words.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Why the model stopped.
    pub stop: Option<Stop>,
    /// Whether the answer ended the way its protocol ends; false for a stream cut short.
    pub is_complete: bool,
    /// The error that arrived instead of an answer, or inside it.
    pub failed_inside: Option<String>,
    /// The marks of the reasoning that its provider sealed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<SealMark>,
}

impl Answer {
    fn add_usage(&mut self, said: Json<'_>, read: fn(Json<'_>) -> Usage) {
        let usage = read(said);
        self.billed_nano_usd = charged(said).or(self.billed_nano_usd);
        if !usage.is_unknown() {
            self.usage = Some(self.usage.unwrap_or_default().updated_by(usage));
        }
    }

    /// Takes a seal in; answers that repeat themselves tell it twice.
    fn add_seal(&mut self, mark: Option<SealMark>) {
        let news = mark.filter(|mark| !self.seals.contains(mark));
        if self.seals.len() < MOST_SEALS {
            self.seals.extend(news);
        }
    }

    /// Takes in the seal that this value is, if it is one.
    fn add_seal_text(&mut self, value: Option<Json<'_>>) {
        let text = value.and_then(Json::text);
        self.add_seal(text.as_deref().and_then(SealMark::of));
    }

    /// Takes the error object that most dialects share.
    fn fail(&mut self, error: Json<'_>) {
        let text = |name: &str| error.get(name).and_then(Json::owned_text);
        let kind = text("code")
            .or_else(|| text("type"))
            .or_else(|| text("status"));
        let message = text("message").or_else(|| error.owned_text());
        let mut said = match (kind, message) {
            (Some(kind), Some(message)) => format!("{kind}: {message}"),
            (Some(said), None) | (None, Some(said)) => said,
            (None, None) => error.raw().into_owned(),
        };
        said.truncate(said.floor_char_boundary(FAILURE_BYTES));
        self.failed_inside = Some(said);
        self.is_complete = false;
    }
}

/// Reads one answer, piece by piece.
#[derive(Debug)]
pub struct AnswerReader {
    protocol: Protocol,
    pieces: Pieces,
    are_vectors: bool,
    state: State,
}

/// How bytes become documents.
#[derive(Debug)]
enum Pieces {
    Whole { body: Vec<u8>, is_too_long: bool },
    Events(SseDecoder),
    Lines { rest: Vec<u8>, is_dropping: bool },
}

/// What is known so far.
#[derive(Debug, Default)]
struct State {
    answer: Answer,
    /// Chat: a finish reason was seen.
    has_finish: bool,
    /// Chat: the usage chunk was seen.
    has_usage: bool,
    /// Messages: the signature that comes in, and the block it belongs to.
    signature: Option<(u64, SealInPieces)>,
}

impl AnswerReader {
    /// A reader for an answer of this protocol in this form.
    pub fn new(protocol: Protocol, form: AnswerForm) -> Self {
        let pieces = match (form, protocol) {
            (AnswerForm::Whole, _) => Pieces::Whole {
                body: Vec::new(),
                is_too_long: false,
            },
            (AnswerForm::Stream, Protocol::Ollama) => Pieces::Lines {
                rest: Vec::new(),
                is_dropping: false,
            },
            (AnswerForm::Stream, _) => Pieces::Events(SseDecoder::default()),
        };
        Self {
            protocol,
            pieces,
            are_vectors: false,
            state: State::default(),
        }
    }

    /// A reader for the vectors of texts, which end with their document and have no output.
    pub fn for_embeddings(protocol: Protocol) -> Self {
        Self {
            are_vectors: true,
            ..Self::new(protocol, AnswerForm::Whole)
        }
    }

    /// Takes the next bytes of the answer.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.pieces {
            Pieces::Whole { body, is_too_long } => {
                *is_too_long |= body.len() + chunk.len() > WHOLE_LIMIT;
                if *is_too_long {
                    *body = Vec::new();
                } else {
                    body.extend_from_slice(chunk);
                }
            }
            Pieces::Events(decoder) => {
                let (protocol, state) = (self.protocol, &mut self.state);
                decoder.push(chunk, |frame| state.frame(protocol, frame));
            }
            Pieces::Lines { rest, is_dropping } => {
                push_lines(chunk, rest, is_dropping, &mut self.state);
            }
        }
    }

    /// Says what was learnt once no more bytes come.
    pub fn finish(self) -> Answer {
        let Self {
            protocol,
            pieces,
            are_vectors,
            mut state,
        } = self;
        match pieces {
            Pieces::Whole { body, is_too_long } => {
                if !is_too_long && is_whole(&body) {
                    state.whole(protocol, Json::new(&body));
                    if are_vectors {
                        state.vectors(protocol, Json::new(&body));
                    }
                }
            }
            Pieces::Lines { rest, is_dropping } => {
                // The last line may come without a line end; a cut one is not whole.
                if !is_dropping && is_whole(&rest) {
                    ollama::line(&rest, &mut state);
                }
            }
            // An event counts once its blank line came.
            Pieces::Events(_) => messages::close_signature(&mut state),
        }
        state.answer
    }
}

impl State {
    fn frame(&mut self, protocol: Protocol, frame: SseFrame<'_>) {
        let event = frame.event();
        match protocol {
            Protocol::Messages if messages::is_dull(event, frame.raw) => return,
            Protocol::Responses if responses::is_dull(event, frame.raw) => return,
            _ => {}
        }
        let Some(data) = frame.data() else { return };
        match protocol {
            Protocol::Messages => messages::event(&data, self),
            Protocol::Chat | Protocol::Completions | Protocol::Fim => chat::chunk(&data, self),
            Protocol::Responses => responses::event(&data, self),
            Protocol::Gemini => gemini::chunk(&data, self),
            Protocol::Ollama => ollama::line(&data, self),
        }
    }

    /// Reads what is different in vectors: they have no end but their document's, and no output.
    fn vectors(&mut self, protocol: Protocol, json: Json<'_>) {
        let answer = &mut self.answer;
        if protocol == Protocol::Ollama {
            answer.add_usage(json, Usage::from_ollama);
        }
        if let Some(usage) = &mut answer.usage {
            usage.output = Some(0);
        }
        let names = ["data", "embeddings", "embedding"];
        answer.is_complete =
            answer.failed_inside.is_none() && names.iter().any(|name| json.get(name).is_some());
    }

    fn whole(&mut self, protocol: Protocol, json: Json<'_>) {
        if !json.is_object() {
            return;
        }
        if let Some(error) = json.get("error").filter(|error| !error.is_null()) {
            self.answer.fail(error);
            return;
        }
        match protocol {
            Protocol::Messages => messages::whole(json, self),
            Protocol::Chat | Protocol::Completions | Protocol::Fim => chat::whole(json, self),
            Protocol::Responses => responses::whole(json, self),
            Protocol::Gemini => gemini::whole(json, self),
            Protocol::Ollama => ollama::document(json, self),
        }
    }
}

fn push_lines(chunk: &[u8], rest: &mut Vec<u8>, is_dropping: &mut bool, state: &mut State) {
    let mut left = chunk;
    while let Some(end) = memchr(b'\n', left) {
        let (line, after) = left.split_at(end);
        left = after.get(1..).unwrap_or_default();
        let is_too_long = std::mem::take(is_dropping) || rest.len() + line.len() > FRAME_LIMIT;
        if !is_too_long {
            rest.extend_from_slice(line);
            ollama::line(rest, state);
        }
        rest.clear();
    }
    *is_dropping |= rest.len() + left.len() > FRAME_LIMIT;
    if *is_dropping {
        rest.clear();
    } else {
        rest.extend_from_slice(left);
    }
}

/// Whether the member that `finder` looks for is there with a value that is not null. Inside a string its quotes
/// would be escaped, so that a hit is nearly always the member itself; a false one costs a parse and nothing else.
fn has_member(data: &[u8], finder: &memmem::Finder<'_>) -> bool {
    let Some(at) = finder.find(data) else {
        return false;
    };
    let after = data.get(at + finder.needle().len()..).unwrap_or_default();
    let value = after
        .iter()
        .find(|byte| !matches!(byte, b' ' | b':' | b'\t'));
    value.is_some_and(|first| *first != b'n')
}
