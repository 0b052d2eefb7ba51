//! Gemini CLI: variables in its own `.env`, sign-in, model, stop hook and our tools in `settings.json`.
//!
//! Naming a model switches its own router off.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    // Its timeouts are milliseconds.
    let hook = json!({"hooks": [{
        "name": "wayproof", "type": "command", "command": point.stop_command(), "timeout": 3_600_000,
    }]});
    Plan::default()
        .file(
            folder.join(".env"),
            Format::DotEnv,
            vec![
                Change::set(&["GOOGLE_GEMINI_BASE_URL"], point.gateway.as_str()),
                point.key_at(&["GEMINI_API_KEY"]),
            ],
        )
        .file(
            folder.join("settings.json"),
            Format::Json,
            vec![
                Change::set(&["security", "auth", "selectedType"], "gemini-api-key"),
                Change::set(&["model", "name"], AUTO),
                Change::item(&["hooks", "AfterAgent"], hook),
                Change::set(&["mcpServers", "wayproof"], point.tools()),
            ],
        )
}
