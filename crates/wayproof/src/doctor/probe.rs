//! One real round trip through the gateway: a streaming request with a tool, in an agent's own protocol, read to its end.

use std::{fmt, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use wayproof_wire::Protocol;

use crate::{
    gateway::http::{self, Answer},
    terminal::plain,
};

/// A model that has not finished by then is of no use to an agent either.
const PATIENCE: Duration = Duration::from_secs(90);

/// A gateway on this machine answers at once.
const HEALTH_PATIENCE: Duration = Duration::from_secs(3);

const ASK: &str =
    "This is a check of the connection. Call the tool report_ready once, with status \"ready\".";
pub(super) const TOOL: &str = "report_ready";
const ABOUT: &str = "Reports that the connection works.";

/// What came back.
#[derive(Debug)]
pub(crate) struct Trip {
    pub(crate) protocol: Protocol,
    pub(crate) target: String,
    pub(crate) exchange: String,
    pub(crate) took: Duration,
    /// Whether the model called the tool.
    pub(crate) called: bool,
    /// Whether the model thought aloud.
    pub(crate) thought: bool,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Nobody listens.
    #[error("the gateway {0} does not answer: {1}")]
    Down(String, String),
    /// No end within the time.
    #[error("the answer did not end within {} s", PATIENCE.as_secs())]
    Slow,
    /// Another status than 200.
    #[error("the answer is {status}: {sentence}")]
    Refused { status: u16, sentence: String },
    /// The stream says that something failed.
    #[error("the stream ends with an error: {0}")]
    ErrorInStream(String),
    /// The stream has no proper end.
    #[error("the stream was cut before its end")]
    Cut,
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tool = if self.called {
            "the tool was called"
        } else {
            "the model answered without the tool"
        };
        let thinking = if self.thought {
            ", thinking came through"
        } else {
            ""
        };
        write!(
            f,
            "{} streamed from {} in {} ms, {tool}{thinking} (exchange {})",
            self.protocol.name(),
            self.target,
            self.took.as_millis(),
            self.exchange
        )
    }
}

/// Whether a gateway answers there.
pub(crate) async fn is_up(gateway: &str) -> bool {
    let url = format!("{gateway}/health");
    let answer = timeout(HEALTH_PATIENCE, http::get(&url, &[])).await;
    matches!(answer, Ok(Ok(answer)) if answer.status == 200 && answer.body.starts_with(b"{\"status\""))
}

/// Asks once and reads the answer to its end.
pub(crate) async fn round_trip(
    gateway: &str,
    key: Option<&str>,
    protocol: Protocol,
) -> Result<Trip, Fault> {
    let (path, body) = request(protocol);
    let url = format!("{gateway}{path}");
    let mut headers = vec![
        ("user-agent", "wayproof-doctor"),
        ("anthropic-version", "2023-06-01"),
    ];
    headers.extend(key.map(|key| ("x-wayproof-key", key)));
    let began = Instant::now();
    let answer = timeout(PATIENCE, http::post(&url, &headers, body.to_string())).await;
    let answer = answer
        .map_err(|_| Fault::Slow)?
        .map_err(|error| Fault::Down(gateway.to_owned(), crate::exit::chain(&error)))?;
    let took = began.elapsed();
    if answer.status != 200 {
        return Err(Fault::Refused {
            status: answer.status,
            sentence: sentence(&answer.body),
        });
    }
    let seen = Seen::read(protocol, &answer.body);
    if let Some(error) = seen.error {
        return Err(Fault::ErrorInStream(error));
    }
    if !seen.ended {
        return Err(Fault::Cut);
    }
    let text = |name: &str| header(&answer, name);
    Ok(Trip {
        protocol,
        target: text("x-wayproof-target"),
        exchange: text("x-wayproof-exchange"),
        took,
        called: seen.called,
        thought: seen.thought,
    })
}

fn header(answer: &Answer, name: &str) -> String {
    plain(answer.header(name).unwrap_or("unknown"))
}

/// The sentence of an error in any dialect.
pub(super) fn sentence(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let found = value
        .pointer("/error/message")
        .or_else(|| value.get("error"))
        .or_else(|| value.get("message"))
        .and_then(Value::as_str);
    let text = found.map_or_else(
        || String::from_utf8_lossy(body.get(..200).unwrap_or(body)).into_owned(),
        str::to_owned,
    );
    plain(text.trim())
}

/// What is asked in Responses.
pub(super) fn asking() -> Value {
    request(Protocol::Responses).1
}

