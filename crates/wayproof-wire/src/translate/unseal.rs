//! Takes what we packed out of a request that goes to a provider of the client's own protocol.
//!
//! A conversation that was answered by another protocol's provider brings its packed seals along when it moves on.
//! A provider that checks signatures would refuse all of it. It refuses to touch anything else: what has no seal of
//! ours stays as it was written.

use memchr::memmem;

use crate::json::Json;
use crate::protocol::Protocol;
use crate::translate::loss::{Loss, LossKind, Losses};
use crate::translate::out::{Out, escaped};
use crate::translate::seal::MARK;
use crate::translate::write::gemini::NO_SIGNATURE;
use crate::view::Request;

/// A request without the seals that we packed.
#[derive(Debug)]
pub struct Unsealed {
    /// The body.
    pub body: Vec<u8>,
    /// What was left behind.
    pub losses: Vec<Loss>,
}

/// Takes packed seals out of a request; `None` when it has none, which one search tells.
pub fn unseal(request: &Request<'_>) -> Option<Unsealed> {
    if !has_mark(request.body) {
        return None;
    }
    let protocol = request.peek.protocol;
    let name = protocol.conversation_field();
    let span = request
        .peek
        .fields
        .iter()
        .rev()
        .find(|field| Json::new(field.name.of(request.body)).text().as_deref() == Some(name))?
        .value;
    let mut losses = Losses::default();
    let mut out = Out::with_capacity(request.body.len());
    out.array(|out| {
        for item in Json::new(span.of(request.body)).elements() {
            if has_mark(item.bytes()) {
                item_without(protocol, item, &mut losses, out);
            } else {
                out.raw(item.bytes());
            }
        }
    });
    let losses = losses.into_list();
    if losses.is_empty() {
        return None;
    }
    let mut body = request.body.get(..span.start)?.to_vec();
    body.extend_from_slice(&out.into_bytes());
    body.extend_from_slice(request.body.get(span.end..)?);
    Some(Unsealed { body, losses })
}

fn has_mark(text: &[u8]) -> bool {
    memmem::find(text, MARK.as_bytes()).is_some()
}

/// Whether a value is a seal that we packed.
fn is_packed(value: Option<Json<'_>>) -> bool {
    let inside = value.and_then(Json::inside);
    inside.is_some_and(|text| text.starts_with(MARK.as_bytes()))
}

fn item_without(protocol: Protocol, item: Json<'_>, losses: &mut Losses, out: &mut Out) {
    match protocol {
        Protocol::Messages => list_without(item, "content", losses, out, |block, losses, out| {
            let [kind, signature, data] = block.pick(["type", "signature", "data"]);
            let kind = kind.and_then(Json::text).unwrap_or_default();
            let is_thinking = matches!(&*kind, "thinking" | "redacted_thinking");
            if is_thinking && is_packed(signature.or(data)) {
                losses.add(LossKind::Thinking, "");
            } else {
                out.raw(block.bytes());
            }
        }),
        Protocol::Responses if is_packed(item.get("encrypted_content")) => {
            losses.add(LossKind::Thinking, "");
        }
        Protocol::Gemini => list_without(item, "parts", losses, out, gemini_part),
        Protocol::Responses
        | Protocol::Chat
        | Protocol::Ollama
        | Protocol::Completions
        | Protocol::Fim => out.raw(item.bytes()),
    }
}

/// Signatures stand beside what they sign, so only they go.
fn gemini_part(part: Json<'_>, losses: &mut Losses, out: &mut Out) {
    let [signature, text, thought, call] =
        part.pick(["thoughtSignature", "text", "thought", "functionCall"]);
    if !is_packed(signature) {
        return out.raw(part.bytes());
    }
    losses.add(LossKind::Thinking, "");
    let is_thought = thought.and_then(Json::boolean) == Some(true);
    let is_bare = call.is_none() && text.is_none_or(|text| text.bytes() == b"\"\"");
    if is_thought || is_bare {
        return;
    }
    out.object(|out| {
        for (key, value) in part.fields() {
            if key != "thoughtSignature" {
                out.key(&escaped(&key)).raw(value.bytes());
            }
        }
        if call.is_some() {
            out.pair("thoughtSignature", NO_SIGNATURE);
        }
    });
}

/// Writes an item with a list of its parts that are left; an item of which nothing is left is not written.
fn list_without(
    item: Json<'_>,
    list: &str,
    losses: &mut Losses,
    out: &mut Out,
    write: impl Fn(Json<'_>, &mut Losses, &mut Out),
) {
    let parts = item.get(list).filter(|parts| parts.is_array());
    let Some(parts) = parts else {
        return out.raw(item.bytes());
    };
    let mut kept = Out::with_capacity(parts.bytes().len());
    kept.array(|out| {
        for part in parts.elements() {
            write(part, losses, out);
        }
    });
    let kept = kept.into_bytes();
    if kept == b"[]" {
        return;
    }
    out.object(|out| {
        for (key, value) in item.fields() {
            let value = if key == list { &kept } else { value.bytes() };
            out.key(&escaped(&key)).raw(value);
        }
    });
}
