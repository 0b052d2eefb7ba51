//! Qwen Code: a relative of Gemini CLI over Chat Completions, with the exit code always in the text.

use super::{Clues, Identity, place_after};
use crate::outcome::{Exit, code_after_last};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    if clues
        .system_head()
        .contains("You are a general-purpose subagent")
    {
        identity.subagent = Some("unnamed".to_owned());
    }
    let marker = "working in the directory: ";
    identity.cwd = place_after(clues.system_raw(), marker)
        .or_else(|| clues.place_in_items(3, marker))
        .or_else(|| place_after(clues.system_raw(), "orking directory: "));
}

/// `Exit Code: N`, zero included.
pub(crate) fn exit(text: &str) -> Exit {
    code_after_last(text, "Exit Code: ").map_or(Exit::Unknown, Exit::Code)
}
