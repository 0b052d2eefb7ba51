//! Codex: a provider and our tools in `config.toml`, a stop hook in `hooks.json`.
//!
//! The model's name decides which tools Codex offers; one of ours makes it use plain tools that every model can serve.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, KEY_HEADER, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let mut provider = json!({
        "name": "wayproof", "base_url": point.v1(), "wire_api": "responses", "supports_websockets": true,
    });
    if point.keeps_sign_in {
        provider["requires_openai_auth"] = json!(true);
    }
    if let Some(key) = &point.key {
        provider["http_headers"] = json!({KEY_HEADER: key});
    }
    Plan::default()
        .file(
            folder.join("config.toml"),
            Format::Toml,
            vec![
                Change::set(&["model"], AUTO),
                Change::set(&["model_provider"], "wayproof"),
                Change::set(&["model_providers", "wayproof"], provider),
                Change::set(&["mcp_servers", "wayproof"], point.tools()),
            ],
        )
        .file(
            folder.join("hooks.json"),
            Format::Json,
            vec![Change::item(&["hooks", "Stop"], point.stop_hook())],
        )
        .step("Codex runs a hook only after it was trusted: start `codex` once and accept the stop hook under /hooks.")
}
