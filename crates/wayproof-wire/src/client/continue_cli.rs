//! Continue's CLI: nothing but the directory in its prompt; a failed tool says so in words.

use super::{Clues, Identity, place_after};
use crate::outcome::{Exit, code_after};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    identity.agent_version = None;
    identity.cwd = place_after(clues.system_raw(), "Working directory: ");
}

/// `Error executing tool Bash: Error (exit code 1): …`; success is plain output.
pub(crate) fn exit(text: &str) -> Exit {
    let first = text.lines().next().unwrap_or_default();
    if !first.starts_with("Error executing tool") {
        return Exit::Succeeded;
    }
    code_after(first, "(exit code ").map_or(Exit::Failed, Exit::Code)
}
