//! Reads Anthropic Messages.

use std::borrow::Cow;

use super::{Reading, at_url, items, text_part, texts, top};
use crate::json::Json;
use crate::translate::item::{
    Call, Choice, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Source,
    Speaker, Tool, ToolForm, ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::text::Text;
use crate::view::Request;

/// What an effort is worth where nothing is thought: how long the answer should be.
const WORTH: &str = "output_config.effort";

pub(super) fn read<'a>(reading: &mut Reading<'a>, request: &Request<'a>) -> Conversation<'a> {
    let mut conversation = Conversation::default();
    if let Some(system) = request.json("system") {
        let parts = blocks(reading, system);
        conversation.say(Speaker::System, parts);
    }
    for item in items(request) {
        let mut role = None;
        let mut content = None;
        for (key, value) in item.fields() {
            match &*key {
                "role" => role = value.text(),
                "content" => content = Some(value),
                other => reading.field(other),
            }
        }
        let speaker = match role.as_deref() {
            Some("assistant") => Speaker::Model,
            Some("system") => Speaker::System,
            _ => Speaker::User,
        };
        if let Some(content) = content {
            let parts = blocks(reading, content);
            conversation.say(speaker, parts);
        }
    }
    for (name, value) in top(request) {
        setting(reading, &name, value, &mut conversation);
    }
    conversation
}

fn setting<'a>(
    reading: &mut Reading<'a>,
    name: &str,
    value: Json<'a>,
    conversation: &mut Conversation<'a>,
) {
    let settings = &mut conversation.settings;
    match name {
        "model" | "messages" | "system" | "stream" => {}
        "max_tokens" => {
            settings.max_tokens = Some(value.bytes());
            settings.has_to_limit = true;
        }
        "temperature" => settings.temperature = Some(value.bytes()),
        "top_p" => settings.top_p = Some(value.bytes()),
        "top_k" => settings.top_k = Some(value.bytes()),
        "stop_sequences" => settings.stop = texts(value),
        "thinking" => thinking(reading, value, settings),
        "output_config" => output_config(reading, value, settings),
        "output_format" => settings.format = format(value),
        "tool_choice" => choice(value, settings),
        "tools" => {
            for tool in value.elements() {
                conversation.tools.extend(read_tool(reading, tool));
            }
        }
        other => reading.field(other),
    }
}

fn thinking<'a>(reading: &mut Reading<'a>, value: Json<'a>, settings: &mut Settings<'a>) {
    let [kind, budget, display] = value.pick(["type", "budget_tokens", "display"]);
    let kind = kind.and_then(Json::text);
    if kind.as_deref() == Some("disabled") {
        if settings.effort.replace(Effort::Off).is_some() {
            reading.field(WORTH);
        }
        return;
    }
    settings.shows_thinking =
        Some(display.and_then(Json::text).as_deref() != Some("omitted") && kind.is_some());
    let budget = budget.and_then(Json::integer).map(Effort::of_budget);
    settings.effort = settings.effort.or(budget);
}

fn output_config<'a>(reading: &mut Reading<'a>, value: Json<'a>, settings: &mut Settings<'a>) {
    for (key, value) in value.fields() {
        match &*key {
            "effort" if settings.effort == Some(Effort::Off) => reading.field(WORTH),
            "effort" => {
                settings.effort = value.text().and_then(|word| Effort::of(&word));
            }
            "format" => settings.format = format(value),
            other => reading.field(other),
        }
    }
}

fn format(value: Json<'_>) -> Option<Format<'_>> {
    Some(Format::Schema {
        name: None,
        schema: Cow::Borrowed(value.get("schema")?.bytes()),
        is_strict: true,
    })
}

fn choice<'a>(value: Json<'a>, settings: &mut Settings<'a>) {
    let [kind, name, lone] = value.pick(["type", "name", "disable_parallel_tool_use"]);
    settings.choice = match kind.and_then(Json::text).as_deref() {
        Some("any") => Some(Choice::Any),
        Some("none") => Some(Choice::Never),
        Some("tool") => name.and_then(Text::of).map(Choice::Tool),
        _ => Some(Choice::Auto),
    };
    settings.parallel = lone.and_then(Json::boolean).map(|is_lone| !is_lone);
}

fn read_tool<'a>(reading: &mut Reading<'a>, tool: Json<'a>) -> Option<Tool<'a>> {
    let [kind, name, description, schema, cache, strict, deferred] = tool.pick([
        "type",
        "name",
        "description",
        "input_schema",
        "cache_control",
        "strict",
        "defer_loading",
    ]);
    if cache.is_some() {
        reading.losses.add(LossKind::CacheMark, "");
    }
    let kind = kind.and_then(Text::of).filter(|kind| !kind.is("custom"));
    let name = name.and_then(Text::of);
    if let Some(kind) = kind.filter(|_| schema.is_none()) {
        reading.foreign_tool(&kind.spoken());
        return None;
    }
    Some(Tool {
        name: name?,
        description: description.and_then(Text::of),
        form: ToolForm::Schema(schema.map(|schema| Cow::Borrowed(schema.bytes()))),
        is_strict: strict.and_then(Json::boolean) == Some(true),
        is_deferred: deferred.and_then(Json::boolean) == Some(true),
    })
}

