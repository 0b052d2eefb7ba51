//! A tool's output as lines a recognizer can read: escape sequences, carriage returns and the
//! time stamps of CI systems are taken off, once, in one pass. Nothing is reordered or joined.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr3};
use wayproof_wire::Exit;

const ESC: u8 = 0x1b;

/// The output of one command.
pub(super) struct Log<'a> {
    /// Its lines, without line ends and CI time stamps.
    pub(super) lines: Vec<&'a str>,
    /// By line: its first byte that is no white space, and its last.
    ends: Vec<[u8; 2]>,
    /// The command line, where it is known.
    pub(super) command: Option<&'a str>,
    /// How the command ended.
    pub(super) exit: Exit,
}

impl<'a> Log<'a> {
    /// Splits text that [`clean`] has been over.
    pub(super) fn new(text: &'a str, command: Option<&'a str>, exit: Exit) -> Self {
        let mut lines = Vec::with_capacity(text.len() / 48 + 1);
        let mut start = 0;
        for end in memchr_iter(b'\n', text.as_bytes()) {
            lines.push(line(text.get(start..end).unwrap_or_default()));
            start = end + 1;
        }
        lines.push(line(text.get(start..).unwrap_or_default()));
        Self {
            ends: lines.iter().map(|line| ends(line)).collect(),
            lines,
            command,
            exit,
        }
    }
}

impl Log<'_> {
    /// The lines that begin or end in one of these ways, with their places. Most lines of most logs are of no interest
    /// to most recognizers, and this is how they are passed over without being looked at.
    pub(super) fn lines_with<'l>(
        &'l self,
        wanted: &'static Ends,
    ) -> impl Iterator<Item = (usize, &'l str)> {
        let ends = self.ends.iter().zip(&self.lines).enumerate();
        ends.filter(|(_, (ends, _))| wanted.has(**ends))
            .map(|(at, (_, line))| (at, *line))
    }
}

/// How lines begin and end that a recognizer reads.
pub(super) struct Ends {
    first: [bool; 256],
    last: [bool; 256],
}

impl Ends {
    /// All lines whose first byte that is no white space is one of these, or is of no ASCII character: white space of
    /// other scripts comes off later.
    pub(super) const fn first(bytes: &[u8]) -> Self {
        Self {
            first: among(bytes),
            last: [false; 256],
        }
    }

    /// All lines whose last byte is one of these as well.
    pub(super) const fn or_last(self, bytes: &[u8]) -> Self {
        Self {
            first: self.first,
            last: among(bytes),
        }
    }

    fn has(&self, [first, last]: [u8; 2]) -> bool {
        let is_in = |set: &[bool; 256], byte: u8| set.get(usize::from(byte)).is_some_and(|is| *is);
        is_in(&self.first, first) || is_in(&self.last, last)
    }
}

const fn among(mut bytes: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    while let [byte, rest @ ..] = bytes {
        set[*byte as usize] = true;
        bytes = rest;
    }
    // What `char::is_whitespace` knows beside what is taken off for bytes: vertical tabs at the end.
    set[0x0b] = true;
    let mut other = 0x80;
    while other < 256 {
        set[other] = true;
        other += 1;
    }
    set
}

/// The first byte that is no white space and the last byte; an empty line has none.
fn ends(line: &str) -> [u8; 2] {
    let is_space = |byte: u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let first = line.bytes().find(|byte| !is_space(*byte));
    [first.unwrap_or(0), line.bytes().last().unwrap_or(0)]
}

/// Takes off what only a terminal wants: escape sequences and backspaces go, a lone carriage
/// return ends a line. An escape sequence that never ends takes its own line at most.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let Some(first) = memchr3(ESC, b'\r', 0x08, bytes) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        out.push_str(text.get(from..at).unwrap_or_default());
        let next = match byte {
            ESC => escape_end(bytes, at + 1),
            b'\r' => {
                if bytes.get(at + 1) != Some(&b'\n') {
                    out.push('\n');
                }
                at + 1
            }
            _ => at + 1,
        };
        from = next;
        at = match memchr3(ESC, b'\r', 0x08, bytes.get(next..).unwrap_or_default()) {
            Some(offset) => next + offset,
            None => break,
        };
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Finds the end of the escape sequence whose introducer stands at `at`, just behind the ESC.
/// The end is always at an ASCII byte, so it is a character boundary.
fn escape_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first() {
        Some(b'[') => {
            let body = rest.get(1..).unwrap_or_default();
            let length = body
                .iter()
                .position(|byte| !(0x20..=0x3f).contains(byte))
                .unwrap_or(body.len());
            let has_final = body
                .get(length)
                .is_some_and(|byte| (0x40..=0x7e).contains(byte));
            at + 1 + length + usize::from(has_final)
        }
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let length = rest
                .iter()
                .position(|byte| matches!(*byte, 0x07 | ESC | b'\n'))
                .unwrap_or(rest.len());
            let is_bell = rest.get(length) == Some(&0x07);
            at + length + usize::from(is_bell)
        }
        Some(0x20..=0x2f) => at + 1 + usize::from(rest.get(1).is_some_and(u8::is_ascii)),
        Some(0x30..=0x7e) => at + 1,
        Some(_) | None => at,
    }
}

/// A line as recognizers want it: nothing but white space taken off its end, no time stamp.
fn line(text: &str) -> &str {
    unstamped(text.trim_ascii_end())
}

/// The line without a CI system's time stamp (`2022-03-04T08:19:16.2461427Z `).
fn unstamped(line: &str) -> &str {
    let bytes = line.as_bytes();
    let is_stamped = bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.get(13) == Some(&b':');
    if !is_stamped {
        return line;
    }
    match line.split_once(' ') {
        Some((stamp, rest)) if stamp.ends_with('Z') && stamp.len() <= 32 => rest,
        Some(_) | None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static WANTED: Ends = Ends::first(b"a").or_last(b"z");

    #[test]
    fn lines_are_known_by_their_ends() {
        let text = "a\n  a b\n\ta\nb\nb z\n\u{a0}b\nb\u{a0}\n\nb z  \r\nb\u{b}\n";
        let log = Log::new(text, None, Exit::Unknown);
        let found: Vec<usize> = log.lines_with(&WANTED).map(|(at, _)| at).collect();
        // What other white space is in front of, or behind, may be anything.
        assert_eq!(found, [0, 1, 2, 4, 5, 6, 8, 9]);
        let lines: Vec<&str> = log.lines_with(&WANTED).map(|(_, line)| line).collect();
        assert_eq!(lines.first(), Some(&"a"));
        assert_eq!(lines.get(6), Some(&"b z"));
    }
}
