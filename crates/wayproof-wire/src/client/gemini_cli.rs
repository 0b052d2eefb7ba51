//! Gemini CLI: no session on the wire; its own model router asks a small model about complexity.

use memchr::memmem;

use super::{Clues, Housekeeping, Identity};
use crate::outcome::{Exit, ToolKind, code_after_last};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    identity.cwd = workspace(clues);
    let tools = clues.request.field("tools").unwrap_or_default();
    let has_tool = |name: &str| memmem::find(tools, name.as_bytes()).is_some();
    if has_tool("\"complete_task\"") && !has_tool("\"invoke_agent\"") {
        identity.subagent = Some("unnamed".to_owned());
    }
    let settings = clues.request.field("generationConfig").unwrap_or_default();
    if memmem::find(settings, b"\"complexity_score\"").is_some() {
        identity.housekeeping = Some(Housekeeping::TopicCheck);
    } else if !clues.has_tools()
        && clues
            .system_head()
            .contains("summarizes internal chat history")
    {
        identity.housekeeping = Some(Housekeeping::Compaction);
    }
}

/// The first entry of the list under its heading.
fn workspace(clues: &Clues<'_>) -> Option<String> {
    clues
        .place_in_items(2, "**Workspace Directories:**\\n  - ")
        .or_else(|| clues.place_in_items(2, "working in the directory: "))
}

/// `Exit Code: N` stands in the output of a command that failed; nothing marks success.
pub(crate) fn exit(kind: ToolKind, is_error: Option<bool>, text: &str) -> Exit {
    if is_error == Some(true) {
        return Exit::Failed;
    }
    match code_after_last(text, "Exit Code: ") {
        Some(code) => Exit::Code(code),
        None if kind == ToolKind::Shell => Exit::Succeeded,
        None => Exit::Unknown,
    }
}
