//! opencode: a provider with its models, which have to be listed, and our tools in `opencode.json`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point, Surroundings, existing};

pub(super) fn plan(folder: &Path, around: &Surroundings<'_>, point: &Point) -> Plan {
    let named = (around.variable)("OPENCODE_CONFIG").filter(|_| around.folder.is_none());
    let file = named
        .map(PathBuf::from)
        .unwrap_or_else(|| existing(folder.join("opencode.json"), &folder.join("opencode.jsonc")));
    let provider = json!({
        "name": "Wayproof", "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": point.v1(), "apiKey": point.key()},
        "models": {AUTO: {
            "name": "Wayproof", "tool_call": true, "reasoning": true,
            "limit": {"context": point.limits.window_tokens, "output": point.limits.output_tokens},
        }},
    });
    let tools = json!({"type": "local", "command": [point.program.to_string_lossy(), "mcp"], "enabled": true});
    Plan::default().file(
        file,
        Format::Json,
        vec![
            Change::set(&["provider", "wayproof"], provider),
            Change::set(&["model"], format!("wayproof/{AUTO}")),
            Change::set(&["mcp", "wayproof"], tools),
        ],
    )
}
