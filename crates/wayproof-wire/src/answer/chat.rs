//! Answers of OpenAI Chat Completions: complete with `[DONE]`, or with a finish reason and the usage chunk.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{State, Stop, has_member};
use crate::json::Json;
use crate::usage::Usage;

static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finish_reason\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));

pub(super) fn chunk(data: &[u8], state: &mut State) {
    if data.trim_ascii() == b"[DONE]" {
        state.answer.is_complete = state.answer.failed_inside.is_none();
        return;
    }
    let is_first = state.answer.id.is_none() && state.answer.model.is_none();
    let is_telling = is_first
        || has_member(data, &FINISH)
        || has_member(data, &USAGE)
        || has_member(data, &ERROR);
    if is_telling {
        document(Json::new(data), state);
        let is_ended = state.has_finish && state.has_usage && state.answer.failed_inside.is_none();
        state.answer.is_complete |= is_ended;
    }
}

pub(super) fn whole(completion: Json<'_>, state: &mut State) {
    document(completion, state);
    state.answer.is_complete = state.has_finish;
}

fn document(json: Json<'_>, state: &mut State) {
    for (key, value) in json.fields() {
        if value.is_null() {
            continue;
        }
        let answer = &mut state.answer;
        match &*key {
            "id" => answer.id = value.owned_text().or(answer.id.take()),
            "model" => answer.model = value.owned_text().or(answer.model.take()),
            "usage" => {
                state.has_usage = true;
                answer.add_usage(value, Usage::from_chat);
            }
            "error" => answer.fail(value),
            "choices" => {
                for choice in value.elements() {
                    read_choice(choice, state);
                }
            }
            _ => {}
        }
    }
}

fn read_choice(choice: Json<'_>, state: &mut State) {
    for (key, value) in choice.fields() {
        match &*key {
            "finish_reason" if !value.is_null() => {
                state.has_finish = true;
                let is_refused = state.answer.stop == Some(Stop::Refusal);
                state.answer.stop = if is_refused {
                    state.answer.stop
                } else {
                    reason(value)
                };
            }
            "message" if value.get("refusal").is_some_and(|text| !text.is_null()) => {
                state.answer.stop = Some(Stop::Refusal);
            }
            _ => {}
        }
    }
}

fn reason(value: Json<'_>) -> Option<Stop> {
    Some(match &*value.text()? {
        "stop" => Stop::End,
        "tool_calls" | "function_call" => Stop::ToolUse,
        "length" => Stop::Length,
        "content_filter" => Stop::Refusal,
        _ => Stop::Other,
    })
}
