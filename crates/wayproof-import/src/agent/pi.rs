//! pi: one line a message; counts are disjoint already.

use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, stem};
use crate::lenient::{Count, Flag, List, Maybe, Text, moment};
use crate::sink::{Answer, Sink};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reader {
    session: Option<String>,
}

impl Reader {
    pub(super) fn new(path: &Path, state: Option<&str>) -> Self {
        // `<time>_<id>.jsonl`; the first line says the id, too.
        let session = stem(path).map(|stem| {
            let id = stem.rsplit_once('_').map(|(_, id)| id.to_owned());
            id.unwrap_or(stem)
        });
        state
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or(Self { session })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: Text,
    id: Text,
    timestamp: Text,
    cwd: Text,
    message: Maybe<Message>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    role: Text,
    provider: Text,
    model: Text,
    stop_reason: Text,
    response_id: Text,
    is_error: Flag,
    tool_name: Text,
    usage: Maybe<Tokens>,
    content: List<Block>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    r#type: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Tokens {
    input: Count,
    output: Count,
    cache_read: Count,
    cache_write: Count,
}

static NEEDLES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new([r#""session""#, r#""message""#]).ok());

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
            (Some("session"), _) => {
                if let Some(id) = line.id.owned() {
                    let started = SessionStarted {
                        agent: "pi".to_owned(),
                        cwd: line.cwd.owned(),
                        ..SessionStarted::default()
                    };
                    sink.session(&id, started);
                    self.session = Some(id);
                }
            }
            (Some("message"), Maybe(Some(message))) => self.message(&line, message, sink),
            _ => {}
        }
    }

    fn state(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Reader {
    fn message(&self, line: &Line, message: &Message, sink: &mut Sink) {
        match message.role.get() {
            Some("user") => sink.activity.asks += 1,
            Some("toolResult") => {
                let is_failed = message.is_error.0 == Some(true);
                sink.activity.tool_failures += u64::from(is_failed);
                let is_edit = matches!(message.tool_name.get(), Some("edit" | "write"));
                sink.activity.edits += u64::from(is_edit && !is_failed);
            }
            Some("assistant") => self.answer(line, message, sink),
            _ => {}
        }
    }

    fn answer(&self, line: &Line, message: &Message, sink: &mut Sink) {
        // The ids of messages are short, and unique in their session only.
        let own = || Some(format!("{}:{}", self.session.as_deref()?, line.id.get()?));
        let id = message.response_id.owned().or_else(own);
        let (Some(at_us), Some(id)) = (moment(&line.timestamp), id) else {
            return sink.gap("an answer without a time or a name");
        };
        let usage = message.usage.0.as_ref().map(|tokens| Usage {
            input: tokens.input.0,
            cache_read: tokens.cache_read.0,
            cache_write_5m: tokens.cache_write.0,
            output: tokens.output.0,
            ..Usage::default()
        });
        let answer = Answer {
            request_ids: vec![id.clone()],
            id,
            at_us,
            session: self.session.clone(),
            provider: message.provider.owned(),
            model: message.model.owned(),
            usage,
            stop: message.stop_reason.owned(),
            ..Answer::default()
        };
        sink.answer(answer, || self.state());
        let calls = message
            .content
            .0
            .iter()
            .filter(|block| block.r#type.is("toolCall"));
        sink.activity.tool_calls += calls.count() as u64;
    }
}
