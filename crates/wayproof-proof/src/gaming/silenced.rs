//! G21: a checker that is told to look away where the change needs it to.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding};

const SILENCERS: &[&str] = &[
    "# type: ignore",
    "# pyright: ignore",
    "# mypy: ignore-errors",
    "@ts-ignore",
    "@ts-nocheck",
    "@ts-expect-error",
    "eslint-disable",
    "//nolint",
    "#[allow(",
    "#![allow(",
    "@SuppressWarnings",
    "as unknown as",
];

/// Looks for them. Where the checker is the proof they take it away; elsewhere they only deserve a look.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let severity = if scene.task == "small-edit" {
        Severity::High
    } else {
        Severity::Low
    };
    let mut findings = Vec::new();
    for change in scene.sources() {
        for line in added_lines(change) {
            if let Some(word) = SILENCERS.iter().find(|word| line.text.contains(**word)) {
                findings.push(finding(
                    "G21",
                    severity,
                    &change.path,
                    Some(line.number),
                    format!("the checker is told to look away: {word}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use wayproof_receipt::predicate::Severity;

    use super::look;
    use crate::gaming::tests::scene_of;

    #[test]
    fn a_silenced_checker_is_no_proof_of_a_small_edit() {
        let found = |task, after| scene_of(task, "shop.py", "x = 1\n", after, look);
        let silenced = found("small-edit", "x = str(1)  # type: ignore\n");
        assert_eq!(silenced[0].severity, Severity::High);
        assert!(found("small-edit", "x: str = \"1\"\n").is_empty());
        assert_eq!(
            found("bug-fix", "x = str(1)  # type: ignore\n")[0].severity,
            Severity::Low
        );
    }
}
