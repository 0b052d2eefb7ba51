//! Long unbroken tokens that are too irregular for a word, a name or a path.
//!
//! A random token of letters and digits changes between small letters, capitals and digits at almost every second
//! place; names written together change where their words begin. Digests have no capitals, and encoded data is longer.

use crate::text::{Found, byte, has_at, is_base64, piece};

/// Shorter than this a token may be anything.
const LEAST: usize = 24;

/// Longer than this it is data: an image, a signature, a certificate's line.
const MOST: usize = 56;

/// Whether the alphabet's part of a token is as irregular as a random one.
fn is_random(token: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| token.iter().filter(|byte| is(byte)).count();
    let (small, large, digits) = (
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    );
    if small < 3 || large < 3 || digits < 2 {
        return false;
    }
    let signs = token.len() - small - large - digits;
    let changes = changes(token);
    // Random tokens change at 0.62 of their places.
    changes * 100 >= (token.len() - signs) * 42
        && distinct(token) * 100 >= token.len().min(40) * 45
        && signs * 6 <= token.len()
}

/// How often neighbours are of different kinds: small letter, capital, digit. Signs are passed over.
pub(crate) fn changes(token: &[u8]) -> usize {
    let kinds = token.iter().filter_map(|byte| match byte {
        b'a'..=b'z' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        b'_' | b'-' | b'/' | b'.' | b':' => None,
        _ => Some(3),
    });
    let mut last = None;
    let mut count = 0;
    for kind in kinds {
        count += usize::from(last.is_some_and(|last| last != kind));
        last = Some(kind);
    }
    count
}

fn distinct(token: &[u8]) -> usize {
    let mut seen = [false; 256];
    let mut count = 0;
    for byte in token {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            count += usize::from(!*slot);
            *slot = true;
        }
    }
    count
}

/// What providers and agents name answers, calls and files by: they are how events are joined.
const NAMES: [&[u8]; 28] = [
    b"msg_",
    b"toolu_",
    b"srvtoolu_",
    b"req_",
    b"chatcmpl-",
    b"cmpl-",
    b"call_",
    b"resp_",
    b"rs_",
    b"fc_",
    b"ctc_",
    b"ws_",
    b"run_",
    b"thread_",
    b"asst_",
    b"file-",
    b"file_",
    b"batch_",
    b"gen-",
    b"imported-",
    b"imported_",
    b"item_",
    b"ig_",
    b"tool_",
    b"sha1-",
    b"sha256-",
    b"sha384-",
    b"sha512-",
];

/// What stands before a digest, a public key or encoded data.
const BEFORE: [&[u8]; 6] = [
    b"sha256:",
    b"h1:",
    b"base64,",
    b"integrity=",
    b"fingerprint:",
    b"etag:",
];

fn is_named(line: &[u8], start: usize, token: &[u8]) -> bool {
    let is_id = NAMES.iter().any(|name| has_at(token, 0, name));
    let stands = |before: &&[u8]| {
        start
            .checked_sub(before.len())
            .is_some_and(|from| has_at(line, from, before))
    };
    is_id || BEFORE.iter().any(stands)
}

/// Finds such tokens. After a line that is encoded data, a line that is nothing but a token is its end.
pub(crate) fn find(line: &[u8], follows_data: bool, found: &mut Vec<Found>) {
    let mut start = 0;
    while start < line.len() {
        let length = piece(line, start..line.len())
            .iter()
            .take_while(|byte| is_base64(**byte))
            .count();
        if length == 0 {
            start += 1;
            continue;
        }
        let end = start + length;
        let token = piece(line, start..end);
        if (LEAST..=MOST).contains(&length)
            && !(follows_data && is_whole(line, start, end))
            && !is_named(line, start, token)
        {
            find_in(line, start..end, found);
        }
        start = end;
    }
}

/// A token with slashes may be a path, and then each of its names is looked at alone.
fn find_in(line: &[u8], at: std::ops::Range<usize>, found: &mut Vec<Found>) {
    let token = piece(line, at.clone());
    let is_inside = byte(line, at.end).is_some_and(|next| next == b'.')
        && byte(line, at.end + 1).is_some_and(|next| next.is_ascii_alphabetic());
    let is_path = token.contains(&b'/')
        && (is_inside
            || at
                .start
                .checked_sub(1)
                .and_then(|before| byte(line, before))
                .is_some_and(|before| matches!(before, b'.' | b'~' | b':'))
            || token.starts_with(b"/")
            || token.split(|byte| *byte == b'/').any(is_plain));
    if !is_path {
        if is_random(token) {
            found.push(Found::new("token", at));
        }
        return;
    }
    let mut from = at.start;
    for name in token.split(|byte| *byte == b'/') {
        let end = from + name.len();
        if name.len() >= LEAST && is_random(name) && !is_named(line, from, name) {
            found.push(Found::new("token", from..end));
        }
        from = end + 1;
    }
}

/// A part of a path that is a plain word.
fn is_plain(name: &[u8]) -> bool {
    name.len() >= 3
        && name
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
}

fn is_whole(line: &[u8], start: usize, end: usize) -> bool {
    let around = |bytes: &[u8]| {
        bytes.iter().all(|byte| {
            byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'+' | b'\\' | b'n')
        })
    };
    around(piece(line, 0..start)) && around(piece(line, end..line.len()))
}

/// Whether a line is encoded data and nothing else: the next one may be its end.
pub(crate) fn is_data(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii();
    trimmed.len() > MOST && trimmed.iter().all(|byte| is_base64(*byte) || *byte == b'=')
}
