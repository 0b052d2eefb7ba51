//! Takes sealed reasoning of another origin out of a request to a provider of the client's own protocol.
//!
//! A provider that checks seals refuses a whole conversation for one that it did not make, on every turn from then on.
//! What goes is all that a seal belongs to: a block of thinking, an item of reasoning, and in Gemini, where a seal
//! stands beside what it signs, the seal alone. Every other byte stays as it was sent.

use bytes::Bytes;
use memchr::memmem;

use crate::json::Json;
use crate::protocol::Protocol;
use crate::seal_mark::SealMark;
use crate::skim::{Skim, Span};
use crate::splice::Edit;
use crate::translate::loss::{Loss, LossKind, Losses};
use crate::translate::write::gemini::NO_SIGNATURE;
use crate::view::Request;

/// What is to change in a request so that no foreign seal is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The changes, for [`splice`](crate::splice).
    pub edits: Vec<Edit>,
    /// What is left behind.
    pub losses: Vec<Loss>,
}

/// The words without which no request of the protocol holds a seal.
const fn hints(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Messages => &["\"signature\"", "\"redacted_thinking\""],
        Protocol::Responses => &["\"encrypted_content\""],
        Protocol::Gemini => &["\"thoughtSignature\""],
        Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => &[],
    }
}

/// The marks of all seals in a request, in their order.
pub fn seals(request: &Request<'_>) -> Vec<SealMark> {
    let mut found = Vec::new();
    search(request, |mark| {
        found.push(mark);
        false
    });
    found
}

/// What to change so that the seals for which `is_foreign` says so are gone; `None` when there is none.
pub fn foreign(request: &Request<'_>, is_foreign: impl FnMut(SealMark) -> bool) -> Option<Foreign> {
    let (edits, losses) = search(request, is_foreign);
    let losses = losses.into_list();
    (!losses.is_empty()).then_some(Foreign { edits, losses })
}

fn search(
    request: &Request<'_>,
    mut is_taken: impl FnMut(SealMark) -> bool,
) -> (Vec<Edit>, Losses) {
    let (body, items) = (request.body, &request.peek.items);
    let protocol = request.peek.protocol;
    let mut cutter = Cutter {
        body,
        is_taken: &mut is_taken,
        edits: Vec::new(),
        losses: Losses::default(),
    };
    let is_hinted = |span: &Span| {
        let text = span.of(body);
        let mut hints = hints(protocol).iter();
        hints.any(|hint| memmem::find(text, hint.as_bytes()).is_some())
    };
    let are_gone: Vec<bool> = items
        .iter()
        .map(|span| is_hinted(span) && cutter.item(protocol, *span))
        .collect();
    cutter.cut(items, &are_gone);
    let Cutter {
        mut edits, losses, ..
    } = cutter;
    edits.sort_by_key(|edit| edit.span.start);
    (edits, losses)
}

struct Cutter<'a, 'b> {
    body: &'a [u8],
    is_taken: &'b mut dyn FnMut(SealMark) -> bool,
    edits: Vec<Edit>,
    losses: Losses,
}

