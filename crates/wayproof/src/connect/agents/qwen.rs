//! Qwen Code: variables, sign-in, model and our tools in `settings.json`.

use std::path::Path;

use super::{ANY_KEY, AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    Plan::default().file(
        folder.join("settings.json"),
        Format::Json,
        vec![
            Change::set(&["security", "auth", "selectedType"], "openai"),
            Change::set(&["security", "auth", "baseUrl"], point.v1()),
            Change::set(&["security", "auth", "apiKey"], ANY_KEY),
            Change::set(&["model", "name"], AUTO),
            Change::set(&["mcpServers", "wayproof"], point.tools()),
        ],
    )
}
