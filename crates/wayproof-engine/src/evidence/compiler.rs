//! Compilers, type checkers and linters that print one finding a line: `file:line:column:
//! severity: message` and its many relatives. It knows forms, not tools; the tool comes from the
//! command line, a code, or the file's suffix.
//!
//! Beside a test runner's output, where any line may be a frame or a log, only findings that
//! state their severity count.

use std::collections::BTreeSet;

use super::checked::{self, Checked};
use super::forms::Forms;
use super::log::Log;
use super::report::Report;
use super::{
    Diagnostic, Evidence, EvidenceKind, Location, Outcome, Severity, command, location, scan,
};

/// Reads all findings of the log whose place no other recognizer has pointed at.
pub(super) fn read(log: &Log<'_>, others: &[Evidence]) -> Option<Evidence> {
    let has_tests = others.iter().any(|other| other.kind == EvidenceKind::Test);
    let taken: BTreeSet<&Location> = others
        .iter()
        .flat_map(|other| &other.diagnostics)
        .filter_map(|known| known.location.as_ref())
        .collect();
    let mut report = Report::new(EvidenceKind::Lint, "lint");
    let mut open = None;
    let mut forms = Forms::default();
    let mut sum: Option<Checked> = None;
    let mut is_go = false;
    let mut above = "";
    for line in &log.lines {
        let last = std::mem::replace(&mut above, line);
        sum = checked::word(line).or(sum);
        let rare = forms.finding(line);
        let Some(found) = finding_in_two(line, &mut open).or(rare) else {
            continue;
        };
        // The toolchain of Go heads the errors of a package with its name.
        is_go |= last.starts_with("# ")
            && found
                .location
                .as_ref()
                .is_some_and(|place| location::has_suffix(&place.file, "go"));
        let is_taken = found
            .location
            .as_ref()
            .is_some_and(|place| taken.contains(place));
        let is_doubtful = has_tests && found.severity == Severity::Unstated;
        if !is_taken && !is_doubtful {
            report.diagnose(found);
        }
    }
    let has_errors = is_go || report.has_errors();
    let (tool, kind) = match (report.diagnostics().first(), &sum) {
        (Some(first), _) => speaker(log, first),
        (None, Some(sum)) => log
            .command
            .and_then(command::checker_of)
            .map_or((sum.tool, sum.kind), |known| (known.tool, known.kind)),
        (None, None) => return None,
    };
    let outcome = match &sum {
        _ if has_errors || log.exit.is_failure() => Outcome::Failed,
        Some(sum) => sum.outcome,
        None => Outcome::Unknown,
    };
    let mut evidence = report.ended(outcome);
    evidence.kind = kind;
    tool.clone_into(&mut evidence.tool);
    Some(evidence)
}

/// Who is speaking: the command says it best, then a code, then the file.
fn speaker(log: &Log<'_>, first: &Diagnostic) -> (&'static str, EvidenceKind) {
    if let Some(checker) = log.command.and_then(command::checker_of) {
        return (checker.tool, checker.kind);
    }
    let code = first.code.as_deref().unwrap_or_default();
    let is_coded = |prefix: &str| {
        code.strip_prefix(prefix)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty())
    };
    if is_coded("TS") {
        return ("tsc", EvidenceKind::Typecheck);
    }
    if is_coded("CS") || is_coded("FS") || is_coded("MSB") {
        return ("dotnet", EvidenceKind::Compile);
    }
    let file = first
        .location
        .as_ref()
        .map_or("", |place| place.file.as_str());
    let suffix = file.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let is_stated = first.severity != Severity::Unstated;
    match suffix {
        "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "m" | "mm" if is_stated => {
            ("cc", EvidenceKind::Compile)
        }
        "java" if is_stated => ("javac", EvidenceKind::Compile),
        "kt" | "kts" if is_stated => ("kotlinc", EvidenceKind::Compile),
        "swift" if is_stated => ("swiftc", EvidenceKind::Compile),
        "scala" if is_stated => ("scalac", EvidenceKind::Compile),
        "hs" if is_stated => ("ghc", EvidenceKind::Compile),
        "rs" if is_stated => ("rustc", EvidenceKind::Compile),
        "py" | "pyi" if code.starts_with("report") => ("pyright", EvidenceKind::Typecheck),
        "py" if first.message.contains("Error: ") => ("python", EvidenceKind::Compile),
        "php" if is_stated => ("php", EvidenceKind::Compile),
        "go" => ("go", EvidenceKind::Compile),
        "py" | "pyi" if is_stated && !code.is_empty() => ("mypy", EvidenceKind::Typecheck),
        _ => ("lint", EvidenceKind::Lint),
    }
}

