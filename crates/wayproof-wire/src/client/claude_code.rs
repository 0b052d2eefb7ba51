//! Claude Code: session header and `metadata.user_id`, subagents on the same session, its background requests.

use super::{Clues, Housekeeping, Identity, place_after, text_at};
use crate::outcome::{Exit, code_after};
use crate::protocol::Protocol;

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    identity.set_session(
        clues.header("x-claude-code-session-id"),
        body_session(clues),
    );
    let billing = clues.system_raw();
    let billing = billing.get(..512).unwrap_or(billing);
    let is_subagent = memchr::memmem::find(billing, b"cc_is_subagent=true").is_some();
    identity.subagent = clues
        .header("x-claude-code-agent-id")
        .map(str::to_owned)
        .or_else(|| is_subagent.then(|| "unnamed".to_owned()));
    identity.cwd = clues
        .place_in_items(4, "Primary working directory: ")
        .or_else(|| place_after(clues.system_raw(), "orking directory: "));
    identity.branch = clues.place_in_items(2, "Current branch: ");
    identity.housekeeping = housekeeping(clues);
}

/// Current versions send a JSON object in a string, older ones `user_…_account_…_session_<uuid>`.
fn body_session(clues: &Clues<'_>) -> Option<String> {
    let user = clues.request.json("metadata")?.get("user_id")?.text()?;
    if user.starts_with('{') {
        return text_at(&user, &["session_id"]);
    }
    let (_, session) = user.rsplit_once("_session_")?;
    super::is_id(session).then(|| session.to_owned())
}

fn housekeeping(clues: &Clues<'_>) -> Option<Housekeeping> {
    let request = clues.request;
    if request.peek.protocol == Protocol::Messages && request.field("max_tokens").is_none() {
        // Only the token counting route has no limit on the answer.
        return Some(Housekeeping::CountTokens);
    }
    if clues.last_text_starts_with("CRITICAL: Respond with TEXT ONLY") {
        return Some(Housekeeping::Compaction);
    }
    if clues.has_tools() {
        return None;
    }
    let head = clues.system_head();
    if head.contains("You are a security monitor for autonomous AI coding agents") {
        return Some(Housekeeping::PermissionCheck);
    }
    if head.contains("You are naming a coding session") {
        return Some(Housekeeping::Title);
    }
    if head.contains("indicates a new conversation topic") {
        return Some(Housekeeping::TopicCheck);
    }
    let is_one_token = request.field("max_tokens") == Some(b"1");
    (is_one_token && clues.last_text_starts_with("quota")).then_some(Housekeeping::Warmup)
}

/// `is_error` with `Exit code N` on the first line; success carries `false` or nothing.
pub(crate) fn exit(is_error: Option<bool>, text: &str) -> Exit {
    if is_error == Some(true) {
        let first = text.lines().next().unwrap_or_default();
        return code_after(first, "Exit code ").map_or(Exit::Failed, Exit::Code);
    }
    Exit::Succeeded
}
