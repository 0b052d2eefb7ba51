//! Lazy, read-only access to JSON text: one value at a time, nothing copied unless a string has escapes.
//!
//! It refuses to fail: what is not there or not of the asked kind is `None`, and what is malformed ends an iteration.

use std::borrow::Cow;

use memchr::memchr;

use crate::skim::{Skim, Span};

/// One JSON value as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(&'a [u8]);

impl<'a> Json<'a> {
    /// Takes text that starts with a value; white space around it is ignored.
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self(text.trim_ascii())
    }

    /// The text itself.
    pub(crate) fn raw(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// The text as bytes.
    pub(crate) const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What stands between the quotes of a string, its escapes kept.
    pub(crate) fn inside(self) -> Option<&'a [u8]> {
        (self.first() == Some(b'"')).then(|| inside_quotes(self.0))
    }

    pub(crate) fn is_array(self) -> bool {
        self.first() == Some(b'[')
    }

    /// The members of these names, found in one pass; `null` counts as absent.
    pub(crate) fn pick<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut found = [None; N];
        for (key, value) in self.fields() {
            let place = names.iter().position(|name| key == *name);
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(value).filter(|value| !value.is_null());
            }
        }
        found
    }

    fn first(self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(crate) fn is_object(self) -> bool {
        self.first() == Some(b'{')
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == b"null"
    }

    /// The string, with its escapes undone.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        (self.first() == Some(b'"')).then(|| unescape(inside_quotes(self.0)))
    }

    /// At least the first `bytes` bytes of the string, with its escapes undone, or all of it if it is shorter.
    ///
    /// What is not wanted is not read: the time follows `bytes`, not the string. The end may be half an escape, but
    /// not within the first `bytes`.
    pub(crate) fn text_head(self, bytes: usize) -> Option<Cow<'a, str>> {
        let inside = self.inside()?;
        // An escape of six bytes makes one byte at least; what may be torn are the last two of a surrogate pair.
        let enough = bytes.saturating_add(2).saturating_mul(ESCAPE_BYTES);
        if inside.len() <= enough {
            return Some(unescape(inside));
        }
        // A character has three following bytes at most.
        let end = (enough - 3..=enough)
            .rev()
            .find(|at| inside.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80))
            .unwrap_or(enough);
        Some(unescape(inside.get(..end).unwrap_or(inside)))
    }

    /// The string when it is not empty, as an owned value.
    pub(crate) fn owned_text(self) -> Option<String> {
        self.text()
            .filter(|text| !text.is_empty())
            .map(Cow::into_owned)
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn integer<T: std::str::FromStr>(self) -> Option<T> {
        std::str::from_utf8(self.0).ok()?.parse().ok()
    }

    /// The members of an object in order; none for any other kind.
    pub(crate) fn fields(self) -> Fields<'a> {
        let mut skim = Skim::new(self.0);
        let is_open = skim.take(b'{') && !skim.take(b'}');
        Fields {
            text: self.0,
            skim,
            is_open,
        }
    }

    /// The elements of an array in order; none for any other kind.
    pub(crate) fn elements(self) -> Elements<'a> {
        let mut skim = Skim::new(self.0);
        let is_open = skim.take(b'[') && !skim.take(b']');
        Elements {
            text: self.0,
            skim,
            is_open,
        }
    }

    /// The first member with this name.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.fields()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Follows member names downwards.
    pub(crate) fn path(self, names: &[&str]) -> Option<Self> {
        names.iter().try_fold(self, |value, name| value.get(name))
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    text: &'a [u8],
    skim: Skim<'a>,
    is_open: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        let key = self.skim.key().ok()?;
        let value = self.skim.value(0).ok()?;
        self.is_open = self.skim.take(b',');
        let name = unescape(inside_quotes(key.of(self.text)));
        Some((name, Json(value.of(self.text))))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    text: &'a [u8],
    skim: Skim<'a>,
    is_open: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        let value = self.skim.value(0).ok()?;
        self.is_open = self.skim.take(b',');
        Some(Json(value.of(self.text)))
    }
}

/// Whether the text is exactly one JSON value.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let mut skim = Skim::new(text);
    skim.value(0).is_ok() && skim.next().is_none()
}

