//! Bytes of a text, looked at one by one and never beyond their ends.

use std::ops::Range;

/// A secret that was found in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) at: Range<usize>,
    pub(crate) kind: &'static str,
}

impl Found {
    pub(crate) const fn new(kind: &'static str, at: Range<usize>) -> Self {
        Self { at, kind }
    }
}

/// The byte at a place.
pub(crate) fn byte(text: &[u8], at: usize) -> Option<u8> {
    text.get(at).copied()
}

/// A piece of a text; empty where there is none.
pub(crate) fn piece(text: &[u8], at: Range<usize>) -> &[u8] {
    text.get(at).unwrap_or_default()
}

/// Where a run of bytes of one kind ends that begins at a place.
pub(crate) fn run(text: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_part(**byte)).count()
}

/// Letters, digits and what joins them in names.
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What base64 is written in, in either alphabet, without its padding.
pub(crate) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether a word may begin at a place: nothing of a word stands before it, but for the letter of an escape.
pub(crate) fn begins_word(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| byte(text, before)) else {
        return true;
    };
    if !is_word(before) {
        return true;
    }
    let is_escaped = matches!(before, b'n' | b'r' | b't');
    if is_escaped && at.checked_sub(2).and_then(|two| byte(text, two)) == Some(b'\\') {
        return true;
    }
    // The end of a terminal's colour: `ESC [ 0 m`.
    let codes = piece(text, at.saturating_sub(8)..at.saturating_sub(1));
    let code = codes
        .iter()
        .rposition(|byte| !byte.is_ascii_digit() && *byte != b';');
    before == b'm' && code.is_some_and(|code| piece(codes, 0..code + 1).ends_with(b"\x1b["))
}

/// Whether a text begins with another one at a place, whatever the case of its letters.
pub(crate) fn has_at(text: &[u8], at: usize, wanted: &[u8]) -> bool {
    piece(text, at..at.saturating_add(wanted.len())).eq_ignore_ascii_case(wanted)
}
