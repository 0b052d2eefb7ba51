//! A text to go on with, and how a model that only converses is asked for it.
//!
//! A conversation has no place for a bare continuation, so it is asked for in words, and that is told as a loss.

use crate::translate::item::{Conversation, Part, Speaker};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::text::Text;

/// A text to go on with.
#[derive(Debug, Default)]
pub(crate) struct Fill<'a> {
    /// What stands before the gap.
    pub(crate) before: Text<'a>,
    /// What stands behind it, if anything does.
    pub(crate) after: Option<Text<'a>>,
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
