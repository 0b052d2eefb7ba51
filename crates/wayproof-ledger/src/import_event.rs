//! Events that come from agents' own session logs and not from the gateway.
//!
//! They are kinds of their own, so nobody takes what an agent wrote down for what the gateway saw.

use serde::{Deserialize, Serialize};
use wayproof_wire::Usage;

use crate::event::Cost;

/// An answer that an agent's log tells of and the gateway has not seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExchangeImported {
    /// The coding harness whose log it is.
    pub agent: String,
    /// The log's own name for the answer; one answer is imported once.
    pub source_id: String,
    /// The provider's name for the exchange, where the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    /// The model the agent asked for, where that is not the one that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_model: Option<String>,
    /// Who served the model, as the agent calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens, where the log has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost.
    #[serde(default)]
    pub cost: Cost,
    /// The catalog the listed price comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_digest: Option<String>,
    /// Why the model stopped, in the log's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// The agent below the main one that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
}

/// What an agent did, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Asks of the user.
    pub asks: u64,
    /// Tools called.
    pub tool_calls: u64,
    /// Tools that reported a failure.
    pub tool_failures: u64,
    /// Files changed by a tool of the agent, once a change.
    pub edits: u64,
    /// Lines added by them, where the log counts.
    pub lines_added: u64,
    /// Lines removed by them.
    pub lines_removed: u64,
    /// Tool calls that were allowed, by the user or by a rule.
    pub accepted: u64,
    /// Tool calls that were rejected.
    pub rejected: u64,
}

impl Activity {
    /// Whether nothing was counted.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another part of the log tells.
    pub fn add(&mut self, other: &Self) {
        self.asks += other.asks;
        self.tool_calls += other.tool_calls;
        self.tool_failures += other.tool_failures;
        self.edits += other.edits;
        self.lines_added += other.lines_added;
        self.lines_removed += other.lines_removed;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
    }
}

/// A part of a log that could not be taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGap {
    /// Where it begins, in bytes; for logs that are no text the number of the entry.
    pub at: u64,
    /// Why, in a few words.
    pub why: String,
}

/// A stretch of a log was read to its end; what it held is recorded before this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogRead {
    /// The coding harness whose log it is.
    pub agent: String,
    /// The file, below the user's home.
    pub file: String,
    /// Where reading began.
    pub from: u64,
    /// Where it goes on the next time.
    pub to: u64,
    /// Answers recorded.
    pub imported: u64,
    /// Answers that were recorded by an earlier import.
    pub known: u64,
    /// Answers that the gateway had seen.
    pub proxied: u64,
    /// What the agent did in it.
    #[serde(default)]
    pub activity: Activity,
    /// The first parts that could not be taken in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<LogGap>,
    /// How many there were.
    #[serde(default)]
    pub gap_count: u64,
    /// What the reader has to remember until it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}
