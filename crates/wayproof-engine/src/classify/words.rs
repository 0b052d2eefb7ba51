//! Text as words: lower case, cut to a length that bounds the work. Only ASCII separates words and only ASCII is
//! folded; the tables this is for are in English.

/// The most text that is read, in bytes.
const MAX_TEXT: usize = 3_000;

/// The start of a text in lower case, with plain apostrophes.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = cut(text, MAX_TEXT).to_ascii_lowercase();
    if !folded.is_ascii() {
        folded = folded.replace('\u{2019}', "'");
    }
    folded
}

/// The start of a text, at most so many bytes long.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The words of a folded text.
#[inline]
pub(crate) fn words(folded: &str) -> impl Iterator<Item = &str> {
    let bytes = folded.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + bytes.get(at..)?.iter().position(|byte| is_inside(*byte))?;
        let rest = bytes.get(from..)?;
        let length = rest.iter().position(|byte| !is_inside(*byte));
        at = from + length.unwrap_or(rest.len());
        folded.get(from..at)
    })
}

/// Whether a byte belongs to a word. All of another script do, so a word ends at the ends of characters.
#[inline]
fn is_inside(byte: u8) -> bool {
    static INSIDE: [bool; 256] = {
        let mut inside = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            #[expect(clippy::cast_possible_truncation, reason = "below 256")]
            let is_letter = (byte as u8).is_ascii_alphanumeric();
            inside[byte] = is_letter || byte == b'\'' as usize || byte >= 0x80;
            byte += 1;
        }
        inside
    };
    INSIDE.get(usize::from(byte)).is_some_and(|inside| *inside)
}

/// Words of a folded text as they stand between spaces, without what surrounds them; paths are left out.
pub(crate) fn spaced(folded: &str) -> impl Iterator<Item = &str> {
    let is_between =
        |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '\'' | '`');
    folded
        .split(is_between)
        .filter(|word| word.len() > 1 && !word.contains('/'))
        .map(|word| word.trim_matches(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they are meant, one character at a time.
    fn plainly(text: &str) -> Vec<&str> {
        let is_between = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '\'';
        text.split(is_between)
            .filter(|word| !word.is_empty())
            .collect()
    }

    proptest::proptest! {
        #[test]
        fn words_are_what_stands_between_ascii_that_is_none(text in "[ -~\\n\\tßé本🙂']{0,80}|\\PC{0,40}") {
            let found: Vec<&str> = words(&text).collect();
            proptest::prop_assert_eq!(found, plainly(&text));
        }
    }
}
