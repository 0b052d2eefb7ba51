//! Gemini CLI: a message is written again with the tools it called; its counts stay the same.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, List, Maybe, Text, moment};
use crate::sink::{Answer, Sink};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reader {
    session: Option<String>,
}

impl Reader {
    pub(super) fn new(state: Option<&str>) -> Self {
        state
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(rename = "sessionId")]
    session_id: Text,
    #[serde(rename = "$set")]
    set: Maybe<Set>,
    #[serde(flatten)]
    message: Message,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Set {
    messages: List<Message>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    id: Text,
    r#type: Text,
    timestamp: Text,
    model: Text,
    tokens: Maybe<Tokens>,
    #[serde(rename = "toolCalls")]
    tool_calls: List<Call>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input: Count,
    output: Count,
    cached: Count,
    thoughts: Count,
    tool: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Call {
    name: Text,
    status: Text,
}

static NEEDLES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new([r#""gemini""#, r#""sessionId""#, r#""user""#]).ok());

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
        if let Some(session) = line.session_id.owned() {
            let started = SessionStarted {
                agent: "gemini-cli".to_owned(),
                ..SessionStarted::default()
            };
            sink.session(&session, started);
            self.session = Some(session);
        }
        if let Maybe(Some(set)) = &line.set {
            for message in &set.messages.0 {
                self.message(message, sink);
            }
        }
        self.message(&line.message, sink);
    }

    fn state(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Reader {
    fn message(&self, message: &Message, sink: &mut Sink) {
        if !message.r#type.is("gemini") {
            return;
        }
        let (Some(at_us), Some(id)) = (moment(&message.timestamp), message.id.owned()) else {
            return sink.gap("an answer without a time or a name");
        };
        let answer = Answer {
            id,
            at_us,
            session: self.session.clone(),
            provider: Some("google".to_owned()),
            model: message.model.owned(),
            usage: message.tokens.0.as_ref().map(usage),
            ..Answer::default()
        };
        sink.answer(answer, || self.state());
        let did = &mut sink.activity;
        for call in &message.tool_calls.0 {
            did.tool_calls += 1;
            match call.status.get() {
                Some("success") => {
                    did.accepted += 1;
                    let is_edit = matches!(call.name.get(), Some("replace" | "write_file"));
                    did.edits += u64::from(is_edit);
                }
                Some("cancelled") => did.rejected += 1,
                Some("error") => did.tool_failures += 1,
                _ => {}
            }
        }
    }
}

/// Cached tokens are in the input; what tools brought in stands beside it, as do thoughts beside the output.
fn usage(tokens: &Tokens) -> Usage {
    let tool = tokens.tool.0.unwrap_or(0);
    let input = tokens.input.0.map(|input| input.saturating_add(tool));
    Usage {
        input: rest(input, &[tokens.cached.0]),
        cache_read: tokens.cached.0,
        output: tokens.output.0,
        reasoning: tokens.thoughts.0,
        ..Usage::default()
    }
}
