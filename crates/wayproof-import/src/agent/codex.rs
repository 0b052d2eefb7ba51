//! Codex: a record for each response since 0.160 or so, and sums of the whole thread after each turn before that.
//!
//! A sum that repeats tells nothing new, so it counts once; where records are, sums add nothing.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use wayproof_ledger::{QuotaSampled, SessionStarted};
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, Maybe, Number, Size, Text, moment};
use crate::sink::{Answer, Sink};

/// What later lines depend on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Context {
    thread: Option<String>,
    session: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    total: Tokens,
}

#[derive(Debug, Default)]
pub(super) struct Reader(Context);

impl Reader {
    pub(super) fn new(state: Option<&str>) -> Self {
        let context = state.and_then(|state| serde_json::from_str(state).ok());
        Self(context.unwrap_or_default())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: Text,
    timestamp: Text,
    payload: Maybe<Payload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    r#type: Text,
    id: Text,
    session_id: Text,
    cwd: Text,
    cli_version: Text,
    model_provider: Text,
    model: Text,
    git: Maybe<Git>,
    response_id: Text,
    usage: Maybe<Tokens>,
    thread_token_usage: Maybe<Tokens>,
    info: Maybe<Info>,
    rate_limits: Maybe<Limits>,
    item: Maybe<Item>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Git {
    branch: Text,
    repository_url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    total_token_usage: Maybe<Tokens>,
    last_token_usage: Maybe<Tokens>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Limits {
    primary: Maybe<Window>,
    secondary: Maybe<Window>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Window {
    used_percent: Number,
    window_minutes: Count,
    resets_at: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    r#type: Text,
    status: Text,
    changes: Option<Maybe<Changes>>,
}

/// Files changed, counted only.
#[derive(Debug)]
struct Changes(Size);

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Size::deserialize(deserializer).map(Self)
    }
}

/// Counts as Codex nests them: cached and written tokens are in the input, reasoning is in the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Count,
    cached_input_tokens: Count,
    cache_write_input_tokens: Count,
    output_tokens: Count,
    reasoning_output_tokens: Count,
    total_tokens: Count,
}

impl Serialize for Count {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

static NEEDLES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let needles = [
        "session_meta",
        "turn_context",
        "token_usage_record",
        "token_count",
        r#""function_call""#,
        r#""custom_tool_call""#,
        r#""local_shell_call""#,
        "CommandExecution",
        "FileChange",
        "UserMessage",
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
        let Maybe(Some(payload)) = &line.payload else {
            return;
        };
        match line.r#type.get() {
            Some("session_meta") => self.session(payload, sink),
            Some("turn_context") => {
                if let Some(model) = payload.model.owned() {
                    self.0.model = Some(model);
                }
            }
            Some("token_usage_record") => self.response(&line, payload, sink),
            Some("response_item") => {
                let is_call = matches!(
                    payload.r#type.get(),
                    Some("function_call" | "custom_tool_call" | "local_shell_call")
                );
                sink.activity.tool_calls += u64::from(is_call);
            }
            Some("event_msg") => match payload.r#type.get() {
                Some("token_count") => self.sum(&line, payload, sink),
                Some("item_completed") => item(payload, sink),
                _ => {}
            },
            _ => {}
        }
    }

    fn state(&self) -> Option<String> {
        serde_json::to_string(&self.0).ok()
    }
}

impl Reader {
    fn session(&mut self, payload: &Payload, sink: &mut Sink) {
        // A thread that goes on from another one repeats that one's first line; its own comes first.
        if self.0.thread.is_some() {
            return;
        }
        self.0.thread = payload.id.owned();
        self.0.session = payload.session_id.owned().or_else(|| payload.id.owned());
        self.0.provider = payload.model_provider.owned();
        let git = payload.git.0.as_ref();
        if let Some(session) = &self.0.session {
            sink.session(
                session,
                SessionStarted {
                    agent: "codex".to_owned(),
                    agent_version: payload.cli_version.owned(),
                    cwd: payload.cwd.owned(),
                    branch: git.and_then(|git| git.branch.owned()),
                    repo: git.and_then(|git| git.repository_url.owned()),
                    ..SessionStarted::default()
                },
            );
        }
    }

    fn response(&mut self, line: &Line, payload: &Payload, sink: &mut Sink) {
        let before = self.state();
        if let Maybe(Some(total)) = payload.thread_token_usage {
            self.0.total = total;
        }
        let Some(id) = payload.response_id.owned() else {
            return sink.gap("an answer without a name");
        };
        self.give(id, line, payload.usage.0, before, sink);
    }

