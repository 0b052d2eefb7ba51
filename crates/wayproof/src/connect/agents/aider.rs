//! aider: `.aider.conf.yml` in the home directory.

use std::path::Path;

use super::{AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let model = format!("openai/{AUTO}");
    Plan::default().file(
        folder.join(".aider.conf.yml"),
        Format::Yaml,
        vec![
            Change::set(&["openai-api-base"], point.v1()),
            point.key_at(&["openai-api-key"]),
            Change::set(&["model"], model.as_str()),
            Change::offer(&["weak-model"], model.as_str()),
            Change::offer(&["show-model-warnings"], false),
        ],
    )
}
