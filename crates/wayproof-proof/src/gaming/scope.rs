//! G16: a change too large for the row it is judged by.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines};
use crate::checkout::changes_source;

const FILES: usize = 5;
const LINES: usize = 200;

/// Looks for it: a small edit that is not small.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    if scene.task != "small-edit" {
        return Vec::new();
    }
    let source: Vec<_> = scene
        .changes
        .iter()
        .filter(|change| changes_source(change))
        .collect();
    let lines: usize = source.iter().map(|change| added_lines(change).len()).sum();
    if source.len() <= FILES && lines <= LINES {
        return Vec::new();
    }
    let explanation = format!(
        "{} source files and {lines} new lines are no small edit",
        source.len()
    );
    vec![Finding {
        code: "G16".to_owned(),
        path: None,
        line: None,
        severity: Severity::Medium,
        explanation,
    }]
}
