//! Gemini CLI: variables in its own `.env`, sign-in, model and our tools in `settings.json`.
//!
//! Naming a model switches its own router off.

use std::path::Path;

use super::{ANY_KEY, AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    Plan::default()
        .file(
            folder.join(".env"),
            Format::DotEnv,
            vec![
                Change::set(&["GOOGLE_GEMINI_BASE_URL"], point.gateway.as_str()),
                Change::offer(&["GEMINI_API_KEY"], ANY_KEY),
            ],
        )
        .file(
            folder.join("settings.json"),
            Format::Json,
            vec![
                Change::set(&["security", "auth", "selectedType"], "gemini-api-key"),
                Change::set(&["model", "name"], AUTO),
                Change::set(&["mcpServers", "wayproof"], point.tools()),
            ],
        )
}