/// Suffixes of files that tools point into without saying how bad it is.
const SOURCES: [&str; 82] = [
    "rs", "go", "py", "pyi", "rb", "erb", "haml", "slim", "js", "jsx", "mjs", "cjs", "ts", "tsx",
    "mts", "cts", "vue", "svelte", "java", "kt", "kts", "scala", "groovy", "c", "h", "cc", "cpp",
    "cxx", "hpp", "hh", "m", "mm", "cs", "fs", "fsx", "vb", "swift", "php", "lua", "pl", "pm",
    "sh", "bash", "zsh", "hs", "ex", "exs", "erl", "clj", "dart", "nim", "zig", "ml", "mli", "r",
    "R", "jl", "sql", "proto", "graphql", "css", "scss", "sass", "less", "html", "htm", "xml",
    "json", "yml", "yaml", "toml", "md", "rst", "txt", "tf", "hcl", "cmake", "gradle", "vim", "el",
    "in", "thrift",
];

/// Reads a finding that stands on one line.
fn finding(line: &str) -> Option<Diagnostic> {
    let body = line.strip_prefix("  ").unwrap_or(line);
    let body = body
        .strip_prefix(' ')
        .filter(|_| body.len() == line.len())
        .unwrap_or(body);
    let can_begin = body.bytes().next().is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"./[_~@\\".contains(&byte)
    });
    if body.len() < 6 || !can_begin {
        return None;
    }
    let is_worded = body.starts_with(['e', 'w', 'W']);
    if is_worded && let Some(found) = keyed(body).or_else(|| reformat(body)) {
        return Some(found);
    }
    let (leveled, body) = level(body);
    if let Some(inner) = body.strip_prefix('[') {
        let (place, message) = inner.split_once(']')?;
        let message = message
            .strip_prefix(": ")
            .or_else(|| message.strip_prefix(' '))?;
        return stated(location::bare(place)?, leveled, message);
    }
    if let Some((place, rest)) = location::leading(body) {
        let is_glued = !rest.starts_with([':', ' ', '\t']);
        return stated(place, leveled, rest)
            .filter(|found| !is_glued || found.severity != Severity::Unstated);
    }
    leveled?;
    let (file, message) = body.split_once(": ").or_else(|| body.split_once(' '))?;
    let is_plain_file = location::is_file(file) && is_source(file);
    is_plain_file.then(|| Diagnostic {
        location: Some(Location {
            file: scan::clipped(file),
            line: None,
            column: None,
        }),
        severity: leveled.unwrap_or(Severity::Unstated),
        code: None,
        message: scan::clipped(message),
    })
}

/// Takes a level off the front: `[error] `, `[WARNING] `, `error:`, `vet: `, `e: `, `1>`.
fn level(body: &str) -> (Option<Severity>, &str) {
    const LEVELS: [(&str, Option<Severity>); 14] = [
        ("[error] ", Some(Severity::Error)),
        ("[ERROR] ", Some(Severity::Error)),
        ("[warn] ", Some(Severity::Warning)),
        ("[WARN] ", Some(Severity::Warning)),
        ("[WARNING] ", Some(Severity::Warning)),
        ("error: ", Some(Severity::Error)),
        ("error:", Some(Severity::Error)),
        ("ERROR: ", Some(Severity::Error)),
        ("WARNING: ", Some(Severity::Warning)),
        ("warning: ", Some(Severity::Warning)),
        ("e: ", Some(Severity::Error)),
        ("w: ", Some(Severity::Warning)),
        ("vet: ", Some(Severity::Error)),
        ("1>", None),
    ];
    if !body.starts_with(['[', 'e', 'E', 'w', 'W', 'v', '1']) {
        return (None, body);
    }
    let [_, second, ..] = body.as_bytes() else {
        return (None, body);
    };
    // Nearly every line of a build begins with a level, and the second byte tells which it can be.
    let alike = LEVELS
        .into_iter()
        .filter(|(prefix, _)| prefix.as_bytes().get(1) == Some(second));
    for (prefix, severity) in alike {
        if let Some(rest) = body.strip_prefix(prefix) {
            return (severity, rest.strip_prefix("file://").unwrap_or(rest));
        }
    }
    (None, body)
}

/// Ends a finding: what stands behind the place is a separator, a severity, a code, a message.
fn stated(place: Location, leveled: Option<Severity>, rest: &str) -> Option<Diagnostic> {
    let text = rest.trim_start_matches([':', ' ', '\t', '-', ',']);
    let (severity, text) = severity(text);
    let severity = leveled.or(severity);
    let (code, message) = code(text);
    let is_plausible = severity.is_some() || is_source(&place.file);
    if message.is_empty() && severity.is_none() || !is_plausible {
        return None;
    }
    Some(Diagnostic {
        location: Some(place),
        severity: severity.unwrap_or(Severity::Unstated),
        code,
        message: scan::clipped(message),
    })
}

fn is_source(file: &str) -> bool {
    match file
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(file)
        .rsplit_once('.')
    {
        Some((_, suffix)) => SOURCES.contains(&suffix),
        None => true,
    }
}