/// Whether the string literal (with its quotes) spells `name`.
pub(crate) fn spells(literal: &[u8], name: &str) -> bool {
    let inner = inside_quotes(literal);
    inner == name.as_bytes() || (memchr(b'\\', inner).is_some() && unescape(inner) == name)
}

/// Decodes a string literal (with its quotes) found at `span`.
pub(crate) fn literal(body: &[u8], span: Span) -> Cow<'_, str> {
    unescape(inside_quotes(span.of(body)))
}

fn inside_quotes(literal: &[u8]) -> &[u8] {
    let inner = literal.strip_prefix(b"\"").unwrap_or(literal);
    inner.strip_suffix(b"\"").unwrap_or(inner)
}

/// The longest escape: `\u0041`.
const ESCAPE_BYTES: usize = 6;

/// Undoes JSON escapes. What is not an escape stays as it is; half a surrogate pair becomes U+FFFD.
pub(crate) fn unescape(inner: &[u8]) -> Cow<'_, str> {
    let Some(mut slash) = memchr(b'\\', inner) else {
        return match simdutf8::basic::from_utf8(inner) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(inner),
        };
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let (before, escape) = rest.split_at(slash.min(rest.len()));
        out.extend_from_slice(before);
        rest = undo_escape(escape, &mut out);
        match memchr(b'\\', rest) {
            Some(next) => slash = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Undoes the escape that `text` starts with and returns what follows it.
fn undo_escape<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let [b'\\', kind, rest @ ..] = text else {
        out.extend_from_slice(text);
        return &[];
    };
    let plain = match *kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => return undo_unicode(rest, out),
        quoted @ (b'"' | b'\\' | b'/') => quoted,
        other => {
            out.push(b'\\');
            other
        }
    };
    out.push(plain);
    rest
}

/// Undoes what follows `\u`.
fn undo_unicode<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((unit, rest)) = hex_unit(text) else {
        out.extend_from_slice(b"\\u");
        return text;
    };
    let low = rest.strip_prefix(b"\\u").and_then(hex_unit);
    let (decoded, rest) = match (unit, low) {
        (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, after))) => {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(code), after)
        }
        _ => (char::from_u32(unit), rest),
    };
    let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn hex_unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let unit = digits.iter().try_fold(0_u32, |unit, digit| {
        char::from(*digit)
            .to_digit(16)
            .map(|value| unit * 16 + value)
    })?;
    Some((unit, rest))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Json, unescape};

    #[test]
    fn undoes_every_escape_and_keeps_what_is_none() {
        let text = br#"a\n\t\r\b\f\/\\\"\u00e9\ud83d\ude00\ud83d!\q\u12"#;
        assert_eq!(
            unescape(text),
            "a\n\t\r\u{8}\u{c}/\\\"\u{e9}\u{1f600}\u{fffd}!\\q\\u12"
        );
        assert_eq!(unescape(b"plain"), "plain");
        assert_eq!(unescape(b"end\\"), "end\\");
    }

    #[test]
    fn walks_members_and_elements() {
        let json = Json::new(br#" {"a":[1,"x",{}],"b\u0062":null,"c":-2} "#);
        let kinds: Vec<_> = json.fields().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(kinds, ["a", "bb", "c"]);
        assert_eq!(json.get("a").map(|a| a.elements().count()), Some(3));
        assert!(json.get("bb").is_some_and(Json::is_null));
        assert_eq!(json.get("c").and_then(Json::integer::<i32>), Some(-2));
        assert_eq!(Json::new(b"[]").elements().count(), 0);
    }

    proptest! {
        #[test]
        fn the_head_of_a_text_begins_like_the_text(
            pieces in vec(prop_oneof![
                Just("a"), Just("é"), Just("😀"), Just(r"\n"), Just(r"\u00e9"), Just(r"\ud83d\ude00"), Just(r"\ud83d"),
            ], 0..400),
            bytes in 0_usize..64,
        ) {
            let string = format!("\"{}\"", pieces.concat());
            let json = Json::new(string.as_bytes());
            let (whole, head) = (json.text().unwrap_or_default(), json.text_head(bytes).unwrap_or_default());
            let wanted = bytes.min(whole.len());
            prop_assert!(head.len() >= wanted);
            prop_assert_eq!(&head.as_bytes()[..wanted], &whole.as_bytes()[..wanted]);
            prop_assert!(head.len() <= 6 * (bytes + 2));
        }
    }
}
