//! Secrets that are known by the name before them: `password = "…"`, `API_KEY=…`, `Authorization: Bearer …`.
//!
//! Source is full of such names with code behind them, so what follows has to look like a value.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::{memchr2, memmem};

use crate::address::is_placeholder;
use crate::text::{Found, byte, has_at, is_base64, is_word, piece, run};

/// How sure a name is: behind the first kind any value counts, behind the second one that no word looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sure {
    Word,
    Irregular,
    /// A header whose value is a secret to its end.
    Header,
}

static NAMES: &[(&str, Sure)] = &[
    ("password", Sure::Word),
    ("passwd", Sure::Word),
    ("passphrase", Sure::Word),
    ("pwd", Sure::Irregular),
    ("secret", Sure::Irregular),
    ("secretkey", Sure::Irregular),
    ("token", Sure::Irregular),
    ("apikey", Sure::Irregular),
    ("api_key", Sure::Irregular),
    ("api-key", Sure::Irregular),
    ("accesskey", Sure::Irregular),
    ("access_key", Sure::Irregular),
    ("access-key", Sure::Irregular),
    ("secret_key", Sure::Irregular),
    ("secret-key", Sure::Irregular),
    ("private_key", Sure::Irregular),
    ("signing_key", Sure::Irregular),
    ("encryption_key", Sure::Irregular),
    ("master_key", Sure::Irregular),
    ("account_key", Sure::Irregular),
    ("accountkey", Sure::Irregular),
    ("sharedaccesskey", Sure::Irregular),
    ("auth_key", Sure::Irregular),
    ("authkey", Sure::Irregular),
    ("credential", Sure::Irregular),
    ("credentials", Sure::Irregular),
    ("authorization", Sure::Header),
    ("cookie", Sure::Header),
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(NAMES.iter().map(|(name, _)| name))
        .ok()
});

/// Finds what stands behind such names in a line.
pub(crate) fn find(line: &[u8], found: &mut Vec<Found>) {
    let Some(search) = SEARCH.as_ref() else {
        return;
    };
    for hit in search.find_overlapping_iter(line) {
        let Some((_, sure)) = NAMES.get(hit.pattern().as_usize()) else {
            continue;
        };
        // The name ends here, whatever it begins with: `DB_PASSWORD`, but no `tokens` and no `token_count`.
        if byte(line, hit.end()).is_some_and(is_word) {
            continue;
        }
        found.extend(behind(line, hit.end(), *sure));
    }
    find_bearer(line, found);
    find_flags(line, found);
}

/// What a key of a JSON object says about its value: how much of it is a secret.
pub(crate) fn is_named(key: &str, value: &str) -> bool {
    let key = key.as_bytes();
    if !may_name(key) {
        return false;
    }
    let named = NAMES.iter().filter(|(name, _)| {
        key.len()
            .checked_sub(name.len())
            .is_some_and(|from| has_at(key, from, name.as_bytes()))
    });
    let mut sure = None;
    for (_, each) in named {
        sure = match (sure, each) {
            (Some(Sure::Header), _) | (_, Sure::Header) => Some(Sure::Header),
            (Some(Sure::Word), _) | (_, Sure::Word) => Some(Sure::Word),
            _ => Some(Sure::Irregular),
        };
    }
    let value = value.as_bytes();
    match sure {
        None => false,
        Some(_) if value.starts_with(b"[redacted:") || is_placeholder(value) => false,
        Some(Sure::Header) => value.len() >= 8,
        Some(Sure::Word) => value.len() >= 4 && !value.contains(&b'\n'),
        Some(Sure::Irregular) => is_irregular(value),
    }
}

/// Whether a key ends as one of the names does, by its last two letters: most keys do not.
fn may_name(key: &[u8]) -> bool {
    let Some(last) = key.last_chunk::<2>() else {
        return false;
    };
    matches!(
        &last.map(|byte| byte.to_ascii_lowercase()),
        b"rd" | b"wd" | b"se" | b"et" | b"ey" | b"en" | b"al" | b"ls" | b"on" | b"ie"
    )
}

