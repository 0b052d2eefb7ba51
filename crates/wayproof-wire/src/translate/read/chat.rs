//! Reads OpenAI Chat Completions.

use std::borrow::Cow;

use super::{Reading, at_url, data_url, is_idle, items, text_part, texts, top};
use crate::json::Json;
use crate::translate::item::{
    Call, Choice, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Source,
    Speaker, Tool, ToolForm, ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::text::Text;
use crate::view::Request;

pub(super) fn read<'a>(reading: &mut Reading<'a>, request: &Request<'a>) -> Conversation<'a> {
    let mut conversation = Conversation::default();
    for item in items(request) {
        message(reading, item, &mut conversation);
    }
    for (name, value) in top(request) {
        setting(reading, &name, value, &mut conversation);
    }
    conversation
}

fn message<'a>(reading: &mut Reading<'a>, item: Json<'a>, conversation: &mut Conversation<'a>) {
    let [role, content, calls, id, refusal, reasoning, other] = item.pick([
        "role",
        "content",
        "tool_calls",
        "tool_call_id",
        "refusal",
        "reasoning_content",
        "reasoning",
    ]);
    let content = content.map(|content| parts(reading, content));
    let mut content = content.unwrap_or_default();
    match role.and_then(Json::text).as_deref() {
        Some("system" | "developer") => conversation.say(Speaker::System, content),
        Some("assistant") => {
            let mut said = Vec::new();
            let thought = reasoning.or(other).and_then(Text::of);
            if let Some(text) = thought.filter(|text| !text.is_empty()) {
                said.push(reading.thinking(text, None));
            }
            said.append(&mut content);
            said.extend(refusal.and_then(Text::of).map(Part::Refusal));
            let calls = calls.into_iter().flat_map(Json::elements);
            said.extend(calls.filter_map(call));
            conversation.say(Speaker::Model, said);
        }
        Some("tool") => {
            let Some(id) = id.and_then(Text::of) else {
                reading.losses.add(LossKind::Unpaired, "tool");
                return;
            };
            let result = ToolResult {
                id,
                name: None,
                is_error: false,
                parts: content,
            };
            conversation.say(Speaker::User, vec![Part::Result(result)]);
        }
        _ => conversation.say(Speaker::User, content),
    }
}

fn call(call: Json<'_>) -> Option<Part<'_>> {
    let [id, function, custom] = call.pick(["id", "function", "custom"]);
    let [name, arguments, input] = function.or(custom)?.pick(["name", "arguments", "input"]);
    let input = match (arguments.and_then(Text::of), input.and_then(Text::of)) {
        (_, Some(input)) if custom.is_some() => Input::Free(input),
        (Some(arguments), _) => Input::Quoted(arguments),
        _ => Input::Object(Cow::Borrowed(b"{}")),
    };
    Some(Part::Call(Call {
        id: id.and_then(Text::of)?,
        name: name.and_then(Text::of)?,
        input,
    }))
}

fn parts<'a>(reading: &mut Reading<'a>, content: Json<'a>) -> Vec<Part<'a>> {
    if let Some(text) = Text::of(content) {
        return text_part(text).into_iter().collect();
    }
    content
        .elements()
        .filter_map(|part| read_part(reading, part))
        .collect()
}

fn read_part<'a>(reading: &mut Reading<'a>, part: Json<'a>) -> Option<Part<'a>> {
    let [kind, text, image, audio, file, refusal, cache] = part.pick([
        "type",
        "text",
        "image_url",
        "input_audio",
        "file",
        "refusal",
        "cache_control",
    ]);
    if cache.is_some() {
        reading.losses.add(LossKind::CacheMark, "");
    }
    let kind = kind.and_then(Text::of);
    match kind.as_ref().map(Text::bytes).unwrap_or_default() {
        b"text" => text.and_then(Text::of).and_then(text_part),
        b"refusal" => refusal.and_then(Text::of).map(Part::Refusal),
        b"image_url" => {
            let image = image?;
            let [url, detail] = image.pick(["url", "detail"]);
            let media = at_url(MediaKind::Image, Text::of(url.unwrap_or(image))?);
            let detail = detail.and_then(Text::of);
            Some(Part::Media(Media { detail, ..media }))
        }
        b"input_audio" => {
            let [data, format] = audio?.pick(["data", "format"]);
            let format = format.and_then(Json::text)?;
            Some(Part::Media(Media {
                kind: MediaKind::Audio,
                source: Source::Data {
                    mime: Text::plain(&format!("audio/{format}")),
                    base64: data.and_then(Text::of)?,
                },
                name: None,
                detail: None,
            }))
        }
        b"file" => {
            let [data, name] = file?.pick(["file_data", "filename"]);
            let Some(source) = data.and_then(Text::of).and_then(|url| data_url(&url)) else {
                reading.part(Some(&Text::word("file")));
                return None;
            };
            Some(Part::Media(Media {
                kind: MediaKind::Document,
                source,
                name: name.and_then(Text::of),
                detail: None,
            }))
        }
        _ => {
            reading.part(kind.as_ref());
            None
        }
    }
}

fn setting<'a>(
    reading: &mut Reading<'a>,
    name: &str,
    value: Json<'a>,
    conversation: &mut Conversation<'a>,
) {
    let settings = &mut conversation.settings;
    match name {
        "model" | "messages" | "stream" | "store" => {}
        "max_tokens" | "max_completion_tokens" => settings.max_tokens = Some(value.bytes()),
        "temperature" => settings.temperature = Some(value.bytes()),
        "top_p" => settings.top_p = Some(value.bytes()),
        "top_k" => settings.top_k = Some(value.bytes()),
        "seed" => settings.seed = Some(value.bytes()),
        "presence_penalty" => settings.presence_penalty = Some(value.bytes()),
        "frequency_penalty" => settings.frequency_penalty = Some(value.bytes()),
        "stop" => settings.stop = texts(value),
        "reasoning_effort" => settings.effort = value.text().and_then(|word| Effort::of(&word)),
        "verbosity" => settings.verbosity = Text::of(value),
        "prompt_cache_key" => settings.cache_key = Text::of(value),
        "parallel_tool_calls" => settings.parallel = value.boolean(),
        "stream_options" => {
            let asked = value.get("include_usage").and_then(Json::boolean);
            settings.wants_usage = asked == Some(true);
        }
        "response_format" => settings.format = format(value),
        "tool_choice" => choice(reading, value, settings),
        "n" if value.bytes() == b"1" => {}
        "n" => reading.losses.add(LossKind::Candidate, "n"),
        "tools" => {
            for tool in value.elements() {
                conversation.tools.extend(read_tool(reading, tool));
            }
        }
        _ if is_idle(value) => {}
        other => reading.field(other),
    }
}

