//! What is found in one line, with what the lines before it left open.

use crate::text::{Found, piece};
use crate::{address, assigned, block, entropy, form, word};

/// What earlier lines leave behind.
#[derive(Debug, Default)]
pub(crate) struct State {
    open: Option<block::Open>,
    follows_data: bool,
}

impl State {
    /// Writes a line with its secrets replaced; says whether it is another one now.
    pub(crate) fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let mut from = 0;
        let mut is_changed = false;
        if let Some(open) = &mut self.open {
            match open.next(line) {
                block::Next::Inside => return true,
                block::Next::EndsAt(end) => {
                    self.open = None;
                    from = end;
                    is_changed = true;
                }
                block::Next::Beyond => self.open = None,
            }
        }
        while let Some(found) = block::find(line, from) {
            self.plain(piece(line, from..found.start), out);
            out.extend_from_slice(word("private-key").as_bytes());
            is_changed = true;
            let Some(end) = found.end else {
                self.open = Some(block::Open::default());
                // The line's end stays, so that the texts around a block do not run together.
                if line.ends_with(b"\n") {
                    out.push(b'\n');
                }
                return true;
            };
            from = end;
        }
        self.plain(piece(line, from..line.len()), out) || is_changed
    }

    fn plain(&mut self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let redacted = settled(text, |text, found| {
            form::find(text, found);
            address::find(text, found);
            assigned::find(text, found);
            entropy::find(text, self.follows_data, found);
        });
        self.follows_data = entropy::is_data(text)
            || text.trim_ascii().starts_with(b"-----BEGIN ")
            || (self.follows_data && text.trim_ascii().is_empty());
        out.extend_from_slice(redacted.as_deref().unwrap_or(text));
        redacted.is_some()
    }
}

/// A text without its line end that is only looked at for itself, such as a value.
pub(crate) fn alone(text: &[u8], is_name: bool) -> Option<Vec<u8>> {
    settled(text, |text, found| {
        form::find(text, found);
        address::find(text, found);
        if !is_name {
            assigned::find(text, found);
            entropy::find(text, false, found);
        }
    })
}

/// Looks until nothing more is found: what is left of a text may be a secret of its own.
fn settled(text: &[u8], find: impl Fn(&[u8], &mut Vec<Found>)) -> Option<Vec<u8>> {
    const MOST: usize = 8;
    let mut settled: Option<Vec<u8>> = None;
    for _ in 0..MOST {
        let text = settled.as_deref().unwrap_or(text);
        let mut found = Vec::new();
        find(text, &mut found);
        if found.is_empty() {
            break;
        }
        settled = Some(replaced(text, found));
    }
    settled
}

/// Replaces what was found; where two overlap, the one that begins first gives the word, and both are gone.
fn replaced(text: &[u8], mut found: Vec<Found>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    found.sort_by(|one, other| {
        let by_start = one.at.start.cmp(&other.at.start);
        by_start.then(other.at.end.cmp(&one.at.end))
    });
    let mut done = 0;
    for each in &found {
        if each.at.start >= done {
            out.extend_from_slice(piece(text, done..each.at.start));
            out.extend_from_slice(word(each.kind).as_bytes());
        }
        done = done.max(each.at.end);
    }
    out.extend_from_slice(piece(text, done..text.len()));
    out
}
