//! What checkers say at the end: `All checks passed!`, `Found 3 errors in 1 file`. Sums of test
//! runners and builds are not read here.

use super::{EvidenceKind, Outcome, scan};

/// A checker's last word.
pub(super) struct Checked {
    /// The tool, where its words tell.
    pub(super) tool: &'static str,
    /// The kind of work it does.
    pub(super) kind: EvidenceKind,
    /// What it found.
    pub(super) outcome: Outcome,
}

/// Words that only stand there when nothing was found, by how the line starts.
const CLEAN: [(&str, &str, EvidenceKind); 7] = [
    ("All checks passed!", "ruff", EvidenceKind::Lint),
    (
        "Success: no issues found in ",
        "mypy",
        EvidenceKind::Typecheck,
    ),
    (
        "0 errors, 0 warnings, 0 ",
        "pyright",
        EvidenceKind::Typecheck,
    ),
    (
        "All matched files use Prettier code style!",
        "prettier",
        EvidenceKind::Lint,
    ),
    ("No issues found!", "dart", EvidenceKind::Lint),
    ("Found 0 errors", "lint", EvidenceKind::Lint),
    ("0 issues.", "golangci-lint", EvidenceKind::Lint),
];

/// Reads a checker's last word.
pub(super) fn word(line: &str) -> Option<Checked> {
    let is_candidate =
        line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, 'A' | 'S' | 'N' | 'F'));
    if !is_candidate {
        return None;
    }
    let clean = CLEAN.iter().find(|(start, ..)| scan::starts(line, start));
    if let Some((_, tool, kind)) = clean {
        return Some(Checked {
            tool,
            kind: *kind,
            outcome: Outcome::Passed,
        });
    }
    if let Some(rest) = line.strip_prefix("Found ") {
        let (number, rest) = scan::leading_number(rest)?;
        return (number > 0 && rest.starts_with(" error")).then_some(Checked {
            tool: "lint",
            kind: EvidenceKind::Lint,
            outcome: Outcome::Failed,
        });
    }
    sums(line)
}

/// Reads `3 errors, 0 warnings, 0 informations` and `1 file inspected, 2 offenses detected`.
fn sums(line: &str) -> Option<Checked> {
    let (number, rest) = scan::leading_number(line)?;
    if rest.starts_with(" error") && rest.contains(" informations") {
        let outcome = if number > 0 {
            Outcome::Failed
        } else {
            Outcome::Passed
        };
        return Some(Checked {
            tool: "pyright",
            kind: EvidenceKind::Typecheck,
            outcome,
        });
    }
    let (_, found) = rest
        .split_once(" inspected, ")
        .filter(|_| rest.starts_with(" file"))?;
    let outcome = if found.starts_with("no offenses") {
        Outcome::Passed
    } else {
        Outcome::Failed
    };
    Some(Checked {
        tool: "rubocop",
        kind: EvidenceKind::Lint,
        outcome,
    })
}
