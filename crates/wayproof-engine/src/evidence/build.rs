//! The last line of build tools and CI systems: Maven, Gradle, Ant, dotnet, make, CMake, npm,
//! Travis, GitHub Actions. Only what they say of the whole build; what failed inside is for
//! others to read.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Diagnostic, Evidence, EvidenceKind, Outcome, Severity, scan};

pub(super) static BUILD: Recognizer = Recognizer {
    triggers: &[
        "BUILD FAILURE",
        "BUILD SUCCESS",
        "BUILD FAILED",
        "Build FAILED",
        "Build succeeded",
        "make: ***",
        "]: ***",
        "ninja: build stopped",
        "CMake Error",
        "npm ERR!",
        "npm error",
        "ELIFECYCLE",
        "Process completed with exit code ",
        "Done. Your build exited with ",
    ],
    read,
};

/// What a line says of the build.
struct Said {
    tool: &'static str,
    outcome: Outcome,
}

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"[BmgnCED#/");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut last: Option<Said> = None;
    let mut complaints: Vec<&str> = Vec::new();
    for (_, line) in log.lines_with(&ENDS) {
        let Some(said) = said(line) else {
            continue;
        };
        if said.outcome == Outcome::Failed {
            complaints.push(line);
        }
        let has_failed = last
            .as_ref()
            .is_some_and(|last| last.outcome == Outcome::Failed);
        if !has_failed {
            last = Some(said);
        }
    }
    let last = last?;
    let is_ant = last.tool == "gradle" && log.lines.iter().any(|line| line.contains("build.xml"));
    let tool = if is_ant { "ant" } else { last.tool };
    let mut report = Report::new(EvidenceKind::Build, tool);
    for complaint in complaints.into_iter().take(5) {
        report.diagnose(Diagnostic {
            location: None,
            severity: Severity::Error,
            code: None,
            message: scan::clipped(complaint),
        });
    }
    Some(report.ended(last.outcome))
}

/// Reads one line. A build tool's own words stand at the start of its line (indented ones are
/// those of a build inside a test).
fn said(line: &str) -> Option<Said> {
    let (tool, outcome) = match line.trim_end() {
        "[INFO] BUILD SUCCESS" | "BUILD SUCCESS" => ("maven", Outcome::Passed),
        "[INFO] BUILD FAILURE" | "[ERROR] BUILD FAILURE" | "BUILD FAILURE" => {
            ("maven", Outcome::Failed)
        }
        "Build succeeded." => ("dotnet", Outcome::Passed),
        "Build FAILED." => ("dotnet", Outcome::Failed),
        line if line.starts_with("BUILD SUCCESSFUL") => ("gradle", Outcome::Passed),
        line if line.starts_with("BUILD FAILED") => ("gradle", Outcome::Failed),
        line if is_make(line) => ("make", Outcome::Failed),
        line if line.starts_with("ninja: build stopped") => ("ninja", Outcome::Failed),
        line if line.starts_with("CMake Error") => ("cmake", Outcome::Failed),
        line if line.starts_with("npm ERR! code") || line.starts_with("npm error code") => {
            ("npm", Outcome::Failed)
        }
        line if line.trim_start().starts_with("ELIFECYCLE") => ("npm", Outcome::Failed),
        line if line.starts_with("##[error]Process completed with exit code ") => {
            ("github-actions", Outcome::Failed)
        }
        line if line.starts_with("Done. Your build exited with ") && !line.ends_with(" 0.") => {
            ("travis", Outcome::Failed)
        }
        _ => return None,
    };
    Some(Said { tool, outcome })
}

/// Reads `make: *** [Makefile:3: all] Error 2` and `gmake[1]: *** ...`.
fn is_make(line: &str) -> bool {
    if !line.starts_with(['m', 'g', '/']) {
        return false;
    }
    line.split_once(':').is_some_and(|(tool, rest)| {
        let tool = tool.split('[').next().unwrap_or(tool);
        tool.ends_with("make") && rest.starts_with(" *** ")
    })
}
