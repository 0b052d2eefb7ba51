#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod assigned;
mod block;
mod entropy;
mod form;
mod json;
mod line;
mod stream;
mod text;

use std::borrow::Cow;

pub use json::redact_json;
pub use stream::{LONGEST_LINE, Stream};

/// How a found secret is told: its kind, never a part of it.
pub(crate) fn word(kind: &str) -> String {
    format!("[redacted:{kind}]")
}

/// The text with every secret replaced; the text itself where there is none.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = Vec::new();
    let mut stream = Stream::new();
    stream.push(text.as_bytes(), &mut out);
    let is_changed = stream.finish(&mut out);
    if !is_changed {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}
