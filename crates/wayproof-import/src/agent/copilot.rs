//! GitHub Copilot CLI: a usage record a request, with the provider's own name for it.

use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, Flag, List, Maybe, Number, Text, moment};
use crate::sink::{Answer, Sink};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reader {
    session: Option<String>,
}

impl Reader {
    pub(super) fn new(path: &Path, state: Option<&str>) -> Self {
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        let session = folder.and_then(crate::lenient::kept).map(String::from);
        state
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or(Self { session })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: Text,
    timestamp: Text,
    data: Maybe<Data>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    session_id: Text,
    copilot_version: Text,
    context: Maybe<Context>,
    usage: Maybe<Tokens>,
    success: Flag,
    shell_execution: Maybe<Shell>,
    file_edits: List<Edit>,
    tool_telemetry: Maybe<Telemetry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Context {
    cwd: Text,
    branch: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Tokens {
    model: Text,
    input_tokens: Count,
    output_tokens: Count,
    cache_read_tokens: Count,
    cache_write_tokens: Count,
    reasoning_tokens: Count,
    is_byok: Flag,
    model_provider: Text,
    api_call_id: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Shell {
    exit_code: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edit {
    kind: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Telemetry {
    metrics: Maybe<Metrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metrics {
    lines_added: Count,
    lines_removed: Count,
}

static NEEDLES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let needles = [
        "session.start",
        "session.usage_record",
        "user.message",
        "tool.execution_complete",
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
        let Maybe(Some(data)) = &line.data else {
            return;
        };
        match line.r#type.get() {
            Some("session.start") => self.start(data, sink),
            Some("user.message") => sink.activity.asks += 1,
            Some("session.usage_record") => self.request(&line, data, sink),
            Some("tool.execution_complete") => tool(data, sink),
            _ => {}
        }
    }

    fn state(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Reader {
    fn start(&mut self, data: &Data, sink: &mut Sink) {
        if let Some(session) = data.session_id.owned() {
            self.session = Some(session);
        }
        let context = data.context.0.as_ref();
        if let Some(session) = &self.session {
            sink.session(
                session,
                SessionStarted {
                    agent: "copilot".to_owned(),
                    agent_version: data.copilot_version.owned(),
                    cwd: context.and_then(|context| context.cwd.owned()),
                    branch: context.and_then(|context| context.branch.owned()),
                    ..SessionStarted::default()
                },
            );
        }
    }

    fn request(&self, line: &Line, data: &Data, sink: &mut Sink) {
        let Maybe(Some(tokens)) = &data.usage else {
            return sink.gap("an answer without counts");
        };
        let (Some(at_us), Some(id)) = (moment(&line.timestamp), tokens.api_call_id.owned()) else {
            return sink.gap("an answer without a time or a name");
        };
        let is_own_key = tokens.is_byok.0 == Some(true);
        let provider = if is_own_key {
            tokens.model_provider.owned()
        } else {
            Some("github-copilot".to_owned())
        };
        let answer = Answer {
            request_ids: vec![id.clone()],
            id,
            at_us,
            session: self.session.clone(),
            provider,
            model: tokens.model.owned(),
            usage: Some(usage(tokens)),
            ..Answer::default()
        };
        sink.answer(answer, || self.state());
    }
}

fn tool(data: &Data, sink: &mut Sink) {
    let did = &mut sink.activity;
    did.tool_calls += 1;
    let exit = data
        .shell_execution
        .0
        .as_ref()
        .and_then(|shell| shell.exit_code.0);
    let is_failed = data.success.0 == Some(false) || exit.is_some_and(|exit| exit.abs() >= 1.0);
    did.tool_failures += u64::from(is_failed);
    let edits = data
        .file_edits
        .0
        .iter()
        .filter(|edit| !edit.kind.is("read"));
    did.edits += edits.count() as u64;
    let metrics = data
        .tool_telemetry
        .0
        .as_ref()
        .and_then(|it| it.metrics.0.as_ref());
    if let Some(metrics) = metrics {
        did.lines_added += metrics.lines_added.0.unwrap_or(0);
        did.lines_removed += metrics.lines_removed.0.unwrap_or(0);
    }
}

/// Whatever the dialect, cached and written tokens are in the input and reasoning is in the output.
fn usage(tokens: &Tokens) -> Usage {
    Usage {
        input: rest(
            tokens.input_tokens.0,
            &[tokens.cache_read_tokens.0, tokens.cache_write_tokens.0],
        ),
        cache_read: tokens.cache_read_tokens.0,
        cache_write_5m: tokens.cache_write_tokens.0,
        cache_write_1h: None,
        output: rest(tokens.output_tokens.0, &[tokens.reasoning_tokens.0]),
        reasoning: tokens.reasoning_tokens.0,
    }
}
