//! Says a provider's error in the client's words, its status and message kept.

use crate::fault::{FaultKind, RenderedFault, render};
use crate::json::{Json, is_whole};
use crate::overflow::is_context_overflow;
use crate::protocol::Protocol;
use crate::translate::hear::told;

/// How much of an error that is not JSON is kept.
const WORDS: usize = 600;

/// Says a provider's error in the client's protocol. `status` and `retry_after_s` are the provider's.
pub fn translate_error(
    client: Protocol,
    status: u16,
    body: &[u8],
    retry_after_s: Option<u64>,
    request_id: &str,
) -> RenderedFault {
    let json = Json::new(body);
    // Some put the error into a list of one.
    let json = json.elements().next().unwrap_or(json);
    let is_json = is_whole(body) && json.is_object();
    let mut fault = if is_json {
        told(json.get("error").unwrap_or(json), Some(status))
    } else {
        let mut words = String::from_utf8_lossy(body).trim().to_owned();
        words.truncate(words.floor_char_boundary(WORDS));
        let quoted = serde_json::Value::from(words.as_str()).to_string();
        let mut fault = told(Json::new(quoted.as_bytes()), Some(status));
        fault.message = words;
        fault
    };
    if fault.message.is_empty() {
        fault.message = format!("the provider answered with status {status}");
    }
    if is_context_overflow(status, body) {
        fault.kind = FaultKind::ContextOverflow;
    }
    fault.retry_after_s = retry_after_s;
    let mut rendered = render(client, &fault, request_id);
    rendered.status = match (client, status) {
        _ if fault.kind == FaultKind::ContextOverflow => rendered.status,
        // Only one dialect knows this status.
        (Protocol::Messages, 503) => 529,
        (
            Protocol::Chat
            | Protocol::Responses
            | Protocol::Gemini
            | Protocol::Ollama
            | Protocol::Completions
            | Protocol::Fim,
            529,
        ) => 503,
        (_, status) => status,
    };
    rendered
}
