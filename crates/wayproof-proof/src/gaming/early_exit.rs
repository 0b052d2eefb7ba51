//! G5 and G6: runs that end early with a good exit status, and reports that do not fit what was planned.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding, is_comment};
use crate::plan::Role;
use crate::run::SuiteRun;

const EXITS: &[&str] = &[
    "os._exit(",
    "sys.exit(0",
    "process.exit(0",
    "process.exit()",
    "std::process::exit(0",
    "process::exit(0",
    "os.Exit(0",
    "quit()",
    "raise SystemExit",
    "exit!",
    "exit(0",
    "exit 0",
    "exit;",
    "die(",
    "halt(0",
    "exit(EXIT_SUCCESS",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_cut = false;
    for outcome in scene.outcomes {
        for run in &outcome.observed.head {
            let ended_well = run.checks.iter().any(|check| {
                check.kind == wayproof_receipt::predicate::CheckKind::Test
                    && check.exit_status == Some(0)
            });
            if ended_well && !run.is_complete {
                is_cut = true;
                let what = "the run ended well before it was complete";
                findings.push(Finding {
                    code: "G5".to_owned(),
                    path: None,
                    line: None,
                    severity: Severity::High,
                    explanation: what.to_owned(),
                });
            }
            findings.extend(unplanned(run));
        }
    }
    findings.dedup();
    for change in scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Test | Role::Control))
    {
        for line in added_lines(change)
            .iter()
            .filter(|line| !is_comment(line.text))
        {
            if is_cut && EXITS.iter().any(|exit| line.text.contains(exit)) {
                findings.push(finding(
                    "G5",
                    Severity::High,
                    &change.path,
                    Some(line.number),
                    "the test process is ended early with a good exit status",
                ));
            }
        }
    }
    findings
}

/// Results for tests that were never listed; runners list all but the cases a test makes while it runs.
fn unplanned(run: &SuiteRun) -> Option<Finding> {
    if run.planned.is_empty() {
        return None;
    }
    let is_planned = |id: &crate::report::TestId| {
        run.planned.contains(id)
            || run
                .planned
                .iter()
                .any(|planned| id.as_str().starts_with(planned.as_str()))
    };
    let strange = run.results.keys().find(|id| !is_planned(id))?;
    let explanation = format!("{strange} was reported but never planned");
    Some(Finding {
        code: "G6".to_owned(),
        path: None,
        line: None,
        severity: Severity::High,
        explanation,
    })
}
