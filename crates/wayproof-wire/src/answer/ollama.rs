//! Answers of Ollama: JSON lines, complete with `"done": true`.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{State, Stop};
use crate::json::Json;
use crate::usage::Usage;

static CALLS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"tool_calls\""));
static OPEN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"done\":false"));

pub(super) fn line(line: &[u8], state: &mut State) {
    let is_dull =
        state.answer.model.is_some() && OPEN.find(line).is_some() && CALLS.find(line).is_none();
    if !is_dull {
        document(Json::new(line), state);
    }
}

pub(super) fn document(json: Json<'_>, state: &mut State) {
    let answer = &mut state.answer;
    let (mut is_done, mut reason) = (false, None);
    for (key, value) in json.fields() {
        match &*key {
            "model" => answer.model = value.owned_text(),
            "error" => answer.fail(value),
            "done" => is_done = value.boolean() == Some(true),
            "done_reason" => reason = value.text(),
            "message" if value.get("tool_calls").is_some() => answer.stop = Some(Stop::ToolUse),
            _ => {}
        }
    }
    if !is_done {
        return;
    }
    answer.add_usage(json, Usage::from_ollama);
    answer.is_complete = answer.failed_inside.is_none();
    answer.stop = answer.stop.or(Some(match reason.as_deref() {
        Some("stop") | None => Stop::End,
        Some("length") => Stop::Length,
        Some(_) => Stop::Other,
    }));
}
