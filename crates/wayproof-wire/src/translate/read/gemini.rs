//! Reads Gemini `generateContent`.

use std::borrow::Cow;

use super::{Reading, is_idle, items, media_kind, text_part, texts, top};
use crate::json::Json;
use crate::translate::Untranslatable;
use crate::translate::item::{
    Call, Choice, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Source,
    Speaker, Tool, ToolForm, ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::schema::lower_types;
use crate::translate::text::{Text, escape_into};
use crate::view::Request;

pub(super) fn read<'a>(
    reading: &mut Reading<'a>,
    request: &Request<'a>,
) -> Result<Conversation<'a>, Untranslatable> {
    let mut conversation = Conversation::default();
    let cached = request.json("cachedContent");
    if cached.is_some_and(|value| !value.is_null()) {
        return Err(Untranslatable::Stored("cachedContent"));
    }
    let mut ids = Ids::default();
    let system = request
        .json("systemInstruction")
        .or_else(|| request.json("system_instruction"));
    if let Some(system) = system {
        let parts = content_parts(reading, system, &mut ids);
        conversation.say(Speaker::System, parts);
    }
    for item in items(request) {
        let role = item.get("role").and_then(Json::text);
        let speaker = match role.as_deref() {
            Some("model") => Speaker::Model,
            Some("system") => Speaker::System,
            _ => Speaker::User,
        };
        let parts = content_parts(reading, item, &mut ids);
        conversation.say(speaker, parts);
    }
    for (name, value) in top(request) {
        match &*name {
            "contents" | "systemInstruction" | "system_instruction" | "model" => {}
            "tools" => {
                for tools in value.elements() {
                    read_tools(reading, tools, &mut conversation.tools);
                }
            }
            "toolConfig" | "tool_config" => choice(reading, value, &mut conversation.settings),
            "generationConfig" | "generation_config" => {
                for (key, value) in value.fields() {
                    setting(reading, &key, value, &mut conversation.settings);
                }
            }
            _ if is_idle(value) => {}
            other => reading.field(other),
        }
    }
    Ok(conversation)
}

/// Calls that have had no result yet; clients may leave ids out.
#[derive(Default)]
struct Ids<'a> {
    minted: usize,
    open: Vec<(Text<'a>, Text<'a>)>,
}

impl<'a> Ids<'a> {
    fn of_call(&mut self, id: Option<Text<'a>>, name: &Text<'a>) -> Text<'a> {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            self.minted += 1;
            Text::plain(&format!("call_{}", self.minted))
        });
        self.open.push((id.clone(), name.clone()));
        id
    }

    fn of_result(&mut self, id: Option<Text<'a>>, name: &Text<'a>) -> Text<'a> {
        let is_it = |(open, called): &(Text<'a>, Text<'a>)| match &id {
            Some(id) => open == id,
            None => called == name,
        };
        let place = self.open.iter().position(is_it);
        match (place, id) {
            (Some(place), _) => self.open.remove(place).0,
            (None, Some(id)) => id,
            (None, None) => name.clone(),
        }
    }
}

fn content_parts<'a>(
    reading: &mut Reading<'a>,
    content: Json<'a>,
    ids: &mut Ids<'a>,
) -> Vec<Part<'a>> {
    let mut out = Vec::new();
    let parts = content.get("parts");
    if let Some(text) = parts.and_then(Text::of).or_else(|| Text::of(content)) {
        out.push(Part::Text(text));
    }
    for part in parts.into_iter().flat_map(Json::elements) {
        read_part(reading, part, ids, &mut out);
    }
    out
}

fn read_part<'a>(
    reading: &mut Reading<'a>,
    part: Json<'a>,
    ids: &mut Ids<'a>,
    out: &mut Vec<Part<'a>>,
) {
    let [text, thought, signature, data, file, call, response] = part.pick([
        "text",
        "thought",
        "thoughtSignature",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
    ]);
    let sealed = signature.and_then(Text::of);
    let text = text.and_then(Text::of);
    if thought.and_then(Json::boolean) == Some(true) {
        out.push(reading.thinking(text.unwrap_or_default(), sealed.as_ref()));
        return;
    }
    if sealed.is_some() {
        out.push(reading.thinking(Text::default(), sealed.as_ref()));
    }
    let read = match (text, call, response) {
        (Some(text), _, _) => text_part(text),
        (None, Some(call), _) => read_call(call, ids),
        (None, None, Some(response)) => read_response(reading, response, ids),
        (None, None, None) => data.or(file).and_then(read_media).or_else(|| {
            let kind = part.fields().next().map(|(key, _)| key);
            reading.part(kind.as_deref().map(Text::plain).as_ref());
            None
        }),
    };
    out.extend(read);
}

fn read_call<'a>(call: Json<'a>, ids: &mut Ids<'a>) -> Option<Part<'a>> {
    let [id, name, args] = call.pick(["id", "name", "args"]);
    let name = name.and_then(Text::of)?;
    Some(Part::Call(Call {
        id: ids.of_call(id.and_then(Text::of), &name),
        name,
        input: Input::Object(Cow::Borrowed(args.map_or(b"{}", Json::bytes))),
    }))
}

