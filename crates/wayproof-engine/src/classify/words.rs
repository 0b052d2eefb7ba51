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
pub(crate) fn words(folded: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '\'';
    folded.split(is_between).filter(|word| !word.is_empty())
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
