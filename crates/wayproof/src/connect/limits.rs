//! How much the model that agents are pointed at can hold: agents that cannot ask have it in their settings.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use crate::gateway::http;

/// A list of models is short.
const PATIENCE: Duration = Duration::from_secs(5);

/// Limits of the model that means what the policy says: the smallest of the targets that a conversation may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Tokens of a conversation.
    pub(crate) window_tokens: u64,
    /// Tokens of an answer.
    pub(crate) output_tokens: u64,
}

impl Default for Limits {
    /// Where nobody can be asked: what every model of this day has that agents are used with.
    fn default() -> Self {
        Self {
            window_tokens: 200_000,
            output_tokens: 32_000,
        }
    }
}

impl Limits {
    /// What the gateway says, if it answers and knows; each that it does not know is the usual one.
    pub(crate) async fn of(gateway: &str, key: Option<&str>) -> Option<Self> {
        let url = format!("{gateway}/v1/models/wayproof%2Fauto");
        let headers: Vec<(&str, &str)> =
            key.map(|key| ("x-wayproof-key", key)).into_iter().collect();
        let answer = timeout(PATIENCE, http::get(&url, &headers))
            .await
            .ok()?
            .ok()?;
        if answer.status != 200 {
            return None;
        }
        Self::read(&serde_json::from_slice(&answer.body).ok()?)
    }

    fn read(model: &Value) -> Option<Self> {
        let usual = Self::default();
        let window = model["context_length"].as_u64();
        let output = model["top_provider"]["max_completion_tokens"].as_u64();
        window.or(output)?;
        let window_tokens = window.unwrap_or(usual.window_tokens);
        Some(Self {
            window_tokens,
            output_tokens: output.unwrap_or(usual.output_tokens).min(window_tokens),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Limits;

    #[test]
    fn what_is_not_known_is_the_usual_and_an_answer_fits_its_window() {
        let read =
            |model| Limits::read(&model).map(|limits| (limits.window_tokens, limits.output_tokens));
        let both =
            json!({"context_length": 1_000_000, "top_provider": {"max_completion_tokens": 64_000}});
        assert_eq!(read(both), Some((1_000_000, 64_000)));
        assert_eq!(read(json!({"context_length": 8_192})), Some((8_192, 8_192)));
        let output = json!({"top_provider": {"max_completion_tokens": 9}});
        assert_eq!(read(output), Some((200_000, 9)));
        assert_eq!(read(json!({"id": "m"})), None);
        assert_eq!(read(json!([])), None);
    }
}
