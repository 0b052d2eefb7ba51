//! The last word: what the exit status takes back from what the text claims, and what can be
//! said of a command in whose output no tool was recognized. Text never gains a pass here.

use wayproof_wire::Exit;

use super::log::Log;
use super::{Diagnostic, Evidence, EvidenceKind, Outcome, Severity, command, scan};

/// Reconciles the items with the exit status.
pub(super) fn settle(log: &Log<'_>, mut found: Vec<Evidence>) -> Vec<Evidence> {
    let has_failed = log.exit.is_failure();
    for evidence in &mut found {
        let has_run_nothing = evidence.kind == EvidenceKind::Test
            && evidence.counts.is_some_and(|counts| counts.run == 0);
        if evidence.outcome == Outcome::Passed && (has_failed || has_run_nothing) {
            evidence.outcome = Outcome::Unknown;
        }
    }
    let is_explained = found
        .iter()
        .any(|evidence| evidence.outcome == Outcome::Failed);
    let more = if has_failed && !is_explained {
        Some(shell(complaint(log).unwrap_or_default()))
    } else if found.is_empty() && log.exit.is_success() {
        silent_pass(log)
    } else if found.is_empty() && log.exit == Exit::Unknown {
        complaint(log).map(shell)
    } else {
        None
    };
    found.extend(more);
    found
}

/// A checker that prints nothing when all is well, printed nothing and succeeded.
fn silent_pass(log: &Log<'_>) -> Option<Evidence> {
    let checker = command::silent_checker(log.command?)?;
    let is_quiet = log.lines.iter().all(|line| line.trim().is_empty());
    is_quiet.then(|| {
        let mut evidence = Evidence::observed(checker.kind, checker.tool);
        evidence.outcome = Outcome::Passed;
        evidence
    })
}

fn shell(message: &str) -> Evidence {
    let mut evidence = Evidence::observed(EvidenceKind::Shell, "shell");
    evidence.outcome = Outcome::Failed;
    if !message.is_empty() {
        evidence.diagnostics.push(Diagnostic {
            location: None,
            severity: Severity::Error,
            code: None,
            message: scan::clipped(message),
        });
    }
    evidence
}

/// How far from the end a complaint counts: what broke a command stands near its end.
const REACH: usize = 60;

/// The last line in which a shell, an interpreter or a run-time says that it gave up.
fn complaint<'a>(log: &Log<'a>) -> Option<&'a str> {
    let tail = log
        .lines
        .get(log.lines.len().saturating_sub(REACH)..)
        .unwrap_or_default();
    let at = tail
        .iter()
        .rposition(|line| is_complaint(line.trim_start()))?;
    let line = tail.get(at)?;
    if line.starts_with("Traceback (most recent call last)") {
        // The exception stands at the first line below that is not indented.
        let below = tail.get(at + 1..).unwrap_or_default();
        let exception = below
            .iter()
            .find(|line| !line.is_empty() && !line.starts_with(' '));
        return Some(exception.unwrap_or(line));
    }
    Some(line)
}

fn is_complaint(line: &str) -> bool {
    const STARTS: [&str; 8] = [
        "Traceback (most recent call last)",
        "panic: ",
        "fatal: ",
        "Segmentation fault",
        "Uncaught Error",
        "Unhandled exception",
        "Exception in thread ",
        "node:internal/",
    ];
    const ENDS: [&str; 5] = [
        ": command not found",
        ": Permission denied",
        ": not found",
        " (core dumped)",
        ": is not recognized as an internal or external command,",
    ];
    let is_shell = |end: &&str| line.ends_with(*end) && line.len() < 200;
    STARTS.iter().any(|start| line.starts_with(start))
        || ENDS.iter().any(is_shell)
        || line.starts_with("thread '") && line.contains("' panicked at ")
}
