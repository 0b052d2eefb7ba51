//! Text on its way from one JSON document into another: escaped once, and copied as it is.
//!
//! Nearly every string of a request goes out in the escapes it came in, so a translation costs a copy. It refuses to
//! undo escapes but where the meaning of a text is needed.

use std::borrow::Cow;

use crate::json::{Json, unescape};

/// What stands between the quotes of a JSON string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// The text of a JSON string; `None` for any other kind.
    pub(crate) fn of(json: Json<'a>) -> Option<Self> {
        json.inside().map(|inner| Self(Cow::Borrowed(inner)))
    }

    /// Words that need no escapes.
    pub(crate) const fn word(word: &'a str) -> Self {
        Self(Cow::Borrowed(word.as_bytes()))
    }

    /// Escapes a plain text.
    pub(crate) fn plain(text: &str) -> Text<'static> {
        let mut out = Vec::with_capacity(text.len() + 8);
        escape_into(text.as_bytes(), &mut out);
        Text(Cow::Owned(out))
    }

    /// Takes bytes that are escaped already.
    pub(crate) const fn escaped(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }

    /// The escaped bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with its escapes undone.
    pub(crate) fn spoken(&self) -> Cow<'_, str> {
        unescape(&self.0)
    }

    /// Whether the text is this word.
    pub(crate) fn is(&self, word: &str) -> bool {
        &*self.0 == word.as_bytes()
    }

    /// Adds text that is escaped already.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.0.to_mut().extend_from_slice(more);
    }

    /// A copy that borrows nothing.
    pub(crate) fn owned(&self) -> Text<'static> {
        Text(Cow::Owned(self.0.to_vec()))
    }

    /// The same text for as long as this one lives.
    pub(crate) fn share(&self) -> Text<'_> {
        Text(Cow::Borrowed(&self.0))
    }
}

/// Writes `text` with the escapes that it needs between quotes.
pub(crate) fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            return;
        };
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            control => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(control >> 4), digit(control & 15)]);
                rest = after;
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[inline]
const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
