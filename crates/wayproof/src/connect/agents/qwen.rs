//! Qwen Code: variables, sign-in, model, stop hook and our tools in `settings.json`.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    // From 1000 on it takes seconds for milliseconds.
    let hook =
        json!({"hooks": [{"type": "command", "command": point.stop_command(), "timeout": 999}]});
    Plan::default().file(
        folder.join("settings.json"),
        Format::Json,
        vec![
            Change::set(&["security", "auth", "selectedType"], "openai"),
            Change::set(&["security", "auth", "baseUrl"], point.v1()),
            Change::set(&["security", "auth", "apiKey"], point.key()),
            Change::set(&["model", "name"], AUTO),
            Change::item(&["hooks", "Stop"], hook),
            Change::set(&["mcpServers", "wayproof"], point.tools()),
        ],
    )
}