impl<'a> Cutter<'a, '_> {
    /// Changes an item of the conversation; says whether all of it is to go.
    fn item(&mut self, protocol: Protocol, span: Span) -> bool {
        let item = Json::new(span.of(self.body));
        match protocol {
            Protocol::Messages => self.parts(item, "content", Self::block),
            Protocol::Responses => {
                let [kind, seal] = item.pick(["type", "encrypted_content"]);
                let is_reasoning = kind.and_then(Json::text).as_deref() == Some("reasoning");
                is_reasoning && self.takes(seal)
            }
            Protocol::Gemini => self.parts(item, "parts", Self::gemini_part),
            Protocol::Chat | Protocol::Ollama | Protocol::Completions | Protocol::Fim => false,
        }
    }

    /// Changes the parts of an item; says whether none is left.
    fn parts(
        &mut self,
        item: Json<'a>,
        list: &str,
        mut part: impl FnMut(&mut Self, Json<'a>) -> bool,
    ) -> bool {
        let Some(list) = item.get(list).filter(|list| list.is_array()) else {
            return false;
        };
        let (spans, are_gone): (Vec<Span>, Vec<bool>) = list
            .elements()
            .map(|element| (self.span(element.bytes()), part(self, element)))
            .unzip();
        if !spans.is_empty() && are_gone.iter().all(|is_gone| *is_gone) {
            return true;
        }
        self.cut(&spans, &are_gone);
        false
    }

    fn block(&mut self, block: Json<'a>) -> bool {
        let [kind, signature, data] = block.pick(["type", "signature", "data"]);
        match kind.and_then(Json::text).as_deref() {
            Some("thinking") => self.takes(signature),
            Some("redacted_thinking") => self.takes(data),
            _ => false,
        }
    }

    /// A part that says or calls something stays, without the signature beside it.
    fn gemini_part(&mut self, part: Json<'a>) -> bool {
        let [signature, text, thought, call] =
            part.pick(["thoughtSignature", "text", "thought", "functionCall"]);
        if !self.takes(signature) {
            return false;
        }
        let is_thought = thought.and_then(Json::boolean) == Some(true);
        let is_empty = text.is_some_and(|text| text.bytes() == b"\"\"");
        let members = self.members(part);
        let is_bare = members.len() == 1 || (is_empty && members.len() == 2);
        if is_thought || is_bare {
            return true;
        }
        if let (Some(_), Some(signature)) = (call, signature) {
            let span = self.span(signature.bytes());
            let with = Bytes::from(format!("\"{NO_SIGNATURE}\""));
            self.edits.push(Edit { span, with });
            return false;
        }
        let signature = signature.map(|signature| self.span(signature.bytes()));
        let are_gone: Vec<bool> = members
            .iter()
            .map(|member| Some(member.end) == signature.map(|span| span.end))
            .collect();
        self.cut(&members, &are_gone);
        false
    }

    /// Whether there is a seal that is to go. It is counted as lost then.
    fn takes(&mut self, seal: Option<Json<'a>>) -> bool {
        let text = seal.and_then(Json::text);
        let mark = text.as_deref().and_then(SealMark::of);
        let is_taken = mark.is_some_and(|mark| (self.is_taken)(mark));
        if is_taken {
            self.losses.add(LossKind::Thinking, "");
        }
        is_taken
    }

    /// The members of an object, from the name to the value.
    fn members(&self, object: Json<'a>) -> Vec<Span> {
        let start = self.span(object.bytes()).start;
        let mut skim = Skim::new(object.bytes());
        let mut found = Vec::new();
        let mut is_open = skim.take(b'{') && !skim.take(b'}');
        while is_open {
            let (Ok(name), Ok(value)) = (skim.key(), skim.value(0)) else {
                break;
            };
            found.push(Span {
                start: start + name.start,
                end: start + value.end,
            });
            is_open = skim.take(b',');
        }
        found
    }

    /// Where a piece of the body stands in it.
    fn span(&self, piece: &[u8]) -> Span {
        let start = piece.as_ptr().addr() - self.body.as_ptr().addr();
        Span {
            start,
            end: start + piece.len(),
        }
    }

    /// Takes out those of a list's spans that are gone, each with one comma.
    fn cut(&mut self, spans: &[Span], are_gone: &[bool]) {
        let mut kept: Option<usize> = None;
        for (index, (span, is_gone)) in spans.iter().zip(are_gone).enumerate() {
            if !is_gone {
                kept = Some(span.end);
                continue;
            }
            // It goes with the comma before it, or else with the one behind it.
            let next = spans.get(index + 1).map(|next| next.start);
            let span = if let Some(start) = kept {
                kept = Some(span.end);
                Span { start, ..*span }
            } else {
                Span {
                    end: next.unwrap_or(span.end),
                    ..*span
                }
            };
            let with = Bytes::new();
            self.edits.push(Edit { span, with });
        }
    }
}
