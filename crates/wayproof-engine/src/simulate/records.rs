//! Records of a table with commas: quoted fields, line ends of either kind, and the line each record begins on.

use std::borrow::Cow;

use memchr::memchr;

/// The records of a text. Empty lines are none.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    rest: &'a str,
    line: usize,
}

/// A quote that is opened and never closed, or that ends in the middle of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadQuote {
    pub(crate) line: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
        }
    }

    /// Puts the next record's fields into `fields` and gives the line it begins on; nothing at the end.
    pub(crate) fn next(
        &mut self,
        fields: &mut Vec<Cow<'a, str>>,
    ) -> Result<Option<usize>, BadQuote> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let begins = self.line;
            let (line, after) = cut(self.rest, b'\n');
            let line = line.strip_suffix('\r').unwrap_or(line);
            fields.clear();
            if memchr(b'"', line.as_bytes()).is_some() {
                self.quoted(fields)?;
                return Ok(Some(begins));
            }
            self.rest = after.unwrap_or_default();
            self.line += 1;
            if line.is_empty() {
                continue;
            }
            let mut left = Some(line);
            while let Some(text) = left {
                let (field, after) = cut(text, b',');
                fields.push(Cow::Borrowed(field));
                left = after;
            }
            return Ok(Some(begins));
        }
    }

    /// A record with quotes, which may go over several lines.
    fn quoted(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Result<(), BadQuote> {
        loop {
            let (field, after) = if let Some(inner) = self.rest.strip_prefix('"') {
                self.unquote(inner)?
            } else {
                let (field, after) = plain(self.rest);
                (Cow::Borrowed(field), after)
            };
            fields.push(field);
            if let Some(next) = after.strip_prefix(',') {
                self.rest = next;
                continue;
            }
            let end = after.strip_prefix('\r').unwrap_or(after);
            let next = end.strip_prefix('\n');
            if next.is_none() && !end.is_empty() {
                return Err(BadQuote { line: self.line });
            }
            self.rest = next.unwrap_or_default();
            self.line += 1;
            return Ok(());
        }
    }

    /// The text up to the closing quote, two quotes being one, and what follows it.
    fn unquote(&mut self, inner: &'a str) -> Result<(Cow<'a, str>, &'a str), BadQuote> {
        let open = BadQuote { line: self.line };
        let mut field = Cow::Borrowed("");
        let mut rest = inner;
        loop {
            let (piece, after) = cut(rest, b'"');
            self.line += piece.matches('\n').count();
            field += piece;
            let after = after.ok_or(open)?;
            match after.strip_prefix('"') {
                Some(more) => {
                    field += "\"";
                    rest = more;
                }
                None => return Ok((field, after)),
            }
        }
    }
}

/// What stands before a byte, and what stands after it when it is there.
fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    match memchr(at, text.as_bytes()).and_then(|end| text.split_at_checked(end)) {
        Some((before, rest)) => (before, rest.get(1..)),
        None => (text, None),
    }
}

/// A field without quotes, and what follows it.
fn plain(text: &str) -> (&str, &str) {
    let end = text.find([',', '\n']).unwrap_or(text.len());
    let (field, after) = text.split_at_checked(end).unwrap_or_default();
    match field.strip_suffix('\r') {
        Some(field) if !after.starts_with(',') => (field, after),
        _ => (field, after),
    }
}