fn read_response<'a>(
    reading: &mut Reading<'a>,
    response: Json<'a>,
    ids: &mut Ids<'a>,
) -> Option<Part<'a>> {
    let [id, name, body, parts] = response.pick(["id", "name", "response", "parts"]);
    let name = name.and_then(Text::of)?;
    let mut said = Vec::new();
    let mut is_error = false;
    if let Some(body) = body {
        let [output, result, error] = body.pick(["output", "result", "error"]);
        is_error = error.is_some() && output.is_none() && result.is_none();
        let told = output.or(result).or(error).and_then(Text::of);
        said.push(Part::Text(told.unwrap_or_else(|| as_text(body))));
    }
    for part in parts.into_iter().flat_map(Json::elements) {
        read_part(reading, part, ids, &mut said);
    }
    Some(Part::Result(ToolResult {
        id: ids.of_result(id.and_then(Text::of), &name),
        name: Some(name),
        is_error,
        parts: said,
    }))
}

/// A JSON value as its own text.
fn as_text(value: Json<'_>) -> Text<'static> {
    let mut quoted = Vec::new();
    escape_into(value.bytes(), &mut quoted);
    Text::escaped(quoted)
}

fn read_media(data: Json<'_>) -> Option<Part<'_>> {
    let [mime, base64, uri, name] = data.pick(["mimeType", "data", "fileUri", "displayName"]);
    let mime = mime.and_then(Text::of);
    let (kind, source) = if let Some(base64) = base64.and_then(Text::of) {
        let mime = mime?;
        (media_kind(&mime), Source::Data { mime, base64 })
    } else {
        let url = uri.and_then(Text::of)?;
        let kind = mime.map_or_else(|| kind_at(&url), |mime| media_kind(&mime));
        (kind, Source::Url(url))
    };
    Some(Part::Media(Media {
        kind,
        source,
        name: name.and_then(Text::of),
        detail: None,
    }))
}

/// What stands at an address, as its ending says where nothing else does.
fn kind_at(url: &Text<'_>) -> MediaKind {
    let url = url.spoken().to_ascii_lowercase();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "heic" | "heif" => MediaKind::Image,
        "wav" | "mp3" | "flac" | "ogg" | "aac" | "aiff" => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

fn setting<'a>(
    reading: &mut Reading<'a>,
    name: &str,
    value: Json<'a>,
    settings: &mut Settings<'a>,
) {
    match name {
        _ if value.is_null() => {}
        "maxOutputTokens" => settings.max_tokens = Some(value.bytes()),
        "temperature" => settings.temperature = Some(value.bytes()),
        "topP" => settings.top_p = Some(value.bytes()),
        "topK" => settings.top_k = Some(value.bytes()),
        "seed" => settings.seed = Some(value.bytes()),
        "presencePenalty" => settings.presence_penalty = Some(value.bytes()),
        "frequencyPenalty" => settings.frequency_penalty = Some(value.bytes()),
        "stopSequences" => settings.stop = texts(value),
        "thinkingConfig" => {
            let [shows, level, budget] =
                value.pick(["includeThoughts", "thinkingLevel", "thinkingBudget"]);
            settings.shows_thinking = shows.and_then(Json::boolean);
            let level = level.and_then(Json::text);
            settings.effort = level
                .and_then(|word| Effort::of(&word))
                .or_else(|| Some(Effort::of_budget(budget?.integer()?)));
        }
        "responseMimeType" => {
            let is_json = value.text().as_deref() == Some("application/json");
            if is_json && settings.format.is_none() {
                settings.format = Some(Format::Object);
            }
        }
        "responseJsonSchema" | "responseSchema" => {
            settings.format = Some(Format::Schema {
                name: None,
                schema: lower_types(value),
                is_strict: false,
            });
        }
        "candidateCount" if value.bytes() == b"1" => {}
        "candidateCount" => reading.losses.add(LossKind::Candidate, name),
        _ if is_idle(value) => {}
        other => reading.field(other),
    }
}

fn choice<'a>(reading: &mut Reading<'a>, value: Json<'a>, settings: &mut Settings<'a>) {
    let Some(config) = value.get("functionCallingConfig") else {
        return;
    };
    let [mode, allowed] = config.pick(["mode", "allowedFunctionNames"]);
    let mut allowed: Vec<Text<'a>> = allowed.map(texts).unwrap_or_default();
    settings.choice = match mode.and_then(Json::text).as_deref() {
        Some("NONE") => Some(Choice::Never),
        Some("ANY") if allowed.len() == 1 => allowed.pop().map(Choice::Tool),
        Some("ANY") => Some(Choice::Any),
        _ => Some(Choice::Auto),
    };
    if !allowed.is_empty() {
        reading
            .losses
            .add(LossKind::ToolChoice, "allowedFunctionNames");
    }
}

fn read_tools<'a>(reading: &mut Reading<'a>, tools: Json<'a>, out: &mut Vec<Tool<'a>>) {
    for (key, value) in tools.fields() {
        if !matches!(&*key, "functionDeclarations" | "function_declarations") {
            reading.losses.add(LossKind::Tool, &key);
            continue;
        }
        for declared in value.elements() {
            let [name, description, plain, schema] =
                declared.pick(["name", "description", "parameters", "parametersJsonSchema"]);
            let Some(name) = name.and_then(Text::of) else {
                continue;
            };
            let schema = schema.map(|schema| Cow::Borrowed(schema.bytes()));
            out.push(Tool {
                name,
                description: description.and_then(Text::of),
                form: ToolForm::Schema(schema.or_else(|| plain.map(lower_types))),
                is_strict: false,
                is_deferred: false,
            });
        }
    }
}
