//! G3: recorded expectations overwritten: a test turns green because what it expects was recorded anew.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, finding};
use crate::plan::Role;

/// Looks for them. New recordings for new tests are honest; rewritten ones can be, so they are a gap only where
/// nothing but recordings speaks for the change.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let rewritten: Vec<_> = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Golden && change.old_blob.is_some())
        .collect();
    let has_tests = scene.changes.iter().any(|change| change.role == Role::Test);
    let has_fixed = scene
        .outcomes
        .iter()
        .any(|outcome| !outcome.compared.fixed.is_empty());
    let severity = if has_fixed && !has_tests {
        Severity::Medium
    } else {
        Severity::Low
    };
    rewritten
        .iter()
        .map(|change| {
            finding(
                "G3",
                severity,
                &change.path,
                None,
                "a recorded expectation was rewritten",
            )
        })
        .collect()
}
