//! Writes a conversation as a request of each protocol.
//!
//! One file a protocol. What a protocol has no place for goes into the losses; nothing is left out in silence.

mod chat;
mod completions;
pub(crate) mod gemini;
mod messages;
mod responses;

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use crate::json::{Json, is_whole};
use crate::protocol::Protocol;
use crate::translate::item::{
    Conversation, Input, Media, MediaKind, Part, Settings, Source, Thinking, Tool, ToolForm,
};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::out::Out;
use crate::translate::text::{Text, escape_into};
use crate::translate::{Aim, TokenField};

/// A limit that says no more than that there has to be one.
const HIGH_LIMIT: u64 = 32_000;
/// Longest id of a call that every provider takes.
const ID_BYTES: usize = 64;
/// The length of an id where only one is taken.
const SHORT_ID_BYTES: usize = 9;

/// What writers share.
pub(crate) struct Writing<'w> {
    pub(crate) aim: &'w Aim<'w>,
    pub(crate) losses: &'w mut Losses,
    /// Whether the conversation will go on, so that what is cached of it is read again.
    pub(crate) goes_on: bool,
}

impl Writing<'_> {
    /// Writes the request's body.
    pub(crate) fn write(&mut self, conversation: &Conversation<'_>, capacity: usize) -> Vec<u8> {
        let mut out = Out::with_capacity(capacity);
        match self.aim.provider {
            Protocol::Messages => messages::write(self, conversation, &mut out),
            Protocol::Chat | Protocol::Ollama => chat::write(self, conversation, &mut out),
            Protocol::Responses => responses::write(self, conversation, &mut out),
            Protocol::Gemini => gemini::write(self, conversation, &mut out),
            Protocol::Completions | Protocol::Fim => {
                completions::write(self, conversation, &mut out);
            }
        }
        out.into_bytes()
    }

    /// Whether the provider takes a field.
    fn takes(&self, name: &str) -> bool {
        !self.aim.habits.refused.contains(&name)
    }

    /// A number, or a loss where the provider refuses the field.
    fn number(&mut self, name: &str, value: Option<&[u8]>, out: &mut Out) {
        if self.takes(name) {
            number(name, value, out);
        } else {
            self.lose_setting(name, value);
        }
    }

    /// A text, or a loss where the provider refuses the field.
    fn text(&mut self, name: &str, value: Option<&Text<'_>>, out: &mut Out) {
        match value {
            Some(value) if self.takes(name) => out.key(name).text(value),
            value => self.lose_setting(name, value.map(Text::bytes)),
        }
    }

    /// An id of a call that the provider takes; the same id always becomes the same.
    fn call_id<'t>(&self, id: &'t Text<'_>) -> Text<'t> {
        if self.aim.habits.has_short_ids {
            short_id(id)
        } else {
            fit_id(id)
        }
    }

    fn lose(&mut self, kind: LossKind, name: &str) {
        self.losses.add(kind, name);
    }

    /// Tells a setting that has no place here as a loss, if it is there.
    fn lose_setting(&mut self, name: &str, value: Option<&[u8]>) {
        if value.is_some() {
            self.losses.field(name);
        }
    }

    /// Arguments as a JSON object.
    fn object<'i>(&mut self, input: &'i Input<'_>) -> Cow<'i, [u8]> {
        let text = match input {
            Input::Object(raw) if raw.starts_with(b"{") => return Cow::Borrowed(raw),
            Input::Object(raw) => Cow::Borrowed(&**raw),
            Input::Free(text) => return Cow::Owned(wrapped(text.bytes())),
            Input::Quoted(text) => match text.spoken() {
                Cow::Borrowed(spoken) => Cow::Borrowed(spoken.as_bytes()),
                Cow::Owned(spoken) => Cow::Owned(spoken.into_bytes()),
            },
        };
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() || trimmed == b"null" {
            return Cow::Borrowed(b"{}");
        }
        if trimmed.starts_with(b"{") && is_whole(trimmed) {
            return text;
        }
        self.lose(LossKind::Arguments, "");
        let mut quoted = Vec::new();
        escape_into(trimmed, &mut quoted);
        Cow::Owned(wrapped(&quoted))
    }

    fn text_of<'p>(&mut self, part: &'p Part<'_>) -> Option<&'p Text<'p>> {
        match part {
            Part::Text(text) | Part::Refusal(text) => Some(text),
            Part::Media(Media {
                source: Source::Plain(text),
                ..
            }) => Some(text),
            Part::Media(media) => {
                self.lose(LossKind::Part, kind_name(media.kind));
                None
            }
            Part::Thinking(_) | Part::Call(_) | Part::Result(_) => None,
        }
    }

    /// A string of all the texts, with `gap` between them.
    fn joined_texts(&mut self, parts: &[Part<'_>], gap: &'static [u8], out: &mut Out) {
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(parts.len() * 2);
        for part in parts {
            let Some(text) = self.text_of(part) else {
                continue;
            };
            if !pieces.is_empty() {
                pieces.push(gap);
            }
            pieces.push(text.bytes());
        }
        out.joined(&pieces);
    }

    fn lose_thinking(&mut self, thinking: &Thinking<'_>) {
        let name = if thinking.text.is_empty() {
            "sealed"
        } else {
            ""
        };
        self.lose(LossKind::Thinking, name);
    }

    /// A tool as a name, a description and a schema under the protocol's own word for it.
    fn tool(&mut self, tool: &Tool<'_>, schema_key: &str, out: &mut Out) {
        out.key("name").text(&tool.name);
        if let Some(description) = &tool.description {
            out.key("description").text(description);
        }
        out.key(schema_key);
        match &tool.form {
            ToolForm::Schema(schema) => out.raw(schema.as_deref().unwrap_or(NO_ARGUMENTS)),
            ToolForm::Free(grammar) => {
                if grammar.is_some() {
                    self.lose(LossKind::Grammar, &tool.name.spoken());
                }
                out.raw(FREE_SCHEMA);
            }
        }
    }

    /// The same where the protocol cannot hold a model to the schema.
    fn lax_tool(&mut self, tool: &Tool<'_>, schema_key: &str, out: &mut Out) {
        self.tool(tool, schema_key, out);
        self.strict_is_lost(tool);
    }

    /// How closely an image is to be looked at, where the protocol has no word for it.
    fn detail_is_lost(&mut self, media: &Media<'_>) {
        if media
            .detail
            .as_ref()
            .is_some_and(|detail| !detail.is("auto"))
        {
            self.losses.field("detail");
        }
    }

    fn strict_is_lost(&mut self, tool: &Tool<'_>) {
        if tool.is_strict {
            self.lose(LossKind::Strict, "");
        }
    }

    /// The limit of the answer's length, no higher than the model's own.
    ///
    /// A high limit that a client had to give is left out where the model's own is not known: many servers refuse a
    /// limit above what they can do, and without one they do what they can.
    fn max_tokens(&mut self, settings: &Settings<'_>) -> Option<u64> {
        let asked = settings
            .max_tokens
            .and_then(|value| Json::new(value).integer::<u64>());
        let limit = match (asked?, self.aim.able.output_limit) {
            (asked, Some(limit)) if asked > limit => Some(limit),
            (asked, None) if settings.has_to_limit && asked >= HIGH_LIMIT => None,
            (asked, _) => return Some(asked),
        };
        self.losses.field("max_tokens");
        limit
    }

    fn token_field(&self) -> &'static str {
        match self.aim.token_field {
            TokenField::MaxTokens => "max_tokens",
            TokenField::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// Arguments as a string that holds JSON.
fn quoted(input: &Input<'_>, out: &mut Out) {
    match input {
        Input::Object(raw) => out.quoted(raw),
        Input::Free(text) => out.quoted(&wrapped(text.bytes())),
        Input::Quoted(text) if text.is_empty() => out.word("{}"),
        Input::Quoted(text) => out.text(text),
    }
}

/// A number that is written as it came.
fn number(name: &str, value: Option<&[u8]>, out: &mut Out) {
    if let Some(value) = value {
        out.key(name).raw(value);
    }
}

/// Free text as the arguments of a function.
fn wrapped(escaped: &[u8]) -> Vec<u8> {
    let mut object = Vec::with_capacity(escaped.len() + 12);
    object.extend_from_slice(br#"{"input":""#);
    object.extend_from_slice(escaped);
    object.extend_from_slice(br#""}"#);
    object
}

/// The schema of a function that stands in for a tool with free text.
const FREE_SCHEMA: &[u8] = br#"{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the tool, as plain text."}},"required":["input"],"additionalProperties":false}"#;
/// The schema of a tool that gave none.
const NO_ARGUMENTS: &[u8] = br#"{"type":"object","properties":{}}"#;

/// An id of a call that every provider takes; the same id always becomes the same.
fn fit_id<'a>(id: &'a Text<'_>) -> Text<'a> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let bytes = id.bytes();
    if bytes.len() <= ID_BYTES && !bytes.is_empty() && bytes.iter().all(is_plain) {
        return id.share();
    }
    let mut fitted: Vec<u8> = bytes
        .iter()
        .map(|byte| if is_plain(byte) { *byte } else { b'_' })
        .take(ID_BYTES - 17)
        .collect();
    fitted.extend_from_slice(format!("_{:016x}", xxh3_64(bytes)).as_bytes());
    Text::escaped(fitted)
}

/// The same as nine letters and digits.
fn short_id<'a>(id: &'a Text<'_>) -> Text<'a> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let bytes = id.bytes();
    if bytes.len() == SHORT_ID_BYTES && bytes.iter().all(u8::is_ascii_alphanumeric) {
        return id.share();
    }
    let mut rest = xxh3_64(bytes);
    let mut short = Vec::with_capacity(SHORT_ID_BYTES);
    for _ in 0..SHORT_ID_BYTES {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        short.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
        rest /= 62;
    }
    Text::escaped(short)
}

const fn kind_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Document => "document",
        MediaKind::Audio => "audio",
    }
}

/// `data:<mime>;base64,<data>`
fn data_url(mime: &Text<'_>, base64: &Text<'_>, out: &mut Out) {
    out.joined(&[b"data:", mime.bytes(), b";base64,", base64.bytes()]);
}

/// The parts of tool results that are no text.
fn result_media<'p, 'a>(parts: &'p [Part<'a>]) -> impl Iterator<Item = &'p Part<'a>> {
    parts.iter().filter(|part| {
        let is_text = matches!(
            part,
            Part::Text(_)
                | Part::Media(Media {
                    source: Source::Plain(_),
                    ..
                })
        );
        !is_text
    })
}

/// The texts of a tool result, with line ends between them.
fn result_texts<'p>(parts: &'p [Part<'_>]) -> Vec<&'p [u8]> {
    let mut texts: Vec<&[u8]> = Vec::with_capacity(parts.len() * 2);
    for part in parts {
        if let Part::Text(text)
        | Part::Media(Media {
            source: Source::Plain(text),
            ..
        }) = part
        {
            if !texts.is_empty() {
                texts.push(b"\\n");
            }
            texts.push(text.bytes());
        }
    }
    texts
}
