//! Claude Code: variables, stop hook and status line in `settings.json`.
//!
//! The model stays the user's: whatever it is called, the policy says where it goes.

use std::path::Path;

use serde_json::json;

use super::{ANY_KEY, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let mut changes = vec![
        Change::set(&["env", "ANTHROPIC_BASE_URL"], point.gateway.as_str()),
        Change::set(&["env", "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"], "1"),
    ];
    if !point.keeps_sign_in {
        changes.push(Change::offer(&["env", "ANTHROPIC_AUTH_TOKEN"], ANY_KEY));
    }
    changes.push(Change::item(&["hooks", "Stop"], point.stop_hook()));
    let line = json!({"type": "command", "command": point.command("statusline")});
    changes.push(Change::offer(&["statusLine"], line));
    Plan::default().file(folder.join("settings.json"), Format::Json, changes)
}