fn format(value: Json<'_>) -> Option<Format<'_>> {
    let [kind, schema] = value.pick(["type", "json_schema"]);
    match kind.and_then(Json::text).as_deref() {
        Some("json_object") => Some(Format::Object),
        Some("json_schema") => {
            let [name, schema, strict] = schema?.pick(["name", "schema", "strict"]);
            Some(Format::Schema {
                name: name.and_then(Text::of),
                schema: Cow::Borrowed(schema?.bytes()),
                is_strict: strict.and_then(Json::boolean) == Some(true),
            })
        }
        _ => None,
    }
}

fn choice<'a>(reading: &mut Reading<'a>, value: Json<'a>, settings: &mut Settings<'a>) {
    if let Some(word) = value.text() {
        settings.choice = Some(word_choice(&word));
        return;
    }
    let [function, custom, allowed] = value.pick(["function", "custom", "allowed_tools"]);
    let name = function.or(custom).and_then(|named| named.get("name"));
    settings.choice = name.and_then(Text::of).map(Choice::Tool);
    if let Some(allowed) = allowed {
        let mode = allowed.get("mode").and_then(Json::text);
        settings.choice = mode.as_deref().map(word_choice);
        reading.losses.add(LossKind::ToolChoice, "allowed_tools");
    }
}

/// The words that Chat and Responses share.
pub(super) fn word_choice(word: &str) -> Choice<'static> {
    match word {
        "none" => Choice::Never,
        "required" => Choice::Any,
        _ => Choice::Auto,
    }
}

/// A format as Responses writes it: Chat puts a grammar into an object of its own.
fn free_format(format: Json<'_>) -> Cow<'_, [u8]> {
    let Some(grammar) = format.get("grammar") else {
        return Cow::Borrowed(format.bytes());
    };
    let mut flat = br#"{"type":"grammar""#.to_vec();
    for name in ["syntax", "definition"] {
        if let Some(value) = grammar.get(name) {
            flat.extend_from_slice(b",\"");
            flat.extend_from_slice(name.as_bytes());
            flat.extend_from_slice(b"\":");
            flat.extend_from_slice(value.bytes());
        }
    }
    flat.push(b'}');
    Cow::Owned(flat)
}

pub(super) fn read_tool<'a>(reading: &mut Reading<'a>, tool: Json<'a>) -> Option<Tool<'a>> {
    let [kind, function, custom] = tool.pick(["type", "function", "custom"]);
    let Some(inner) = function.or(custom) else {
        let kind = kind.and_then(Json::text).unwrap_or_default();
        reading.losses.add(LossKind::Tool, &kind);
        return None;
    };
    let [name, description, schema, strict, format] =
        inner.pick(["name", "description", "parameters", "strict", "format"]);
    let form = if function.is_some() {
        ToolForm::Schema(schema.map(|schema| Cow::Borrowed(schema.bytes())))
    } else {
        ToolForm::Free(format.map(free_format))
    };
    Some(Tool {
        name: name.and_then(Text::of)?,
        description: description.and_then(Text::of),
        form,
        is_strict: strict.and_then(Json::boolean) == Some(true),
        is_deferred: false,
    })
}