fn request(protocol: Protocol) -> (&'static str, Value) {
    let schema = json!({
        "type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"],
    });
    match protocol {
        Protocol::Messages => (
            "/v1/messages",
            json!({
                "model": "claude-wayproof-auto", "max_tokens": 2048, "stream": true,
                "tools": [{"name": TOOL, "description": ABOUT, "input_schema": schema}],
                "messages": [{"role": "user", "content": ASK}],
            }),
        ),
        Protocol::Responses => (
            "/v1/responses",
            json!({
                "model": "wayproof-auto", "stream": true, "store": false,
                "tools": [{"type": "function", "name": TOOL, "description": ABOUT, "parameters": schema, "strict": false}],
                "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASK}]}],
            }),
        ),
        Protocol::Gemini => (
            "/v1beta/models/wayproof-auto:streamGenerateContent?alt=sse",
            json!({
                "tools": [{"functionDeclarations": [{"name": TOOL, "description": ABOUT, "parameters": schema}]}],
                "contents": [{"role": "user", "parts": [{"text": ASK}]}],
            }),
        ),
        _ => (
            "/v1/chat/completions",
            json!({
                "model": "wayproof-auto", "stream": true, "stream_options": {"include_usage": true},
                "tools": [{"type": "function", "function": {"name": TOOL, "description": ABOUT, "parameters": schema}}],
                "messages": [{"role": "user", "content": ASK}],
            }),
        ),
    }
}

/// What was seen in a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) ended: bool,
    called: bool,
    thought: bool,
    pub(super) error: Option<String>,
}

impl Seen {
    fn read(protocol: Protocol, body: &[u8]) -> Self {
        let mut seen = Self::default();
        for line in body.split(|byte| *byte == b'\n') {
            let Some(data) = line.strip_prefix(b"data:") else {
                continue;
            };
            let data = data.trim_ascii();
            if data == b"[DONE]" {
                seen.ended |= protocol == Protocol::Chat;
                continue;
            }
            let Ok(event) = serde_json::from_slice::<Value>(data) else {
                seen.error
                    .get_or_insert_with(|| "an event is no JSON".to_owned());
                continue;
            };
            seen.take(protocol, &event, data);
        }
        seen
    }

    pub(super) fn take(&mut self, protocol: Protocol, event: &Value, data: &[u8]) {
        let kind = event["type"].as_str().unwrap_or_default();
        let is_failed = kind == "error" || kind == "response.failed" || event["error"].is_object();
        if is_failed {
            let inner = event.get("response").unwrap_or(event);
            self.error
                .get_or_insert_with(|| sentence(inner.to_string().as_bytes()));
            return;
        }
        let has = |name: &str| {
            data.windows(name.len())
                .any(|window| window == name.as_bytes())
        };
        match protocol {
            Protocol::Messages => {
                self.ended |= kind == "message_stop";
                self.called |= event["content_block"]["name"] == TOOL;
                self.thought |= event["content_block"]["type"] == "thinking";
            }
            Protocol::Responses => {
                self.ended |= kind == "response.completed";
                self.called |= event["item"]["name"] == TOOL;
                self.thought |= event["item"]["type"] == "reasoning";
            }
            Protocol::Gemini => {
                let candidate = &event["candidates"][0];
                self.ended |= candidate["finishReason"].is_string();
                let mut parts = candidate["content"]["parts"]
                    .as_array()
                    .into_iter()
                    .flatten();
                self.called |= parts.any(|part| part["functionCall"]["name"] == TOOL);
                self.thought |= has("\"thought\"");
            }
            _ => {
                let delta = &event["choices"][0]["delta"];
                self.called |= delta["tool_calls"][0]["function"]["name"] == TOOL;
                self.thought |= delta["reasoning_content"].is_string();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_stream_and_an_error_in_one_are_told_apart() {
        let cut = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        assert_eq!(Seen::read(Protocol::Chat, cut), Seen::default());
        let failed = b"data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":\"too busy\"}}}\n\n";
        let seen = Seen::read(Protocol::Responses, failed);
        assert_eq!(seen.error.as_deref(), Some("too busy"));
        let whole = b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"report_ready\"}}]},\"finishReason\":\"STOP\"}]}\n\n";
        let seen = Seen::read(Protocol::Gemini, whole);
        assert!(seen.ended && seen.called && !seen.thought);
    }

    #[test]
    fn errors_of_every_dialect_have_a_sentence() {
        assert_eq!(
            sentence(br#"{"error":{"message":"no such model"}}"#),
            "no such model"
        );
        assert_eq!(sentence(br#"{"error":"no"}"#), "no");
        assert_eq!(sentence(b"<html>\x1b[2J"), "<html> [2J");
    }
}
