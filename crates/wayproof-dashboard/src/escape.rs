//! The only way from a value into a page.
//!
//! Escapes what HTML would read, and names what a reader could not see: controls, marks that reorder text, and
//! characters without a width. So a branch name can neither become markup nor look like another one.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Writes text so that all of it is seen and none of it is read as HTML.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, character) in string.char_indices() {
            let entity = entity(character);
            if entity.is_none() && !is_unseen(character) {
                continue;
            }
            dest.write_str(string.get(plain..at).unwrap_or_default())?;
            match entity {
                Some(entity) => dest.write_str(entity)?,
                None => write!(dest, "&lt;U+{:04X}&gt;", u32::from(character))?,
            }
            plain = at + character.len_utf8();
        }
        dest.write_str(string.get(plain..).unwrap_or_default())
    }
}

const fn entity(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        // Ends an unquoted attribute in old browsers; ours are all quoted.
        '`' => Some("&#96;"),
        _ => None,
    }
}

/// Line ends and tabs are white space to HTML and stay.
fn is_unseen(character: char) -> bool {
    !matches!(character, '\n' | '\r' | '\t') && wayproof_receipt::is_unseen(character)
}

/// The text as it goes into a page.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = Visible.write_escaped_str(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escaped(r#"<img src=x onerror='alert(`1`)'>"&"#),
            "&lt;img src=x onerror=&#39;alert(&#96;1&#96;)&#39;&gt;&quot;&amp;"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(
            escaped("a\u{202e}b\0c\u{200b}"),
            "a&lt;U+202E&gt;b&lt;U+0000&gt;c&lt;U+200B&gt;"
        );
        assert_eq!(escaped("two\n\tlines é 漢 🦀"), "two\n\tlines é 漢 🦀");
    }
}
