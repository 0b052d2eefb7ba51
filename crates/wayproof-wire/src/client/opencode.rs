//! opencode: session and parent in headers; no exit code in any protocol.

use super::{Clues, Housekeeping, Identity, place_after};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    let session = clues
        .header("x-session-id")
        .or_else(|| clues.header("x-session-affinity"));
    identity.set_session(session, clues.body_text(&["prompt_cache_key"]));
    if let Some(parent) = clues.header("x-parent-session-id") {
        identity.parent_session = Some(parent.to_owned());
        identity.subagent = Some(identity.session.clone());
    }
    identity.cwd = place_after(clues.system_raw(), "Working directory: ");
    if !clues.has_tools() {
        let head = clues.system_head();
        if head.contains("You are a title generator") {
            identity.housekeeping = Some(Housekeeping::Title);
        } else if head.contains("tasked with summarizing conversations") {
            identity.housekeeping = Some(Housekeeping::Compaction);
        }
    }
}

/// `opencode run` puts the ask in double quotes.
pub(crate) fn strip_ask(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text)
}
