//! opencode: an SQLite database with a row a message; its SQL is the ledger crate's.

use serde::Deserialize;
use wayproof_ledger::{ForeignRow, SessionStarted};
use wayproof_wire::Usage;

use super::UNREADABLE;
use crate::lenient::{Count, Maybe, Number, Text, millis};
use crate::sink::{Answer, Sink};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    role: Text,
    #[serde(rename = "modelID")]
    model: Text,
    #[serde(rename = "providerID")]
    provider: Text,
    finish: Text,
    path: Maybe<Place>,
    time: Maybe<Times>,
    tokens: Maybe<Tokens>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    cwd: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Times {
    created: Number,
    completed: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input: Count,
    output: Count,
    reasoning: Count,
    cache: Maybe<Cache>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cache {
    read: Count,
    write: Count,
}

/// Takes in one row; the sink's line is the time of its last change.
pub(crate) fn read(row: &ForeignRow, sink: &mut Sink) {
    let Ok(message) = serde_json::from_str::<Message>(&row.data) else {
        return sink.gap(UNREADABLE);
    };
    match message.role.get() {
        Some("user") => sink.activity.asks += 1,
        Some("assistant") => answer(row, &message, sink),
        _ => {}
    }
}

fn answer(row: &ForeignRow, message: &Message, sink: &mut Sink) {
    let times = message.time.0.as_ref();
    let Some(at_us) = times.and_then(|times| millis(times.created)) else {
        return sink.gap("an answer without a time");
    };
    let (Some(id), Some(session)) = (
        crate::lenient::kept(&row.id),
        crate::lenient::kept(&row.session),
    ) else {
        return sink.gap("an answer without a name");
    };
    let started = SessionStarted {
        agent: "opencode".to_owned(),
        cwd: message.path.0.as_ref().and_then(|place| place.cwd.owned()),
        ..SessionStarted::default()
    };
    sink.session(&session, started);
    let is_over = times.is_some_and(|times| times.completed.0.is_some());
    let answer = Answer {
        id: id.into(),
        at_us,
        session: Some(session.into()),
        provider: message.provider.owned(),
        model: message.model.owned(),
        usage: message.tokens.0.as_ref().map(usage),
        stop: message.finish.owned(),
        is_unfinished: !is_over,
        ..Answer::default()
    };
    sink.answer(answer, || None);
}

/// Counts are disjoint already.
fn usage(tokens: &Tokens) -> Usage {
    let cache = tokens.cache.0.as_ref();
    Usage {
        input: tokens.input.0,
        cache_read: cache.and_then(|cache| cache.read.0),
        cache_write_5m: cache.and_then(|cache| cache.write.0),
        cache_write_1h: None,
        output: tokens.output.0,
        reasoning: tokens.reasoning.0,
    }
}
