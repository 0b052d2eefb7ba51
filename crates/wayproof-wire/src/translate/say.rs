//! Says answers in the client's protocol: whole, or event by event as they happen.
//!
//! One file a protocol. Every event goes out at once; only what a protocol can say in one piece is gathered first.

mod chat;
mod completions;
mod gemini;
mod messages;
mod ollama;
mod responses;

use crate::answer::Stop;
use crate::fault::{Fault, render};
use crate::json::{Json, is_whole};
use crate::protocol::Protocol;
use crate::translate::event::{CallBegun, CallKind, Event, Halt};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::out::Out;
use crate::translate::seal::{Seal, SealKind};
use crate::translate::text::{Text, escape_into};
use crate::usage::Usage;

/// What a saying is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// What every id of ours is made of.
    pub(crate) mint: String,
    /// The model, if the provider does not say it.
    pub(crate) model: String,
    pub(crate) origin: String,
    pub(crate) created_s: u64,
    pub(crate) wants_usage: bool,
    /// Ollama: whether the answer is one of `/api/generate`.
    pub(crate) is_generated: bool,
}

/// The state of an answer that is being said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) about: About,
    usage: Usage,
    halt: Option<Halt<'static>>,
    pub(crate) is_over: bool,
    pub(crate) fault: Option<Fault>,
}

/// A mouth for one protocol.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) said: Said,
    voice: Voice,
}

#[derive(Debug)]
enum Voice {
    Messages(messages::Voice),
    Chat(chat::Voice),
    Responses(responses::Voice),
    Gemini(gemini::Voice),
    Ollama(ollama::Voice),
    Completions(completions::Voice),
    /// Everything in one piece, at the end.
    Whole(Protocol, Reply),
}

/// A whole answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    parts: Vec<Piece>,
    bytes: usize,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Refusal(Vec<u8>),
    Thinking(Vec<u8>, Option<Seal<'static>>),
    Call(CallBegun<'static>, Vec<u8>),
}

/// Most bytes of one answer that are gathered.
const REPLY_BYTES: usize = 32 << 20;

impl Mouth {
    pub(crate) fn new(protocol: Protocol, is_stream: IsStream, about: About) -> Self {
        let voice = match protocol {
            _ if !is_stream => Voice::Whole(protocol, Reply::default()),
            Protocol::Messages => Voice::Messages(messages::Voice::default()),
            Protocol::Chat | Protocol::Fim => Voice::Chat(chat::Voice::default()),
            Protocol::Completions => Voice::Completions(completions::Voice),
            Protocol::Ollama => Voice::Ollama(ollama::Voice::default()),
            Protocol::Responses => Voice::Responses(responses::Voice::default()),
            Protocol::Gemini => Voice::Gemini(gemini::Voice::default()),
        };
        let said = Said {
            about,
            usage: Usage::default(),
            halt: None,
            is_over: false,
            fault: None,
        };
        Self { said, voice }
    }

    /// Says an event; what comes after the end is not said.
    pub(crate) fn say(&mut self, event: Event<'_>, losses: &mut Losses, out: &mut Vec<u8>) {
        let said = &mut self.said;
        if said.is_over {
            return;
        }
        match &event {
            Event::Begin { model: Some(model) } => {
                said.about.model = model.spoken().into_owned();
            }
            Event::Usage(usage) => said.usage = said.usage.updated_by(*usage),
            Event::Stop(halt) => {
                said.halt = Some(Halt {
                    stop: halt.stop,
                    sequence: halt.sequence.as_ref().map(Text::owned),
                });
            }
            Event::Failed(fault) => {
                said.is_over = true;
                said.fault = Some(fault.clone());
            }
            Event::End => {
                said.is_over = true;
                if said.usage.is_unknown() {
                    losses.add(LossKind::Usage, "");
                }
            }
            _ => {}
        }
        match &mut self.voice {
            Voice::Messages(voice) => voice.say(event, said, losses, out),
            Voice::Chat(voice) => voice.say(event, said, losses, out),
            Voice::Responses(voice) => voice.say(event, said, losses, out),
            Voice::Gemini(voice) => voice.say(event, said, losses, out),
            Voice::Ollama(voice) => voice.say(event, said, losses, out),
            Voice::Completions(voice) => voice.say(event, said, losses, out),
            Voice::Whole(protocol, reply) => {
                reply.take(&event);
                match event {
                    Event::End => whole(*protocol, reply, said, losses, out),
                    Event::Failed(fault) => {
                        out.extend(render(*protocol, &fault, &said.about.mint).body);
                    }
                    _ if reply.bytes > REPLY_BYTES => {
                        let fault = crate::translate::hear::lied("sent an answer that is too long");
                        self.say(Event::Failed(fault), losses, out);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether the client gets a stream.
pub(crate) type IsStream = bool;

fn whole(protocol: Protocol, reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Vec<u8>) {
    let mut json = Out::after(std::mem::take(out));
    match protocol {
        Protocol::Messages => messages::whole(reply, said, losses, &mut json),
        Protocol::Chat | Protocol::Fim => chat::whole(reply, said, losses, &mut json),
        Protocol::Completions => completions::whole(reply, said, losses, &mut json),
        Protocol::Ollama => ollama::whole(reply, said, losses, &mut json),
        Protocol::Responses => responses::whole(reply, said, losses, &mut json),
        Protocol::Gemini => gemini::whole(reply, said, losses, &mut json),
    }
    *out = json.into_bytes();
}

impl Reply {
    /// Adds what an event tells.
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => {
                let text = self.count(text);
                match self.parts.last_mut() {
                    Some(Piece::Text(so_far)) => so_far.extend_from_slice(text),
                    _ => self.parts.push(Piece::Text(text.to_vec())),
                }
            }
            Event::Refusal(text) => {
                let text = self.count(text);
                match self.parts.last_mut() {
                    Some(Piece::Refusal(so_far)) => so_far.extend_from_slice(text),
                    _ => self.parts.push(Piece::Refusal(text.to_vec())),
                }
            }
            Event::Thinking(text) => {
                let text = self.count(text);
                match self.parts.last_mut() {
                    Some(Piece::Thinking(so_far, None)) => so_far.extend_from_slice(text),
                    _ => self.parts.push(Piece::Thinking(text.to_vec(), None)),
                }
            }
            Event::Sealed(seal) => {
                self.bytes += seal.data.bytes().len();
                let seal = seal.owned();
                match self.parts.last_mut() {
                    Some(Piece::Thinking(_, place @ None)) => *place = Some(seal),
                    _ => self.parts.push(Piece::Thinking(Vec::new(), Some(seal))),
                }
            }
            Event::Call(call) => self.parts.push(Piece::Call(call.owned(), Vec::new())),
            Event::Input { key, fragment } => {
                let fragment = self.count(fragment);
                let found = self.parts.iter_mut().rev().find_map(|piece| match piece {
                    Piece::Call(call, input) if call.key == *key => Some(input),
                    _ => None,
                });
                if let Some(input) = found {
                    input.extend_from_slice(fragment);
                }
            }
            _ => {}
        }
    }

    fn count<'t>(&mut self, text: &'t Text<'_>) -> &'t [u8] {
        self.bytes += text.bytes().len();
        text.bytes()
    }
}

/// Calls whose arguments are gathered until they are whole.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    calls: Vec<(CallBegun<'static>, Vec<u8>)>,
    bytes: usize,
}

impl Gathered {
    fn begin(&mut self, call: &CallBegun<'_>) {
        self.calls.push((call.owned(), Vec::new()));
    }

    /// Adds a fragment; an error when there is too much of it.
    fn grow(&mut self, key: u64, fragment: &Text<'_>) -> Result<(), Fault> {
        self.bytes += fragment.bytes().len();
        if self.bytes > REPLY_BYTES {
            return Err(crate::translate::hear::lied("sent a call that is too long"));
        }
        let found = self.calls.iter_mut().find(|(call, _)| call.key == key);
        if let Some((_, input)) = found {
            input.extend_from_slice(fragment.bytes());
        }
        Ok(())
    }

    fn end(&mut self, key: u64) -> Option<(CallBegun<'static>, Vec<u8>)> {
        let place = self.calls.iter().position(|(call, _)| call.key == key)?;
        let (call, input) = self.calls.remove(place);
        self.bytes = self.bytes.saturating_sub(input.len());
        Some((call, input))
    }

    fn rest(&mut self) -> Vec<(CallBegun<'static>, Vec<u8>)> {
        std::mem::take(&mut self.calls)
    }
}

impl CallBegun<'_> {
    fn owned(&self) -> CallBegun<'static> {
        CallBegun {
            key: self.key,
            id: self.id.owned(),
            name: self.name.owned(),
            space: self.space.as_ref().map(Text::owned),
            kind: self.kind,
        }
    }
}

impl Seal<'_> {
    fn owned(&self) -> Seal<'static> {
        Seal {
            kind: self.kind,
            id: self.id.owned(),
            data: self.data.owned(),
        }
    }
}

