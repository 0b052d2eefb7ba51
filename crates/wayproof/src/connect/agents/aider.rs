//! aider: `.aider.conf.yml` in the home directory.

use std::path::Path;

use super::{ANY_KEY, AUTO, Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let model = format!("openai/{AUTO}");
    Plan::default().file(
        folder.join(".aider.conf.yml"),
        Format::Yaml,
        vec![
            Change::set(&["openai-api-base"], point.v1()),
            Change::offer(&["openai-api-key"], ANY_KEY),
            Change::set(&["model"], model.as_str()),
            Change::offer(&["weak-model"], model.as_str()),
            Change::offer(&["show-model-warnings"], false),
        ],
    )
}
