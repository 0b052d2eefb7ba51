//! Changes the model name of a body and nothing else.
//!
//! It refuses to copy or re-serialize: the result is slices of the caller's bytes with the new name between them.

use bytes::Bytes;

use crate::json::literal;
use crate::peek::Peek;

/// Puts `model` in the place of every top-level model name.
///
/// `peek` must come from this very body. A span that already spells `model` stays as it was written, so the segments
/// join to exactly `body` when the name does not change. A body that names two models loses both: a provider that
/// reads the first of two fields must not be sent elsewhere than one that reads the last.
pub fn splice_model(body: &Bytes, peek: &Peek, model: &str) -> Vec<Bytes> {
    let quoted = Bytes::from(serde_json::Value::from(model).to_string());
    let mut segments = Vec::with_capacity(2 * peek.model.len() + 1);
    let mut copied = 0;
    for span in &peek.model {
        let is_inside = copied <= span.start && span.start <= span.end && span.end <= body.len();
        if !is_inside || literal(body, *span) == model {
            continue;
        }
        if copied < span.start {
            segments.push(body.slice(copied..span.start));
        }
        segments.push(quoted.clone());
        copied = span.end;
    }
    if copied < body.len() {
        segments.push(body.slice(copied..));
    }
    segments
}
