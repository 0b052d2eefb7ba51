//! A Responses conversation over one connection, where the client sends only what is new.
//!
//! Over a WebSocket a turn names the response before it and leaves out everything up to there. The chain remembers
//! what was left out, byte for byte, and gives every turn back whole, so that it can be asked over plain HTTP, of any
//! provider. It remembers the newest response only, as the protocol does. It refuses to guess: a response that it does
//! not know is said to be unknown, and the client then sends everything again.

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::json::{Json, is_whole};
use crate::peek::peek;
use crate::protocol::Protocol;
use crate::translate::escape;
use crate::view::Request;

/// What a client asks for in one message.
#[derive(Debug)]
pub enum ChainStep {
    /// An answer of a model.
    Ask(ChainTurn),
    /// Nothing yet: the beginning of a conversation is to be kept. The events that say so.
    Kept(Vec<String>),
    /// What cannot be done. The event that says so.
    Refused(String),
}

/// One turn, whole.
#[derive(Debug)]
pub struct ChainTurn {
    /// The body of the same request over HTTP.
    pub body: Vec<u8>,
    /// Headers that the client puts into the message, because a connection has only those it began with.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Every item of the conversation so far, with commas between them.
    items: Vec<u8>,
    /// Whether the provider keeps responses, so that reasoning needs no seal to be read again.
    is_stored: bool,
    response: Option<String>,
    outputs: Vec<u8>,
    has_ended: bool,
    /// Whether the client was told how it ended, for better or worse.
    is_told: bool,
}

/// What is remembered between two turns.
#[derive(Debug, Default)]
pub struct Chain {
    response: Option<String>,
    items: Vec<u8>,
    kept: usize,
}

/// Fields that only a message over a WebSocket has, or that are written anew.
const REPLACED: [&str; 6] = [
    "type",
    "input",
    "previous_response_id",
    "generate",
    "stream",
    "background",
];

impl Chain {
    /// Takes a message of the client. `mint` is what a new id is made of.
    pub fn step(&mut self, message: &[u8], mint: &str, now_s: u64) -> ChainStep {
        let found = match peek(Protocol::Responses, message) {
            Ok(found) => found,
            Err(error) => return refused("invalid_request_error", &error.to_string()),
        };
        let request = Request {
            body: message,
            peek: &found,
        };
        let kind = request.json("type").and_then(Json::owned_text);
        if kind.as_deref() == Some("response.processed") {
            // An acknowledgement of some versions of Codex, which nobody answers.
            return ChainStep::Kept(Vec::new());
        }
        if kind.as_deref() != Some("response.create") {
            let kind = kind.unwrap_or_default();
            return refused(
                "invalid_request_error",
                &format!("a message of type `{kind}` is not known here; send `response.create`"),
            );
        }
        let is_stored = request.json("store").and_then(Json::boolean) != Some(false);
        let previous = request
            .json("previous_response_id")
            .and_then(Json::owned_text);
        let is_known = previous.is_some() && previous == self.response;
        if let Some(previous) = previous.as_deref().filter(|_| !is_known && !is_stored) {
            return unknown(previous);
        }
        let mut items = if is_known {
            self.items.clone()
        } else {
            Vec::new()
        };
        for span in &found.items {
            push_item(&mut items, Json::new(span.of(message)));
        }
        if request.json("generate").and_then(Json::boolean) == Some(false) {
            return self.keep(items, &found.model_name, mint, now_s);
        }
        let body = body(&request, &items, previous.filter(|_| !is_known).as_deref());
        ChainStep::Ask(ChainTurn {
            body,
            headers: headers(&request),
            items,
            is_stored,
            response: None,
            outputs: Vec::new(),
            has_ended: false,
            is_told: false,
        })
    }

    /// Takes a turn in that is over. One that failed leaves the chain as it was, so that it can be tried again.
    pub fn close(&mut self, turn: ChainTurn) {
        if !turn.has_ended {
            return;
        }
        self.response = turn.response;
        self.items = turn.items;
        if !turn.outputs.is_empty() {
            comma(&mut self.items);
            self.items.extend_from_slice(&turn.outputs);
        }
    }

    fn keep(&mut self, items: Vec<u8>, model: &str, mint: &str, now_s: u64) -> ChainStep {
        self.kept += 1;
        let id = format!("resp_{mint}_{}", self.kept);
        self.response = Some(id.clone());
        self.items = items;
        let event = |sequence: u8, kind: &str, status: &str, usage: Value| {
            json!({
                "type": kind,
                "sequence_number": sequence,
                "response": {
                    "id": id, "object": "response", "created_at": now_s, "status": status,
                    "model": model, "output": [], "usage": usage,
                },
            })
            .to_string()
        };
        let none = json!({
            "input_tokens": 0, "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": 0, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": 0,
        });
        ChainStep::Kept(vec![
            event(0, "response.created", "in_progress", Value::Null),
            event(1, "response.completed", "completed", none),
        ])
    }
}

