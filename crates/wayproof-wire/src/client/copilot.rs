//! GitHub Copilot CLI with an own key: no session but a cache key, the initiator in headers, paths in its prompt.

use super::{Clues, Identity, place_after};
use crate::outcome::{Exit, code_after_last};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    // Its user agent is that of the SDK, so the version is not its own.
    identity.agent_version = None;
    identity.set_session(None, clues.body_text(&["prompt_cache_key"]));
    let interaction = clues.header("x-interaction-type").unwrap_or_default();
    if interaction.ends_with("subagent") {
        identity.subagent = Some("unnamed".to_owned());
    }
    identity.cwd = place_after(clues.system_raw(), "Current working directory: ");
}

/// The result ends with `<shellId: 0 completed with exit code N>`.
pub(crate) fn exit(text: &str) -> Exit {
    let tail = text.trim_end();
    if !tail.ends_with('>') {
        return Exit::Unknown;
    }
    code_after_last(tail, "exit code ").map_or(Exit::Unknown, Exit::Code)
}
