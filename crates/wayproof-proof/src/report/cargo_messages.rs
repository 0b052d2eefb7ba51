//! `cargo --message-format=json`. It refuses to call a build good that did not say so itself.

use serde::Deserialize;

use super::builder::{BYTE_LIMIT, tidy};
use super::{Compilation, Diagnostic, Location, Severity};

/// The most diagnostics kept.
const DIAGNOSTIC_LIMIT: usize = 10_000;

#[derive(Debug, Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
    success: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Message {
    level: String,
    #[serde(rename = "message")]
    text: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

/// Reads a stream of messages.
pub(super) fn read(bytes: &[u8]) -> Compilation {
    let mut compilation = Compilation::default();
    if bytes.len() > BYTE_LIMIT {
        compilation
            .problems
            .push(format!("the output is larger than {BYTE_LIMIT} bytes"));
    }
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            continue;
        };
        match (line.reason.as_str(), line.message) {
            ("compiler-message", Some(message)) => add(message, &mut compilation),
            ("build-finished", _) => compilation.succeeded = line.success,
            (_, _) => {}
        }
    }
    if compilation.succeeded.is_none() {
        compilation
            .problems
            .push("the build did not say how it ended".to_owned());
    }
    compilation
}

/// Adds one message, unless it was there already or only counts others.
fn add(message: Message, compilation: &mut Compilation) {
    let severity = match message.level.as_str() {
        "warning" => Severity::Warning,
        level if level.starts_with("error") => Severity::Error,
        _ => Severity::Note,
    };
    let is_summary = message.spans.is_empty()
        && message.code.is_none()
        && (severity == Severity::Note
            || message.text.starts_with("aborting due to")
            || message.text.ends_with(" emitted"));
    let primary = message.spans.into_iter().find(|span| span.is_primary);
    let diagnostic = Diagnostic {
        location: primary.map(|span| Location {
            file: span.file_name,
            line: Some(span.line_start),
            column: Some(span.column_start),
        }),
        severity,
        code: message.code.map(|code| code.code),
        message: tidy(&message.text),
    };
    let is_known = compilation.diagnostics.contains(&diagnostic);
    if !is_summary && !is_known && compilation.diagnostics.len() < DIAGNOSTIC_LIMIT {
        compilation.diagnostics.push(diagnostic);
    }
}