impl ChainTurn {
    /// Whether the client was told how the turn ended. One that ends untold would be waited for.
    pub const fn is_told(&self) -> bool {
        self.is_told
    }

    /// Takes in an event of the answer.
    pub fn heard(&mut self, event: &[u8]) {
        // Text goes by unread.
        let is_telling = memchr::memmem::find(event, b"\"response\"").is_some()
            || memchr::memmem::find(event, b"response.output_item.done").is_some();
        if !is_telling {
            return;
        }
        let [kind, item, response] = Json::new(event).pick(["type", "item", "response"]);
        match kind.and_then(Json::text).as_deref() {
            Some("response.output_item.done") => {
                if let Some(item) = item {
                    self.output(item);
                }
            }
            Some("response.failed") => self.is_told = true,
            Some("response.completed" | "response.incomplete") => {
                (self.has_ended, self.is_told) = (true, true);
                let Some(response) = response else { return };
                let [id, output] = response.pick(["id", "output"]);
                self.response = id.and_then(Json::owned_text);
                if self.outputs.is_empty() {
                    for item in output.into_iter().flat_map(Json::elements) {
                        self.output(item);
                    }
                }
            }
            _ => {}
        }
    }

    fn output(&mut self, item: Json<'_>) {
        // Reasoning that nobody stored and that has no seal cannot be sent back.
        let is_reasoning = item.get("type").and_then(Json::text).as_deref() == Some("reasoning");
        let seal = item.get("encrypted_content");
        let is_sealed = seal.is_some_and(|seal| !seal.is_null());
        if !is_reasoning || is_sealed || self.is_stored {
            push_item(&mut self.outputs, item);
        }
    }
}

/// An error, as it goes over the connection. `error` is the provider's own object, where there is one.
pub fn chain_error(status: u16, body: &[u8], retry_after_s: Option<&str>) -> String {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let error = parsed
        .as_ref()
        .and_then(|body| body.get("error"))
        .filter(|error| error.is_object())
        .cloned()
        .unwrap_or_else(|| {
            let words: String = String::from_utf8_lossy(body).chars().take(600).collect();
            json!({ "type": "server_error", "code": null, "message": words, "param": null })
        });
    let mut event = json!({ "type": "error", "status": status, "error": error });
    if let Some(wait) = retry_after_s {
        event["headers"] = json!({ "retry-after": wait });
    }
    event.to_string()
}

fn refused(kind: &str, message: &str) -> ChainStep {
    let error = json!({ "type": kind, "code": null, "message": message, "param": null });
    let event = json!({ "type": "error", "status": 400, "error": error });
    ChainStep::Refused(event.to_string())
}

/// In the words that clients take as a wish for the whole conversation.
fn unknown(previous: &str) -> ChainStep {
    let message = format!("Previous response with id '{previous}' not found.");
    let error = json!({
        "type": "invalid_request_error", "code": "previous_response_not_found",
        "message": message, "param": "previous_response_id",
    });
    let event = json!({ "type": "error", "status": 400, "error": error });
    ChainStep::Refused(event.to_string())
}

fn comma(items: &mut Vec<u8>) {
    if !items.is_empty() {
        items.push(b',');
    }
}

/// Adds an item as it came; a bare text is a message of the user.
fn push_item(items: &mut Vec<u8>, item: Json<'_>) {
    comma(items);
    if item.inside().is_some() {
        items.extend_from_slice(br#"{"type":"message","role":"user","content":"#);
        items.extend_from_slice(item.bytes());
        items.push(b'}');
    } else {
        items.extend_from_slice(item.bytes());
    }
}

/// The same request over HTTP: every field as it came, the conversation whole.
fn body(request: &Request<'_>, items: &[u8], previous: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(request.body.len() + items.len() + 64);
    body.extend_from_slice(b"{\"stream\":true,\"input\":[");
    body.extend_from_slice(items);
    body.push(b']');
    if let Some(previous) = previous {
        body.extend_from_slice(b",\"previous_response_id\":\"");
        escape(previous.as_bytes(), &mut body);
        body.push(b'"');
    }
    for field in &request.peek.fields {
        let name = field.name.of(request.body);
        if REPLACED
            .iter()
            .any(|known| crate::json::spells(name, known))
        {
            continue;
        }
        body.push(b',');
        body.extend_from_slice(name);
        body.push(b':');
        body.extend_from_slice(field.value.of(request.body));
    }
    body.push(b'}');
    debug_assert!(is_whole(&body));
    body
}

/// What Codex would have sent in headers stands in its metadata under the same names.
fn headers(request: &Request<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let metadata = request.json("client_metadata");
    let fields = metadata.into_iter().flat_map(Json::fields);
    fields
        .filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let is_lifted = ["x-codex-", "x-openai-"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
            let name = is_lifted.then(|| name.parse().ok())??;
            Some((name, HeaderValue::from_str(&value.text()?).ok()?))
        })
        .collect()
}