impl Said {
    /// Ends the answer with a fault that is told already.
    fn fail(&mut self, fault: Fault) {
        self.is_over = true;
        self.fault = Some(fault);
    }

    fn stop(&self) -> Stop {
        self.halt.as_ref().map_or(Stop::Other, |halt| halt.stop)
    }

    /// A seal for thinking that came without one, so that its provider gets it back and nobody else does.
    fn open_seal(&self) -> Text<'static> {
        Seal {
            kind: SealKind::Open,
            id: Text::default(),
            data: Text::default(),
        }
        .pack(&self.about.origin)
    }

    fn output_tokens(&self) -> u64 {
        let output = self.usage.output.unwrap_or(0);
        output.saturating_add(self.usage.reasoning.unwrap_or(0))
    }

    fn cache_written(&self) -> u64 {
        let (short, long) = (self.usage.cache_write_5m, self.usage.cache_write_1h);
        short.unwrap_or(0).saturating_add(long.unwrap_or(0))
    }

    /// All input with its cached part, as OpenAI and Gemini count.
    fn prompt_tokens(&self) -> u64 {
        self.usage
            .total_input()
            .unwrap_or_else(|| self.usage.cache_read.unwrap_or(0))
    }
}

/// Writes one server-sent event.
fn frame(name: Option<&str>, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    let mut json = Out::after(std::mem::take(out));
    json.object(fill);
    *out = json.into_bytes();
    out.extend_from_slice(b"\n\n");
}

/// Arguments as a JSON object, from the string that held them.
fn object_of(call: &CallBegun<'_>, input: &[u8], losses: &mut Losses) -> Vec<u8> {
    let spoken = crate::json::unescape(input);
    let text = spoken.trim().as_bytes();
    if call.kind == CallKind::Function {
        if text.is_empty() {
            return b"{}".to_vec();
        }
        if Json::new(text).is_object()
            && is_whole(text)
            && serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok()
        {
            return text.to_vec();
        }
        losses.add(LossKind::Arguments, "");
    }
    let mut object = br#"{"input":""#.to_vec();
    escape_into(text, &mut object);
    object.extend_from_slice(br#""}"#);
    object
}
