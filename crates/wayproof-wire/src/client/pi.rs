//! pi: a session only over Responses, the directory at the end of its prompt.

use super::{Clues, Identity, place_after};
use crate::outcome::{Exit, ToolKind, code_after_last};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    identity.agent_version = None;
    let session = clues
        .header("session_id")
        .or_else(|| clues.header("session-id"));
    identity.set_session(session, clues.body_text(&["prompt_cache_key"]));
    identity.cwd = place_after(clues.system_raw(), "Current working directory: ");
}

/// A failed command ends with `Command exited with code N`; nothing marks success.
pub(crate) fn exit(kind: ToolKind, text: &str) -> Exit {
    let tail = text.lines().next_back().unwrap_or_default();
    match code_after_last(tail, "Command exited with code ") {
        Some(code) => Exit::Code(code),
        None if kind == ToolKind::Shell => Exit::Succeeded,
        None => Exit::Unknown,
    }
}
