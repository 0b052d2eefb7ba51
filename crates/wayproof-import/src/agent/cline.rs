//! Cline: the whole conversation as one document, written anew after each message.

use serde::Deserialize;
use wayproof_ledger::SessionStarted;
use wayproof_wire::Usage;

use super::{Format, UNREADABLE, rest};
use crate::lenient::{Count, List, Maybe, Number, Text, millis};
use crate::sink::{Answer, Sink};

#[derive(Debug)]
pub(super) struct Reader;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    session_id: Text,
    origin: Maybe<Origin>,
    messages: List<Message>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Origin {
    version: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    id: Text,
    role: Text,
    ts: Number,
    model_info: Maybe<Model>,
    metrics: Maybe<Metrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    id: Text,
    provider: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metrics {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_tokens: Count,
    cache_write_tokens: Count,
}

impl Format for Reader {
    /// Only answers are taken in: what tools did would be counted again with every new version of the document.
    fn record(&mut self, text: &[u8], sink: &mut Sink) {
        let Ok(document) = serde_json::from_slice::<Document>(text) else {
            return sink.gap(UNREADABLE);
        };
        let Some(session) = document.session_id.owned() else {
            return sink.gap("a document without a session");
        };
        let started = SessionStarted {
            agent: "cline".to_owned(),
            agent_version: document.origin.0.and_then(|origin| origin.version.owned()),
            ..SessionStarted::default()
        };
        sink.session(&session, started);
        for (at, message) in document.messages.0.iter().enumerate() {
            if message.role.is("assistant") {
                sink.line(at as u64);
                answer(&session, message, sink);
            }
        }
    }
}

fn answer(session: &str, message: &Message, sink: &mut Sink) {
    let (Some(at_us), Some(id)) = (millis(message.ts), message.id.get()) else {
        return sink.gap("an answer without a time or a name");
    };
    let model = message.model_info.0.as_ref();
    let answer = Answer {
        id: format!("{session}:{id}"),
        at_us,
        session: Some(session.to_owned()),
        provider: model.and_then(|model| model.provider.owned()),
        model: model.and_then(|model| model.id.owned()),
        usage: message.metrics.0.as_ref().map(usage),
        ..Answer::default()
    };
    sink.answer(answer, || None);
}

/// Cached and written tokens are in the input.
fn usage(metrics: &Metrics) -> Usage {
    Usage {
        input: rest(
            metrics.input_tokens.0,
            &[metrics.cache_read_tokens.0, metrics.cache_write_tokens.0],
        ),
        cache_read: metrics.cache_read_tokens.0,
        cache_write_5m: metrics.cache_write_tokens.0,
        output: metrics.output_tokens.0,
        ..Usage::default()
    }
}
