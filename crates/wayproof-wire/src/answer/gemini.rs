//! Answers of Gemini: every chunk has the shape of a whole answer; complete with a finish reason.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{State, Stop, has_member};
use crate::json::Json;
use crate::usage::Usage;

static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finishReason\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usageMetadata\""));
static BLOCKED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"promptFeedback\""));
static SEAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"thoughtSignature\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));

pub(super) fn chunk(data: &[u8], state: &mut State) {
    let finders = [&FINISH, &USAGE, &BLOCKED, &ERROR, &SEAL];
    if state.answer.model.is_none() || finders.iter().any(|finder| has_member(data, finder)) {
        whole(Json::new(data), state);
    }
}

pub(super) fn whole(json: Json<'_>, state: &mut State) {
    let answer = &mut state.answer;
    for (key, value) in json.fields() {
        match &*key {
            "responseId" => answer.id = value.owned_text(),
            "modelVersion" => answer.model = value.owned_text(),
            "usageMetadata" => answer.add_usage(value, Usage::from_gemini),
            "promptFeedback" if value.get("blockReason").is_some() => {
                answer.stop = Some(Stop::Refusal);
                answer.is_complete = true;
            }
            "error" => answer.fail(value),
            "candidates" => {
                for candidate in value.elements() {
                    let parts = candidate.path(&["content", "parts"]);
                    for part in parts.into_iter().flat_map(Json::elements) {
                        answer.add_seal_text(part.get("thoughtSignature"));
                    }
                    if let Some(stop) = stop(candidate) {
                        answer.stop = Some(stop);
                        answer.is_complete = answer.failed_inside.is_none();
                    }
                }
            }
            _ => {}
        }
    }
}

fn stop(candidate: Json<'_>) -> Option<Stop> {
    let reason = candidate.get("finishReason")?.text()?;
    let parts = candidate.path(&["content", "parts"]);
    let mut parts = parts.into_iter().flat_map(Json::elements);
    Some(match &*reason {
        "STOP" if parts.any(|part| part.get("functionCall").is_some()) => Stop::ToolUse,
        "STOP" => Stop::End,
        "MAX_TOKENS" => Stop::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => Stop::Refusal,
        _ => Stop::Other,
    })
}
