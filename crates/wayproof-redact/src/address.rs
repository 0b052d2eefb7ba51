//! Passwords in addresses: `postgres://user:password@host/`, and credentials without a user.

use memchr::memmem;

use crate::text::{Found, byte, piece, run};

/// Finds them; only the credential is replaced, so that the address still says where it leads.
pub(crate) fn find(line: &[u8], found: &mut Vec<Found>) {
    let mut at = 0;
    while let Some(offset) = memmem::find(piece(line, at..line.len()), b"://") {
        let start = at + offset + 3;
        at = start;
        let is_scheme = start
            .checked_sub(4)
            .and_then(|before| byte(line, before))
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            continue;
        }
        found.extend(credential(line, start));
    }
}

fn credential(line: &[u8], start: usize) -> Option<Found> {
    let end = run(line, start, |byte| {
        byte > b' '
            && !matches!(
                byte,
                b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`'
            )
    });
    let authority = piece(line, start..end);
    // The last one counts: a password may hold one itself.
    let ends = authority.iter().rposition(|byte| *byte == b'@')?;
    let user = piece(authority, 0..ends);
    let secret = match user.iter().position(|byte| *byte == b':') {
        Some(colon) => colon + 1..ends,
        None if ends >= 20 => 0..ends,
        None => return None,
    };
    let text = piece(authority, secret.clone());
    if text.is_empty() || is_placeholder(text) {
        return None;
    }
    Some(Found::new(
        "password",
        start + secret.start..start + secret.end,
    ))
}

/// `${PASSWORD}`, `<password>`, `***`, `$PGPASSWORD`, `{password}`: a place for a secret and none.
pub(crate) fn is_placeholder(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 22] = [
        b"password",
        b"passwd",
        b"pass",
        b"secret",
        b"token",
        b"changeme",
        b"null",
        b"none",
        b"true",
        b"false",
        b"undefined",
        b"string",
        b"redacted",
        b"required",
        b"optional",
        b"example",
        b"bearer",
        b"basic",
        b"str",
        b"nil",
        b"empty",
        b"hidden",
    ];
    let starts = |wanted: &[u8]| {
        text.len() >= wanted.len() && piece(text, 0..wanted.len()).eq_ignore_ascii_case(wanted)
    };
    let first = text.first().copied().unwrap_or_default();
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || matches!(
            first,
            b'$' | b'<' | b'{' | b'%' | b'[' | b'(' | b'*' | b'&' | b'@'
        )
        || starts(b"your")
        || starts(b"my-")
        || starts(b"xxx")
        || starts(b"...")
        || text.contains(&b'{')
        || text.iter().all(|byte| Some(byte) == text.first())
}
