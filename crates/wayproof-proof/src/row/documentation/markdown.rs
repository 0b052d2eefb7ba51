//! A document as blocks, links and headings: as much of Markdown as claims and links need, in one pass.
//!
//! It refuses to render. What it cannot tell apart it takes for text.

use std::collections::{BTreeMap, BTreeSet};

/// A piece of a document that stands for itself: a paragraph, an item, a row of a table, a sample of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'t> {
    /// The first line, counted from one.
    pub start: u32,
    /// Its lines; of a sample those between the fences.
    pub lines: Vec<&'t str>,
    /// The language of a sample; nothing for text.
    pub sample: Option<String>,
}

impl Block<'_> {
    /// Its words.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Whether one of these lines is in it.
    pub(crate) fn has_any(&self, numbers: &BTreeSet<u32>) -> bool {
        (self.start..)
            .zip(&self.lines)
            .any(|(number, _)| numbers.contains(&number))
    }
}

/// The blocks of a document.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    let mut is_open = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let trimmed = line.trim_start();
        if let Some((mark, length)) = fence {
            if run_of(trimmed, mark) >= length && trimmed.trim_end().chars().all(|c| c == mark) {
                fence = None;
                is_open = false;
            } else if let Some(block) = blocks.last_mut() {
                block.lines.push(line);
            }
            continue;
        }
        let opened = ['`', '~']
            .into_iter()
            .map(|mark| (mark, run_of(trimmed, mark)))
            .find(|(_, length)| *length >= 3);
        if let Some((mark, length)) = opened {
            fence = Some((mark, length));
            let info = trimmed.trim_start_matches(mark).trim();
            blocks.push(Block {
                start: number + 1,
                lines: Vec::new(),
                sample: Some(info.to_owned()),
            });
            continue;
        }
        if trimmed.is_empty() {
            is_open = false;
            continue;
        }
        let stands_alone = trimmed.starts_with('#') || trimmed.starts_with('|');
        if !is_open || stands_alone || is_item(trimmed) {
            blocks.push(Block {
                start: number,
                lines: Vec::new(),
                sample: None,
            });
        }
        is_open = !stands_alone;
        if let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    blocks
}

fn run_of(text: &str, mark: char) -> usize {
    text.chars().take_while(|c| *c == mark).count()
}

fn is_item(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = text.get(digits..).unwrap_or_default();
    (digits > 0 && (after.starts_with(". ") || after.starts_with(") ")))
        || ["- ", "* ", "+ "].iter().any(|mark| text.starts_with(mark))
}

/// Addresses of reference links: `[name]: address`.
pub(crate) fn definitions(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| {
        let (name, rest) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
        let address = rest.split_whitespace().next()?;
        let address = address.trim_start_matches('<').trim_end_matches('>');
        Some((name.to_lowercase(), address.to_owned()))
    });
    lines.collect()
}

/// The addresses a text links to, in order, each once.
pub(crate) fn links(text: &str, definitions: &BTreeMap<String, String>) -> Vec<String> {
    let shown = without_code(text);
    let mut found: Vec<String> = Vec::new();
    let mut note = |address: &str| {
        let address = address.trim();
        if !address.is_empty() && !found.iter().any(|known| known == address) {
            found.push(address.to_owned());
        }
    };
    let mut rest = shown.as_str();
    while let Some(at) = rest.find("](") {
        let inside = rest.get(at + 2..).unwrap_or_default();
        let end = closing(inside);
        let target = inside.get(..end).unwrap_or_default().trim();
        let target = match target
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
        {
            Some((target, _)) => target,
            // A title may follow the address.
            None => target.split_whitespace().next().unwrap_or_default(),
        };
        note(target);
        rest = inside.get(end..).unwrap_or_default();
    }
    for (at, _) in shown.match_indices('[') {
        let inside = shown.get(at + 1..).unwrap_or_default();
        let Some((label, after)) = inside.split_once(']') else {
            continue;
        };
        if after.starts_with('(') || after.starts_with(':') {
            continue;
        }
        let reference = after
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(name, _)| name)
            .filter(|name| !name.is_empty())
            .unwrap_or(label);
        if let Some(address) = definitions.get(&reference.to_lowercase()) {
            note(address);
        }
    }
    for scheme in ["https://", "http://"] {
        for (at, _) in shown.match_indices(scheme) {
            let address: String = shown
                .get(at..)
                .unwrap_or_default()
                .chars()
                .take_while(|c| {
                    !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '`' | '|' | '\\')
                })
                .collect();
            let address =
                balanced(address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']));
            note(address);
        }
    }
    found
}

