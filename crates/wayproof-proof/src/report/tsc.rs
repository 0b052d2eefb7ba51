//! What the TypeScript compiler prints, plain or pretty. It refuses to call silence success: only the exit status
//! tells that.

use super::builder::{BYTE_LIMIT, place, tidy, without_escapes};
use super::{Compilation, Diagnostic, Location, Severity};

/// The most diagnostics kept.
const DIAGNOSTIC_LIMIT: usize = 10_000;

/// Reads the output.
pub(super) fn read(bytes: &[u8]) -> Compilation {
    let mut compilation = Compilation::default();
    if bytes.len() > BYTE_LIMIT {
        compilation
            .problems
            .push(format!("the output is larger than {BYTE_LIMIT} bytes"));
    }
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    let text = without_escapes(&text);
    for line in text.lines() {
        match diagnostic(line) {
            Some(found) if compilation.diagnostics.len() < DIAGNOSTIC_LIMIT => {
                if !compilation.diagnostics.contains(&found) {
                    compilation.diagnostics.push(found);
                }
            }
            Some(_) => {}
            None => continued(line, &mut compilation),
        }
    }
    if compilation
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error)
    {
        compilation.succeeded = Some(false);
    }
    compilation
}

/// Reads `file(line,column): error TS1: words`, `file:line:column - error TS1: words` or `error TS1: words`.
fn diagnostic(line: &str) -> Option<Diagnostic> {
    let (head, rest, severity) = [
        ("error TS", Severity::Error),
        ("warning TS", Severity::Warning),
    ]
    .into_iter()
    .find_map(|(mark, severity)| {
        line.split_once(mark)
            .map(|(head, rest)| (head, rest, severity))
    })?;
    let (number, message) = rest.split_once(": ")?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let location = if head.is_empty() {
        None
    } else {
        Some(location(head)?)
    };
    Some(Diagnostic {
        location,
        severity,
        code: Some(format!("TS{number}")),
        message: tidy(message),
    })
}

/// Reads the place before a diagnostic.
fn location(head: &str) -> Option<Location> {
    if let Some(at) = head.strip_suffix(" - ") {
        return place("", at);
    }
    let (file, at) = head.strip_suffix("): ")?.rsplit_once('(')?;
    let (line, column) = at.split_once(',')?;
    Some(Location {
        file: file.to_owned(),
        line: Some(line.parse().ok()?),
        column: Some(column.parse().ok()?),
    })
}

/// Adds an indented line to the diagnostic before it.
fn continued(line: &str, compilation: &mut Compilation) {
    if let (true, Some(last)) = (
        line.starts_with("  ") && !line.trim_matches([' ', '~']).is_empty(),
        compilation.diagnostics.last_mut(),
    ) {
        last.message = tidy(&format!("{}\n{}", last.message, line.trim_end()));
    }
}
