//! G2: a failing test that is edited until it agrees with the bug.
//!
//! It was red at the base, and its edited form is green there too: the source had no part in it.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, finding};
use crate::plan::Role;
use crate::run::Seen;

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let is_edited = |path: &str| {
        scene.changes.iter().any(|change| {
            change.role == Role::Test && change.path == path && change.before.is_some()
        })
    };
    let edits_tests = scene
        .changes
        .iter()
        .any(|change| change.role == Role::Test && change.before.is_some());
    let mut findings = Vec::new();
    for observed in scene.outcomes.iter().map(|outcome| &outcome.observed) {
        let (Some(edited), true) = (observed.before.first(), edits_tests) else {
            continue;
        };
        for id in observed.base.results.keys() {
            let was_red = matches!(observed.base.seen(id), Seen::Red(_));
            if !was_red || edited.seen(id) != Seen::Green {
                continue;
            }
            let path = crate::runner::file_of(id).to_owned();
            // Ids of some runners do not name a file; then any edited test file will do.
            if is_edited(&path) || !scene.changes.iter().any(|change| change.path == path) {
                findings.push(finding(
                    "G2",
                    Severity::High,
                    &path,
                    None,
                    format!("{id} failed before the change; its edited form passes without any change to the source, so the test was bent to the code"),
                ));
            }
        }
    }
    findings
}
