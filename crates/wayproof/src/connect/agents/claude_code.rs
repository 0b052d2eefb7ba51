//! Claude Code: variables, stop hook and status line in `settings.json`, our tools in `.claude.json`.
//!
//! The model stays the user's: whatever it is called, the policy says where it goes.

use std::path::Path;

use serde_json::json;

use super::{Change, Format, KEY_HEADER, Plan, Point, Surroundings};

pub(super) fn plan(folder: &Path, around: &Surroundings<'_>, point: &Point) -> Plan {
    let mut changes = vec![
        Change::set(&["env", "ANTHROPIC_BASE_URL"], point.gateway.as_str()),
        Change::set(&["env", "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"], "1"),
    ];
    match &point.key {
        // A sign-in stays in its own header, so the key goes beside it.
        Some(key) if point.keeps_sign_in => changes.push(Change::set(
            &["env", "ANTHROPIC_CUSTOM_HEADERS"],
            format!("{KEY_HEADER}: {key}"),
        )),
        None if point.keeps_sign_in => {}
        Some(_) | None => changes.push(point.key_at(&["env", "ANTHROPIC_AUTH_TOKEN"])),
    }
    changes.push(Change::item(&["hooks", "Stop"], point.stop_hook()));
    let line = json!({"type": "command", "command": point.command("statusline")});
    changes.push(Change::offer(&["statusLine"], line));
    // The file of servers stands beside the folder, unless the folder was chosen.
    let is_chosen = around.folder.is_some() || (around.variable)("CLAUDE_CONFIG_DIR").is_some();
    let beside = if is_chosen { folder } else { &around.home };
    let mut tools = point.tools();
    tools["type"] = json!("stdio");
    Plan::default()
        .file(folder.join("settings.json"), Format::Json, changes)
        .file(
            beside.join(".claude.json"),
            Format::Json,
            vec![Change::set(&["mcpServers", "wayproof"], tools)],
        )
}
