//! G10 and G14: build products and evidence that come as files of the change. They count for nothing; they are
//! reported because somebody may believe them.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, finding};
use crate::plan::Role;

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene
        .changes
        .iter()
        .filter(|change| change.old_blob.is_none() && change.role != Role::Test)
    {
        let name = change.path.rsplit('/').next().unwrap_or(&change.path);
        let is_product = [
            ".pyc", ".so", ".pyd", ".o", ".rlib", ".class", ".jar", ".gcda",
        ]
        .iter()
        .any(|end| name.ends_with(end))
            || change.path.split('/').any(|part| {
                matches!(
                    part,
                    "node_modules" | "__pycache__" | ".pytest_cache" | ".venv"
                )
            });
        let is_evidence = name.ends_with(".intoto.jsonl")
            || name.ends_with(".tlog-proof")
            || name == "junit.xml"
            || name.starts_with("test-results");
        if is_product {
            findings.push(finding(
                "G10",
                Severity::Medium,
                &change.path,
                None,
                "a build product comes with the change",
            ));
        }
        if is_evidence {
            findings.push(finding(
                "G14",
                Severity::Low,
                &change.path,
                None,
                "the change brings its own evidence, which is not read",
            ));
        }
    }
    findings
}
