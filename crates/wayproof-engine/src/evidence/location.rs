//! Places in source files as tools write them: `a.rs:1:2`, `a.cs(1,2)`, `a.ts[1, 2]`,
//! `a.java:[1,2]`. A place needs a file that looks like one: no spaces in it, a dot or a slash
//! in it, and not a web address.

use memchr::{memchr2_iter, memrchr};

use super::{Location, scan};

/// Reads `file:line:column`, `file:line` or `file(line,column)` standing alone.
pub(super) fn bare(text: &str) -> Option<Location> {
    let (location, rest) = leading(text.trim())?;
    rest.is_empty().then_some(location)
}

/// Reads a place at the start of `text`, with what follows it, separators and all.
pub(super) fn leading(text: &str) -> Option<(Location, &str)> {
    candidates(text).find_map(|at| {
        let (file, rest) = text.split_at_checked(at)?;
        match rest.strip_prefix(':') {
            Some(rest) => colon(file, rest),
            None => bracket(file, rest),
        }
    })
}

/// The longest file name a place may have, and the most separators in it: with these a line of
/// nothing but separators costs no more than any other.
const LONGEST: usize = 512;
const MOST: usize = 8;

/// Where a file's name may end: at a separator in the first word.
fn candidates(text: &str) -> impl Iterator<Item = usize> {
    text.bytes()
        .take(LONGEST)
        .enumerate()
        .take_while(|(_, byte)| !matches!(byte, b' ' | b'\t'))
        .filter(|(_, byte)| matches!(byte, b':' | b'(' | b'['))
        .map(|(at, _)| at)
        .take(MOST)
}

/// Reads `line`, `line:column` or `[line,column]` behind a colon.
fn colon<'a>(file: &str, rest: &'a str) -> Option<(Location, &'a str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (line, column, rest) = pair(inner, ']')?;
        return place(file, line, column).map(|location| (location, rest));
    }
    if let Some(inner) = rest.strip_prefix(" (").or_else(|| rest.strip_prefix('(')) {
        // kotlinc's `a.kt: (7, 2): …` and hlint's `a.hs:(7,1)-(8,2): …`.
        let (line, column, rest) = pair(inner, ')')?;
        let rest = rest
            .strip_prefix("-(")
            .and_then(|rest| pair(rest, ')'))
            .map_or(rest, |(_, _, rest)| rest);
        return place(file, line, column).map(|location| (location, rest));
    }
    let (line, rest) = number(rest)?;
    let column = rest.strip_prefix(':').and_then(number);
    let (column, rest) = match column {
        // A range of columns, `5:3-8`, is where it starts.
        Some((column, rest)) => (
            Some(column),
            rest.strip_prefix('-')
                .and_then(number)
                .map_or(rest, |(_, rest)| rest),
        ),
        None => (None, rest),
    };
    let is_end = rest.is_empty() || rest.starts_with([':', ' ', '\t', ',', ')', '-']);
    let is_glued = column.is_some() && rest.starts_with(':');
    (is_end || is_glued).then(|| place(file, line, column).map(|location| (location, rest)))?
}

/// Reads `(line,column)`, `(line)` or `[line, column]` behind the file.
fn bracket<'a>(file: &str, rest: &'a str) -> Option<(Location, &'a str)> {
    let close = if rest.starts_with('(') { ')' } else { ']' };
    let (line, column, rest) = pair(rest.get(1..)?, close)?;
    place(file, line, column).map(|location| (location, rest))
}

fn pair(text: &str, close: char) -> Option<(u32, Option<u32>, &str)> {
    let (line, rest) = number(text)?;
    if let Some(rest) = rest.strip_prefix(close) {
        return Some((line, None, rest));
    }
    let (column, rest) = number(rest.strip_prefix(',')?.trim_start())?;
    let rest = rest.strip_prefix(close)?;
    Some((line, Some(column), rest))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = scan::leading_number(text)?;
    Some((u32::try_from(number).ok()?, rest))
}

fn place(file: &str, line: u32, column: Option<u32>) -> Option<Location> {
    is_file(file).then(|| Location {
        file: scan::clipped(file),
        line: Some(line),
        column,
    })
}

/// True when the file's name ends with `.suffix`.
pub(super) fn has_suffix(file: &str, suffix: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, found)| found == suffix)
}

/// True for text that looks like the name of a source file.
pub(super) fn is_file(text: &str) -> bool {
    let is_strange = |byte: u8| {
        byte <= b' '
            || matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b'|' | b'`' | b'{' | b'}' | b'=' | b';' | b','
            )
    };
    if text.bytes().any(is_strange) || text.contains("://") {
        return false;
    }
    let from = memchr2_iter(b'/', b'\\', text.as_bytes())
        .next_back()
        .map_or(0, |at| at + 1);
    let name = text.get(from..).unwrap_or_default();
    let has_suffix = memrchr(b'.', name.as_bytes())
        .and_then(|at| name.as_bytes().get(at + 1..))
        .is_some_and(|suffix| {
            suffix.len() <= 12 && suffix.first().is_some_and(u8::is_ascii_alphabetic)
        });
    has_suffix
        || matches!(
            name,
            "Makefile" | "Dockerfile" | "Gemfile" | "Rakefile" | "BUILD"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_on_a_line_does_not_grow_with_it() {
        for size in [1_usize, 2, 4, 8, 16].map(|factor| factor * 1_000) {
            let tried = candidates(&"a.c:1".repeat(size)).count();
            assert_eq!(tried, MOST);
            let last = candidates(&":".repeat(size)).last();
            assert!(last.is_some_and(|at| at < LONGEST));
        }
    }
}
