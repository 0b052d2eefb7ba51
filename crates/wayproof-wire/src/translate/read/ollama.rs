//! Reads Ollama `/api/chat`. Calls have no ids there, so each gets one, and results go to the oldest call of their tool.

use std::borrow::Cow;

use super::chat::read_tool;
use super::{Reading, is_idle, items, text_part, texts, top};
use crate::json::Json;
use crate::translate::item::{
    Call, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Source, Speaker,
    ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::text::Text;
use crate::view::Request;

pub(super) fn read<'a>(reading: &mut Reading<'a>, request: &Request<'a>) -> Conversation<'a> {
    let mut conversation = Conversation::default();
    let mut open = Vec::new();
    let mut calls = 0;
    for item in items(request) {
        let [role, content, thinking, images, tools, name, id] = item.pick([
            "role",
            "content",
            "thinking",
            "images",
            "tool_calls",
            "tool_name",
            "tool_call_id",
        ]);
        let said = content.and_then(Text::of).and_then(text_part);
        match role.and_then(Json::text).as_deref() {
            Some("system") => conversation.say(Speaker::System, said.into_iter().collect()),
            Some("assistant") => {
                let mut parts = Vec::new();
                if let Some(text) = thinking.and_then(Text::of).filter(|text| !text.is_empty()) {
                    parts.push(reading.thinking(text, None));
                }
                parts.extend(said);
                for tool in tools.into_iter().flat_map(Json::elements) {
                    parts.extend(call(tool, &mut calls, &mut open));
                }
                conversation.say(Speaker::Model, parts);
            }
            Some("tool") => {
                let name = name.and_then(Text::of);
                let place = place_of(&open, id.and_then(Text::of).as_ref(), name.as_ref());
                let Some(place) = place else {
                    reading.losses.add(LossKind::Unpaired, "tool");
                    conversation.say(Speaker::User, said.into_iter().collect());
                    continue;
                };
                let (id, name) = open.remove(place);
                let result = ToolResult {
                    id,
                    name: Some(name),
                    is_error: false,
                    parts: said.into_iter().collect(),
                };
                conversation.say(Speaker::User, vec![Part::Result(result)]);
            }
            _ => {
                let images = images.into_iter().flat_map(Json::elements);
                let images = images.filter_map(Text::of).map(image);
                conversation.say(Speaker::User, said.into_iter().chain(images).collect());
            }
        }
    }
    for (name, value) in top(request) {
        setting(reading, &name, value, &mut conversation);
    }
    conversation
}

/// The call that a result answers: by its id, else the oldest of its tool, else the oldest.
fn place_of(
    open: &[(Text<'_>, Text<'_>)],
    id: Option<&Text<'_>>,
    name: Option<&Text<'_>>,
) -> Option<usize> {
    let by_id = id.and_then(|id| open.iter().position(|(known, _)| known == id));
    let by_name = || name.and_then(|name| open.iter().position(|(_, known)| known == name));
    let oldest = || (name.is_none() && !open.is_empty()).then_some(0);
    by_id.or_else(by_name).or_else(oldest)
}

fn call<'a>(
    tool: Json<'a>,
    calls: &mut usize,
    open: &mut Vec<(Text<'a>, Text<'a>)>,
) -> Option<Part<'a>> {
    let [id, function] = tool.pick(["id", "function"]);
    let [name, arguments] = function?.pick(["name", "arguments"]);
    let name = name.and_then(Text::of)?;
    *calls += 1;
    let id = id
        .and_then(Text::of)
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| Text::plain(&format!("call_{calls}")));
    open.push((id.clone(), name.clone()));
    let input = match arguments.map(|arguments| (Text::of(arguments), arguments)) {
        Some((Some(quoted), _)) => Input::Quoted(quoted),
        Some((None, object)) => Input::Object(Cow::Borrowed(object.bytes())),
        None => Input::Object(Cow::Borrowed(b"{}")),
    };
    Some(Part::Call(Call { id, name, input }))
}

/// A picture, whose kind only its first bytes tell.
pub(super) fn image(base64: Text<'_>) -> Part<'_> {
    const KINDS: [(&[u8], &str); 4] = [
        (b"/9j/", "image/jpeg"),
        (b"R0lG", "image/gif"),
        (b"UklG", "image/webp"),
        (b"iVBO", "image/png"),
    ];
    let known = KINDS
        .iter()
        .find(|(start, _)| base64.bytes().starts_with(start));
    Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::Data {
            mime: Text::word(known.map_or("image/png", |(_, mime)| mime)),
            base64,
        },
        name: None,
        detail: None,
    })
}

pub(super) fn setting<'a>(
    reading: &mut Reading<'a>,
    name: &str,
    value: Json<'a>,
    conversation: &mut Conversation<'a>,
) {
    let settings = &mut conversation.settings;
    match name {
        "model" | "messages" | "stream" => {}
        "tools" => {
            for tool in value.elements() {
                conversation.tools.extend(read_tool(reading, tool));
            }
        }
        "think" => {
            let effort = value.text().and_then(|word| Effort::of(&word));
            settings.effort = match value.boolean() {
                Some(true) => Some(Effort::Medium),
                Some(false) => Some(Effort::Off),
                None => effort,
            };
            settings.shows_thinking = Some(settings.effort != Some(Effort::Off));
        }
        "format" if value.is_object() => {
            settings.format = Some(Format::Schema {
                name: None,
                schema: Cow::Borrowed(value.bytes()),
                is_strict: false,
            });
        }
        "format" if value.text().as_deref() == Some("json") => {
            settings.format = Some(Format::Object);
        }
        "options" => {
            for (key, value) in value.fields() {
                option(reading, &key, value, settings);
            }
        }
        _ if is_idle(value) => {}
        other => reading.field(other),
    }
}

fn option<'a>(reading: &mut Reading<'a>, name: &str, value: Json<'a>, settings: &mut Settings<'a>) {
    match name {
        _ if value.is_null() => {}
        // Less than nothing is no limit.
        "num_predict" if value.bytes().starts_with(b"-") => {}
        "num_predict" => settings.max_tokens = Some(value.bytes()),
        "temperature" => settings.temperature = Some(value.bytes()),
        "top_p" => settings.top_p = Some(value.bytes()),
        "top_k" => settings.top_k = Some(value.bytes()),
        "seed" => settings.seed = Some(value.bytes()),
        "presence_penalty" => settings.presence_penalty = Some(value.bytes()),
        "frequency_penalty" => settings.frequency_penalty = Some(value.bytes()),
        "stop" => settings.stop = texts(value),
        other => reading.field(other),
    }
}
