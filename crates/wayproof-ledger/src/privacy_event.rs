//! Events about what was captured beside the log, and about what was forgotten of it.

use serde::{Deserialize, Serialize};
use wayproof_engine::Capture;

/// A body was kept beside the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentCaptured {
    /// `request` or `answer`.
    pub part: String,
    /// Whether secrets were taken out of it.
    pub capture: Capture,
    /// SHA-256 of what is kept, in hexadecimal. It has a random part, so it tells nothing of the body once that is gone.
    pub content_digest: String,
    /// The body's length.
    pub bytes: u64,
    /// Whether only its beginning is kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_cut: bool,
    /// The person whose key it came with, else the key's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// The words of events about a person or a conversation were taken out. Their hashes stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectForgotten {
    /// `session` or `person`.
    pub subject: String,
    /// SHA-256 of the list of events whose texts were replaced and of contents that went, in hexadecimal.
    pub list_digest: String,
    /// Events whose texts were replaced.
    pub events: i64,
    /// Contents that were taken out.
    pub contents: i64,
}
