//! How many tokens a request has, about, where nobody at hand can count them.
//!
//! A tokenizer is a large table that differs from model to model; this is a small one that is a little wrong for all.
//! It tells words, digits, punctuation, space and scripts apart, each with a weight fitted to `o200k_base` over source
//! code in many languages, prose and JSON. docs/reference/tokens.md says how far off it is. It refuses to be exact.

use crate::protocol::Protocol;
use crate::translate::Untranslatable;
use crate::translate::item::{Conversation, Input, Media, MediaKind, Part, Source, ToolForm};
use crate::translate::read::Reading;
use crate::translate::seal::origin_name;
use crate::translate::text::Text;
use crate::view::Request;

/// What a turn or a tool has around its text, in thousandths of a token.
const AROUND: u64 = 4_000;
/// A picture as dear as those of Anthropic get.
const PICTURE: u64 = 1_600_000;
/// Bytes of base64 to a token of a document or a sound.
const DATA_BYTES: u64 = 40;

/// Estimates the tokens of a request for a provider that is asked in `asked_in`.
///
/// # Errors
/// When part of the request is something that only its own provider can read.
pub fn estimate_tokens(request: &Request<'_>, asked_in: Protocol) -> Result<u64, Untranslatable> {
    let mut reading = Reading::new(origin_name(""));
    let conversation = reading.read(request)?;
    let thousandths = conversation_tokens(&conversation);
    // Anthropic's tokenizers make about a sixth more of the same text.
    let thousandths = if asked_in == Protocol::Messages {
        thousandths.saturating_add(thousandths / 6)
    } else {
        thousandths
    };
    Ok(thousandths.div_ceil(1_000))
}

fn conversation_tokens(conversation: &Conversation<'_>) -> u64 {
    let mut sum = 0_u64;
    for turn in &conversation.turns {
        sum = sum.saturating_add(AROUND);
        for part in &turn.parts {
            sum = sum.saturating_add(part_tokens(part));
        }
    }
    for tool in &conversation.tools {
        let schema = match &tool.form {
            ToolForm::Schema(schema) => schema.as_deref(),
            ToolForm::Free(format) => format.as_deref(),
        };
        let described = tool.description.as_ref().map_or(0, spoken);
        sum = sum
            .saturating_add(AROUND)
            .saturating_add(spoken(&tool.name))
            .saturating_add(described)
            .saturating_add(raw(schema.unwrap_or_default()));
    }
    if let Some(fill) = &conversation.fill {
        let after = fill.after.as_ref().map_or(0, spoken);
        sum = sum
            .saturating_add(spoken(&fill.before))
            .saturating_add(after);
    }
    sum
}

fn part_tokens(part: &Part<'_>) -> u64 {
    match part {
        Part::Text(text) | Part::Refusal(text) => spoken(text),
        Part::Media(media) => media_tokens(media),
        Part::Call(call) => {
            let input = match &call.input {
                Input::Object(json) => raw(json),
                Input::Quoted(text) | Input::Free(text) => spoken(text),
            };
            spoken(&call.name)
                .saturating_add(input)
                .saturating_add(AROUND)
        }
        Part::Result(result) => result
            .parts
            .iter()
            .fold(AROUND, |sum, part| sum.saturating_add(part_tokens(part))),
        Part::Thinking(thinking) => spoken(&thinking.text),
    }
}

fn media_tokens(media: &Media<'_>) -> u64 {
    match (&media.source, media.kind) {
        (Source::Plain(text), _) => spoken(text),
        (_, MediaKind::Image) | (Source::Url(_), _) => PICTURE,
        (Source::Data { base64, .. }, _) => {
            (base64.bytes().len() as u64 / DATA_BYTES).saturating_mul(1_000)
        }
    }
}

fn spoken(text: &Text<'_>) -> u64 {
    text_tokens(&text.spoken())
}

fn raw(json: &[u8]) -> u64 {
    text_tokens(&String::from_utf8_lossy(json))
}

/// What a character is, as tokenizers see it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Upper,
    Lower,
    Digit,
    Space,
    Mark,
    /// A letter of an alphabet beyond ASCII.
    Letter,
    /// A character that is a syllable or a word.
    Ideograph,
    Other,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            'A'..='Z' => Self::Upper,
            'a'..='z' => Self::Lower,
            '0'..='9' => Self::Digit,
            ' ' | '\t' | '\n' | '\r' => Self::Space,
            '\0'..='\u{7f}' => Self::Mark,
            '\u{2e80}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2ffff}' => Self::Ideograph,
            '\u{80}'..='\u{1fff}' if character.is_alphabetic() => Self::Letter,
            _ => Self::Other,
        }
    }
}

/// The tokens of a text, in thousandths.
fn text_tokens(text: &str) -> u64 {
    let mut sum = 0_u64;
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let kind = Kind::of(first);
        let mut length = 1_u64;
        let mut run = |wanted: &[Kind]| {
            let mut found = 0_u64;
            while rest
                .next_if(|next| wanted.contains(&Kind::of(*next)))
                .is_some()
            {
                found += 1;
            }
            found
        };
        sum += match kind {
            Kind::Upper | Kind::Lower => {
                // `HTTPServer` and `parseUrl` are two words each.
                if kind == Kind::Upper {
                    length += run(&[Kind::Upper]);
                }
                length += run(&[Kind::Lower]);
                // Long words are common in one language and taken apart in another.
                930 + length.saturating_sub(8) * 574
            }
            Kind::Digit => {
                length += run(&[Kind::Digit]);
                length.div_ceil(3) * 1_148
            }
            Kind::Mark => 740 + run(&[Kind::Mark]) * 142,
            Kind::Space => {
                length += run(&[Kind::Space]);
                let is_before_word = first == ' '
                    && length == 1
                    && rest
                        .peek()
                        .is_some_and(|next| Kind::of(*next) != Kind::Digit);
                if is_before_word { 0 } else { 1_260 }
            }
            Kind::Letter => 292,
            Kind::Ideograph => 721,
            Kind::Other => 1_498,
        };
    }
    sum
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::text_tokens;

    /// Texts with what `o200k_base` counts in them.
    const COUNTED: &str = include_str!("../../testdata/tokens.json");

    #[test]
    fn an_estimate_is_close_to_what_a_tokenizer_counts() {
        let counted: Vec<Value> = serde_json::from_str(COUNTED).unwrap();
        assert!(counted.len() > 10);
        let mut errors = Vec::new();
        for sample in &counted {
            let tokens = sample["tokens"].as_u64().unwrap() * 1_000;
            let estimated = text_tokens(sample["text"].as_str().unwrap());
            let parts_per_thousand = estimated.abs_diff(tokens) * 1_000 / tokens;
            assert!(
                parts_per_thousand <= 150,
                "{}: {estimated} of {tokens}",
                sample["kind"]
            );
            errors.push(parts_per_thousand);
        }
        let mean = errors.iter().sum::<u64>() / errors.len() as u64;
        assert!(mean <= 60, "{mean}");
    }

    #[test]
    fn nothing_has_no_tokens() {
        assert_eq!(text_tokens(""), 0);
    }
}
