//! Turns git's path bytes into text and back without loss. It refuses nothing: a name that is not plain UTF-8
//! text takes git's quoted form.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// Gives a path as text.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with('"') => text.to_owned(),
        Ok(_) | Err(_) => quote(bytes),
    }
}

/// Gives the bytes of a path that [`to_text`] or a caller wrote.
pub(crate) fn to_bytes(text: &str) -> Vec<u8> {
    unquote(text).unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Gives the path that a text of this crate stands for, as the file system wants it.
pub fn to_path(text: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(to_bytes(text)))
}

/// Quotes as git does: octal escapes outside printable ASCII, backslash before quote and backslash.
fn quote(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let digits =
                    [byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit));
                text.push('\\');
                text.extend(digits);
            }
        }
    }
    text.push('"');
    text
}

/// Undoes [`quote`]; `None` when the text is not a quoted path.
fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                tail @ ..,
            ] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                tail
            }
            [b'\\', escaped @ (b'"' | b'\\'), tail @ ..] => {
                bytes.push(*escaped);
                tail
            }
            [b'\\' | b'"', ..] => return None,
            [byte, tail @ ..] => {
                bytes.push(*byte);
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_path_survives(bytes in prop::collection::vec(1_u8.., 1..40)) {
            prop_assert_eq!(super::to_bytes(&super::to_text(&bytes)), bytes);
        }

        #[test]
        fn plain_text_stays_itself(text in "[a-z\u{e9} /.\\\\]{1,20}") {
            prop_assert_eq!(super::to_text(text.as_bytes()), text);
        }
    }
}