/// Takes a severity off the front of a message, in any of the ways tools write it.
fn severity(text: &str) -> (Option<Severity>, &str) {
    const WORDS: [(&str, Severity); 18] = [
        ("fatal error", Severity::Error),
        ("syntax error", Severity::Error),
        ("error", Severity::Error),
        ("Error", Severity::Error),
        ("ERROR", Severity::Error),
        ("[error]", Severity::Error),
        ("[E]", Severity::Error),
        ("E:", Severity::Error),
        ("F:", Severity::Error),
        ("warning", Severity::Warning),
        ("Warning", Severity::Warning),
        ("WARNING", Severity::Warning),
        ("[warning]", Severity::Warning),
        ("[W]", Severity::Warning),
        ("W:", Severity::Warning),
        ("note", Severity::Note),
        ("info", Severity::Note),
        ("(error)", Severity::Error),
    ];
    for (word, severity) in WORDS {
        if !scan::starts(text, word) {
            continue;
        }
        let rest = text.get(word.len()..).unwrap_or_default();
        let is_whole = word.ends_with([']', ':', ')']) || rest.starts_with([':', ' ', '[', '(']);
        let is_sentence = word == "syntax error"
            || rest.starts_with(' ')
                && !is_coded(rest)
                && !rest.starts_with(" - ")
                && !rest.starts_with("  ");
        if is_whole && word == "syntax error" {
            return (Some(severity), text);
        }
        if is_whole && (!is_sentence || word.ends_with([']', ':', ')'])) {
            return (Some(severity), rest.trim_start_matches([':', ' ', '-']));
        }
    }
    (None, text)
}

/// True for ` TS2345: message`: the word after a severity is a code.
fn is_coded(rest: &str) -> bool {
    let word = rest
        .trim_start()
        .split([':', ' '])
        .next()
        .unwrap_or_default();
    word.len() >= 3
        && word.ends_with(|c: char| c.is_ascii_digit())
        && word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Takes the code off a message: `TS2345: …`, `E501 …`, or `… [arg-type]` and `… (errcheck)` at
/// its end, where the message keeps it.
fn code(text: &str) -> (Option<String>, &str) {
    if let Some(inner) = text.strip_prefix('[')
        && let Some((code, message)) = inner.split_once("]: ")
    {
        return (Some(scan::clipped(code)), message);
    }
    if is_coded(text) {
        let (code, message) = text.split_once([':', ' ']).unwrap_or((text, ""));
        return (Some(scan::clipped(code)), message.trim_start());
    }
    let text = text.trim_end();
    let tail = [('[', ']'), ('(', ')')]
        .into_iter()
        .find_map(|(open, close)| {
            let (_, code) = text.strip_suffix(close)?.rsplit_once(open)?;
            let is_code = code.len() >= 3
                && code.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':')
                });
            is_code.then(|| scan::clipped(code))
        });
    (tail, text)
}

/// Reads `warning file=/a.scala message=Too long line=6 column=7`.
fn keyed(body: &str) -> Option<Diagnostic> {
    let (severity, rest) = if let Some(rest) = body.strip_prefix("error file=") {
        (Severity::Error, rest)
    } else {
        (Severity::Warning, body.strip_prefix("warning file=")?)
    };
    let (file, rest) = rest.split_once(" message=")?;
    let end = rest.rfind(" line=").unwrap_or(rest.len());
    let number = |label: &str| {
        scan::number_after(rest.get(end..)?, label).and_then(|number| u32::try_from(number).ok())
    };
    Some(Diagnostic {
        location: Some(Location {
            file: scan::clipped(file),
            line: number("line="),
            column: number("column="),
        }),
        severity,
        code: None,
        message: scan::clipped(rest.get(..end)?),
    })
}

/// Reads a formatter's `would reformat file`.
fn reformat(body: &str) -> Option<Diagnostic> {
    let file = body
        .strip_prefix("would reformat ")
        .or_else(|| body.strip_prefix("Would reformat: "))?;
    location::is_file(file).then(|| Diagnostic {
        location: Some(Location {
            file: scan::clipped(file),
            line: None,
            column: None,
        }),
        severity: Severity::Unstated,
        code: None,
        message: "would reformat".to_owned(),
    })
}

/// Reads a finding, also one whose words stand below its place: pydocstyle's
/// `a.py:1 at module level:` with `D100: message` under it. `open` is such a place.
fn finding_in_two(line: &str, open: &mut Option<Location>) -> Option<Diagnostic> {
    if let Some(place) = open.take()
        && line.starts_with("    ")
    {
        let (code, message) = code(line.trim());
        return Some(Diagnostic {
            location: Some(place),
            severity: Severity::Unstated,
            code,
            message: scan::clipped(message),
        });
    }
    let found = finding(line)?;
    let is_heading = found.message.ends_with(':')
        && (found.message.starts_with("at ") || found.message.starts_with("in "));
    if is_heading && found.severity == Severity::Unstated {
        *open = found.location;
        return None;
    }
    Some(found)
}
