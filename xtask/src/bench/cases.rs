//! The cases of the benchmark, with the limits that the design sets for them.

use super::{
    bodies::{Size, Speech},
    load::Vary,
};

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// The next request goes when the last is answered, on each connection.
    Closed { connections: usize },
    /// Requests are due at a constant rate.
    Rate { per_second: f64 },
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) speech: Speech,
    pub(crate) size: Size,
    pub(crate) is_streaming: bool,
    pub(crate) mode: Mode,
    pub(crate) vary: Vary,
    /// The protocol that the gateway asks its provider in, where it has to translate.
    pub(crate) asked_in: Option<&'static str>,
    /// CPU-seconds per 1,000 requests at the most.
    pub(crate) cpu_limit: Option<f64>,
    /// Live pages of the dashboard that are open meanwhile; only the gateway has them.
    pub(crate) live_pages: usize,
}

/// The cases that are measured once more with live pages open: at full load, and at a constant rate.
pub(crate) const WATCHED: &str = "messages-143k-c32";
pub(crate) const WITH_LIVE_PAGES: &str = "messages-143k-c32-500-live-pages";
pub(crate) const WATCHED_RATE: &str = "messages-143k-rate";
pub(crate) const RATE_WITH_LIVE_PAGES: &str = "messages-143k-rate-500-live-pages";

impl Case {
    /// What nginx took where the limits were set, in CPU-seconds per 1,000 requests. The limit over this is how
    /// many times nginx a gateway may take on any machine.
    pub(crate) fn nginx_then(&self) -> f64 {
        match (self.size, self.is_streaming) {
            (Size::Small, _) => 0.012,
            (Size::Agentic, false) => 0.03,
            (Size::Agentic, true) => 0.20,
            (Size::Huge, _) => 0.27,
        }
    }
}

const fn closed(
    name: &'static str,
    speech: Speech,
    size: Size,
    connections: usize,
    cpu_limit: f64,
) -> Case {
    Case {
        name,
        speech,
        size,
        is_streaming: false,
        mode: Mode::Closed { connections },
        vary: Vary::Conversation,
        asked_in: None,
        cpu_limit: Some(cpu_limit),
        live_pages: 0,
    }
}

const fn turn(name: &'static str, size: Size, connections: usize, cpu_limit: f64) -> Case {
    Case {
        vary: Vary::Turn,
        ..closed(name, Speech::Messages, size, connections, cpu_limit)
    }
}

/// A case of Messages whose provider speaks another protocol; nginx passes it through as it is.
const fn translated(case: Case, name: &'static str, asked_in: &'static str) -> Case {
    Case {
        name,
        asked_in: Some(asked_in),
        cpu_limit: Some(0.45),
        ..case
    }
}

const AGENTIC: Case = closed("", Speech::Messages, Size::Agentic, 8, 0.45);

const fn stream(name: &'static str, speech: Speech) -> Case {
    Case {
        is_streaming: true,
        ..closed(name, speech, Size::Agentic, 8, 0.35)
    }
}

const fn rate(name: &'static str, size: Size, per_second: f64, is_streaming: bool) -> Case {
    Case {
        name,
        speech: Speech::Messages,
        size,
        is_streaming,
        mode: Mode::Rate { per_second },
        vary: Vary::Conversation,
        asked_in: None,
        cpu_limit: None,
        live_pages: 0,
    }
}

/// Every case, in the order of the report.
pub(crate) const CASES: [Case; 20] = [
    closed("messages-1k-c32", Speech::Messages, Size::Small, 32, 0.05),
    closed("chat-1k-c32", Speech::Chat, Size::Small, 32, 0.05),
    closed("messages-143k-c1", Speech::Messages, Size::Agentic, 1, 0.15),
    closed(WATCHED, Speech::Messages, Size::Agentic, 32, 0.15),
    Case {
        live_pages: 500,
        cpu_limit: None,
        ..closed(WITH_LIVE_PAGES, Speech::Messages, Size::Agentic, 32, 0.15)
    },
    closed("chat-143k-c32", Speech::Chat, Size::Agentic, 32, 0.15),
    turn("messages-143k-turn-c8", Size::Agentic, 8, 0.09),
    closed("messages-1m-c4", Speech::Messages, Size::Huge, 4, 1.0),
    turn("messages-1m-turn-c4", Size::Huge, 4, 0.5),
    stream("messages-stream-c8", Speech::Messages),
    stream("chat-stream-c8", Speech::Chat),
    stream("responses-stream-c8", Speech::Responses),
    translated(AGENTIC, "messages-143k-to-chat-c8", "chat"),
    translated(AGENTIC, "messages-143k-to-responses-c8", "responses"),
    Case {
        cpu_limit: Some(0.65),
        ..translated(
            stream("", Speech::Messages),
            "messages-stream-to-chat-c8",
            "chat",
        )
    },
    rate(WATCHED_RATE, Size::Agentic, 20.0, false),
    Case {
        live_pages: 500,
        ..rate(RATE_WITH_LIVE_PAGES, Size::Agentic, 20.0, false)
    },
    rate("messages-1k-rate", Size::Small, 50.0, false),
    rate("messages-stream-rate", Size::Agentic, 8.0, true),
    Case {
        cpu_limit: None,
        ..translated(
            rate("", Size::Agentic, 8.0, true),
            "messages-stream-to-chat-rate",
            "chat",
        )
    },
];

impl Case {
    /// The headers of an agent that speaks the protocol.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let headers: &[(&str, &str)] = match self.speech {
            Speech::Messages => &[
                ("x-api-key", "benchmark"),
                ("anthropic-version", "2023-06-01"),
                (
                    "anthropic-beta",
                    "interleaved-thinking-2025-05-14,context-management-2025-06-27",
                ),
                ("user-agent", "claude-cli/2.1.330 (external, cli)"),
            ],
            Speech::Chat => &[
                ("authorization", "Bearer benchmark"),
                ("user-agent", "bench/1"),
            ],
            Speech::Responses => &[
                ("authorization", "Bearer benchmark"),
                ("user-agent", "codex_exec/0.169.0"),
            ],
        };
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }
}
