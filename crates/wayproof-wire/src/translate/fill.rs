//! A text to go on with, and how a model that only converses is asked for it.
//!
//! A conversation has no place for a bare continuation, so it is asked for in words, and that is told as a loss.

use crate::translate::item::{Conversation, Part, Speaker};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::text::Text;

/// A text to go on with.
#[derive(Debug)]
pub(crate) struct Fill<'a> {
    /// What stands before the gap.
    pub(crate) before: Text<'a>,
    /// What stands behind it, if anything does.
    pub(crate) after: Option<Text<'a>>,
}

/// How models that were trained to fill gaps have them marked in a plain prompt: before, behind, and where to begin.
const MARKS: [[&str; 3]; 4] = [
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    ["<PRE> ", " <SUF>", " <MID>"],
    [
        "<\u{ff5c}fim\u{2581}begin\u{ff5c}>",
        "<\u{ff5c}fim\u{2581}hole\u{ff5c}>",
        "<\u{ff5c}fim\u{2581}end\u{ff5c}>",
    ],
];
/// Codestral has what is behind the gap first.
const BEHIND_FIRST: [&str; 2] = ["[SUFFIX]", "[PREFIX]"];

impl<'a> Fill<'a> {
    /// A text to go on with. One model's marks mean nothing to another, so a prompt that has them is taken apart.
    pub(crate) fn new(prompt: Text<'a>, after: Option<Text<'a>>) -> Self {
        let marked = after.is_none().then(|| marked(&prompt.spoken())).flatten();
        marked.unwrap_or(Self {
            before: prompt,
            after,
        })
    }
}

fn marked(prompt: &str) -> Option<Fill<'static>> {
    let fill = |before: String, after: &str| Fill {
        before: Text::plain(&before),
        after: Some(Text::plain(after)),
    };
    let [behind, ahead] = BEHIND_FIRST;
    if let Some((after, before)) = prompt
        .strip_prefix(behind)
        .and_then(|rest| rest.split_once(ahead))
    {
        return Some(fill(before.to_owned(), after));
    }
    MARKS.iter().find_map(|[ahead, behind, begin]| {
        // What stands before the first mark is other files.
        let (context, rest) = prompt.split_once(ahead)?;
        let (before, rest) = rest.split_once(behind)?;
        let (after, rest) = rest.rsplit_once(begin)?;
        rest.trim()
            .is_empty()
            .then(|| fill(format!("{context}{before}"), after))
    })
}

const ONLY: &str = "Answer with exactly the characters that belong there and nothing else: no explanation, no code \
                    fence, nothing that stands around the place already.";

/// Puts a conversation in the place of a text to go on with.
pub(crate) fn state(conversation: &mut Conversation<'_>, losses: &mut Losses) {
    let Some(fill) = conversation.fill.take() else {
        return;
    };
    let kind = if fill.after.is_some() { "suffix" } else { "" };
    losses.add(LossKind::Continuation, kind);
    let (wish, ask) = match &fill.after {
        Some(after) => {
            let mut ask = Text::plain("<before>\n");
            ask.push(fill.before.bytes());
            ask.push(Text::plain("\n</before>\n<after>\n").bytes());
            ask.push(after.bytes());
            ask.push(Text::plain("\n</after>").bytes());
            ("You complete text between <before> and <after>.", ask)
        }
        None => (
            "You go on with the user's text from its last character.",
            fill.before.owned(),
        ),
    };
    let instructions = Text::plain(&format!("{wish} {ONLY}"));
    conversation.say(Speaker::System, vec![Part::Text(instructions)]);
    conversation.say(Speaker::User, vec![Part::Text(ask)]);
}

#[cfg(test)]
mod tests {
    use super::Fill;
    use crate::translate::text::Text;

    fn parts(prompt: &str) -> (String, Option<String>) {
        let fill = Fill::new(Text::plain(prompt), None);
        let after = fill.after.map(|text| text.spoken().into_owned());
        (fill.before.spoken().into_owned(), after)
    }

    #[test]
    fn marks_of_every_model_are_taken_apart() {
        for prompt in [
            "<|fim_prefix|>a\n<|fim_suffix|>\"b\"<|fim_middle|>",
            "<fim_prefix>a\n<fim_suffix>\"b\"<fim_middle>",
            "<PRE> a\n <SUF>\"b\" <MID>",
            "<\u{ff5c}fim\u{2581}begin\u{ff5c}>a\n<\u{ff5c}fim\u{2581}hole\u{ff5c}>\"b\"<\u{ff5c}fim\u{2581}end\u{ff5c}>",
            "[SUFFIX]\"b\"[PREFIX]a\n",
        ] {
            let expected = ("a\n".to_owned(), Some("\"b\"".to_owned()));
            assert_eq!(parts(prompt), expected, "{prompt}");
        }
        let (before, after) = parts("x.py\n<fim_prefix>a<fim_suffix>b<fim_middle>");
        assert_eq!((before.as_str(), after.as_deref()), ("x.py\na", Some("b")));
    }

    #[test]
    fn a_text_about_marks_stays_one() {
        for prompt in [
            "<fim_prefix>a<fim_suffix>b",
            "say <fim_prefix>a<fim_suffix>b<fim_middle> c",
            "plain",
        ] {
            assert_eq!(parts(prompt), (prompt.to_owned(), None));
        }
    }
}
