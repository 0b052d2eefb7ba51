//! The catalog as it is written: JSON with a model a line.

use serde::{Deserialize, Serialize};
use wayproof_wire::{Refuses, ThinkingStyle};

/// The file as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) source: String,
    pub(crate) date: String,
    pub(crate) providers: Vec<FileProvider>,
}

/// A provider as it is written. `fallback` names providers whose models it also serves, at their prices.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileProvider {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fallback: Vec<String>,
    pub(crate) models: Vec<FileModel>,
}

/// A model as it is written. The first model of a provider with a matching pattern wins.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileModel {
    pub(crate) id: String,
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) patterns: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<u64>,
    /// Tokens of an answer at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<u64>,
    /// What it takes: text, image, pdf, audio, video.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) takes: Vec<String>,
    /// What it gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gives: Vec<String>,
    /// Whether it calls tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<bool>,
    /// Whether it thinks before it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning: Option<bool>,
    /// The efforts that may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) efforts: Vec<String>,
    /// How it is asked to think, where there is more than one way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<ThinkingStyle>,
    /// What it refuses.
    #[serde(default, skip_serializing_if = "Refuses::is_nothing")]
    pub(crate) refuses: Refuses,
    /// Until when it knows the world, as `2025-07` or `2025-07-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) knowledge: Option<String>,
    /// Where the row comes from, when it is not the catalog's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prices: Vec<FilePrice>,
}

/// Prices as they are written; of several, the last that applies wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilePrice {
    /// First day, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Minutes of the day, UTC, between which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily: Option<(u16, u16)>,
    /// Steps, by rising input: more tokens than, then nano-dollars per million tokens of input, output, cache read,
    /// cache write for five minutes, cache write for an hour, reasoning.
    pub(crate) steps: Vec<FileStep>,
}

pub(crate) type FileStep = (
    u64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl FileModel {
    /// Takes from another row what this one is silent about; prices stay.
    pub(crate) fn fill(&mut self, other: &Self) {
        self.window = self.window.or(other.window);
        self.output = self.output.or(other.output);
        self.tools = self.tools.or(other.tools);
        self.reasoning = self.reasoning.or(other.reasoning);
        self.thinking = self.thinking.or(other.thinking);
        if self.refuses.is_nothing() {
            self.refuses = other.refuses;
        }
        self.knowledge = self.knowledge.take().or_else(|| other.knowledge.clone());
        for (list, other) in [
            (&mut self.takes, &other.takes),
            (&mut self.gives, &other.gives),
            (&mut self.efforts, &other.efforts),
        ] {
            if list.is_empty() {
                list.clone_from(other);
            }
        }
    }
}
