//! Diagnostics in rustc's form, which Cargo, Clippy, rustdoc and others print: a header, then an
//! arrow to the place. Notes below a diagnostic are part of it.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{
    Diagnostic, Evidence, EvidenceKind, Location, Outcome, Severity, command, location, scan,
};

pub(super) static RUSTC: Recognizer = Recognizer {
    triggers: &[
        "--> ",
        "error: could not compile",
        "error[E",
        "Finished `",
        "Finished ",
        "error: linking with",
    ],
    read,
};

/// The lines below a header in which its arrow has to stand.
const REACH: usize = 8;

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"ewABCDEFGHIJKLMNOPQRSTUVWXYZ");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Compile, tool(log));
    let mut has_finished = false;
    let mut has_stopped = false;
    for (at, line) in log.lines_with(&ENDS) {
        if let Some((severity, code, message)) = header(line).or_else(|| coded(line)) {
            let below = log.lines.get(at + 1..).unwrap_or_default();
            let place = arrow_below(below);
            let is_final = is_final_word(message);
            has_stopped |= is_final && severity == Severity::Error;
            let is_whole = code.is_some() && severity != Severity::Unstated;
            let is_found = place.is_some() || is_whole || is_fatal_alone(message);
            if is_found && !report.is_full_with(severity) {
                report.diagnose(Diagnostic {
                    location: place,
                    severity,
                    code: code.map(str::to_owned).or_else(|| lint_below(below)),
                    message: scan::clipped(message),
                });
            }
        } else if is_finished(line) {
            has_finished = true;
        }
    }
    let has_errors = report.has_errors();
    if !has_finished && !has_stopped && report.diagnostics().is_empty() {
        return None;
    }
    let is_broken = log.exit.is_failure() && !report.diagnostics().is_empty();
    let outcome = if has_errors || has_stopped || is_broken {
        Outcome::Failed
    } else if has_finished {
        Outcome::Passed
    } else {
        Outcome::Unknown
    };
    let is_foreign = report
        .diagnostics()
        .iter()
        .filter_map(|found| found.location.as_ref())
        .any(|place| !location::has_suffix(&place.file, "rs"));
    let mut evidence = report.ended(outcome);
    if is_foreign {
        let checker = log.command.and_then(command::checker_of);
        evidence.kind = checker.map_or(EvidenceKind::Lint, |checker| checker.kind);
        checker
            .map_or("lint", |checker| checker.tool)
            .clone_into(&mut evidence.tool);
    } else {
        evidence.kind = kind(log, &evidence.tool);
    }
    Some(evidence)
}

/// How notes below a finding begin.
static NOTES: Ends = Ends::first(b"=");

fn tool(log: &Log<'_>) -> &'static str {
    let is_clippy = log
        .command
        .is_some_and(|command| command.contains("clippy"))
        || log
            .lines_with(&NOTES)
            .any(|(_, line)| line.trim_start().starts_with("= ") && line.contains("clippy::"));
    if is_clippy { "clippy" } else { "rustc" }
}

fn kind(log: &Log<'_>, tool: &str) -> EvidenceKind {
    if log
        .command
        .is_some_and(|command| command.contains("cargo check"))
    {
        EvidenceKind::Typecheck
    } else if tool == "clippy" {
        EvidenceKind::Lint
    } else {
        EvidenceKind::Compile
    }
}

/// Reads `error[E0308]: mismatched types`, `warning: unused variable`.
fn header(line: &str) -> Option<(Severity, Option<&str>, &str)> {
    let (severity, rest) = if let Some(rest) = line.strip_prefix("error") {
        (Severity::Error, rest)
    } else {
        (Severity::Warning, line.strip_prefix("warning")?)
    };
    if let Some(message) = rest.strip_prefix(": ") {
        return Some((severity, None, message));
    }
    let (code, message) = rest.strip_prefix('[')?.split_once("]: ")?;
    Some((severity, Some(code), message))
}

/// Reads Ruff's header, a code and a message: ``F401 [*] `os` imported but unused``.
fn coded(line: &str) -> Option<(Severity, Option<&str>, &str)> {
    if !line.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let (code, message) = line.split_once(' ')?;
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_code = !letters.is_empty()
        && letters.len() <= 4
        && letters.len() < code.len()
        && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some((Severity::Unstated, Some(code), message))
}

/// Finds the arrow of a header before the next header.
fn arrow_below(below: &[&str]) -> Option<Location> {
    below
        .iter()
        .take(REACH)
        .take_while(|line| header(line).is_none())
        .find_map(|line| location::bare(line.trim_start().strip_prefix("--> ")?))
}

/// The lint's name out of `#[warn(clippy::needless_return)]` or `-D clippy::needless-return`.
fn lint_below(below: &[&str]) -> Option<String> {
    const DEEPEST: usize = 40;
    let note = below
        .iter()
        .take(DEEPEST)
        .take_while(|line| header(line).is_none())
        .find(|line| line.trim_start().starts_with("= note: `"))?;
    let quoted = note.split('`').nth(1)?;
    let inner = quoted.trim_start_matches("#[").trim_end_matches(")]");
    let name = inner.split(['(', ' ']).nth(1)?;
    Some(scan::clipped(name))
}

/// Cargo's words at the end of a failed build.
fn is_final_word(message: &str) -> bool {
    message.starts_with("could not compile ")
        || message.starts_with("aborting due to ")
        || message.starts_with("could not document ")
        || is_fatal_alone(message)
}

/// Errors of Cargo and the linker that point nowhere.
fn is_fatal_alone(message: &str) -> bool {
    message.starts_with("linking with ")
        || message.starts_with("failed to run custom build command")
        || message.starts_with("no matching package")
        || message.starts_with("failed to select a version")
        || message.starts_with("failed to parse manifest")
        || message.starts_with("couldn't read ")
}

/// Reads ``    Finished `dev` profile [unoptimized] target(s) in 0.1s``, also as older versions
/// wrote it.
fn is_finished(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("Finished ")
        .is_some_and(|rest| rest.contains(" target(s) in "))
}
