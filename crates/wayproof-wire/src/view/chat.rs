//! Reads items of OpenAI Chat Completions and of Ollama, which has the same shape without call ids.

use std::borrow::Cow;

use super::{Item, Part, Role, joined_text};
use crate::json::Json;

pub(super) fn role(message: Json<'_>) -> Role {
    match message.get("role").and_then(Json::text).as_deref() {
        Some("assistant") => Role::Assistant,
        Some("user") => Role::User,
        Some("tool" | "function") => Role::Tool,
        _ => Role::System,
    }
}

pub(super) fn item(message: Json<'_>) -> Item<'_> {
    let role = role(message);
    let (mut content, mut calls, mut id) = (None, None, None);
    let mut has_reasoning = false;
    for (key, value) in message.fields() {
        match &*key {
            "content" => content = Some(value),
            "tool_calls" => calls = Some(value),
            "tool_call_id" => id = value.text(),
            "reasoning_content" | "reasoning" | "thinking" => has_reasoning |= !value.is_null(),
            _ => {}
        }
    }
    let mut parts = Vec::new();
    if role == Role::Tool {
        parts.push(Part::ToolResult {
            id: id.unwrap_or_default(),
            is_error: None,
            text: content.map(joined_text).unwrap_or_default(),
        });
        return Item { role, parts };
    }
    if has_reasoning {
        parts.push(Part::Thinking);
    }
    if let Some(content) = content {
        match content.text() {
            Some(text) if text.is_empty() => {}
            Some(text) => parts.push(Part::Text(text)),
            None => parts.extend(content.elements().map(content_part)),
        }
    }
    parts.extend(calls.into_iter().flat_map(Json::elements).map(call));
    Item { role, parts }
}

fn content_part(part: Json<'_>) -> Part<'_> {
    match part.get("text").and_then(Json::text) {
        Some(text) => Part::Text(text),
        None => Part::Other,
    }
}

fn call(call: Json<'_>) -> Part<'_> {
    let (mut id, mut function) = (None, None);
    for (key, value) in call.fields() {
        match &*key {
            "id" => id = value.text(),
            "function" | "custom" => function = Some(value),
            _ => {}
        }
    }
    let (mut name, mut input) = (None, Cow::Borrowed(""));
    for (key, value) in function.into_iter().flat_map(Json::fields) {
        match &*key {
            "name" => name = value.text(),
            // Chat has the arguments as text, Ollama as an object, freeform tools as `input`.
            "arguments" | "input" => input = value.text().unwrap_or_else(|| value.raw()),
            _ => {}
        }
    }
    Part::ToolCall {
        id: id.unwrap_or_default(),
        name: name.unwrap_or_default(),
        input,
    }
}
