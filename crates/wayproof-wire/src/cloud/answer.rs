//! What a cloud answers, said as Messages says it.
//!
//! Bedrock's frames become server-sent events, one event a frame, its words untouched. Errors get the shape that
//! clients of Messages read; one that has it already stays as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::eventstream::{EventMessage, EventStreamDecoder, EventStreamError};
use crate::json::{Json, is_whole};
use crate::protocol::Protocol;
use crate::translate::translate_error;

/// How much of an error is kept.
const ERROR_LIMIT: usize = 64 << 10;

/// Turns an answer of a cloud into one of Messages, piece by piece.
#[derive(Debug)]
pub struct CloudAnswer(Form);

#[derive(Debug)]
enum Form {
    Frames(Box<EventStreamDecoder>),
    Error { status: u16, kept: Vec<u8> },
    Count { kept: Vec<u8> },
}

impl CloudAnswer {
    /// A stream of Bedrock's.
    pub fn frames() -> Self {
        Self(Form::Frames(Box::default()))
    }

    /// An error with this status.
    pub const fn error(status: u16) -> Self {
        let kept = Vec::new();
        Self(Form::Error { status, kept })
    }

    /// Bedrock's number of tokens.
    pub const fn count() -> Self {
        let kept = Vec::new();
        Self(Form::Count { kept })
    }

    /// What the client's content type is.
    pub const fn content_type(&self) -> &'static str {
        match self.0 {
            Form::Frames(_) => "text/event-stream; charset=utf-8",
            Form::Error { .. } | Form::Count { .. } => "application/json",
        }
    }

    /// Takes the next bytes and gives what can be said of them so far.
    ///
    /// # Errors
    /// When a stream is none. What came before it has been said.
    pub fn push(&mut self, bytes: &[u8], said: &mut Vec<u8>) -> Result<(), EventStreamError> {
        match &mut self.0 {
            Form::Frames(decoder) => {
                decoder.push(bytes);
                while let Some(message) = decoder.next_message()? {
                    say(&message, said);
                }
            }
            Form::Error { kept, .. } | Form::Count { kept } => {
                let room = ERROR_LIMIT.saturating_sub(kept.len()).min(bytes.len());
                kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Ends the answer and gives what is left to say.
    ///
    /// # Errors
    /// When a stream ended inside of a frame.
    pub fn finish(self) -> Result<Vec<u8>, EventStreamError> {
        match self.0 {
            Form::Frames(decoder) => decoder.finish().map(|()| Vec::new()),
            Form::Error { status, kept } => Ok(error(status, kept)),
            Form::Count { kept } => {
                let count = Json::new(&kept).get("inputTokens").and_then(Json::integer);
                let tokens = count.map(|tokens: u64| format!("{{\"input_tokens\":{tokens}}}"));
                Ok(tokens.map_or(kept, String::into_bytes))
            }
        }
    }
}

/// Says a frame as an event.
fn say(message: &EventMessage, said: &mut Vec<u8>) {
    let payload = Json::new(&message.payload);
    if message.header(":message-type") != Some("event") {
        let name = message
            .header(":exception-type")
            .or_else(|| message.header(":error-code"));
        let words = payload.get("message").and_then(Json::owned_text);
        let words = words.or_else(|| message.header(":error-message").map(ToOwned::to_owned));
        return fail(name.unwrap_or_default(), words, said);
    }
    // Bedrock may add kinds of events; the words of a model are all in this one.
    if message.header(":event-type") != Some("chunk") {
        return;
    }
    let inner = payload.get("bytes").and_then(Json::inside);
    let Some(inner) = inner.and_then(|text| STANDARD.decode(text).ok()) else {
        return fail("", Some("an event cannot be read".to_owned()), said);
    };
    let event = Json::new(&inner);
    let Some(name) = event.get("type").and_then(Json::owned_text) else {
        return;
    };
    // A name is a word, and an event's data is one line: others would let a provider's words end an event.
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_word || !is_whole(&inner) {
        return fail("", Some("an event cannot be read".to_owned()), said);
    }
    said.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    said.extend(inner.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => *byte,
    }));
    said.extend_from_slice(b"\n\n");
}

/// Says an exception inside of a stream.
fn fail(name: &str, words: Option<String>, said: &mut Vec<u8>) {
    let lower = name.to_ascii_lowercase();
    let kind = match lower.as_str() {
        "throttlingexception" => "rate_limit_error",
        "serviceunavailableexception" => "overloaded_error",
        "modeltimeoutexception" => "timeout_error",
        "validationexception" => "invalid_request_error",
        "accessdeniedexception" => "permission_error",
        _ => "api_error",
    };
    let words = words.unwrap_or_else(|| format!("the provider broke off: {name}"));
    let error = serde_json::json!({ "type": "error", "error": { "type": kind, "message": words } });
    said.extend_from_slice(format!("event: error\ndata: {error}\n\n").as_bytes());
}

fn error(status: u16, kept: Vec<u8>) -> Vec<u8> {
    let json = Json::new(&kept);
    let is_said = json.get("type").and_then(Json::text).as_deref() == Some("error")
        && json.get("error").is_some_and(Json::is_object);
    if is_said {
        return kept;
    }
    // Some of Amazon's services write it large.
    let words = json.get("Message").and_then(Json::owned_text);
    let words = words.map(|words| serde_json::json!({ "message": words }).to_string());
    let told = words.map_or(kept, String::into_bytes);
    translate_error(Protocol::Messages, status, &told, None, "").body
}
