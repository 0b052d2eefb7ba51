//! Rarer forms of a finding: places in words instead of colons, and places on another line than
//! the message. Whatever stands as `file:line` is `compiler`'s.

use memchr::memchr;

use super::{Diagnostic, Location, Severity, location, scan};

/// What lines above have left open.
#[derive(Default)]
pub(super) struct Forms<'a> {
    /// The file of a block (`========== Linting a.fs ==========`).
    file: &'a str,
    /// The first line of the paragraph that is being read.
    paragraph: &'a str,
    /// A Python frame that may turn out to be a syntax error's.
    frame: Option<Location>,
}

impl<'a> Forms<'a> {
    /// Reads a line as one of the rarer forms.
    pub(super) fn finding(&mut self, line: &'a str) -> Option<Diagnostic> {
        if line.is_empty() {
            self.paragraph = "";
            return None;
        }
        let found = self.below(line).or_else(|| worded(line));
        if found.is_some() || line.starts_with('=') {
            self.paragraph = "";
        } else if self.paragraph.is_empty() {
            self.paragraph = line;
        }
        found
    }

    /// Reads what needs the lines above it.
    fn below(&mut self, line: &'a str) -> Option<Diagnostic> {
        match *line.as_bytes().first()? {
            b'=' => {
                let block = line.trim_matches(['=', ' ']).strip_prefix("Linting ");
                self.file = block.unwrap_or(self.file);
                None
            }
            b'E' | b'W' if !self.file.is_empty() => self.starting_at(line),
            b'I' => self.in_file(line),
            b' ' => {
                self.frame = frame(line).or(self.frame.take());
                return self.smell(line);
            }
            b'/' => {
                // Node prints the place of a syntax error alone on a line.
                self.frame = location::bare(line).or(self.frame.take());
                None
            }
            _ => {
                self.file = warned_file(line).unwrap_or(self.file);
                None
            }
        }
        .or_else(|| self.syntax_error(line))
    }

    /// Reads ERB Lint's `In file: a.erb:5` below its message.
    fn in_file(&self, line: &str) -> Option<Diagnostic> {
        let place = location::bare(line.strip_prefix("In file: ")?)?;
        (!self.paragraph.is_empty()).then(|| diagnostic(place, Severity::Unstated, self.paragraph))
    }

    /// Reads Reek's `  [5, 6]:Smell: message` below its file.
    fn smell(&self, line: &str) -> Option<Diagnostic> {
        let (rows, message) = line.strip_prefix("  [")?.split_once("]:")?;
        let (row, _) = scan::leading_number(rows)?;
        Some(diagnostic(
            place(self.file, row, None)?,
            Severity::Warning,
            message,
        ))
    }

    /// Reads FSharpLint's `Error on line 5 starting at column 3` below its message.
    fn starting_at(&mut self, line: &str) -> Option<Diagnostic> {
        let (word, rest) = line.split_once(" on line ")?;
        let (row, rest) = scan::leading_number(rest)?;
        let column = scan::number_after(rest, "starting at column");
        let severity = if word == "Error" {
            Severity::Error
        } else {
            Severity::Warning
        };
        let place = Location {
            file: scan::clipped(self.file),
            line: u32::try_from(row).ok(),
            column: column.and_then(|column| u32::try_from(column).ok()),
        };
        (!self.paragraph.is_empty()).then(|| diagnostic(place, severity, self.paragraph))
    }

    /// Reads Python's `SyntaxError: …` below its frame.
    fn syntax_error(&mut self, line: &str) -> Option<Diagnostic> {
        self.frame.as_ref()?;
        let is_error = ["SyntaxError: ", "IndentationError: ", "TabError: "]
            .iter()
            .any(|error| line.starts_with(error));
        let place = is_error.then(|| self.frame.take())??;
        Some(diagnostic(place, Severity::Error, line))
    }
}

fn diagnostic(location: Location, severity: Severity, message: &str) -> Diagnostic {
    Diagnostic {
        location: Some(location),
        severity,
        code: None,
        message: scan::clipped(message),
    }
}

