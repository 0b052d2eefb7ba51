//! Copilot CLI: it takes a provider from the environment alone, so a file of ours beside its settings has the variables;
//! its stop hook stands in `settings.json`.

use std::path::Path;

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let file = folder.join("wayproof.env");
    let step = format!(
        "Copilot CLI takes its provider from the environment alone. Put this line into your shell's profile:\n  set -a; . '{}'; set +a",
        file.display()
    );
    let values = [
        ("COPILOT_PROVIDER_BASE_URL", point.v1()),
        ("COPILOT_PROVIDER_TYPE", "openai".to_owned()),
        ("COPILOT_PROVIDER_API_KEY", point.key().to_owned()),
        ("COPILOT_MODEL", AUTO.to_owned()),
    ];
    let changes = values
        .into_iter()
        .map(|(name, value)| Change::set(&[name], value));
    let hook = json!({"type": "command", "bash": point.stop_command(), "timeoutSec": 3600});
    let mut tools = point.tools();
    tools["type"] = json!("local");
    tools["tools"] = json!(["*"]);
    Plan::default()
        .file(file, Format::DotEnv, changes.collect())
        .file(
            folder.join("settings.json"),
            Format::Json,
            vec![Change::item(&["hooks", "agentStop"], hook)],
        )
        .file(
            folder.join("mcp-config.json"),
            Format::Json,
            vec![Change::set(&["mcpServers", "wayproof"], tools)],
        )
        .step(step)
}
