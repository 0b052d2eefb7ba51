//! Conditions that ask the clock for a moment that somebody wrote down.

use std::ops::Range;

use super::ambient::Ambient;
use super::flow::Flow;
use crate::code::{Code, Kind};

/// A fixed moment, or the parity of one.
pub(super) fn is_dated(code: &Code<'_>, range: &Range<usize>) -> bool {
    let tokens = code.slice(range);
    let is_wrapped = tokens
        .windows(2)
        .any(|pair| matches!(pair, [sign, number] if sign.is("%") && number.kind == Kind::Number));
    is_wrapped || holds_a_date(code, range)
}

/// A number as long as a moment, a year, a product of many numbers, or a text of a date.
pub(super) fn holds_a_date(code: &Code<'_>, range: &Range<usize>) -> bool {
    let tokens = code.slice(range);
    let mut factors = 0;
    tokens.iter().enumerate().any(|(at, token)| {
        let digits = token.text.replace('_', "");
        let number = digits
            .parse::<u64>()
            .ok()
            .filter(|_| token.kind == Kind::Number);
        if number.is_some() && tokens.get(at + 1).is_some_and(|next| next.is("*")) {
            factors += 1;
        }
        let is_moment =
            number.is_some_and(|number| number >= 1_000_000_000 || (1990..2300).contains(&number));
        let has_year = token.kind == Kind::Text
            && token.text.split(|c: char| !c.is_ascii_digit()).any(|part| {
                part.len() == 4
                    && part
                        .parse::<u32>()
                        .is_ok_and(|year| (1990..2300).contains(&year))
            });
        is_moment || has_year || factors > 2
    })
}

/// A clock beside the input that it has nothing to do with: `value > high && today.day() < 32`.
///
/// An offer that ends some time after its start is asked for both at once.
pub(super) fn stands_apart(code: &Code<'_>, flow: &Flow<'_>, condition: &Range<usize>) -> bool {
    let mut parts = Vec::new();
    let mut start = condition.start;
    for at in condition.clone() {
        let splits = code.at(at).is_some_and(|token| {
            token.is("&&") || token.is("||") || token.is_word("and") || token.is_word("or")
        });
        if splits {
            parts.push(start..at);
            start = at + 1;
        }
    }
    parts.push(start..condition.end);
    let is_of_clock = |part: &Range<usize>| flow.reads(part).contains(&Ambient::Clock);
    let has_number = |part: &Range<usize>| {
        code.slice(part)
            .iter()
            .any(|token| token.kind == Kind::Number)
    };
    let clocks = |part: &&Range<usize>| is_of_clock(part) && has_number(part);
    parts
        .iter()
        .filter(clocks)
        .any(|part| !flow.has_input(part))
        && parts
            .iter()
            .any(|part| !is_of_clock(part) && flow.has_input(part))
}

/// Whether tests have to do with the clock.
pub(super) fn is_spoken_of(tests: &str) -> bool {
    const WORDS: &[&str] = &[
        "clock", "Clock", "today", "Today", "freeze", "travel", "now(", ".now", "Timer", "Date",
        "time(",
    ];
    WORDS.iter().any(|word| tests.contains(word))
}
