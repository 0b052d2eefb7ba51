//! One pass over a request body that finds what routing needs and checks the structure of the rest.
//!
//! It records where the model name, the other top-level fields and the turns of the conversation are. It refuses to
//! parse them, to change them, and to judge values: a body that is a JSON object is always accepted.

use crate::json::{Json, literal, spells};
use crate::protocol::Protocol;
use crate::skim::{Malformed, Skim, Span};

/// A top-level field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name with its quotes, as it was written.
    pub name: Span,
    /// The value.
    pub value: Span,
}

/// What one pass over a body found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The protocol the body was read as.
    pub protocol: Protocol,
    /// Every top-level `model` string, with its quotes; a body may repeat the field.
    pub model: Vec<Span>,
    /// The decoded model name; the last `model` string wins. Empty when there is none.
    pub model_name: String,
    /// Whether the body asks for a stream; the last `stream` field wins. Gemini says it in the path instead.
    pub is_streaming: bool,
    /// The elements of the conversation; a string `input` or `prompt` is one item.
    pub items: Vec<Span>,
    /// Every top-level field in order, those above included.
    pub fields: Vec<Field>,
}

impl Peek {
    /// Says in one sentence what a provider of this protocol will surely miss, if anything.
    ///
    /// Reading a body never fails for these reasons, so that the caller may still choose to pass it on.
    pub fn missing(&self) -> Option<&'static str> {
        match self.protocol {
            _ if self.unnamed().is_some() => self.unnamed(),
            _ if !self.items.is_empty() => None,
            Protocol::Messages | Protocol::Chat => {
                Some("`messages` must be an array that is not empty")
            }
            Protocol::Gemini => Some("`contents` must be an array that is not empty"),
            // A stored prompt, an earlier response or a model load may stand in for the conversation.
            Protocol::Responses | Protocol::Ollama | Protocol::Completions | Protocol::Fim => None,
        }
    }

    /// Says that there is no model's name, where one is needed; Gemini has it in the path.
    pub fn unnamed(&self) -> Option<&'static str> {
        let is_named = !self.model_name.is_empty() || self.protocol == Protocol::Gemini;
        (!is_named).then_some("`model` must be a string that is not empty")
    }
}

/// Reads a request body.
///
/// Checked: UTF-8, that the body is one JSON object, brackets, commas, colons, literals, numbers, and nesting up to
/// [`NESTING_LIMIT`](crate::NESTING_LIMIT). Left to the provider: escapes and control characters inside strings.
///
/// # Errors
/// Says where the body stops being a JSON object.
pub fn peek(protocol: Protocol, body: &[u8]) -> Result<Peek, Malformed> {
    check_utf8(body)?;
    let mut peek = Peek {
        protocol,
        model: Vec::new(),
        model_name: String::new(),
        is_streaming: protocol.streams_by_default(),
        items: Vec::new(),
        fields: Vec::with_capacity(16),
    };
    let mut skim = Skim::new(body);
    if !skim.take(b'{') {
        return skim.fail("expected `{`");
    }
    if !skim.take(b'}') {
        loop {
            let name = skim.key()?;
            peek.field(body, name, &mut skim)?;
            if skim.take(b'}') {
                break;
            }
            if !skim.take(b',') {
                return skim.fail("expected `,` or `}` in an object");
            }
        }
    }
    match skim.next() {
        None => Ok(peek),
        Some(_) => skim.fail("something follows the object"),
    }
}

impl Peek {
    fn field(&mut self, body: &[u8], name: Span, skim: &mut Skim<'_>) -> Result<(), Malformed> {
        let is = |word: &str| spells(name.of(body), word);
        let value = if is(self.protocol.conversation_field()) {
            self.items.clear();
            self.conversation(skim)?
        } else {
            skim.value(1)?
        };
        // Ollama's other route has a prompt instead of a conversation; an empty one only loads the model.
        let is_prompt = self.protocol == Protocol::Ollama && is("prompt");
        if is_prompt && self.items.is_empty() && value.of(body).starts_with(b"\"") {
            self.items
                .extend((value.end - value.start > 2).then_some(value));
        }
        // Gemini repeats the model in the requests that a request holds.
        if self.protocol == Protocol::Gemini && (is("requests") || is("generateContentRequest")) {
            self.inner_models(body, Json::new(value.of(body)));
        }
        if is("model") && value.of(body).starts_with(b"\"") {
            self.model.push(value);
            self.model_name = literal(body, value).into_owned();
        } else if is("stream") && self.protocol != Protocol::Gemini {
            self.is_streaming = Json::new(value.of(body))
                .boolean()
                .unwrap_or(self.protocol.streams_by_default());
        }
        self.fields.push(Field { name, value });
        Ok(())
    }

    fn inner_models(&mut self, body: &[u8], value: Json<'_>) {
        for request in std::iter::once(value).chain(value.elements()) {
            let name = request.get("model").map(Json::bytes);
            if let Some(name) = name.filter(|name| name.starts_with(b"\"")) {
                let start = name.as_ptr().addr() - body.as_ptr().addr();
                let end = start + name.len();
                self.model.push(Span { start, end });
            }
        }
    }

    fn conversation(&mut self, skim: &mut Skim<'_>) -> Result<Span, Malformed> {
        match skim.next() {
            Some(b'[') => {}
            Some(b'"') if self.protocol == Protocol::Responses || self.protocol.is_completion() => {
                let value = skim.value(1)?;
                self.items.push(value);
                return Ok(value);
            }
            _ => return skim.value(1),
        }
        let start = skim.pos();
        skim.take(b'[');
        if !skim.take(b']') {
            loop {
                self.items.push(skim.value(2)?);
                if skim.take(b']') {
                    break;
                }
                if !skim.take(b',') {
                    return skim.fail("expected `,` or `]` in an array");
                }
            }
        }
        Ok(Span {
            start,
            end: skim.pos(),
        })
    }
}

fn check_utf8(body: &[u8]) -> Result<(), Malformed> {
    if simdutf8::basic::from_utf8(body).is_ok() {
        return Ok(());
    }
    // Only the slower check knows where it went wrong.
    let offset = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    Err(Malformed {
        offset,
        reason: "the text is not UTF-8",
    })
}
