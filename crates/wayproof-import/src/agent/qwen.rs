//! Qwen Code: telemetry of each response with the provider's name for it, and the answer itself after it.
//!
//! An answer whose response was just told is the same one.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, Flag, Maybe, Text, moment};
use crate::sink::{Answer, Sink};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reader {
    /// The total of a response that was told and whose answer is still to come.
    told: Option<u64>,
}

impl Reader {
    pub(super) fn new(state: Option<&str>) -> Self {
        state
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Line {
    uuid: Text,
    session_id: Text,
    timestamp: Text,
    r#type: Text,
    provenance: Text,
    cwd: Text,
    version: Text,
    git_branch: Text,
    model: Text,
    usage_metadata: Maybe<Metadata>,
    system_payload: Maybe<Payload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    prompt_token_count: Count,
    candidates_token_count: Count,
    thoughts_token_count: Count,
    total_token_count: Count,
    cached_content_token_count: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Payload {
    ui_event: Maybe<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "event.name")]
    name: Text,
    response_id: Text,
    model: Text,
    input_token_count: Count,
    output_token_count: Count,
    cached_content_token_count: Count,
    thoughts_token_count: Count,
    total_token_count: Count,
    success: Flag,
    decision: Text,
    function_name: Text,
    metadata: Maybe<Change>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change {
    model_added_lines: Count,
    model_removed_lines: Count,
}

static NEEDLES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let needles = [
        "qwen-code.api_response",
        "qwen-code.tool_call",
        r#""assistant""#,
        r#""real_user""#,
    ];
    AhoCorasick::new(needles).ok()
});

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
        let event = line
            .system_payload
            .0
            .as_ref()
            .and_then(|it| it.ui_event.0.as_ref());
        match (line.r#type.get(), event) {
            (Some("system"), Some(event)) if event.name.is("qwen-code.api_response") => {
                self.response(&line, event, sink);
            }
            (Some("system"), Some(event)) if event.name.is("qwen-code.tool_call") => {
                tool(event, sink);
            }
            (Some("assistant"), _) => self.answer(&line, sink),
            (Some("user"), _) if line.provenance.is("real_user") => sink.activity.asks += 1,
            _ => {}
        }
    }

    fn state(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Reader {
    fn response(&mut self, line: &Line, event: &Event, sink: &mut Sink) {
        let before = self.state();
        self.told = event.total_token_count.0;
        let Some(id) = event.response_id.owned() else {
            return sink.gap("an answer without a name");
        };
        let tokens = Metadata {
            prompt_token_count: event.input_token_count,
            candidates_token_count: event.output_token_count,
            thoughts_token_count: event.thoughts_token_count,
            total_token_count: event.total_token_count,
            cached_content_token_count: event.cached_content_token_count,
        };
        give(id, &event.model, line, Some(&tokens), before, sink);
    }

    fn answer(&mut self, line: &Line, sink: &mut Sink) {
        let before = self.state();
        let tokens = line.usage_metadata.0.as_ref();
        let total = tokens.and_then(|tokens| tokens.total_token_count.0);
        if self.told.take().is_some_and(|told| Some(told) == total) {
            return;
        }
        if let (Some(id), Some(tokens)) = (line.uuid.owned(), tokens) {
            give(id, &line.model, line, Some(tokens), before, sink);
        }
    }
}

fn give(
    id: String,
    model: &Text,
    line: &Line,
    tokens: Option<&Metadata>,
    before: Option<String>,
    sink: &mut Sink,
) {
    let Some(at_us) = moment(&line.timestamp) else {
        return sink.gap("an answer without a time");
    };
    let answer = Answer {
        request_ids: vec![id.clone()],
        id,
        at_us,
        session: line.session_id.owned(),
        model: model.owned(),
        usage: tokens.map(usage),
        ..Answer::default()
    };
    sink.answer(answer, || before);
    if let Some(session) = line.session_id.get() {
        let started = SessionStarted {
            agent: "qwen".to_owned(),
            agent_version: line.version.owned(),
            cwd: line.cwd.owned(),
            branch: line.git_branch.owned(),
            ..SessionStarted::default()
        };
        sink.session(session, started);
    }
}

fn tool(event: &Event, sink: &mut Sink) {
    let did = &mut sink.activity;
    did.tool_calls += 1;
    did.tool_failures += u64::from(event.success.0 == Some(false));
    match event.decision.get() {
        Some("accept" | "auto_accept" | "modify") => did.accepted += 1,
        Some("reject") => did.rejected += 1,
        _ => {}
    }
    let is_edit = matches!(event.function_name.get(), Some("edit" | "write_file"));
    if is_edit && event.success.0 == Some(true) {
        did.edits += 1;
    }
    if let Maybe(Some(change)) = &event.metadata {
        did.lines_added += change.model_added_lines.0.unwrap_or(0);
        did.lines_removed += change.model_removed_lines.0.unwrap_or(0);
    }
}

/// Cached tokens are in the prompt. Thoughts are in the candidates, unless the total says that they stand beside them.
fn usage(tokens: &Metadata) -> Usage {
    let (prompt, output) = (tokens.prompt_token_count.0, tokens.candidates_token_count.0);
    let thoughts = tokens.thoughts_token_count.0;
    let sum = |counts: [Option<u64>; 3]| counts.into_iter().flatten().fold(0, u64::saturating_add);
    let is_beside = thoughts.is_some_and(|thoughts| thoughts > 0)
        && tokens.total_token_count.0 == Some(sum([prompt, output, thoughts]));
    Usage {
        input: rest(prompt, &[tokens.cached_content_token_count.0]),
        cache_read: tokens.cached_content_token_count.0,
        output: if is_beside {
            output
        } else {
            rest(output, &[thoughts])
        },
        reasoning: thoughts,
        ..Usage::default()
    }
}