/// Content: a string, or blocks.
fn blocks<'a>(reading: &mut Reading<'a>, content: Json<'a>) -> Vec<Part<'a>> {
    if let Some(text) = Text::of(content) {
        return text_part(text).into_iter().collect();
    }
    let blocks = content.elements();
    blocks
        .filter_map(|block| read_block(reading, block))
        .collect()
}

/// The fields that blocks are made of.
#[derive(Default)]
struct Block<'a> {
    kind: Option<Text<'a>>,
    text: Option<Json<'a>>,
    id: Option<Json<'a>>,
    name: Option<Json<'a>>,
    body: Option<Json<'a>>,
    seal: Option<Json<'a>>,
    title: Option<Json<'a>>,
    is_error: bool,
}

impl<'a> Block<'a> {
    fn of(reading: &mut Reading<'a>, block: Json<'a>) -> Self {
        let mut found = Self::default();
        for (key, value) in block.fields() {
            match &*key {
                "type" => found.kind = Text::of(value),
                "text" | "thinking" => found.text = Some(value),
                "id" | "tool_use_id" => found.id = Some(value),
                "name" | "tool_name" => found.name = Some(value),
                "input" | "content" | "source" => found.body = Some(value),
                "signature" | "data" => found.seal = Some(value),
                "title" => found.title = Some(value),
                "is_error" => found.is_error = value.boolean() == Some(true),
                "cache_control" if !value.is_null() => {
                    reading.losses.add(LossKind::CacheMark, "");
                }
                "citations" if value.is_array() => reading.part(Some(&Text::word("citations"))),
                _ => {}
            }
        }
        found
    }

    fn text(&self) -> Option<Text<'a>> {
        self.text.and_then(Text::of)
    }
}

fn read_block<'a>(reading: &mut Reading<'a>, block: Json<'a>) -> Option<Part<'a>> {
    let block = Block::of(reading, block);
    let kind = block.kind.as_ref().map(Text::bytes).unwrap_or_default();
    match kind {
        b"text" => block.text().filter(|text| !text.is_empty()).map(Part::Text),
        b"tool_use" => Some(Part::Call(Call {
            id: block.id.and_then(Text::of)?,
            name: block.name.and_then(Text::of)?,
            input: Input::Object(Cow::Borrowed(block.body.map_or(b"{}", Json::bytes))),
        })),
        b"tool_result" => Some(Part::Result(ToolResult {
            id: block.id.and_then(Text::of)?,
            name: None,
            is_error: block.is_error,
            parts: block
                .body
                .map(|content| blocks(reading, content))
                .unwrap_or_default(),
        })),
        b"thinking" => {
            let packed = block.seal.and_then(Text::of);
            Some(reading.thinking(block.text().unwrap_or_default(), packed.as_ref()))
        }
        b"redacted_thinking" => {
            let packed = block.seal.and_then(Text::of);
            Some(reading.thinking(Text::default(), packed.as_ref()))
        }
        b"image" => media(reading, MediaKind::Image, &block),
        b"document" => media(reading, MediaKind::Document, &block),
        b"tool_reference" => {
            let name = block.name.and_then(Text::of)?;
            let mut text = Text::word("The tool ").owned();
            text.push(name.bytes());
            text.push(b" can be used now.");
            reading.referenced.push(name);
            Some(Part::Text(text))
        }
        _ => {
            reading.part(block.kind.as_ref());
            None
        }
    }
}

fn media<'a>(reading: &mut Reading<'a>, kind: MediaKind, block: &Block<'a>) -> Option<Part<'a>> {
    let source = block.body?;
    let [form, mime, data, url] = source.pick(["type", "media_type", "data", "url"]);
    let name = block.title.and_then(Text::of);
    let form = form.and_then(Text::of)?;
    let source = match form.bytes() {
        b"base64" => Source::Data {
            mime: mime.and_then(Text::of)?,
            base64: data.and_then(Text::of)?,
        },
        b"text" => Source::Plain(data.and_then(Text::of)?),
        b"url" => {
            let found = at_url(kind, url.and_then(Text::of)?);
            return Some(Part::Media(Media { name, ..found }));
        }
        _ => {
            reading.part(Some(&form));
            return None;
        }
    };
    Some(Part::Media(Media {
        kind,
        source,
        name,
        detail: None,
    }))
}
