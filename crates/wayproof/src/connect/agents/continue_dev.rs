//! Continue: a model in `config.yaml`.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let model = json!({
        "name": "Wayproof", "provider": "openai", "model": AUTO, "apiBase": point.v1(), "apiKey": point.key(),
        "roles": ["chat", "edit", "apply"], "capabilities": ["tool_use"],
    });
    Plan::default()
        .file(
            folder.join("config.yaml"),
            Format::Yaml,
            vec![
                Change::offer(&["name"], "Local"),
                Change::offer(&["version"], "1.0.0"),
                Change::offer(&["schema"], "v1"),
                Change::item(&["models"], model),
            ],
        )
        .step("Choose Wayproof among Continue's models.")
}