/// A value behind a name: the sign between them, quotes, and what is inside.
fn behind(line: &[u8], end: usize, sure: Sure) -> Option<Found> {
    let mut at = run(line, end, |byte| {
        matches!(byte, b'"' | b'\'' | b'\\' | b'`' | b']')
    });
    let is_key_quoted = at > end;
    at = run(line, at, |byte| byte == b' ');
    let sign = byte(line, at)?;
    let is_tight = at == end;
    at = match sign {
        b'=' if byte(line, at + 1) == Some(b'=') => return None,
        b'=' if byte(line, at + 1) == Some(b'>') => at + 2,
        b':' if byte(line, at + 1) == Some(b'=') => at + 2,
        b':' if byte(line, at + 1) == Some(b':') => return None,
        b'=' | b':' => at + 1,
        _ => return None,
    };
    let spaced = at;
    at = run(line, at, |byte| byte == b' ' || byte == b'\t');
    let is_close = is_tight && at == spaced;
    if sure == Sure::Header {
        return header(line, at);
    }
    let quotes = at;
    at = run(line, at, |byte| byte == b'\\');
    let quote = byte(line, at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let from = match quote {
        Some(_) => at + 1,
        None => quotes,
    };
    let stop = match quote {
        Some(quote) => run(line, from, |byte| byte != quote && byte != b'\\'),
        None => run(line, from, |byte| {
            byte > b' '
                && !matches!(
                    byte,
                    b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b'<' | b')' | b'}' | b'\\'
                )
        }),
    };
    let value = piece(line, from..stop);
    if value.starts_with(b"[redacted:") || is_placeholder(value) || is_code(value) {
        return None;
    }
    let is_value = match (sure, quote) {
        (Sure::Word, Some(_)) => value.len() >= 4,
        // `PASSWORD=hunter` of a shell or a settings file; `password: str` is source.
        (Sure::Word, None) if is_close || is_key_quoted => value.len() >= 4,
        _ => is_irregular(value),
    };
    is_value.then(|| Found::new("assigned-secret", from..stop))
}

/// What a header is worth to its end, or to the quote that ends it.
fn header(line: &[u8], at: usize) -> Option<Found> {
    let at = run(line, at, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
    let end = run(line, at, |byte| {
        !matches!(byte, b'"' | b'\'' | b'\\' | b'\r')
    });
    let value = piece(line, at..end);
    let schemes: [&[u8]; 5] = [
        b"bearer ",
        b"basic ",
        b"token ",
        b"digest ",
        b"aws4-hmac-sha256 ",
    ];
    let scheme = schemes.iter().find(|scheme| has_at(value, 0, scheme));
    let from = at + scheme.map_or(0, |scheme| scheme.len());
    let secret = piece(line, from..end);
    let is_value = secret.len() >= 8
        && !secret.starts_with(b"[redacted:")
        && !is_placeholder(secret)
        && !is_code(secret)
        && (scheme.is_some() || secret.contains(&b'=') || is_irregular(secret));
    is_value.then(|| Found::new("header", from..end))
}

/// `Bearer …` wherever it stands.
fn find_bearer(line: &[u8], found: &mut Vec<Found>) {
    const WORD: &[u8] = b"bearer ";
    let mut at = 0;
    while let Some(offset) = memchr2(b'b', b'B', piece(line, at..line.len())) {
        let start = at + offset;
        at = start + 1;
        if !has_at(line, start, WORD) {
            continue;
        }
        let from = start + WORD.len();
        let end = run(line, from, |byte| {
            is_base64(byte) || matches!(byte, b'.' | b'=' | b'~')
        });
        let value = piece(line, from..end);
        if is_irregular(value) && value.len() >= 16 {
            found.push(Found::new("bearer", from..end));
        }
    }
}

/// `--password …` and `-u user:password` of command lines.
fn find_flags(line: &[u8], found: &mut Vec<Found>) {
    const FLAGS: [&[u8]; 6] = [
        b"--password ",
        b"--token ",
        b"--api-key ",
        b"--secret ",
        b"--access-token ",
        b"--passphrase ",
    ];
    let has_long_flags = memmem::find(line, b"--").is_some();
    for flag in FLAGS.into_iter().filter(|_| has_long_flags) {
        let Some(offset) = memmem::find(line, flag) else {
            continue;
        };
        let at = offset + flag.len();
        let from = run(line, at, |byte| matches!(byte, b'"' | b'\'' | b' ' | b'\\'));
        let end = run(line, from, |byte| {
            byte > b' ' && !matches!(byte, b'"' | b'\'' | b'\\')
        });
        let value = piece(line, from..end);
        let is_flag = value.starts_with(b"-");
        if value.len() >= 6
            && !is_flag
            && !is_placeholder(value)
            && !value.starts_with(b"[redacted:")
            && !is_code(value)
        {
            found.push(Found::new("assigned-secret", from..end));
        }
    }
    for flag in [&b" -u "[..], b" --user "] {
        let Some(offset) = memmem::find(line, flag) else {
            continue;
        };
        let at = offset + flag.len();
        let from = run(line, at, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
        let end = run(line, from, |byte| {
            byte > b' ' && !matches!(byte, b'"' | b'\'' | b'\\')
        });
        let value = piece(line, from..end);
        let Some(colon) = value.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let secret = piece(value, colon + 1..value.len());
        let is_group = secret.iter().all(u8::is_ascii_digit);
        if secret.len() >= 6
            && !is_group
            && !is_placeholder(secret)
            && !secret.starts_with(b"[redacted:")
            && !is_code(secret)
        {
            found.push(Found::new("password", from + colon + 1..end));
        }
    }
}

/// Calls, paths, types and other things that programs write where a value could stand.
fn is_code(value: &[u8]) -> bool {
    let has = |wanted: &[u8]| value.windows(wanted.len()).any(|window| window == wanted);
    value.contains(&b'(')
        || value.contains(&b'[')
        || has(b"::")
        || has(b"process.env")
        || has(b"os.environ")
        || has(b"env.")
        || has(b"self.")
        || has(b"this.")
        || has(b"secrets.")
        || has(b"config.")
}

/// Whether no name in a program and no word looks like this.
fn is_irregular(value: &[u8]) -> bool {
    const LEAST: usize = 8;
    if value.len() < LEAST || value.iter().any(|byte| *byte <= b' ') || is_digest(value) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let kinds = [
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
        value.iter().any(|byte| {
            byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'.' | b'-' | b'/' | b':')
        }),
    ];
    let count = kinds.iter().filter(|has| **has).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let [_, _, has_digit, has_sign] = kinds;
    letters >= 2 && count >= 2 && (has_digit || has_sign) && crate::entropy::changes(value) >= 2
}

/// A digest written out has a fixed length, and is no secret where it is called a token.
fn is_digest(value: &[u8]) -> bool {
    matches!(value.len(), 40 | 64) && value.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_may_be_one() {
        for (name, _) in NAMES {
            assert!(may_name(name.as_bytes()), "{name}");
            assert!(may_name(name.to_uppercase().as_bytes()), "{name}");
        }
        assert!(!may_name(b"id") && !may_name(b"") && !may_name(b"y"));
    }
}
