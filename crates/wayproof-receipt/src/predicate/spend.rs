//! The spend predicate: what the work cost, by session and model.
//! Unknown usage or price is left out and counted, never written as zero.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// What a cost figure rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PriceBasis {
    /// A price list.
    Listed,
    /// A bill.
    Billed,
    /// A share of a subscription.
    Subscription,
    /// Nothing that is known.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What one model did in a session. Token buckets are disjoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelSpend {
    /// The model that was asked for.
    pub requested: String,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<String>,
    /// Who served it.
    pub provider: String,
    /// Exchanges.
    pub calls: u64,
    /// Exchanges whose usage is known.
    pub calls_with_usage: u64,
    /// Fresh input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Input tokens read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Input tokens written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Output tokens without reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Reasoning tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Cost in billionths of a US dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_nano_usd: Option<i64>,
    /// What the cost rests on.
    pub price_basis: PriceBasis,
}

/// One agent's session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentSession {
    /// The agent.
    pub agent: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The session.
    pub session_id: String,
    /// What each model did.
    pub models: Vec<ModelSpend>,
}

/// A move to another class.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Escalation {
    /// The class before.
    pub from: String,
    /// The class after.
    pub to: String,
    /// The cause.
    pub cause: String,
    /// The ledger entry that records it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_index: Option<u64>,
}

/// How full a subscription window was, in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaWindow {
    /// The window.
    pub window: String,
    /// Share used before the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_permille: Option<u32>,
    /// Share used after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_permille: Option<u32>,
    /// When the window begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Time>,
    /// Who says so.
    pub source: String,
}

/// What a change cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spend {
    /// The sessions that worked on it.
    pub sessions: Vec<AgentSession>,
    /// Moves between classes, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// Subscription windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota: Vec<QuotaWindow>,
    /// Seconds from the first exchange to the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<u64>,
    /// Seconds in which something happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_seconds: Option<u64>,
    /// A person's minutes, where somebody wrote them down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human_minutes: Option<u64>,
    /// Whether other changes share this cost.
    #[serde(rename = "shared")]
    pub is_shared: bool,
}

/// A total that knows whether parts of it are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpendTotal {
    /// Sum of the known costs in billionths of a US dollar; `None` if none is known.
    pub cost_nano_usd: Option<i128>,
    /// Exchanges.
    pub calls: u64,
    /// Exchanges whose usage is known.
    pub calls_with_usage: u64,
    /// Whether every model's cost is known.
    pub is_whole: bool,
}

impl Spend {
    /// Adds up what is known.
    pub fn total(&self) -> SpendTotal {
        let empty = SpendTotal {
            is_whole: true,
            ..SpendTotal::default()
        };
        self.sessions
            .iter()
            .flat_map(|session| &session.models)
            .fold(empty, |total, model| {
                let known = model.cost_nano_usd.map(i128::from);
                SpendTotal {
                    cost_nano_usd: match (total.cost_nano_usd, known) {
                        (Some(sum), Some(cost)) => Some(sum + cost),
                        (sum, cost) => sum.or(cost),
                    },
                    calls: total.calls.saturating_add(model.calls),
                    calls_with_usage: total
                        .calls_with_usage
                        .saturating_add(model.calls_with_usage),
                    is_whole: total.is_whole
                        && known.is_some()
                        && model.calls == model.calls_with_usage,
                }
            })
    }
}
