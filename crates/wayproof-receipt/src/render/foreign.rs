//! Makes foreign text fit to be shown: one line, bounded, without invisible or reordering characters.
//! Drops nothing silently: what cannot be shown is named by its code point.

use std::fmt::Write as _;

/// Longer texts are cut and say so.
const MAX_CHARS: usize = 200;
/// What people say may be longer.
const MAX_SPEECH: usize = 2_000;

/// The text as one visible line.
pub(super) fn visible(text: &str) -> String {
    line(text, MAX_CHARS)
}

/// What a person said as one visible line.
pub(super) fn visible_speech(text: &str) -> String {
    line(text, MAX_SPEECH)
}

fn line(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    for (shown, character) in text.chars().enumerate() {
        if shown == most {
            out.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            _ if is_unseen(character) => {
                // Writing to a `String` has no failure to report.
                let _ = write!(out, "<U+{:04X}>", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// Foreign text as a Markdown code span of one visible line, in which neither markup, HTML, links nor mentions work.
pub fn literal(text: &str) -> String {
    code_span(&visible_speech(text))
}

/// A visible line as a Markdown code span, in which neither markup, HTML, links nor mentions work.
pub(super) fn code_span(line: &str) -> String {
    let text = line.trim();
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    // The fence is longer than any run of backticks inside, so nothing inside can close it.
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Whether a character takes no place or changes the place of others: controls, bidirectional marks,
/// zero-width and tag characters, variation selectors, line separators.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
                | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
                | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
        )
}
