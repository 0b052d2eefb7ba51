//! ESLint's and Stylelint's stylish form: a line with the file, then indented findings.

use super::location;
use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Diagnostic, Evidence, EvidenceKind, Location, Outcome, Severity, scan};

pub(super) static ESLINT: Recognizer = Recognizer {
    triggers: &[
        "  error  ",
        "  warning  ",
        "\u{2716}  ",
        "\u{26a0}  ",
        "\u{2716} ",
        "\nERROR ",
        "\nWARNING ",
    ],
    read,
};

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut tool = "eslint";
    let mut report = Report::new(EvidenceKind::Lint, tool);
    let mut file = "";
    let mut errors = None;
    for line in &log.lines {
        if let Some(sums) = line
            .trim_start()
            .strip_prefix("\u{2716} ")
            .filter(|sums| sums.contains(" problem"))
        {
            errors = scan::counted(sums)
                .find(|(_, word)| word.starts_with("error"))
                .map(|(number, _)| number);
        } else if let Some(name) = header(line) {
            file = name;
        } else if !file.is_empty()
            && let Some((found, is_style)) = finding(line, file)
        {
            if is_style {
                tool = "stylelint";
            }
            report.diagnose(found);
        } else if !line.trim().is_empty() {
            file = "";
        }
    }
    if report.diagnostics().is_empty() {
        return None;
    }
    let has_errors = report.has_errors();
    let outcome = if has_errors || errors.is_some_and(|errors| errors > 0) {
        Outcome::Failed
    } else if errors == Some(0) {
        Outcome::Passed
    } else {
        Outcome::Unknown
    };
    let mut evidence = report.ended(outcome);
    tool.clone_into(&mut evidence.tool);
    Some(evidence)
}

/// Reads the line with a file's name, which some end with a colon.
fn header(line: &str) -> Option<&str> {
    let name = line.trim_end().trim_end_matches(':');
    (!name.starts_with(' ') && location::is_file(name)).then_some(name)
}

/// Takes Wotan's level off the front of a finding: `ERROR 5:3  rule  message`.
fn wotan_level(line: &str) -> (Option<Severity>, &str) {
    if let Some(rest) = line.strip_prefix("ERROR ") {
        (Some(Severity::Error), rest)
    } else if let Some(rest) = line.strip_prefix("WARNING ") {
        (Some(Severity::Warning), rest)
    } else {
        (None, line)
    }
}

/// Reads `  12:5  error  message  rule` and ` 46:3   ✖  message  rule`.
fn finding(line: &str, file: &str) -> Option<(Diagnostic, bool)> {
    let (wotan, body) = wotan_level(line);
    if wotan.is_none() && !line.starts_with(' ') {
        return None;
    }
    let (row, rest) = scan::leading_number(body.trim_start())?;
    let (column, rest) = scan::leading_number(rest.strip_prefix(':')?)?;
    // Some print a range: `1:1-1:10`.
    let rest = rest
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-' || c == ':')
        .trim_start();
    let (severity, rest, is_style) = if let Some(severity) = wotan {
        (severity, rest, false)
    } else if let Some(rest) = rest.strip_prefix("error ") {
        (Severity::Error, rest, false)
    } else if let Some(rest) = rest.strip_prefix("warning ") {
        (Severity::Warning, rest, false)
    } else if let Some(rest) = rest.strip_prefix('\u{2716}') {
        (Severity::Error, rest, true)
    } else {
        (Severity::Warning, rest.strip_prefix('\u{26a0}')?, true)
    };
    let text = rest.trim();
    let (message, code) = match text.rsplit_once("  ") {
        Some((message, code)) if !code.contains(' ') => (message.trim_end(), Some(code)),
        Some(_) | None => (text, None),
    };
    let diagnostic = Diagnostic {
        location: Some(Location {
            file: scan::clipped(file),
            line: u32::try_from(row).ok(),
            column: u32::try_from(column).ok(),
        }),
        severity,
        code: code.map(scan::clipped),
        message: scan::clipped(message),
    };
    Some((diagnostic, is_style))
}