/// Where the parenthesis that is open closes.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// An address without the closing marks of what stands around it.
fn balanced(address: &str) -> &str {
    let mut end = address;
    for (open, close) in [('(', ')'), ('[', ']')] {
        while end.ends_with(close) && end.matches(close).count() > end.matches(open).count() {
            end = end.strip_suffix(close).unwrap_or(end);
        }
        // `](address)` was read as a link; what follows its end is not part of it.
        if let Some(at) = end.find(close).filter(|_| !end.contains(open)) {
            end = end.get(..at).unwrap_or(end);
        }
    }
    end
}

/// What stands in backticks, each piece.
pub(crate) fn code(text: &str) -> Vec<String> {
    pieces(text)
        .into_iter()
        .filter_map(|(piece, is_code)| is_code.then_some(piece))
        .collect()
}

/// A text with its code left out.
pub(crate) fn without_code(text: &str) -> String {
    let kept = pieces(text).into_iter();
    kept.filter_map(|(piece, is_code)| (!is_code).then_some(piece))
        .collect()
}

fn pieces(text: &str) -> Vec<(String, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        pieces.push((before.to_owned(), false));
        let mark = "`".repeat(run_of(from, '`'));
        let inside = from.get(mark.len()..).unwrap_or_default();
        if let Some(end) = inside.find(&mark) {
            let code = inside.get(..end).unwrap_or_default().trim();
            pieces.push((code.to_owned(), true));
            rest = inside.get(end + mark.len()..).unwrap_or_default();
        } else {
            pieces.push((mark, false));
            rest = inside;
        }
    }
    pieces.push((rest.to_owned(), false));
    pieces
}

/// The anchors of a document: of its headings, as forges make them, and those it names itself.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for block in blocks(text).iter().filter(|block| block.sample.is_none()) {
        for line in &block.lines {
            found.extend(named(line));
            let Some(title) = heading(line) else { continue };
            let slug = slug(title);
            let count = counts.entry(slug.clone()).or_default();
            found.insert(if *count == 0 {
                slug
            } else {
                format!("{slug}-{count}")
            });
            *count += 1;
        }
    }
    found
}

fn heading(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let depth = run_of(line, '#');
    let title = line.get(depth..)?;
    ((1..=6).contains(&depth) && title.starts_with(' '))
        .then(|| title.trim().trim_end_matches('#').trim())
}

/// Anchors that are written out: `id="…"`, `name="…"` and `{#…}`.
fn named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [("id=\"", '"'), ("name=\"", '"'), ("{#", '}')] {
        for (at, _) in line.match_indices(open) {
            let inside = line.get(at + open.len()..).unwrap_or_default();
            if let Some((name, _)) = inside.split_once(close) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

fn slug(title: &str) -> String {
    let mut plain = title.replace('`', "");
    // Of a link only its words count.
    while let Some(at) = plain.find("](") {
        let end = plain.get(at..).and_then(|rest| rest.find(')'));
        let Some(end) = end else { break };
        plain.replace_range(at..=at + end, "");
    }
    plain
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_falls_into_blocks() {
        let text = "# Title\nOne\ntwo\n\n- a\n- b\n\n```rust,no_run\nfn main() {}\n```\n| x | y |\n| 1 | 2 |\n";
        let blocks = blocks(text);
        let seen: Vec<(u32, usize, Option<&str>)> = blocks
            .iter()
            .map(|block| (block.start, block.lines.len(), block.sample.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (1, 1, None),
                (2, 2, None),
                (5, 1, None),
                (6, 1, None),
                (9, 1, Some("rust,no_run")),
                (11, 1, None),
                (12, 1, None)
            ]
        );
    }

    #[test]
    fn links_of_every_form_are_found_and_code_is_not() {
        let text = "See [a](https://a.example/x_(y) \"title\"), [b][B], [c], <https://d.example/>, https://e.example/p. `https://no.example` ([f](f.md#g))";
        let definitions = definitions("[b]: https://b.example\n[C]: <c.md>\n");
        assert_eq!(
            links(text, &definitions),
            [
                "https://a.example/x_(y)",
                "f.md#g",
                "https://b.example",
                "c.md",
                "https://d.example/",
                "https://e.example/p"
            ]
        );
    }

    #[test]
    fn anchors_are_made_as_forges_make_them() {
        let text = "# A `b` & c!\n## Twice\n## Twice\n<a id=\"own\"></a>\n```sh\n# no heading\n```\n## [Link](x.md) here\n";
        let found: Vec<String> = anchors(text).into_iter().collect();
        assert_eq!(found, ["a-b--c", "link-here", "own", "twice", "twice-1"]);
    }
}