fn place(file: &str, line: u64, column: Option<u64>) -> Option<Location> {
    location::is_file(file).then(|| Location {
        file: scan::clipped(file),
        line: u32::try_from(line).ok(),
        column: column.and_then(|column| u32::try_from(column).ok()),
    })
}

/// Reads Reek's `a.rb -- 2 warnings:`.
fn warned_file(line: &str) -> Option<&str> {
    let (file, rest) = line.strip_suffix(':')?.split_once(" -- ")?;
    rest.contains(" warning").then_some(file)
}

/// Reads Python's `  File "a.py", line 5`; frames of a traceback name a function behind it.
fn frame(line: &str) -> Option<Location> {
    let (file, rest) = line
        .trim_start()
        .strip_prefix("File \"")?
        .split_once("\", line ")?;
    let (row, rest) = scan::leading_number(rest)?;
    if rest.is_empty() {
        place(file, row, None)
    } else {
        None
    }
}

/// Reads forms that stand on one line but say the place in words.
fn worded(line: &str) -> Option<Diagnostic> {
    if let Some(rest) = line.strip_prefix("** (") {
        let (place, message) = location::leading(rest.split_once(") ")?.1)?;
        return Some(diagnostic(
            place,
            Severity::Error,
            message.trim_start_matches([':', ' ']),
        ));
    }
    if line.starts_with("  ") {
        return bulleted(line.trim_start());
    }
    if line.ends_with(|c: char| c.is_ascii_digit()) {
        return on_line(line);
    }
    let at = memchr(b' ', line.as_bytes())?;
    let (head, rest) = line.split_at_checked(at)?;
    let (head, rest) = (head.strip_suffix(':')?, rest.strip_prefix(" line ")?);
    let (row, rest) = scan::leading_number(rest)?;
    let (column, rest) = scan::leading_number(rest.strip_prefix(", col ")?)?;
    let rest = rest.trim_start_matches([',', ' ']);
    let (severity, message) = match rest.split_once(" - ") {
        Some(("Error", message)) => (Severity::Error, message),
        Some(("Warning", message)) => (Severity::Warning, message),
        Some(_) | None => (Severity::Unstated, rest),
    };
    Some(diagnostic(
        place(head, row, Some(column))?,
        severity,
        message,
    ))
}

/// Reads Dart's `info • message • lib/a.dart:5:3 • code` and `error - lib/a.dart:5:3 - message - code`.
fn bulleted(line: &str) -> Option<Diagnostic> {
    let (word, rest) = line.split_once(' ')?;
    let severity = match word {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        "info" => Severity::Note,
        _ => return None,
    };
    let (place, message) = if let Some(rest) = rest.strip_prefix("\u{2022} ") {
        let (message, rest) = rest.split_once(" \u{2022} ")?;
        (rest.split(' ').next()?, message)
    } else {
        rest.strip_prefix("- ")?.split_once(" - ")?
    };
    Some(diagnostic(location::bare(place)?, severity, message))
}

/// Reads `a.pp - WARNING: message on line 5` and PHP's `PHP Parse error: … in a.php on line 5`.
fn on_line(line: &str) -> Option<Diagnostic> {
    let (head, row) = line.rsplit_once(" on line ")?;
    let row = row.parse().ok()?;
    if let Some((file, rest)) = head.split_once(" - ") {
        let (word, message) = rest.split_once(": ")?;
        let severity = match word {
            "ERROR" => Severity::Error,
            "WARNING" => Severity::Warning,
            _ => return None,
        };
        return Some(diagnostic(place(file, row, None)?, severity, message));
    }
    let head = head.strip_prefix("PHP ").unwrap_or(head);
    let (word, rest) = head.split_once(": ")?;
    let (message, file) = rest.rsplit_once(" in ")?;
    matches!(word, "Parse error" | "Fatal error")
        .then(|| place(file, row, None))?
        .map(|place| diagnostic(place, Severity::Error, message))
}
