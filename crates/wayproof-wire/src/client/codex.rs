//! Codex: turn metadata in a header, threads below a session, freeform tools and its code mode.

use super::{Clues, Housekeeping, Identity, text_at};
use crate::json::Json;
use crate::outcome::{Exit, ToolKind, code_after};

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    let header = clues.headers.get("x-codex-turn-metadata");
    let header = header.and_then(|value| value.to_str().ok());
    let in_body = || {
        let metadata = clues.request.json("client_metadata")?;
        metadata.get("x-codex-turn-metadata")?.text()
    };
    let metadata = match header {
        Some(metadata) => metadata.into(),
        None => in_body().unwrap_or_default(),
    };
    let say = |name: &str| text_at(&metadata, &[name]);
    identity.set_session(
        clues.header("session-id"),
        say("session_id")
            .or_else(|| clues.body_text(&["client_metadata", "session_id"]))
            .or_else(|| clues.body_text(&["prompt_cache_key"])),
    );
    let thread = || {
        clues
            .header("thread-id")
            .map(str::to_owned)
            .or_else(|| say("thread_id"))
    };
    let source = say("thread_source");
    let is_subagent =
        clues.header("x-openai-subagent").is_some() || source.as_deref() == Some("subagent");
    if is_subagent {
        identity.subagent = thread().or_else(|| Some("unnamed".to_owned()));
        identity.parent_session = clues
            .header("x-codex-parent-thread-id")
            .map(str::to_owned)
            .or_else(|| say("parent_thread_id"));
    }
    identity.turn = say("turn_id");
    let workspaces = Json::new(metadata.as_bytes()).get("workspaces");
    identity.cwd = workspaces
        .and_then(|workspaces| workspaces.fields().next())
        .map(|(path, _)| path.into_owned())
        .or_else(|| environment_cwd(clues));
    let is_compaction = say("request_kind").as_deref() == Some("compaction")
        || clues.last_text_starts_with("You are performing a CONTEXT CHECKPOINT COMPACTION");
    identity.housekeeping = if source.as_deref() == Some("thread_title") {
        Some(Housekeeping::Title)
    } else if is_compaction {
        Some(Housekeeping::Compaction)
    } else if clues.request.field("generate") == Some(b"false") {
        Some(Housekeeping::Warmup)
    } else {
        None
    };
}

fn environment_cwd(clues: &Clues<'_>) -> Option<String> {
    let line = clues.place_in_items(6, "<cwd>")?;
    let (cwd, _) = line.split_once("</cwd>")?;
    Some(cwd.to_owned())
}

/// A line of the header that each command's output starts with; code mode has no exit code unless the script prints
/// the result as an object.
pub(crate) fn exit(kind: ToolKind, text: &str) -> Exit {
    let head = text.split_once("Output:\n").map_or(text, |(head, _)| head);
    let head = head.get(..head.floor_char_boundary(400)).unwrap_or(head);
    let code = code_after(head, "Process exited with code ")
        .or_else(|| code_after(head, "Exit code: "))
        .or_else(|| text.lines().rev().find_map(printed_code));
    if let Some(code) = code {
        return Exit::Code(code);
    }
    if head.starts_with("Script failed") || head.contains("verification failed") {
        return Exit::Failed;
    }
    match kind {
        ToolKind::Edit if head.contains("Success. Updated") => Exit::Succeeded,
        ToolKind::Edit | ToolKind::Shell | ToolKind::Read | ToolKind::Other => Exit::Unknown,
    }
}

/// The code in a line such as `{"output":…,"exit_code":1}`, or in the `metadata` of one.
fn printed_code(line: &str) -> Option<i32> {
    let line = line.trim_start();
    if !line.starts_with('{') {
        return None;
    }
    let json = Json::new(line.as_bytes());
    let code = json
        .get("exit_code")
        .or_else(|| json.path(&["metadata", "exit_code"]));
    code.and_then(Json::integer)
}
