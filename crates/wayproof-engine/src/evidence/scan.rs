//! Small readers of a line that the recognizers share: numbers beside words, and text kept short.
//! No regular expressions, nothing that looks at a byte more than a few times.

use super::{Counts, Evidence};

/// The text without its outer white space, cut to the longest that evidence keeps.
pub(super) fn clipped(text: &str) -> String {
    let text = text.trim();
    text.get(..text.floor_char_boundary(Evidence::MAX_TEXT))
        .unwrap_or(text)
        .to_owned()
}

/// Whether a text starts in a way, known from its first byte for nearly all: for long lists of ways.
#[inline]
pub(super) fn starts(text: &str, way: &str) -> bool {
    text.as_bytes().first() == way.as_bytes().first() && text.starts_with(way)
}

/// Reads the digits at the start of `text`, with the rest.
pub(super) fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// Reads the number after the first `label` in `line`: `Tests run: 12`.
pub(super) fn number_after(line: &str, label: &str) -> Option<u64> {
    let at = line.find(label)?;
    let rest = line.get(at + label.len()..)?;
    leading_number(rest.trim_start_matches([' ', ':', '='])).map(|(number, _)| number)
}

/// The `number word` pairs of a line, in order: `3 failed, 59 passed` gives (3, failed) and
/// (59, passed). The word is cut at punctuation.
pub(super) fn counted(line: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut words = line.split_whitespace().peekable();
    std::iter::from_fn(move || {
        loop {
            let word = words.next()?;
            let digits = word.trim_start_matches(['(', '[', '=']);
            let Ok(number) = digits.parse::<u64>() else {
                continue;
            };
            if let Some(next) = words.peek() {
                return Some((number, next.trim_matches(|c: char| !c.is_alphanumeric())));
            }
        }
    })
}

/// Adds up two sets of counts.
pub(super) fn sum(total: Option<Counts>, more: Counts) -> Counts {
    let total = total.unwrap_or_default();
    Counts {
        run: total.run.saturating_add(more.run),
        passed: total.passed.saturating_add(more.passed),
        failed: total.failed.saturating_add(more.failed),
        skipped: total.skipped.saturating_add(more.skipped),
        errors: total.errors.saturating_add(more.errors),
    }
}
