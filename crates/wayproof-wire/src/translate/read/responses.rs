//! Reads OpenAI Responses, where messages, calls and results are items of one list.

use std::borrow::Cow;

use super::chat::word_choice;
use super::{Reading, at_url, data_url, is_idle, items, text_part, top};
use crate::json::Json;
use crate::translate::Untranslatable;
use crate::translate::item::{
    Call, Choice, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Speaker,
    Tool, ToolForm, ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::memo::Namespaced;
use crate::translate::text::Text;
use crate::view::Request;

pub(super) fn read<'a>(
    reading: &mut Reading<'a>,
    request: &Request<'a>,
) -> Result<Conversation<'a>, Untranslatable> {
    let mut conversation = Conversation::default();
    for name in ["previous_response_id", "conversation", "prompt"] {
        if request.json(name).is_some_and(|value| !value.is_null()) {
            return Err(Untranslatable::Stored(name));
        }
    }
    if let Some(text) = request.json("instructions").and_then(Text::of) {
        conversation.say(Speaker::System, vec![Part::Text(text)]);
    }
    for item in items(request) {
        match Text::of(item) {
            Some(text) => conversation.say(Speaker::User, vec![Part::Text(text)]),
            None => read_item(reading, item, &mut conversation)?,
        }
    }
    for (name, value) in top(request) {
        setting(reading, &name, value, &mut conversation);
    }
    Ok(conversation)
}

fn read_item<'a>(
    reading: &mut Reading<'a>,
    item: Json<'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), Untranslatable> {
    let kind = item.get("type").and_then(Json::text);
    match kind.as_deref().unwrap_or("message") {
        "message" => {
            let [role, content] = item.pick(["role", "content"]);
            let speaker = match role.and_then(Json::text).as_deref() {
                Some("assistant") => Speaker::Model,
                Some("user") => Speaker::User,
                _ => Speaker::System,
            };
            let content = content.map(|content| parts(reading, content));
            conversation.say(speaker, content.unwrap_or_default());
        }
        "function_call" | "custom_tool_call" => {
            let call = call(reading, item).map(Part::Call);
            conversation.say(Speaker::Model, call.into_iter().collect());
        }
        "function_call_output" | "custom_tool_call_output" => {
            let [id, output] = item.pick(["call_id", "output"]);
            let Some(id) = id.and_then(Text::of) else {
                reading.losses.add(LossKind::Unpaired, "call_id");
                return Ok(());
            };
            let result = Part::Result(ToolResult {
                id,
                name: None,
                is_error: false,
                parts: output.map(|o| parts(reading, o)).unwrap_or_default(),
            });
            conversation.say(Speaker::User, vec![result]);
        }
        "reasoning" => {
            let thinking = reasoning(reading, item);
            conversation.say(Speaker::Model, vec![thinking]);
        }
        "additional_tools" => {
            let tools = item.get("tools").into_iter().flat_map(Json::elements);
            for tool in tools {
                read_tool(reading, tool, None, &mut conversation.tools);
            }
        }
        "item_reference" => return Err(Untranslatable::Stored("item_reference")),
        // It stands for everything before it.
        "compaction" | "compaction_summary" => return Err(Untranslatable::Stored("compaction")),
        other => reading.losses.add(LossKind::Part, other),
    }
    Ok(())
}

fn call<'a>(reading: &mut Reading<'a>, item: Json<'a>) -> Option<Call<'a>> {
    let [id, name, space, arguments, input] =
        item.pick(["call_id", "name", "namespace", "arguments", "input"]);
    let name = name.and_then(Text::of)?;
    let name = match space.and_then(Text::of) {
        Some(space) => Text::plain(&reading.flatten(&space, &name)),
        None => name,
    };
    let input = match (arguments.and_then(Text::of), input.and_then(Text::of)) {
        (Some(arguments), _) => Input::Quoted(arguments),
        (None, Some(input)) => Input::Free(input),
        (None, None) => Input::Object(Cow::Borrowed(b"{}")),
    };
    Some(Call {
        id: id.and_then(Text::of)?,
        name,
        input,
    })
}

fn reasoning<'a>(reading: &mut Reading<'a>, item: Json<'a>) -> Part<'a> {
    let [summary, content, sealed] = item.pick(["summary", "content", "encrypted_content"]);
    let lists = [summary, content].into_iter().flatten();
    let texts = lists
        .flat_map(Json::elements)
        .filter_map(|part| part.get("text").and_then(Text::of));
    let mut text = Text::default();
    for piece in texts {
        if text.is_empty() {
            text = piece;
        } else {
            text.push(b"\\n\\n");
            text.push(piece.bytes());
        }
    }
    let sealed = sealed.and_then(Text::of);
    reading.thinking(text, sealed.as_ref())
}

fn parts<'a>(reading: &mut Reading<'a>, content: Json<'a>) -> Vec<Part<'a>> {
    if let Some(text) = Text::of(content) {
        return text_part(text).into_iter().collect();
    }
    if content.is_object() {
        // Some tools give an object back; it reads as its own text.
        let mut quoted = Vec::new();
        crate::translate::text::escape_into(content.bytes(), &mut quoted);
        return vec![Part::Text(Text::escaped(quoted))];
    }
    content
        .elements()
        .filter_map(|part| read_part(reading, part))
        .collect()
}

