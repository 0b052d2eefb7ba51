//! Reads items of OpenAI Responses, where calls and their results are items of their own.

use std::borrow::Cow;

use super::{Item, Part, Role, joined_text};
use crate::json::Json;

pub(super) fn role(item: Json<'_>) -> Role {
    // A message names its type before its role, or has no type at all.
    for (key, value) in item.fields() {
        let word = || value.text().unwrap_or_default();
        let settled = match &*key {
            "type" => kind_role(&word()),
            "role" => Some(message_role(&word())),
            _ => None,
        };
        if let Some(role) = settled {
            return role;
        }
    }
    Role::System
}

/// The role that an item's type settles; a message's role is its own field.
fn kind_role(kind: &str) -> Option<Role> {
    match kind {
        "message" => None,
        "reasoning" => Some(Role::Assistant),
        _ if kind.ends_with("_call_output") || kind.ends_with("_output") => Some(Role::Tool),
        _ if kind.ends_with("_call") => Some(Role::Assistant),
        _ => Some(Role::System),
    }
}

fn message_role(role: &str) -> Role {
    match role {
        "assistant" => Role::Assistant,
        "user" => Role::User,
        _ => Role::System,
    }
}

pub(super) fn item(item: Json<'_>) -> Item<'_> {
    let (mut kind, mut id, mut name) = (Cow::Borrowed("message"), None, None);
    let (mut content, mut input, mut output) = (None, None, None);
    for (key, value) in item.fields() {
        match &*key {
            "type" => kind = value.text().unwrap_or_default(),
            "call_id" => id = value.text(),
            "name" => name = value.text(),
            "content" => content = Some(value),
            "arguments" | "input" | "action" => input = Some(value),
            "output" => output = Some(value),
            _ => {}
        }
    }
    let parts = match &*kind {
        "message" => match content.and_then(Json::text) {
            Some(text) => vec![Part::Text(text)],
            None => content
                .into_iter()
                .flat_map(Json::elements)
                .map(content_part)
                .collect(),
        },
        "reasoning" => vec![Part::Thinking],
        _ if kind.ends_with("_output") => vec![Part::ToolResult {
            id: id.unwrap_or_default(),
            is_error: None,
            text: output.map(joined_text).unwrap_or_default(),
        }],
        _ if kind.ends_with("_call") => vec![Part::ToolCall {
            id: id.unwrap_or_default(),
            name: name.unwrap_or_else(|| Cow::Owned(kind.trim_end_matches("_call").to_owned())),
            input: input.map_or(Cow::Borrowed(""), |input| {
                input.text().unwrap_or_else(|| input.raw())
            }),
        }],
        _ => vec![Part::Other],
    };
    Item {
        role: role(item),
        parts,
    }
}

fn content_part(part: Json<'_>) -> Part<'_> {
    match part.get("text").and_then(Json::text) {
        Some(text) => Part::Text(text),
        None => Part::Other,
    }
}
