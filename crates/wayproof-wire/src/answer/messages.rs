//! Answers of Anthropic Messages: complete with `message_stop`, usage at both ends.

use super::{State, Stop};
use crate::json::Json;
use crate::usage::Usage;

/// Events that hold nothing but content.
pub(super) fn is_dull(event: &[u8]) -> bool {
    event.starts_with(b"content_block_") || event == b"ping"
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
                answer.add_usage(Usage::from_messages(usage));
            }
        }
        "message_stop" => answer.is_complete = answer.failed_inside.is_none(),
        "error" => {
            if let Some(error) = json.get("error") {
                answer.fail(error);
            }
        }
        _ => {}
    }
}

pub(super) fn whole(message: Json<'_>, state: &mut State) {
    opening(message, state);
    state.answer.stop = message.get("stop_reason").and_then(stop_reason);
    state.answer.is_complete = true;
}

fn opening(message: Json<'_>, state: &mut State) {
    let answer = &mut state.answer;
    for (key, value) in message.fields() {
        match &*key {
            "id" => answer.id = value.owned_text(),
            "model" => answer.model = value.owned_text(),
            "usage" => answer.add_usage(Usage::from_messages(value)),
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
