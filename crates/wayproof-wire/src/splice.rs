//! Changes pieces of a body and nothing else.
//!
//! It refuses to copy or re-serialize: the result is slices of the caller's bytes with what is new between them.

use bytes::Bytes;

use crate::json::literal;
use crate::peek::Peek;
use crate::skim::Span;

/// A piece of a body and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The piece.
    pub span: Span,
    /// What is put there; nothing takes the piece out.
    pub with: Bytes,
}

/// What puts `model` in the place of every top-level model name.
///
/// `peek` must come from this very body. A span that already spells `model` stays as it was written, so nothing changes
/// when the name does not. A body that names two models loses both: a provider that reads the first of two fields must
/// not be sent elsewhere than one that reads the last.
pub fn model_edits(body: &[u8], peek: &Peek, model: &str) -> Vec<Edit> {
    let quoted = Bytes::from(serde_json::Value::from(model).to_string());
    let spans = peek.model.iter();
    let others = spans.filter(|span| literal(body, **span) != model);
    others
        .map(|span| Edit {
            span: *span,
            with: quoted.clone(),
        })
        .collect()
}

/// Puts `model` in the place of every top-level model name; see [`model_edits`].
pub fn splice_model(body: &Bytes, peek: &Peek, model: &str) -> Vec<Bytes> {
    splice(body, &model_edits(body, peek, model))
}

/// The body in segments, with its edits made. They stand in the body's order; one that begins before the end of the
/// one before it is passed over.
pub fn splice(body: &Bytes, edits: &[Edit]) -> Vec<Bytes> {
    let mut segments = Vec::with_capacity(2 * edits.len() + 1);
    let mut copied = 0;
    for Edit { span, with } in edits {
        let is_inside = copied <= span.start && span.start <= span.end && span.end <= body.len();
        if !is_inside {
            continue;
        }
        if copied < span.start {
            segments.push(body.slice(copied..span.start));
        }
        if !with.is_empty() {
            segments.push(with.clone());
        }
        copied = span.end;
    }
    if copied < body.len() {
        segments.push(body.slice(copied..));
    }
    segments
}