fn read_part<'a>(reading: &mut Reading<'a>, part: Json<'a>) -> Option<Part<'a>> {
    let [kind, text, refusal, image, detail, data, url, name] = part.pick([
        "type",
        "text",
        "refusal",
        "image_url",
        "detail",
        "file_data",
        "file_url",
        "filename",
    ]);
    let kind = kind.and_then(Text::of);
    match kind.as_ref().map(Text::bytes).unwrap_or_default() {
        b"input_text" | b"output_text" | b"text" => text.and_then(Text::of).and_then(text_part),
        b"refusal" => refusal.and_then(Text::of).map(Part::Refusal),
        b"input_image" if image.is_some() => {
            let media = at_url(MediaKind::Image, image.and_then(Text::of)?);
            let detail = detail.and_then(Text::of);
            Some(Part::Media(Media { detail, ..media }))
        }
        b"input_file" if data.is_some() || url.is_some() => {
            let media = match data.and_then(Text::of) {
                Some(data) => Media {
                    kind: MediaKind::Document,
                    source: data_url(&data)?,
                    name: None,
                    detail: None,
                },
                None => at_url(MediaKind::Document, url.and_then(Text::of)?),
            };
            let name = name.and_then(Text::of);
            Some(Part::Media(Media { name, ..media }))
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
        "model" | "input" | "instructions" | "stream" | "store" | "include" | "stream_options" => {}
        "max_output_tokens" => settings.max_tokens = Some(value.bytes()),
        "temperature" => settings.temperature = Some(value.bytes()),
        "top_p" => settings.top_p = Some(value.bytes()),
        "parallel_tool_calls" => settings.parallel = value.boolean(),
        "prompt_cache_key" => settings.cache_key = Text::of(value),
        "reasoning" => {
            let [effort, summary] = value.pick(["effort", "summary"]);
            let effort = effort.and_then(Json::text);
            settings.effort = effort.and_then(|word| Effort::of(&word));
            settings.shows_thinking = summary.map(|_| true);
        }
        "text" => {
            let [format, verbosity] = value.pick(["format", "verbosity"]);
            settings.format = format.and_then(read_format);
            settings.verbosity = verbosity.and_then(Text::of);
        }
        "tool_choice" => choice(reading, value, settings),
        "tools" => {
            for tool in value.elements() {
                read_tool(reading, tool, None, &mut conversation.tools);
            }
        }
        _ if is_idle(value) => {}
        other => reading.field(other),
    }
}

fn read_format(format: Json<'_>) -> Option<Format<'_>> {
    let [kind, name, schema, strict] = format.pick(["type", "name", "schema", "strict"]);
    match kind.and_then(Json::text).as_deref() {
        Some("json_object") => Some(Format::Object),
        Some("json_schema") => Some(Format::Schema {
            name: name.and_then(Text::of),
            schema: Cow::Borrowed(schema?.bytes()),
            is_strict: strict.and_then(Json::boolean) == Some(true),
        }),
        _ => None,
    }
}

fn choice<'a>(reading: &mut Reading<'a>, value: Json<'a>, settings: &mut Settings<'a>) {
    if let Some(word) = value.text() {
        settings.choice = Some(word_choice(&word));
        return;
    }
    let [name, mode] = value.pick(["name", "mode"]);
    settings.choice = if let Some(name) = name.and_then(Text::of) {
        Some(Choice::Tool(name))
    } else {
        reading.losses.add(LossKind::ToolChoice, "tools");
        mode.and_then(Json::text).as_deref().map(word_choice)
    };
}

fn read_tool<'a>(
    reading: &mut Reading<'a>,
    tool: Json<'a>,
    space: Option<&Text<'a>>,
    tools: &mut Vec<Tool<'a>>,
) {
    let [
        kind,
        name,
        description,
        schema,
        strict,
        format,
        inner,
        deferred,
    ] = tool.pick([
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "format",
        "tools",
        "defer_loading",
    ]);
    let kind = kind.and_then(Json::text).unwrap_or_default();
    let name = name.and_then(Text::of);
    let form = match (&*kind, inner) {
        ("namespace", Some(inner)) if space.is_none() => {
            for tool in inner.elements() {
                read_tool(reading, tool, name.as_ref(), tools);
            }
            return;
        }
        ("function", _) => ToolForm::Schema(schema.map(|schema| Cow::Borrowed(schema.bytes()))),
        ("custom", _) => ToolForm::Free(format.map(|format| Cow::Borrowed(format.bytes()))),
        _ => return reading.foreign_tool(&kind),
    };
    let Some(name) = name else { return };
    let name = match space {
        Some(space) => Text::plain(&reading.flatten(space, &name)),
        None => name,
    };
    tools.push(Tool {
        name,
        description: description.and_then(Text::of),
        form,
        is_strict: strict.and_then(Json::boolean) == Some(true),
        is_deferred: deferred.and_then(Json::boolean) == Some(true),
    });
}

impl Reading<'_> {
    /// The name of a tool of a namespace where there are none.
    fn flatten(&mut self, space: &Text<'_>, name: &Text<'_>) -> String {
        let (space, name) = (space.spoken(), name.spoken());
        let known = self
            .namespaced
            .iter()
            .find(|known| known.space == space && known.name == name);
        if let Some(known) = known {
            return known.flat.clone();
        }
        let gap = if space.ends_with('_') { "" } else { "__" };
        let flat = format!("{space}{gap}{name}");
        self.namespaced.push(Namespaced {
            flat: flat.clone(),
            space: space.into_owned(),
            name: name.into_owned(),
        });
        flat
    }
}
