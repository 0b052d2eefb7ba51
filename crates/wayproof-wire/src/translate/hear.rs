//! Reads answers of every protocol, whole or frame by frame, and tells what happens in them.
//!
//! One file a protocol. A frame that is no JSON ends the answer with a fault; an event nobody knows is left out.

mod chat;
mod gemini;
mod messages;
mod responses;

use serde_json::value::RawValue;

use crate::fault::{Fault, FaultKind};
use crate::json::Json;
use crate::overflow::is_context_overflow;
use crate::protocol::Protocol;
use crate::sse::SseFrame;
use crate::translate::event::{Event, Sink};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::text::Text;

/// Most calls of one answer that are told apart.
const MOST_CALLS: usize = 512;

/// What is remembered between two frames.
#[derive(Debug)]
pub(crate) enum Ear {
    Messages(messages::Ear),
    Chat(chat::Ear),
    Responses(responses::Ear),
    Gemini(gemini::Ear),
}

impl Ear {
    pub(crate) fn new(protocol: Protocol, mint: &str) -> Self {
        match protocol {
            Protocol::Messages => Self::Messages(messages::Ear::default()),
            Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
                Self::Chat(chat::Ear::new(mint))
            }
            Protocol::Responses => Self::Responses(responses::Ear::default()),
            Protocol::Gemini => Self::Gemini(gemini::Ear::new(mint)),
        }
    }

    /// Reads one frame of a stream.
    pub(crate) fn frame(&mut self, frame: SseFrame<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let Some(data) = frame.data() else { return };
        let data = data.trim_ascii();
        if data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            if let Self::Chat(ear) = self {
                ear.end(sink);
            }
            return;
        }
        // The escapes of strings go out as they come, so they are checked here.
        let Ok(raw) = serde_json::from_slice::<&RawValue>(data) else {
            return sink(Event::Failed(lied("sent an event that is not JSON")));
        };
        let json = Json::new(raw.get().as_bytes());
        match self {
            Self::Messages(ear) => ear.event(json, losses, sink),
            Self::Chat(ear) => ear.chunk(json, losses, sink),
            Self::Responses(ear) => ear.event(json, losses, sink),
            Self::Gemini(ear) => ear.chunk(json, losses, sink),
        }
    }

    /// Reads a whole answer.
    pub(crate) fn whole(&mut self, body: &[u8], losses: &mut Losses, sink: &mut Sink<'_>) {
        let raw = serde_json::from_slice::<&RawValue>(body);
        let json = raw.ok().map(|raw| Json::new(raw.get().as_bytes()));
        let Some(json) = json.filter(|json| json.is_object()) else {
            return sink(Event::Failed(lied("sent an answer that is not JSON")));
        };
        if let Some(error) = json.get("error").filter(|error| !error.is_null()) {
            return sink(Event::Failed(told(error, None)));
        }
        match self {
            Self::Messages(ear) => ear.whole(json, losses, sink),
            Self::Chat(ear) => ear.whole(json, losses, sink),
            Self::Responses(ear) => ear.whole(json, losses, sink),
            Self::Gemini(ear) => ear.whole(json, losses, sink),
        }
    }

    /// Tells the end of a stream whose protocol ends with the connection.
    pub(crate) fn close(&mut self, sink: &mut Sink<'_>) {
        match self {
            Self::Chat(ear) => ear.close(sink),
            Self::Gemini(ear) => ear.close(sink),
            Self::Messages(_) | Self::Responses(_) => {}
        }
    }
}

/// A fault of a provider that does not keep to its protocol.
pub(crate) fn lied(what: &str) -> Fault {
    Fault::new(
        FaultKind::UpstreamUnreachable,
        format!("the provider {what}"),
    )
}

/// A provider's own error, by its status and words.
pub(crate) fn told(error: Json<'_>, status: Option<u16>) -> Fault {
    let [kind, code, state, message] = error.pick(["type", "code", "status", "message"]);
    let words: Vec<String> = [kind, code, state]
        .into_iter()
        .flatten()
        .filter_map(|value| value.text().map(|word| word.to_ascii_lowercase()))
        .collect();
    let message = message
        .and_then(Json::owned_text)
        .or_else(|| error.owned_text())
        .unwrap_or_else(|| error.raw().into_owned());
    let status = status.or_else(|| code.and_then(Json::integer));
    let is_overflow = words.iter().any(|word| word == "context_length_exceeded")
        || is_context_overflow(status.unwrap_or(400), message.as_bytes());
    let says = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let kind = if is_overflow {
        FaultKind::ContextOverflow
    } else if says(&[
        "overloaded_error",
        "unavailable",
        "server_is_overloaded",
        "slow_down",
    ]) {
        FaultKind::Overloaded
    } else if says(&["insufficient_quota", "billing_error"]) {
        FaultKind::BudgetExhausted
    } else if says(&[
        "rate_limit_error",
        "rate_limit_exceeded",
        "resource_exhausted",
    ]) {
        FaultKind::RateLimited
    } else if says(&["invalid_request_error", "invalid_argument"]) && status.is_none() {
        FaultKind::BadRequest
    } else {
        kind_of(status)
    };
    Fault::new(kind, message)
}

const fn kind_of(status: Option<u16>) -> FaultKind {
    match status {
        Some(401) => FaultKind::Unauthorized,
        Some(402) => FaultKind::BudgetExhausted,
        Some(403) => FaultKind::Forbidden,
        Some(404) => FaultKind::NotFound,
        Some(413) => FaultKind::TooLarge,
        Some(429) => FaultKind::RateLimited,
        Some(503 | 529) => FaultKind::Overloaded,
        Some(504) => FaultKind::UpstreamTimeout,
        Some(400..=499) => FaultKind::BadRequest,
        Some(_) | None => FaultKind::UpstreamUnreachable,
    }
}

/// Tells what stands beside an answer's text and has no place elsewhere, such as where the text comes from.
fn beside(name: &str, value: Option<Json<'_>>, losses: &mut Losses) {
    if value.is_some_and(|value| !matches!(value.bytes(), b"[]" | b"{}")) {
        losses.add(LossKind::Part, name);
    }
}

/// A text that is not empty.
fn said(value: Option<Json<'_>>) -> Option<Text<'_>> {
    value.and_then(Text::of).filter(|text| !text.is_empty())
}
