//! Answers of Anthropic Messages: complete with `message_stop`, usage at both ends.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{State, Stop};
use crate::json::Json;
use crate::seal_mark::SealInPieces;
use crate::usage::Usage;

static SIGNATURE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"signature"));
static REDACTED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"redacted_thinking\""));

/// Events that hold nothing but content without a seal.
pub(super) fn is_dull(event: &[u8], raw: &[u8]) -> bool {
    let is_content = event.starts_with(b"content_block_") || event == b"ping";
    is_content && SIGNATURE.find(raw).is_none() && REDACTED.find(raw).is_none()
}

pub(super) fn event(data: &[u8], state: &mut State) {
    let json = Json::new(data);
    let Some(kind) = json.get("type").and_then(Json::text) else {
        return;
    };
    let answer = &mut state.answer;
    match &*kind {
        "message_start" => {
            if let Some(message) = json.get("message") {
                opening(message, state);
                // The first count of output is a placeholder; a stream cut short has none.
                if let Some(usage) = &mut state.answer.usage {
                    usage.output = None;
                }
            }
        }
        "message_delta" => {
            let stop = json.path(&["delta", "stop_reason"]);
            answer.stop = stop.and_then(stop_reason).or(answer.stop);
            if let Some(usage) = json.get("usage") {
                answer.add_usage(usage, Usage::from_messages);
            }
        }
        "message_stop" => answer.is_complete = answer.failed_inside.is_none(),
        "error" => {
            if let Some(error) = json.get("error") {
                answer.fail(error);
            }
        }
        "content_block_start" => {
            if let Some(block) = json.get("content_block") {
                block_seal(block, state);
            }
        }
        "content_block_delta" => {
            let index = json.get("index").and_then(Json::integer);
            let piece = json.path(&["delta", "signature"]).and_then(Json::text);
            if let (Some(index), Some(piece)) = (index, piece) {
                signature_piece(index, &piece, state);
            }
        }
        _ => {}
    }
}

/// A signature may come in several pieces; the next block's tells that it was whole.
fn signature_piece(index: u64, piece: &str, state: &mut State) {
    if state.signature.as_ref().is_some_and(|(of, _)| *of != index) {
        close_signature(state);
    }
    let (_, seal) = state
        .signature
        .get_or_insert_with(|| (index, SealInPieces::default()));
    seal.push(piece);
}

pub(super) fn close_signature(state: &mut State) {
    let signature = state.signature.take();
    state
        .answer
        .add_seal(signature.and_then(|(_, seal)| seal.mark()));
}

fn block_seal(block: Json<'_>, state: &mut State) {
    let [kind, signature, data] = block.pick(["type", "signature", "data"]);
    match kind.and_then(Json::text).as_deref() {
        Some("thinking") => state.answer.add_seal_text(signature),
        Some("redacted_thinking") => state.answer.add_seal_text(data),
        _ => {}
    }
}

pub(super) fn whole(message: Json<'_>, state: &mut State) {
    opening(message, state);
    for block in message.get("content").into_iter().flat_map(Json::elements) {
        block_seal(block, state);
    }
    state.answer.stop = message.get("stop_reason").and_then(stop_reason);
    state.answer.is_complete = true;
}

fn opening(message: Json<'_>, state: &mut State) {
    let answer = &mut state.answer;
    for (key, value) in message.fields() {
        match &*key {
            "id" => answer.id = value.owned_text(),
            "model" => answer.model = value.owned_text(),
            "usage" => answer.add_usage(value, Usage::from_messages),
            _ => {}
        }
    }
}

fn stop_reason(value: Json<'_>) -> Option<Stop> {
    Some(match &*value.text()? {
        "end_turn" | "stop_sequence" => Stop::End,
        "tool_use" => Stop::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refusal,
        _ => Stop::Other,
    })
}
