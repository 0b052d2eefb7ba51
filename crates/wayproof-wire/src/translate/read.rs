//! Reads requests of every protocol into a conversation of none.
//!
//! One file a protocol. A reader never fails for a value of the wrong kind: it is left out, and told as a loss.

mod chat;
mod completions;
mod gemini;
mod generate;
mod messages;
mod ollama;
mod responses;

use std::borrow::Cow;

use crate::json::Json;
use crate::protocol::Protocol;
use crate::translate::Untranslatable;
use crate::translate::item::{Conversation, Media, MediaKind, Part, Source, Thinking};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::memo::Namespaced;
use crate::translate::seal::Seal;
use crate::translate::text::Text;
use crate::view::Request;

/// What readers share.
pub(crate) struct Reading<'a> {
    /// The origin whose seals may be opened.
    pub(crate) origin: String,
    pub(crate) losses: Losses,
    /// Tools of namespaces, under the names they have elsewhere.
    pub(crate) namespaced: Vec<Namespaced>,
    /// Deferred tools that were asked for.
    referenced: Vec<Text<'a>>,
    /// Whether deferred tools are found by a search that nobody else can make.
    has_search: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(origin: String) -> Self {
        Self {
            origin,
            losses: Losses::default(),
            namespaced: Vec::new(),
            referenced: Vec::new(),
            has_search: false,
        }
    }

    /// Reads a request.
    pub(crate) fn read(
        &mut self,
        request: &Request<'a>,
    ) -> Result<Conversation<'a>, Untranslatable> {
        let mut conversation = match request.peek.protocol {
            Protocol::Messages => messages::read(self, request),
            Protocol::Chat => chat::read(self, request),
            Protocol::Responses => responses::read(self, request)?,
            Protocol::Gemini => gemini::read(self, request)?,
            Protocol::Ollama if generate::is_one(request) => generate::read(self, request),
            Protocol::Ollama => ollama::read(self, request),
            Protocol::Completions | Protocol::Fim => completions::read(self, request)?,
        };
        self.drop_deferred(&mut conversation);
        Ok(conversation)
    }

    /// Leaves tools out that are not asked for yet. Where the search that would find them is lost, all stay.
    fn drop_deferred(&mut self, conversation: &mut Conversation<'a>) {
        if self.has_search {
            return;
        }
        let (referenced, losses) = (&self.referenced, &mut self.losses);
        conversation.tools.retain(|tool| {
            let is_kept = !tool.is_deferred || referenced.contains(&tool.name);
            if !is_kept {
                losses.add(LossKind::DeferredTool, &tool.name.spoken());
            }
            is_kept
        });
    }

    /// A tool of a kind that only its own provider runs.
    fn foreign_tool(&mut self, kind: &str) {
        self.has_search |= kind.starts_with("tool_search");
        self.losses.add(LossKind::Tool, kind);
    }

    fn field(&mut self, name: &str) {
        self.losses.field(name);
    }

    fn part(&mut self, kind: Option<&Text<'_>>) {
        let kind = kind.map_or(Cow::Borrowed("unknown"), Text::spoken);
        self.losses.add(LossKind::Part, &kind);
    }

    /// Thinking with what may be its packed seal; the reader of its own protocol's seals never gets here.
    fn thinking(&self, text: Text<'a>, packed: Option<&Text<'a>>) -> Part<'a> {
        let seal = packed.and_then(|packed| Seal::unpack(packed, &self.origin));
        Part::Thinking(Thinking { text, seal })
    }
}

/// The top-level fields of a request, with values that are not null.
fn top<'a>(request: &Request<'a>) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
    let body = request.body;
    request.peek.fields.iter().filter_map(move |field| {
        let value = Json::new(field.value.of(body));
        let name = Json::new(field.name.of(body)).text()?;
        (!value.is_null()).then_some((name, value))
    })
}

/// The elements of the conversation.
fn items<'a>(request: &Request<'a>) -> impl Iterator<Item = Json<'a>> {
    let body = request.body;
    let spans = request.peek.items.iter();
    spans.map(move |span| Json::new(span.of(body)))
}

fn texts(list: Json<'_>) -> Vec<Text<'_>> {
    match Text::of(list) {
        Some(one) => vec![one],
        None => list.elements().filter_map(Text::of).collect(),
    }
}

/// A text that says something.
fn text_part(text: Text<'_>) -> Option<Part<'_>> {
    (!text.is_empty()).then_some(Part::Text(text))
}

/// A picture or file behind an address, which may hold the data itself.
fn at_url(kind: MediaKind, url: Text<'_>) -> Media<'_> {
    Media {
        kind,
        source: data_url(&url).unwrap_or(Source::Url(url)),
        name: None,
        detail: None,
    }
}

/// Takes `data:image/png;base64,…` apart.
fn data_url<'a>(url: &Text<'a>) -> Option<Source<'a>> {
    let bytes = url.bytes();
    bytes.strip_prefix(b"data:")?;
    // An address with escapes is rare, and its pieces have to be plain.
    let spoken = url.spoken();
    let rest = spoken.strip_prefix("data:")?;
    let (mime, base64) = rest.split_once(";base64,")?;
    Some(Source::Data {
        mime: Text::plain(mime),
        base64: Text::plain(base64),
    })
}

/// What kind of thing a MIME type names.
fn media_kind(mime: &Text<'_>) -> MediaKind {
    let mime = mime.spoken();
    if mime.starts_with("image/") {
        MediaKind::Image
    } else if mime.starts_with("audio/") {
        MediaKind::Audio
    } else {
        MediaKind::Document
    }
}

/// Whether a JSON value is one that changes nothing.
fn is_idle(value: Json<'_>) -> bool {
    matches!(value.bytes(), b"false" | b"{}" | b"[]" | b"0" | b"\"\"")
}
