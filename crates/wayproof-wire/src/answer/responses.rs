//! Answers of OpenAI Responses: complete with `response.completed`, `.incomplete` or `.failed`, which repeat it all.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{State, Stop};
use crate::json::Json;
use crate::usage::Usage;

static SEAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"encrypted_content\""));

/// Events between the first and the last, but for those that hold a seal.
pub(super) fn is_dull(event: &[u8], raw: &[u8]) -> bool {
    event
        .strip_prefix(b"response.")
        .is_some_and(|name| match name {
            b"created" | b"completed" | b"incomplete" | b"failed" => false,
            b"output_item.done" => SEAL.find(raw).is_none(),
            _ => true,
        })
}

pub(super) fn event(data: &[u8], state: &mut State) {
    let json = Json::new(data);
    let Some(kind) = json.get("type").and_then(Json::text) else {
        return;
    };
    match &*kind {
        "response.created" | "response.completed" | "response.incomplete" | "response.failed" => {
            if let Some(response) = json.get("response") {
                document(response, state);
            }
        }
        "response.output_item.done" => {
            if let Some(item) = json.get("item") {
                item_seal(item, state);
            }
        }
        "error" => {
            let error = json.get("error").filter(|error| error.is_object());
            state.answer.fail(error.unwrap_or(json));
        }
        _ => {}
    }
}

pub(super) fn whole(response: Json<'_>, state: &mut State) {
    document(response, state);
}

fn document(response: Json<'_>, state: &mut State) {
    let answer = &mut state.answer;
    let (mut status, mut error, mut reason) = (None, None, None);
    let mut output = None;
    for (key, value) in response.fields() {
        match &*key {
            "id" => answer.id = value.owned_text(),
            "model" => answer.model = value.owned_text(),
            "usage" => answer.add_usage(value, Usage::from_responses),
            "status" => status = value.text(),
            "error" if !value.is_null() => error = Some(value),
            "incomplete_details" => reason = value.get("reason").and_then(Json::text),
            "output" => output = Some(value),
            _ => {}
        }
    }
    if let Some(output) = output {
        for item in output.elements() {
            item_seal(item, state);
        }
    }
    let answer = &mut state.answer;
    let stop = output.map_or(Stop::End, output_stop);
    match status.as_deref() {
        Some("completed") => answer.stop = Some(stop),
        Some("incomplete") => {
            answer.stop = Some(match reason.as_deref() {
                Some("max_output_tokens") => Stop::Length,
                Some("content_filter") => Stop::Refusal,
                _ => Stop::Other,
            });
        }
        Some("failed" | "cancelled") => answer.stop = Some(Stop::Other),
        _ => return,
    }
    if let Some(error) = error {
        answer.fail(error);
    }
    // A failure that is told in the protocol's own last event is a whole answer, if a sad one.
    answer.is_complete = true;
}

fn item_seal(item: Json<'_>, state: &mut State) {
    let [kind, seal] = item.pick(["type", "encrypted_content"]);
    if kind.and_then(Json::text).as_deref() == Some("reasoning") {
        state.answer.add_seal_text(seal);
    }
}

/// What the output ends on: calls want to be run, a refusal is a content part of its own.
fn output_stop(output: Json<'_>) -> Stop {
    let mut stop = Stop::End;
    for item in output.elements() {
        let kind = item.get("type").and_then(Json::text).unwrap_or_default();
        match &*kind {
            "function_call" | "custom_tool_call" | "local_shell_call" => return Stop::ToolUse,
            "message" => {
                let parts = item.get("content").into_iter().flat_map(Json::elements);
                let mut kinds = parts.filter_map(|part| part.get("type")?.text());
                if kinds.any(|kind| kind == "refusal") {
                    stop = Stop::Refusal;
                }
            }
            _ => {}
        }
    }
    stop
}
