//! pi: a provider in `models.json`, and which model it starts with in `settings.json`.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let provider = json!({
        "baseUrl": point.v1(), "api": "openai-completions", "apiKey": point.key(),
        "models": [{
            "id": AUTO, "name": "Wayproof", "reasoning": true, "input": ["text", "image"],
            "contextWindow": point.limits.window_tokens, "maxTokens": point.limits.output_tokens,
            "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        }],
    });
    Plan::default()
        .file(
            folder.join("models.json"),
            Format::Json,
            vec![Change::set(&["providers", "wayproof"], provider)],
        )
        .file(
            folder.join("settings.json"),
            Format::Json,
            vec![
                Change::set(&["defaultProvider"], "wayproof"),
                Change::set(&["defaultModel"], AUTO),
            ],
        )
}
