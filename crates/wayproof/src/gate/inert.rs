//! Text of strangers in a document of ours: plain words stay words, everything else becomes code.
//!
//! Escaping is not enough. Forges look for mentions, references to issues and bare addresses in the document that was
//! made of the Markdown, where an escaped `@` is an `@` again. In code they do not look.

use wayproof_receipt::literal;

/// Markdown in which no character of the text means anything.
pub(super) fn inert(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut held: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        if is_plain(word, out.is_empty() && held.is_empty()) {
            out.extend(code(&mut held));
            out.push(word.to_owned());
        } else {
            held.push(word);
        }
    }
    out.extend(code(&mut held));
    if out.is_empty() {
        return literal("");
    }
    out.join(" ")
}

/// The same for a cell of a table, which a bar ends even in code.
pub(super) fn inert_cell(text: &str) -> String {
    inert(&text.replace('|', "\u{a6}"))
}

/// Words on end as one piece of code, with the mark that ends a clause behind it.
fn code(held: &mut Vec<&str>) -> Option<String> {
    if held.is_empty() {
        return None;
    }
    let text = held.join(" ");
    held.clear();
    let bare = text.trim_end_matches([',', ';', ':']);
    let mark = text.strip_prefix(bare).unwrap_or_default();
    Some(if bare.is_empty() || mark.len() > 1 {
        literal(&text)
    } else {
        literal(bare) + mark
    })
}

/// Whether a word means nothing, to Markdown or to a forge: letters, digits and the marks of a sentence around them.
fn is_plain(word: &str, is_first: bool) -> bool {
    let inner = word
        .trim_start_matches(['(', '"'])
        .trim_end_matches(['.', ',', ';', ':', ')', '"', '%']);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || ('\u{c0}'..='\u{24f}').contains(&c);
    let is_inside = |c: char| is_letter(c) || matches!(c, '-' | '\'' | '.');
    let is_word = inner.starts_with(is_letter)
        && inner.ends_with(is_letter)
        && inner.chars().all(is_inside)
        && word.len() - inner.len() <= 2;
    // A dot between letters is an address; between digits it is a number. A number may begin a list.
    let is_number = inner.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_named = inner.split_once('-').is_some_and(|(_, rest)| {
        // A reference to an issue of some tracker.
        rest.starts_with(|c: char| c.is_ascii_digit())
    });
    let is_commit = inner.len() >= 7
        && inner.chars().all(|c| c.is_ascii_hexdigit())
        && inner.contains(|c: char| c.is_ascii_digit());
    let may_begin = !is_first || !inner.starts_with(|c: char| c.is_ascii_digit());
    is_word && (is_number || !inner.contains('.')) && !is_named && !is_commit && may_begin
        || (!is_first && word == "\u{2192}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_and_the_rest_becomes_code() {
        for (text, told) in [
            ("the change is a bug-fix", "the change is a bug-fix"),
            (
                "finding a (high) at src/a.rs:3: it's 0.5 wrong",
                "finding a (high) at `src/a.rs:3`: it's 0.5 wrong",
            ),
            ("by @ana and #12, GH-3", "by `@ana` and `#12, GH-3`"),
            (
                "see https://evil.example now",
                "see `https://evil.example` now",
            ),
            ("1. a\n- b", "`1.` a `-` b"),
            ("# a", "`#` a"),
            ("a `b` c", "a `` `b` `` c"),
            ("a\u{202e}b c", "`a<U+202E>b` c"),
            ("www.evil.example", "`www.evil.example`"),
            ("c3d0be41ecbe669545ee", "`c3d0be41ecbe669545ee`"),
            (":smile: $x$ 75 % 75%", "`:smile: $x$` 75 `%` 75%"),
            ("", "(empty)"),
        ] {
            assert_eq!(inert(text), told, "{text:?}");
        }
        assert_eq!(inert_cell("a|b"), "`a\u{a6}b`");
    }
}
