//! Cline: its provider in `data/settings/providers.json`, as `cline auth` writes it.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{AUTO, Change, Format, Plan, Point, Surroundings};

pub(super) fn plan(folder: &Path, around: &Surroundings<'_>, point: &Point) -> Plan {
    let named = (around.variable)("CLINE_DATA_DIR").filter(|_| around.folder.is_none());
    let data = named.map_or_else(|| folder.join("data"), PathBuf::from);
    let settings = json!({
        "provider": "openai-compatible", "apiKey": point.key(), "model": AUTO, "baseUrl": point.v1(),
    });
    Plan::default()
        .file(
            data.join("settings/providers.json"),
            Format::Json,
            vec![
                Change::offer(&["version"], 1),
                Change::set(&["lastUsedProvider"], "openai-compatible"),
                Change::set(&["providers", "openai-compatible", "settings"], settings),
                Change::offer(
                    &["providers", "openai-compatible", "updatedAt"],
                    "2026-11-29T00:00:00.000Z",
                ),
                Change::offer(&["providers", "openai-compatible", "tokenSource"], "manual"),
            ],
        )
        .step("Cline's background process keeps the settings it was started with: end `cline` windows that are open.")
}
