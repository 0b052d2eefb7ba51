//! What node puts down for `NODE_V8_COVERAGE`: ranges of letters, each with how often it was run; inner ones count.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::Entry;
use crate::code::{Code, Kind};

#[derive(Deserialize)]
struct Report {
    result: Vec<Script>,
}

#[derive(Deserialize)]
struct Script {
    url: String,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    ranges: Vec<Span>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    start_offset: usize,
    end_offset: usize,
    count: u64,
}

/// More reports than this are not read.
const MOST_REPORTS: usize = 2_000;

/// Reads every report of a run in the package at `root`.
pub(super) fn read(folder: &Path, root: &Path) -> Option<BTreeMap<String, Entry>> {
    let root = root.canonicalize().ok()?;
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut has_report = false;
    for file in std::fs::read_dir(folder).ok()?.flatten().take(MOST_REPORTS) {
        let report = std::fs::read(file.path()).ok();
        let report = report.and_then(|bytes| serde_json::from_slice::<Report>(&bytes).ok());
        let Some(report) = report else { continue };
        has_report = true;
        for script in report.result {
            let Some(path) = inside(&script.url, &root) else {
                continue;
            };
            let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
                continue;
            };
            let entry = lines(&path, &text, &script.functions);
            let known = entries.entry(path).or_default();
            known.known.extend(entry.known);
            known.hit.extend(entry.hit);
        }
    }
    has_report.then_some(entries)
}

/// The path of a script that is the package's own and runs as it is written.
fn inside(url: &str, root: &Path) -> Option<String> {
    let path = Path::new(url.strip_prefix("file://")?);
    let inside = path.strip_prefix(root).ok()?.to_str()?;
    let is_plain = matches!(crate::plan::extension(inside), "js" | "mjs" | "cjs");
    let is_own = !inside
        .split('/')
        .any(|part| part == "node_modules" || part == "..");
    (is_plain && is_own).then(|| inside.to_owned())
}

fn lines(path: &str, text: &str, functions: &[Function]) -> Entry {
    let mut spans: Vec<Span> = functions
        .iter()
        .flat_map(|one| one.ranges.clone())
        .collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.end_offset.saturating_sub(span.start_offset)));
    let count_at = |offset: usize| {
        let holds = |span: &&Span| (span.start_offset..span.end_offset).contains(&offset);
        spans.iter().rev().find(holds).map(|span| span.count)
    };
    let mut entry = Entry::default();
    let Some(code) = Code::read(path, text) else {
        return entry;
    };
    // Offsets count the units of UTF-16; lines are told by their first token that is no bracket.
    let mut seen = (0, 0);
    for token in &code.tokens {
        if token.kind == Kind::Sign && matches!(token.text, "}" | ")" | "]" | ";" | "," | "{") {
            continue;
        }
        if !entry.known.insert(token.line) {
            continue;
        }
        let at = token
            .text
            .as_ptr()
            .addr()
            .saturating_sub(text.as_ptr().addr());
        let units: usize = text
            .get(seen.0..at)
            .unwrap_or_default()
            .chars()
            .map(char::len_utf16)
            .sum();
        seen = (at, seen.1 + units);
        if count_at(seen.1).is_some_and(|count| count > 0) {
            entry.hit.insert(token.line);
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::{Function, Span, lines};

    #[test]
    fn the_innermost_range_counts() {
        let text =
            "// é\nexport function f (a) {\n  if (a) {\n    return 1\n  }\n  return 2\n}\nf(0)\n";
        let span = |start: &str, end: &str, count| Span {
            start_offset: text.find(start).unwrap().saturating_sub(1),
            end_offset: text.find(end).unwrap().saturating_sub(1),
            count,
        };
        let whole = Span {
            start_offset: 0,
            end_offset: text.encode_utf16().count(),
            count: 1,
        };
        let functions = [
            Function {
                ranges: vec![whole],
            },
            Function {
                ranges: vec![
                    span("function", "f(0)", 1),
                    span("{\n    return 1", "\n  return 2", 0),
                ],
            },
        ];
        let entry = lines("a.js", text, &functions);
        assert_eq!(entry.hit, [2, 3, 6, 8].into());
        assert_eq!(entry.known, [2, 3, 4, 6, 8].into());
    }
}
