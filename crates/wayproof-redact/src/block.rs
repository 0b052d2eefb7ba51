//! Private keys in blocks of lines between `-----BEGIN` and `-----END`.

use memchr::memmem;

use crate::text::{is_base64, piece, run};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The most lines of a block without an end; what follows is a text again.
const MOST_LINES: usize = 400;

/// Where a block begins in a line, and where it ends if it does.
pub(crate) struct Block {
    pub(crate) start: usize,
    pub(crate) end: Option<usize>,
}

fn position(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    memmem::find(text.get(from..)?, wanted).map(|offset| from + offset)
}

/// The first block of a private key at or after a place.
pub(crate) fn find(line: &[u8], from: usize) -> Option<Block> {
    let mut at = from;
    loop {
        let start = position(line, at, BEGIN)?;
        let label = start + BEGIN.len();
        let dashes = position(line, label, DASHES)?;
        at = dashes;
        let body = dashes + DASHES.len();
        if is_private(piece(line, label..dashes)) && begins(line, body) {
            let end = position(line, body, END).and_then(|end| {
                position(line, end + END.len(), DASHES).map(|dashes| dashes + DASHES.len())
            });
            return Some(Block { start, end });
        }
    }
}

fn is_private(label: &[u8]) -> bool {
    const WANTED: &[u8] = b"PRIVATE KEY";
    label.len() < 64 && memmem::find(label, WANTED).is_some()
}

/// Whether a key follows, here or on the next lines; source that only names the beginning goes on with something else.
fn begins(line: &[u8], body: usize) -> bool {
    let at = run(line, body, |byte| {
        matches!(byte, b' ' | b'\r' | b'\n' | b'\t')
    });
    let rest = piece(line, at..line.len());
    let is_escaped =
        rest.starts_with(b"\\n") || rest.starts_with(b"\\r") || rest.starts_with(b"\\\\n");
    rest.is_empty() || is_escaped || run(rest, 0, is_base64) >= 16
}

/// A block that goes on over lines.
#[derive(Debug, Default)]
pub(crate) struct Open {
    lines: usize,
}

/// What a line is to an open block.
pub(crate) enum Next {
    /// Part of it, whole.
    Inside,
    /// Its end stands here.
    EndsAt(usize),
    /// The block ended without saying so.
    Beyond,
}

impl Open {
    pub(crate) fn next(&mut self, line: &[u8]) -> Next {
        self.lines += 1;
        if let Some(end) = position(line, 0, END) {
            let dashes = position(line, end + END.len(), DASHES);
            return dashes.map_or(Next::Inside, |dashes| Next::EndsAt(dashes + DASHES.len()));
        }
        if self.lines > MOST_LINES || !is_inside(line) {
            return Next::Beyond;
        }
        Next::Inside
    }
}

/// Lines of a key, with whatever a diff or a listing puts before them.
fn is_inside(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii();
    let mut longest = 0;
    let mut at = 0;
    while at < trimmed.len() {
        let end = run(trimmed, at, is_base64);
        longest = longest.max(end - at);
        at = end + 1;
    }
    let is_short = trimmed.len() <= 24 && trimmed.split(|byte| *byte == b' ').count() <= 2;
    let heads: [&[u8]; 5] = [
        b"Proc-Type:",
        b"DEK-Info:",
        b"Comment:",
        b"Version:",
        b"Hash:",
    ];
    longest >= 20 || is_short || heads.iter().any(|head| trimmed.starts_with(head))
}
