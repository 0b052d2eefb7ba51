//! Requests of editors that complete code at the cursor: no conversation, and nobody's job.

use crate::json::Json;
use crate::protocol::Protocol;
use crate::view::Request;

/// Whether a request asks how a text may go on.
pub(super) fn is_one(request: &Request<'_>) -> bool {
    let has_suffix = || {
        let suffix = request.json("suffix").and_then(Json::inside);
        suffix.is_some_and(|suffix| !suffix.is_empty())
    };
    // A raw prompt carries the marks of the model's own fill-in-the-middle.
    let is_raw = || request.json("raw").and_then(Json::boolean) == Some(true);
    match request.peek.protocol {
        Protocol::Completions | Protocol::Fim => true,
        Protocol::Ollama => has_suffix() || is_raw(),
        Protocol::Messages | Protocol::Chat | Protocol::Responses | Protocol::Gemini => false,
    }
}
