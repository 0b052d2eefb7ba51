//! Reads items of Anthropic Messages.

use std::borrow::Cow;

use super::{Item, Part, Results, Role, joined_text};
use crate::json::Json;

pub(super) fn role(message: Json<'_>) -> Role {
    match message.get("role").and_then(Json::text).as_deref() {
        Some("assistant") => Role::Assistant,
        Some("user") => Role::User,
        _ => Role::System,
    }
}

pub(super) fn item(message: Json<'_>, results: Results) -> Item<'_> {
    let parts = match message.get("content") {
        Some(content) => match content.text() {
            Some(text) => vec![Part::Text(text)],
            None => content
                .elements()
                .map(|part| block(part, results))
                .collect(),
        },
        None => Vec::new(),
    };
    Item {
        role: role(message),
        parts,
    }
}

fn block(block: Json<'_>, results: Results) -> Part<'_> {
    let (mut kind, mut text, mut id, mut name) = (None, None, None, None);
    let (mut input, mut result, mut is_error) = (None, None, None);
    for (key, value) in block.fields() {
        match &*key {
            "type" => kind = value.text(),
            "text" => text = Some(value),
            "id" | "tool_use_id" => id = value.text(),
            "name" => name = value.text(),
            "input" => input = Some(value),
            "content" => result = Some(value),
            "is_error" => is_error = value.boolean(),
            _ => {}
        }
    }
    match kind.as_deref() {
        Some("text") => Part::Text(text.and_then(Json::text).unwrap_or_default()),
        Some("tool_use") => Part::ToolCall {
            id: id.unwrap_or_default(),
            name: name.unwrap_or_default(),
            input: input.map_or(Cow::Borrowed(""), Json::raw),
        },
        Some("tool_result") if results == Results::Skip => Part::Other,
        Some("tool_result") => Part::ToolResult {
            id: id.unwrap_or_default(),
            is_error,
            text: result.map(joined_text).unwrap_or_default(),
        },
        Some("thinking" | "redacted_thinking") => Part::Thinking,
        _ => Part::Other,
    }
}
