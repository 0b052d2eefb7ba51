//! A read-only view of the conversation in a request, in one shape for all protocols.
//!
//! It parses only the items that are asked for, so that the cost of a turn follows what is new in it. It refuses to
//! be complete: what routing has no use for is [`Part::Other`].

mod chat;
mod gemini;
mod messages;
mod responses;

use std::borrow::Cow;

use crate::json::{Json, spells};
use crate::peek::Peek;
use crate::protocol::Protocol;

/// How much of the system prompt [`Request::system_head`] gives.
const SYSTEM_HEAD_BYTES: usize = 4096;
/// How many items from the start may hold instructions.
const HEAD_ITEMS: usize = 8;

/// A request body together with what [`peek`](crate::peek) found in it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The body.
    pub body: &'a [u8],
    /// What was found in this very body.
    pub peek: &'a Peek,
}

/// Who an item speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions and notices of the harness, wherever they stand.
    System,
    /// The user; in Messages and Gemini also the carrier of tool results.
    User,
    /// The model.
    Assistant,
    /// A tool result that is an item of its own.
    Tool,
}

/// One element of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    /// Who it speaks for.
    pub role: Role,
    /// What it says, in order.
    pub parts: Vec<Part<'a>>,
}

/// One piece of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// The model asks for a tool.
    ToolCall {
        /// The id that its result will name; empty in protocols without ids.
        id: Cow<'a, str>,
        /// The tool.
        name: Cow<'a, str>,
        /// JSON arguments as they were written, or free text.
        input: Cow<'a, str>,
    },
    /// What a tool gave back.
    ToolResult {
        /// The id of the call; empty in protocols without ids.
        id: Cow<'a, str>,
        /// The protocol's own error mark, where it has one.
        is_error: Option<bool>,
        /// The text of the result.
        text: Cow<'a, str>,
    },
    /// Reasoning, readable or sealed.
    Thinking,
    /// Anything else: images, documents, provider tools.
    Other,
}

/// Whether the text of tool results is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Results {
    Read,
    Skip,
}

impl<'a> Request<'a> {
    /// The raw value of a top-level field; the last one wins.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        let is_named = |literal: &[u8]| spells(literal, name);
        let found = self.peek.fields.iter().rev();
        let mut found = found.filter(|field| is_named(field.name.of(self.body)));
        found.next().map(|field| field.value.of(self.body))
    }

    pub(crate) fn json(&self, name: &str) -> Option<Json<'a>> {
        self.field(name).map(Json::new)
    }

    /// The number of items.
    pub const fn len(&self) -> usize {
        self.peek.items.len()
    }

    /// Whether there is no item.
    pub const fn is_empty(&self) -> bool {
        self.peek.items.is_empty()
    }

    /// The text of an item as it came.
    pub fn raw_item(&self, index: usize) -> Option<&'a [u8]> {
        self.peek.items.get(index).map(|span| span.of(self.body))
    }

    /// Parses one item.
    pub fn item(&self, index: usize) -> Option<Item<'a>> {
        self.read_item(index, Results::Read)
    }

    /// Parses one item but for the tool results in it, which are most of what users' items hold.
    pub(crate) fn spoken(&self, index: usize) -> Option<Item<'a>> {
        self.read_item(index, Results::Skip)
    }

    fn read_item(&self, index: usize, results: Results) -> Option<Item<'a>> {
        let json = Json::new(self.raw_item(index)?);
        if let Some(text) = json.text() {
            return Some(Item {
                role: Role::User,
                parts: vec![Part::Text(text)],
            });
        }
        if !json.is_object() {
            return None;
        }
        Some(match self.peek.protocol {
            Protocol::Messages => messages::item(json, results),
            Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
                chat::item(json)
            }
            Protocol::Responses => responses::item(json),
            Protocol::Gemini => gemini::item(json, results),
        })
    }

    /// The role of an item, without parsing the rest of it.
    pub fn role(&self, index: usize) -> Option<Role> {
        let json = Json::new(self.raw_item(index)?);
        if !json.is_object() {
            return Some(Role::User);
        }
        Some(match self.peek.protocol {
            Protocol::Messages => messages::role(json),
            Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
                chat::role(json)
            }
            Protocol::Responses => responses::role(json),
            Protocol::Gemini => gemini::role(json),
        })
    }

    /// The index of the first item after the last one of the model.
    pub fn first_new(&self) -> usize {
        let last = (0..self.len()).rev();
        let mut last = last.skip_while(|index| self.role(*index) != Some(Role::Assistant));
        last.next().map_or(0, |index| index + 1)
    }

    /// The items after the last one of the model.
    pub fn new_items(&self) -> Vec<Item<'a>> {
        (self.first_new()..self.len())
            .filter_map(|index| self.item(index))
            .collect()
    }

    /// The first 4 KB or so of the system prompt's text.
    pub fn system_head(&self) -> String {
        let mut head = String::new();
        let field = match self.peek.protocol {
            Protocol::Messages => self.json("system"),
            Protocol::Responses => self.json("instructions"),
            Protocol::Gemini => self
                .json("systemInstruction")
                .or_else(|| self.json("system_instruction"))
                .and_then(|system| system.get("parts")),
            Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => None,
        };
        if let Some(field) = field {
            push_texts(field, &mut head);
        }
        for index in 0..self.len().min(HEAD_ITEMS) {
            if head.len() >= SYSTEM_HEAD_BYTES || self.role(index) != Some(Role::System) {
                break;
            }
            for part in self.item(index).into_iter().flat_map(|item| item.parts) {
                if let Part::Text(text) = part {
                    push_line(&text, &mut head);
                }
            }
        }
        head.truncate(head.floor_char_boundary(SYSTEM_HEAD_BYTES));
        head
    }
}

impl Item<'_> {
    /// The text parts, a line break between them.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            if let Part::Text(text) = part {
                push_line(text, &mut out);
            }
        }
        out
    }
}

/// Adds the text of a string, of a part, or of an array of parts, until the head is full.
fn push_texts(value: Json<'_>, head: &mut String) {
    let text_of = |value: Json<'_>| value.text_head(SYSTEM_HEAD_BYTES).map(Cow::into_owned);
    if let Some(text) = text_of(value).or_else(|| text_of(value.get("text")?)) {
        push_line(&text, head);
    }
    for part in value.elements() {
        if head.len() >= SYSTEM_HEAD_BYTES {
            break;
        }
        if let Some(text) = part.get("text").and_then(text_of) {
            push_line(&text, head);
        }
    }
}

fn push_line(text: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(text);
}

/// The text of a value that is a string or an array of parts with a `text`; images and the like are left out.
fn joined_text(value: Json<'_>) -> Cow<'_, str> {
    if let Some(text) = value.text() {
        return text;
    }
    let mut texts = value.elements().filter_map(|part| part.get("text")?.text());
    let first = texts.next().unwrap_or_default();
    match texts.next() {
        None => first,
        Some(second) => {
            let mut out = first.into_owned();
            for text in std::iter::once(second).chain(texts) {
                push_line(&text, &mut out);
            }
            Cow::Owned(out)
        }
    }
}
