//! Secrets in the strings of a JSON text. Every byte that is in no changed string stays as it is.
//!
//! The name before a string counts: a `password` is one, and an identifier or a digest is none, however irregular.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use crate::text::{byte, piece};
use crate::{assigned, line, redact, word};

/// Shorter strings without a sign hold no secret that could be told by its form.
const LEAST: usize = 20;

/// Whether a string holds no secret for sure, told at a glance: most strings of an event are names and digests.
fn is_harmless(text: &[u8]) -> bool {
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    let is_digest = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b'-');
    (text.len() < LEAST && text.iter().all(is_plain)) || text.iter().all(is_digest)
}

/// The text with every secret in its strings replaced; the text itself where there is none.
pub fn redact_json(json: &str) -> Cow<'_, str> {
    let text = json.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    let mut key = String::new();
    while let Some(offset) = memchr(b'"', piece(text, at..text.len())) {
        let start = at + offset;
        let Some(end) = string_end(text, start) else {
            break;
        };
        at = end;
        let is_key = is_key(text, end);
        let is_looked_at = !is_harmless(piece(text, start + 1..end - 1))
            || (!is_key && assigned::is_named(&key, "Zz9!Zz9!"));
        let changed = if is_looked_at && let Some(raw) = json.get(start..end) {
            changed(raw, if is_key { "" } else { &key })
        } else {
            None
        };
        if let Some(changed) = changed {
            out.push_str(json.get(copied..start).unwrap_or_default());
            out.push_str(&changed);
            copied = end;
        }
        if is_key {
            key.clear();
            key.push_str(json.get(start + 1..end - 1).unwrap_or_default());
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where a string ends that begins at a place, with its quotes.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        match byte(text, at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

fn is_key(text: &[u8], end: usize) -> bool {
    let rest = piece(text, end..text.len());
    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The string with its quotes, if something in it is replaced.
fn changed(raw: &str, key: &str) -> Option<String> {
    let inner = raw.get(1..raw.len() - 1)?;
    let value: Cow<'_, str> = if inner.contains('\\') {
        Cow::Owned(serde_json::from_str::<String>(raw).ok()?)
    } else {
        Cow::Borrowed(inner)
    };
    if assigned::is_named(key, &value) {
        return serde_json::to_string(&word("assigned-secret")).ok();
    }
    let redacted = if is_identifier(key) {
        let alone = line::alone(value.as_bytes(), true)?;
        String::from_utf8_lossy(&alone).into_owned()
    } else {
        let bytes = value.as_bytes();
        let is_line =
            memchr(b'\n', bytes).is_none() && memmem::find(bytes, b"-----BEGIN ").is_none();
        if is_line {
            let alone = line::alone(value.as_bytes(), false)?;
            String::from_utf8_lossy(&alone).into_owned()
        } else {
            match redact(&value) {
                Cow::Borrowed(_) => return None,
                Cow::Owned(redacted) => redacted,
            }
        }
    };
    serde_json::to_string(&redacted).ok()
}

/// Names of what tells things apart: irregular, and needed to join what belongs together.
fn is_identifier(key: &str) -> bool {
    const ENDS: [&str; 14] = [
        "id",
        "Id",
        "ID",
        "digest",
        "session",
        "job",
        "exchange",
        "signature",
        "hash",
        "sha",
        "sha256",
        "commit",
        "tree",
        "encrypted_content",
    ];
    ENDS.iter().any(|end| key.ends_with(end))
}