    fn sum(&mut self, line: &Line, payload: &Payload, sink: &mut Sink) {
        if let Maybe(Some(limits)) = &payload.rate_limits {
            quota(line, limits, sink);
        }
        let Maybe(Some(info)) = &payload.info else {
            return;
        };
        let Maybe(Some(total)) = info.total_token_usage else {
            return;
        };
        if total == self.0.total {
            return;
        }
        let before = self.state();
        let new = total.since(&self.0.total).or(info.last_token_usage.0);
        self.0.total = total;
        let thread = self.0.thread.as_deref().unwrap_or("thread");
        let id = format!("{thread}:{}", total.total_tokens.0.unwrap_or(0));
        self.give(id, line, new, before, sink);
    }

    fn give(
        &self,
        id: String,
        line: &Line,
        tokens: Option<Tokens>,
        before: Option<String>,
        sink: &mut Sink,
    ) {
        let Some(at_us) = moment(&line.timestamp) else {
            return sink.gap("an answer without a time");
        };
        let context = &self.0;
        let subagent = context
            .thread
            .clone()
            .filter(|thread| Some(thread) != context.session.as_ref());
        let answer = Answer {
            request_ids: vec![id.clone()],
            id,
            at_us,
            session: context.session.clone(),
            provider: context.provider.clone(),
            model: context.model.clone(),
            usage: tokens.map(|tokens| tokens.usage()),
            subagent,
            ..Answer::default()
        };
        sink.answer(answer, || before);
    }
}

fn item(payload: &Payload, sink: &mut Sink) {
    let Maybe(Some(item)) = &payload.item else {
        return;
    };
    let did = &mut sink.activity;
    match item.r#type.get() {
        Some("UserMessage") => did.asks += 1,
        Some("CommandExecution") => match item.status.get() {
            Some("failed") => did.tool_failures += 1,
            Some("declined") => did.rejected += 1,
            _ => did.accepted += 1,
        },
        Some("FileChange") => match item.status.get() {
            Some("completed") => {
                let files = item.changes.as_ref().and_then(|changes| changes.0.as_ref());
                did.edits += files.map_or(1, |Changes(Size(files))| *files);
                did.accepted += 1;
            }
            Some("declined") => did.rejected += 1,
            _ => did.tool_failures += 1,
        },
        _ => {}
    }
}

fn quota(line: &Line, limits: &Limits, sink: &mut Sink) {
    let Some(at_us) = moment(&line.timestamp) else {
        return;
    };
    for Maybe(window) in [&limits.primary, &limits.secondary] {
        let Some(window) = window else { continue };
        let Some(percent) = window
            .used_percent
            .0
            .filter(|percent| (0.0..=1e6).contains(percent))
        else {
            continue;
        };
        let name = window
            .window_minutes
            .0
            .map_or_else(|| "window".to_owned(), |minutes| format!("{minutes} min"));
        #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
        let used_ppm = (percent * 10_000.0) as i64;
        let resets_at_us = window.resets_at.0.filter(|at| (0.0..4e9).contains(at));
        #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
        let resets_at_us = resets_at_us.map(|at| (at * 1e6) as i64);
        sink.quota = Some((
            at_us,
            QuotaSampled {
                provider: "openai".to_owned(),
                window: name,
                used_ppm: Some(used_ppm),
                resets_at_us,
                source: "codex-log".to_owned(),
            },
        ));
    }
}

impl Tokens {
    fn usage(&self) -> Usage {
        Usage {
            input: rest(
                self.input_tokens.0,
                &[self.cached_input_tokens.0, self.cache_write_input_tokens.0],
            ),
            cache_read: self.cached_input_tokens.0,
            cache_write_5m: self.cache_write_input_tokens.0,
            cache_write_1h: None,
            output: rest(self.output_tokens.0, &[self.reasoning_output_tokens.0]),
            reasoning: self.reasoning_output_tokens.0,
        }
    }

    /// What came on top of an earlier sum; none where the sum began anew.
    fn since(&self, earlier: &Self) -> Option<Self> {
        let less = |new: Count, old: Count| match (new.0, old.0) {
            (None, _) => Some(Count(None)),
            (Some(new), old) => new
                .checked_sub(old.unwrap_or(0))
                .map(|new| Count(Some(new))),
        };
        Some(Self {
            input_tokens: less(self.input_tokens, earlier.input_tokens)?,
            cached_input_tokens: less(self.cached_input_tokens, earlier.cached_input_tokens)?,
            cache_write_input_tokens: less(
                self.cache_write_input_tokens,
                earlier.cache_write_input_tokens,
            )?,
            output_tokens: less(self.output_tokens, earlier.output_tokens)?,
            reasoning_output_tokens: less(
                self.reasoning_output_tokens,
                earlier.reasoning_output_tokens,
            )?,
            total_tokens: less(self.total_tokens, earlier.total_tokens)?,
        })
    }
}
