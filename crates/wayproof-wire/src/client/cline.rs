//! Cline: no session, results wrapped in a JSON list, asks wrapped in tags.

use std::borrow::Cow;

use super::{Clues, Identity, place_after};
use crate::json::Json;
use crate::outcome::{Exit, code_after};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    identity.agent_version = None;
    identity.cwd = place_after(clues.system_raw(), "Working Directory: ");
}

/// Unwraps `[{"query":…,"result":…,"error":…,"success":…}]`; anything else is left as it is.
pub(crate) fn unwrap_result(text: Cow<'_, str>) -> (Exit, Cow<'_, str>) {
    let json = Json::new(text.as_bytes());
    let mut said = String::new();
    let mut exit = Exit::Unknown;
    for entry in json.elements() {
        let result = entry.get("result").and_then(Json::text).unwrap_or_default();
        let error = entry.get("error").and_then(Json::text).unwrap_or_default();
        let code = code_after(&result, "[Command exited with code ");
        let this = match (code, entry.get("success").and_then(Json::boolean)) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(true)) => Exit::Succeeded,
            (None, Some(false)) => Exit::Failed,
            (None, None) => continue,
        };
        // One failure among several commands is what matters.
        if !exit.is_failure() {
            exit = this;
        }
        for piece in [result, error] {
            if !piece.is_empty() {
                said.push_str(&piece);
                said.push('\n');
            }
        }
    }
    if exit == Exit::Unknown {
        return (exit, text);
    }
    (exit, Cow::Owned(said))
}

/// The ask stands inside `<task>` or, later on, `<feedback>`.
pub(crate) fn strip_ask(text: &str) -> &str {
    ["task", "feedback", "user_message"]
        .iter()
        .find_map(|tag| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            let (inner, _) = rest.split_once(&format!("</{tag}>"))?;
            Some(inner.trim())
        })
        .unwrap_or(text)
}
