//! Claude Code: a line for each block of an answer, all with the answer's id and its counts so far.
//!
//! Subagents write into files of their own with the session of the main one.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, Flag, List, Maybe, Patch, Text, moment};
use crate::sink::{Answer, Sink};

#[derive(Debug)]
pub(super) struct Reader;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Line {
    r#type: Text,
    session_id: Text,
    request_id: Text,
    requested_model: Text,
    timestamp: Text,
    uuid: Text,
    cwd: Text,
    version: Text,
    git_branch: Text,
    agent_id: Text,
    is_meta: Flag,
    is_sidechain: Flag,
    message: Maybe<Message>,
    tool_use_result: Maybe<ToolResult>,
    permission_decision: Maybe<Permission>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    id: Text,
    model: Text,
    stop_reason: Text,
    usage: Maybe<Tokens>,
    content: List<Block>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    r#type: Text,
    is_error: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    output_tokens: Count,
    cache_creation: Maybe<Lifetimes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lifetimes {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ToolResult {
    file_path: Text,
    structured_patch: Option<List<Hunk>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hunk {
    lines: Patch,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Permission {
    decision: Text,
}

/// What older versions tell the model when the user says no.
const REFUSAL: &[u8] = b"The user doesn't want to proceed with this tool use";

/// Lines without any of these tell nothing that is kept.
static NEEDLES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new([r#""assistant""#, r#""user""#]).ok());

impl Format for Reader {
    fn record(&mut self, text: &[u8], sink: &mut Sink) {
        if NEEDLES
            .as_ref()
            .is_some_and(|needles| !needles.is_match(text))
        {
            return;
        }
        let Ok(line) = serde_json::from_slice::<Line>(text) else {
            return sink.gap(UNREADABLE);
        };
        match (line.r#type.get(), &line.message) {
            (Some("assistant"), Maybe(Some(message))) => assistant(&line, message, sink),
            (Some("user"), Maybe(Some(message))) => user(&line, message, text, sink),
            _ => {}
        }
    }
}

fn assistant(line: &Line, message: &Message, sink: &mut Sink) {
    // What the agent says in the model's place costs nothing.
    if message.model.is("<synthetic>") {
        return;
    }
    let Some(at_us) = moment(&line.timestamp) else {
        return sink.gap("an answer without a time");
    };
    let Some(id) = message.id.owned().or_else(|| line.uuid.owned()) else {
        return sink.gap("an answer without a name");
    };
    let requested = line.requested_model.owned();
    sink.answer(
        Answer {
            request_ids: [line.request_id.owned(), Some(id.clone())]
                .into_iter()
                .flatten()
                .collect(),
            id,
            at_us,
            session: line.session_id.owned(),
            requested_model: requested.filter(|model| !message.model.is(model)),
            provider: Some("anthropic".to_owned()),
            model: message.model.owned(),
            usage: message.usage.0.as_ref().map(usage),
            stop: message.stop_reason.owned(),
            subagent: line.agent_id.owned(),
            is_unfinished: message.stop_reason.get().is_none(),
        },
        || None,
    );
    let calls = message
        .content
        .0
        .iter()
        .filter(|block| block.r#type.is("tool_use"));
    sink.activity.tool_calls += calls.count() as u64;
    if let Some(session) = line.session_id.get() {
        sink.session(session, started(line));
    }
}

fn user(line: &Line, message: &Message, text: &[u8], sink: &mut Sink) {
    let blocks = &message.content.0;
    let results = || blocks.iter().filter(|block| block.r#type.is("tool_result"));
    let failed = results()
        .filter(|block| block.is_error.0 == Some(true))
        .count();
    let did = &mut sink.activity;
    if results().next().is_none() {
        let is_ask = line.is_meta.0 != Some(true) && line.is_sidechain.0 != Some(true);
        did.asks += u64::from(is_ask);
        return;
    }
    did.tool_failures += failed as u64;
    let decision = line
        .permission_decision
        .0
        .as_ref()
        .and_then(|it| it.decision.get());
    match decision {
        Some("accept") => did.accepted += 1,
        Some("reject" | "deny" | "rejected" | "denied") => did.rejected += 1,
        Some(_) => {}
        None if failed > 0 && memchr::memmem::find(text, REFUSAL).is_some() => did.rejected += 1,
        None => {}
    }
    if let Some(result) = &line.tool_use_result.0
        && result.file_path.get().is_some()
        && let Some(patch) = &result.structured_patch
    {
        did.edits += 1;
        for hunk in &patch.0 {
            did.lines_added += hunk.lines.added;
            did.lines_removed += hunk.lines.removed;
        }
    }
}

fn started(line: &Line) -> SessionStarted {
    SessionStarted {
        agent: "claude-code".to_owned(),
        agent_version: line.version.owned(),
        cwd: line.cwd.owned(),
        branch: line.git_branch.owned(),
        ..SessionStarted::default()
    }
}

/// A write whose lifetime is not told is a short one, as in the answers themselves.
fn usage(tokens: &Tokens) -> Usage {
    let lifetimes = tokens.cache_creation.0.as_ref();
    let short = lifetimes.and_then(|it| it.ephemeral_5m_input_tokens.0);
    let long = lifetimes.and_then(|it| it.ephemeral_1h_input_tokens.0);
    Usage {
        input: tokens.input_tokens.0,
        cache_read: tokens.cache_read_input_tokens.0,
        cache_write_5m: short.or_else(|| rest(tokens.cache_creation_input_tokens.0, &[long])),
        cache_write_1h: long,
        output: tokens.output_tokens.0,
        reasoning: None,
    }
}
