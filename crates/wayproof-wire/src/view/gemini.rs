//! Reads items of Gemini `generateContent`.

use std::borrow::Cow;

use super::{Item, Part, Results, Role};
use crate::json::Json;

pub(super) fn role(content: Json<'_>) -> Role {
    match content.get("role").and_then(Json::text).as_deref() {
        Some("model") => Role::Assistant,
        Some("user") | None => Role::User,
        Some("function" | "tool") => Role::Tool,
        Some(_) => Role::System,
    }
}

pub(super) fn item(content: Json<'_>, results: Results) -> Item<'_> {
    let parts = content.get("parts").into_iter().flat_map(Json::elements);
    Item {
        role: role(content),
        parts: parts.map(|json| part(json, results)).collect(),
    }
}

fn part(part: Json<'_>, results: Results) -> Part<'_> {
    let mut text = None;
    for (key, value) in part.fields() {
        match &*key {
            "thought" if value.boolean() == Some(true) => return Part::Thinking,
            "functionCall" | "function_call" => return call(value),
            "functionResponse" | "function_response" if results == Results::Skip => {
                return Part::Other;
            }
            "functionResponse" | "function_response" => return result(value),
            "text" => text = value.text(),
            _ => {}
        }
    }
    text.map_or(Part::Other, Part::Text)
}

fn call(call: Json<'_>) -> Part<'_> {
    let (mut id, mut name, mut input) = (None, None, Cow::Borrowed(""));
    for (key, value) in call.fields() {
        match &*key {
            "id" => id = value.text(),
            "name" => name = value.text(),
            "args" => input = value.raw(),
            _ => {}
        }
    }
    Part::ToolCall {
        id: id.unwrap_or_default(),
        name: name.unwrap_or_default(),
        input,
    }
}

fn result(result: Json<'_>) -> Part<'_> {
    let (mut id, mut is_error, mut text) = (None, None, Cow::Borrowed(""));
    for (key, value) in result.fields() {
        match &*key {
            "id" => id = value.text(),
            "response" => {
                let error = value.get("error");
                is_error = error.map(|_| true);
                let said = error.or_else(|| value.get("output")).unwrap_or(value);
                text = said.text().unwrap_or_else(|| said.raw());
            }
            _ => {}
        }
    }
    Part::ToolResult {
        id: id.unwrap_or_default(),
        is_error,
        text,
    }
}
