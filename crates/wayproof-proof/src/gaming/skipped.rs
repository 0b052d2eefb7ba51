//! G1: tests made to disappear: skipped, removed, filtered out, or shut out by an exclusive marker.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding, is_comment};
use crate::plan::Role;
use crate::run::Seen;

const EXCLUSIVE: &[&str] = &[".only(", "fdescribe(", "fit(", "only: true", "{only:true"];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lost in scene
        .outcomes
        .iter()
        .flat_map(|outcome| &outcome.lost)
        .filter(|lost| !lost.is_replaced)
    {
        let how = match lost.now {
            Seen::Skipped => "is skipped",
            Seen::Missing => "is gone",
            Seen::Red(_) | Seen::Green => continue,
        };
        let path = crate::runner::file_of(&lost.id).to_owned();
        findings.push(finding(
            "G1",
            Severity::High,
            &path,
            None,
            format!("{} passed before the change and {how} now", lost.id),
        ));
    }
    for change in scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Test && is_script(&change.path))
    {
        for line in added_lines(change) {
            let text = line.text.trim_start();
            let is_exclusive = EXCLUSIVE.iter().any(|marker| match *marker {
                "fit(" | "fdescribe(" => text.starts_with(marker),
                other => text.contains(other),
            });
            if is_exclusive && !is_comment(text) {
                findings.push(finding(
                    "G1",
                    Severity::High,
                    &change.path,
                    Some(line.number),
                    "an exclusive marker shuts out every other test",
                ));
            }
        }
    }
    findings
}

fn is_script(path: &str) -> bool {
    matches!(
        path.rsplit_once('.').map(|(_, extension)| extension),
        Some("js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx")
    )
}
