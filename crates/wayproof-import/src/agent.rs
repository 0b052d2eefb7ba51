//! The formats of logs, one file an agent, and what they have in common.

mod claude_code;
mod cline;
mod codex;
mod copilot;
mod gemini;
mod opencode;
mod pi;
mod qwen;

use std::fmt;
use std::path::{Path, PathBuf};

use wayproof_wire::Agent;

pub(crate) use self::opencode::read as read_opencode;
use crate::sink::Sink;

/// An agent whose logs can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Claude Code.
    ClaudeCode,
    /// Codex.
    Codex,
    /// GitHub Copilot CLI.
    Copilot,
    /// Gemini CLI.
    Gemini,
    /// opencode.
    Opencode,
    /// Qwen Code.
    Qwen,
    /// pi.
    Pi,
    /// Cline.
    Cline,
}

/// How a file of logs is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A record a line; lines are only added.
    Lines,
    /// One JSON document, written anew each time.
    Document,
    /// An SQLite database.
    Database,
}

impl Source {
    /// Every agent whose logs can be read.
    pub const ALL: [Self; 8] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::Copilot,
        Self::Gemini,
        Self::Opencode,
        Self::Qwen,
        Self::Pi,
        Self::Cline,
    ];

    /// The agent's name in records, the same as for what passes through the gateway.
    pub fn agent(self) -> &'static str {
        match self {
            Self::ClaudeCode => Agent::ClaudeCode,
            Self::Codex => Agent::Codex,
            Self::Copilot => Agent::Copilot,
            Self::Gemini => Agent::GeminiCli,
            Self::Opencode => Agent::Opencode,
            Self::Qwen => Agent::Qwen,
            Self::Pi => Agent::Pi,
            Self::Cline => Agent::Cline,
        }
        .name()
    }

    /// The folder below the home where its logs are.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::ClaudeCode => ".claude/projects",
            Self::Codex => ".codex/sessions",
            Self::Copilot => ".copilot/session-state",
            Self::Gemini => ".gemini/tmp",
            Self::Opencode => ".local/share/opencode",
            Self::Qwen => ".qwen/projects",
            Self::Pi => ".pi/agent/sessions",
            Self::Cline => ".cline/data/sessions",
        }
    }

    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Opencode => Shape::Database,
            Self::Cline => Shape::Document,
            _ => Shape::Lines,
        }
    }

    /// Whether a file below the folder is a log of sessions.
    pub(crate) fn is_log(self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name else { return false };
        let is_lines = name.ends_with(".jsonl");
        let is_below = |folder: &str| {
            path.parent()
                .and_then(Path::file_name)
                .is_some_and(|parent| parent == folder)
        };
        match self {
            Self::ClaudeCode | Self::Pi => is_lines,
            Self::Codex => is_lines && name.starts_with("rollout-"),
            Self::Copilot => name == "events.jsonl",
            Self::Gemini => is_lines && name.starts_with("session-") && is_below("chats"),
            Self::Qwen => is_lines && is_below("chats"),
            Self::Cline => name.ends_with(".messages.json"),
            Self::Opencode => name == "opencode.db",
        }
    }

    /// A reader for one file, that goes on from what it remembers.
    pub(crate) fn reader(self, path: &Path, state: Option<&str>) -> Box<dyn Format> {
        match self {
            Self::ClaudeCode => Box::new(claude_code::Reader),
            Self::Codex => Box::new(codex::Reader::new(state)),
            Self::Copilot => Box::new(copilot::Reader::new(path, state)),
            Self::Gemini => Box::new(gemini::Reader::new(state)),
            Self::Qwen => Box::new(qwen::Reader::new(state)),
            Self::Pi => Box::new(pi::Reader::new(path, state)),
            Self::Cline => Box::new(cline::Reader),
            // Databases are read by queries; a line of one is nothing.
            Self::Opencode => Box::new(Nothing),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.agent())
    }
}

/// Reads one format.
pub(crate) trait Format: Send {
    /// Takes in one record.
    fn record(&mut self, text: &[u8], sink: &mut Sink);

    /// What it has to remember until more is written.
    fn state(&self) -> Option<String> {
        None
    }
}

struct Nothing;

impl Format for Nothing {
    fn record(&mut self, _: &[u8], _: &mut Sink) {}
}

/// The name of a file without its kind, which many agents name a session by.
pub(crate) fn stem(path: &Path) -> Option<String> {
    let stem = PathBuf::from(path.file_stem()?);
    let text = stem.to_str()?;
    crate::lenient::kept(text).map(String::from)
}

/// What is left of a total without its parts.
pub(crate) fn rest(total: Option<u64>, parts: &[Option<u64>]) -> Option<u64> {
    let known = parts
        .iter()
        .flatten()
        .fold(0_u64, |sum, part| sum.saturating_add(*part));
    total.map(|total| total.saturating_sub(known))
}

/// A record that its reader cannot read.
pub(crate) const UNREADABLE: &str = "a record that is no JSON of this format";
