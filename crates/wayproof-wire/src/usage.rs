//! Token counts of an answer in buckets that do not overlap.
//!
//! Every dialect nests its counts differently; here each token is in exactly one bucket. It refuses to invent: what a
//! provider does not report stays `None`, never zero.

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Tokens by the way they are billed. A token is in one bucket only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input that was neither read from nor written to a cache.
    pub input: Option<u64>,
    /// Input read from a cache.
    pub cache_read: Option<u64>,
    /// Input written to a cache with the provider's shorter or only lifetime.
    pub cache_write_5m: Option<u64>,
    /// Input written to a cache for an hour.
    pub cache_write_1h: Option<u64>,
    /// Output without reasoning, or with it where the provider does not tell them apart.
    pub output: Option<u64>,
    /// Reasoning output, where the provider tells it apart.
    pub reasoning: Option<u64>,
}

impl Usage {
    /// Whether nothing was reported.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// All input tokens, cached ones included; `None` when no input was reported.
    pub fn total_input(&self) -> Option<u64> {
        let cached = [self.cache_read, self.cache_write_5m, self.cache_write_1h];
        let cached = cached.into_iter().flatten().fold(0, u64::saturating_add);
        self.input.map(|input| input.saturating_add(cached))
    }

    /// All output tokens, reasoning included; `None` when no output was reported.
    pub fn total_output(&self) -> Option<u64> {
        let reasoning = self.reasoning.unwrap_or(0);
        self.output.map(|output| output.saturating_add(reasoning))
    }

    /// Later counts replace earlier ones bucket by bucket; streams repeat their totals.
    #[must_use]
    pub fn updated_by(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            cache_read: later.cache_read.or(self.cache_read),
            cache_write_5m: later.cache_write_5m.or(self.cache_write_5m),
            cache_write_1h: later.cache_write_1h.or(self.cache_write_1h),
            output: later.output.or(self.output),
            reasoning: later.reasoning.or(self.reasoning),
        }
    }

    /// Anthropic: `input_tokens` leaves cached tokens out; a write without a lifetime is a short one.
    pub(crate) fn from_messages(usage: Json<'_>) -> Self {
        let lifetime = |name: &str| count(usage, &["cache_creation", name]);
        let short = lifetime("ephemeral_5m_input_tokens");
        let long = lifetime("ephemeral_1h_input_tokens");
        let written = count(usage, &["cache_creation_input_tokens"]);
        Self {
            input: count(usage, &["input_tokens"]),
            cache_read: count(usage, &["cache_read_input_tokens"]),
            cache_write_5m: short.or_else(|| rest(written, &[long])),
            cache_write_1h: long,
            output: count(usage, &["output_tokens"]),
            reasoning: None,
        }
    }

    /// OpenAI Chat: `prompt_tokens` has cached tokens in it, `completion_tokens` has reasoning in it.
    pub(crate) fn from_chat(usage: Json<'_>) -> Self {
        let prompt = count(usage, &["prompt_tokens"]);
        let read = count(usage, &["prompt_tokens_details", "cached_tokens"])
            .or_else(|| count(usage, &["prompt_cache_hit_tokens"]));
        let written = count(usage, &["prompt_tokens_details", "cache_write_tokens"]);
        let completion = count(usage, &["completion_tokens"]);
        let reasoning = count(usage, &["completion_tokens_details", "reasoning_tokens"]);
        // Some providers count reasoning beside the completion; the total gives them away.
        let total = count(usage, &["total_tokens"]);
        let is_beside = reasoning.is_some_and(|tokens| tokens > 0)
            && total.is_some()
            && total == sum(&[prompt, completion, reasoning]);
        Self {
            input: rest(prompt, &[read, written]),
            cache_read: read,
            cache_write_5m: written,
            cache_write_1h: None,
            output: if is_beside {
                completion
            } else {
                rest(completion, &[reasoning])
            },
            reasoning,
        }
    }

    /// OpenAI Responses: as Chat, under other names.
    pub(crate) fn from_responses(usage: Json<'_>) -> Self {
        let read = count(usage, &["input_tokens_details", "cached_tokens"]);
        let written = count(usage, &["input_tokens_details", "cache_write_tokens"]);
        let reasoning = count(usage, &["output_tokens_details", "reasoning_tokens"]);
        Self {
            input: rest(count(usage, &["input_tokens"]), &[read, written]),
            cache_read: read,
            cache_write_5m: written,
            cache_write_1h: None,
            output: rest(count(usage, &["output_tokens"]), &[reasoning]),
            reasoning,
        }
    }

    /// Gemini: the prompt has cached tokens in it, thoughts stand beside the candidates.
    pub(crate) fn from_gemini(usage: Json<'_>) -> Self {
        let prompt = count(usage, &["promptTokenCount"]);
        let tools = count(usage, &["toolUsePromptTokenCount"]);
        let read = count(usage, &["cachedContentTokenCount"]);
        Self {
            input: rest(
                prompt.map(|prompt| prompt.saturating_add(tools.unwrap_or(0))),
                &[read],
            ),
            cache_read: read,
            cache_write_5m: None,
            cache_write_1h: None,
            output: count(usage, &["candidatesTokenCount"]),
            reasoning: count(usage, &["thoughtsTokenCount"]),
        }
    }

    /// Ollama puts its counts beside the message.
    pub(crate) fn from_ollama(answer: Json<'_>) -> Self {
        Self {
            input: count(answer, &["prompt_eval_count"]),
            output: count(answer, &["eval_count"]),
            ..Self::default()
        }
    }
}

fn count(usage: Json<'_>, path: &[&str]) -> Option<u64> {
    usage.path(path)?.integer()
}

fn sum(counts: &[Option<u64>]) -> Option<u64> {
    counts
        .iter()
        .try_fold(0_u64, |sum, count| sum.checked_add((*count)?))
}

/// What remains of a total without its known parts.
fn rest(total: Option<u64>, parts: &[Option<u64>]) -> Option<u64> {
    let known = parts
        .iter()
        .flatten()
        .fold(0_u64, |sum, part| sum.saturating_add(*part));
    total.map(|total| total.saturating_sub(known))
}
