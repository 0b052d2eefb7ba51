//! The texts of events without what is to be forgotten.
//!
//! Counts, times, prices, models and verdicts stay: reports must give the same sums before and after.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::event::Event;
use crate::privacy_event::ContentCaptured;

/// What stands in the place of words.
const WORD: &str = "forgotten";

/// Names whose strings are words of people, agents or tools, or tell where somebody works.
const WORDS: [&str; 13] = [
    "cwd",
    "repo",
    "branch",
    "rule",
    "why",
    "one_fact",
    "remark",
    "ask_digest",
    "evidence",
    "text",
    "detail",
    "message",
    "because",
];

/// Names whose lists hold such words.
const LISTS: [&str; 4] = ["failures", "diagnostics", "paths", "gaps"];

/// Names whose strings are from a closed list, or tell things apart, and cannot name a person.
const CLOSED: [&str; 22] = [
    "task",
    "class",
    "provider",
    "model",
    "requested_model",
    "agent",
    "protocol",
    "routing",
    "outcome",
    "kind",
    "tool",
    "grade",
    "verdict",
    "decision",
    "change",
    "stop",
    "from",
    "to",
    "cause",
    "id",
    "source",
    "window",
];

/// How texts are rewritten.
pub(super) enum Rewrite {
    Sessions {
        sessions: BTreeSet<String>,
        jobs: BTreeSet<String>,
    },
    Person {
        name: String,
        instead: String,
    },
}

impl Rewrite {
    pub(super) const fn sessions(sessions: BTreeSet<String>, jobs: BTreeSet<String>) -> Self {
        Self::Sessions { sessions, jobs }
    }

    pub(super) fn person(name: &str, instead: &str) -> Self {
        Self::Person {
            name: name.to_owned(),
            instead: instead.to_owned(),
        }
    }

    pub(super) const fn is_person(&self) -> bool {
        matches!(self, Self::Person { .. })
    }

    /// Whether a captured body belongs to the subject.
    pub(super) fn is_theirs(&self, event: &Event, captured: &ContentCaptured) -> bool {
        match self {
            Self::Sessions { .. } => self.is_about(event),
            Self::Person { name, .. } => captured.holder.as_ref() == Some(name),
        }
    }

    fn is_about(&self, event: &Event) -> bool {
        match self {
            Self::Sessions { sessions, jobs } => {
                event
                    .session
                    .as_ref()
                    .is_some_and(|id| sessions.contains(id))
                    || event.job.as_ref().is_some_and(|id| jobs.contains(id))
            }
            Self::Person { .. } => true,
        }
    }

    /// Whether a receipt names the person.
    pub(super) fn is_in_receipt(&self, receipt: &str) -> bool {
        let Self::Person { name, .. } = self else {
            return false;
        };
        // What is signed stands there in base64.
        let payloads = receipt.lines().filter_map(|line| {
            let envelope: Value = serde_json::from_str(line).ok()?;
            let payload = envelope.get("payload")?.as_str()?.to_owned();
            let bytes = STANDARD.decode(payload).ok()?;
            String::from_utf8(bytes).ok()
        });
        let mut texts = payloads.chain([receipt.to_owned()]);
        texts.any(|text| with(&text, name, WORD).is_some())
    }

    /// Whether a text that cannot be rewritten says something of the subject.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        match self {
            Self::Sessions { sessions, .. } => sessions.iter().any(|id| text.contains(id.as_str())),
            Self::Person { name, .. } => with(text, name, WORD).is_some(),
        }
    }

    /// The text without what is to be forgotten; `None` where nothing of it is there.
    pub(super) fn text(&self, event: &Event, text: &str) -> Option<String> {
        if !self.is_about(event) {
            return None;
        }
        let mut value: Value = serde_json::from_str(text).ok()?;
        let data = value.get_mut("data")?;
        let is_changed = match self {
            Self::Sessions { .. } => blank(data),
            Self::Person { name, instead } => rename(data, (name, instead)),
        };
        let new = is_changed.then(|| value.to_string())?;
        Event::parse(&new).is_ok().then_some(new)
    }
}

fn blank(value: &mut Value) -> bool {
    let mut is_changed = false;
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                is_changed |= match value {
                    Value::String(text) if WORDS.contains(&name.as_str()) && text != WORD => {
                        WORD.clone_into(text);
                        true
                    }
                    Value::Array(list) if LISTS.contains(&name.as_str()) && !list.is_empty() => {
                        list.clear();
                        true
                    }
                    value => blank(value),
                };
            }
        }
        Value::Array(list) => {
            for value in list {
                is_changed |= blank(value);
            }
        }
        _ => {}
    }
    is_changed
}

fn rename(value: &mut Value, (name, instead): (&str, &str)) -> bool {
    let mut is_changed = false;
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let is_closed = CLOSED.contains(&key.as_str()) || key.ends_with("_digest");
                match value {
                    Value::String(_) if is_closed => {}
                    value => is_changed |= rename(value, (name, instead)),
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                is_changed |= rename(value, (name, instead));
            }
        }
        Value::String(text) => {
            if let Some(new) = with(text, name, instead) {
                *text = new;
                is_changed = true;
            }
        }
        _ => {}
    }
    is_changed
}

/// A text in which a name stands as a word of its own, with another in its place.
fn with(text: &str, name: &str, instead: &str) -> Option<String> {
    if name.is_empty() || !text.contains(name) {
        return None;
    }
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    while let Some(at) = rest.find(name) {
        let (before, from) = rest.split_at(at);
        let after = from.get(name.len()..).unwrap_or_default();
        new.push_str(before);
        let is_word =
            !new.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        new.push_str(if is_word { instead } else { name });
        is_changed |= is_word;
        rest = after;
    }
    new.push_str(rest);
    is_changed.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_words() {
        let to = |text| with(text, "ana", "x");
        assert_eq!(to("/home/ana/project").as_deref(), Some("/home/x/project"));
        assert_eq!(
            to("ana and ana, not anatomy or banana").as_deref(),
            Some("x and x, not anatomy or banana")
        );
        assert_eq!(to("banana"), None);
        assert_eq!(with("", "ana", "x"), None);
        assert_eq!(with("text", "", "x"), None);
        assert_eq!(with("a (ü) b", "ü", "x").as_deref(), Some("a (x) b"));
    }
}
