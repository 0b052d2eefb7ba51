//! Writes one JSON document front to back into a buffer.
//!
//! It knows where commas go and nothing else. It refuses to check raw values: they are slices of documents that were.

use crate::translate::text::{Text, escape_into};

/// A JSON document in the making.
#[derive(Debug, Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
    has_before: bool,
}

impl Out {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            has_before: false,
        }
    }

    /// Goes on writing at the end of `bytes`.
    pub(crate) const fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            has_before: false,
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn separate(&mut self) {
        if std::mem::replace(&mut self.has_before, true) {
            self.bytes.push(b',');
        }
    }

    /// Starts a member; its value must follow.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.has_before = false;
        self
    }

    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nest(b'{', b'}', fill);
    }

    pub(crate) fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nest(b'[', b']', fill);
    }

    fn nest(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Self)) {
        self.separate();
        self.bytes.push(open);
        self.has_before = false;
        fill(self);
        self.bytes.push(close);
        self.has_before = true;
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.bytes.extend_from_slice(json);
    }

    pub(crate) fn text(&mut self, text: &Text<'_>) {
        self.joined(&[text.bytes()]);
    }

    /// A string of pieces that are escaped already.
    pub(crate) fn joined(&mut self, pieces: &[&[u8]]) {
        self.separate();
        self.bytes.push(b'"');
        for piece in pieces {
            self.bytes.extend_from_slice(piece);
        }
        self.bytes.push(b'"');
    }

    /// A string that holds `plain`, escaped on the way.
    pub(crate) fn quoted(&mut self, plain: &[u8]) {
        self.separate();
        self.bytes.push(b'"');
        escape_into(plain, &mut self.bytes);
        self.bytes.push(b'"');
    }

    /// A string that needs no escapes.
    pub(crate) fn word(&mut self, word: &str) {
        self.joined(&[word.as_bytes()]);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.raw(number.to_string().as_bytes());
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.raw(if value { b"true" } else { b"false" });
    }

    pub(crate) fn null(&mut self) {
        self.raw(b"null");
    }

    /// A member with a word.
    pub(crate) fn pair(&mut self, name: &str, word: &str) {
        self.key(name).word(word);
    }
}

/// A key that came from outside, escaped again.
pub(crate) fn escaped(key: &str) -> String {
    let mut out = Vec::new();
    escape_into(key.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
