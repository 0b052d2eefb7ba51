//! The public surface of source: what others may use, and how it is written, before and after a change.
//!
//! It reads files and runs nothing. What it cannot read it names; it never takes silence for sameness.

mod go;
mod javascript;
mod python;
mod rust;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wayproof_receipt::predicate::PublicApi;

use crate::checkout::changes_source;
use crate::code::Language;
use crate::plan::FileChange;
use crate::run::Tree;

/// What others may use of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surface {
    /// Items with how they are called or written.
    items: BTreeMap<String, String>,
    /// Names that lead somewhere else and can be used all the same, with how that is written where it is known.
    names: BTreeMap<String, String>,
    /// Files whose surface could not be read.
    unread: BTreeSet<String>,
}

impl Surface {
    fn put(&mut self, key: String, signature: &str) {
        let known = self.items.entry(key).or_default();
        if !known.is_empty() && known != signature {
            known.push_str(" | ");
        }
        if known != signature {
            known.push_str(signature);
        }
    }

    /// How something is written that a name leads to; "" where only the name, or that of what it is a part of, is known.
    fn leads_to(&self, key: &str) -> Option<&str> {
        let whole = || {
            self.names
                .get(key.rsplit_once('.')?.0)
                .filter(|how| how.is_empty())
        };
        let found = self.names.get(key).or_else(whole);
        found.map(String::as_str)
    }

    fn merge(&mut self, other: Self) {
        for (key, signature) in other.items {
            self.put(key, &signature);
        }
        self.names.extend(other.names);
        self.unread.extend(other.unread);
    }
}

/// Compares the public surface of what changed.
pub(crate) fn compare(base: &Tree, head: &Tree, changes: &[FileChange]) -> PublicApi {
    let mut unread = BTreeSet::new();
    let mut by_language: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for change in changes.iter().filter(|change| changes_source(change)) {
        let language = match Language::of(&change.path) {
            Some(Language::Python) => "python",
            Some(Language::JavaScript) => "javascript",
            Some(Language::Go) => "go",
            Some(Language::Rust) => "rust",
            Some(Language::Ruby | Language::Php | Language::Java | Language::C) => {
                unread.insert(change.path.clone());
                continue;
            }
            None => continue,
        };
        by_language.entry(language).or_default().push(&change.path);
    }
    let read = |tree: &Tree| {
        let mut surface = Surface::default();
        for (language, paths) in &by_language {
            let read: fn(&Path, &[&str]) -> Surface = match *language {
                "python" => python::read,
                "javascript" => javascript::read,
                "go" => go::read,
                _ => rust::read,
            };
            surface.merge(read(&tree.path, paths));
        }
        surface
    };
    let mut api = difference(&read(base), &read(head));
    unread.extend(api.unread);
    api.unread = unread.into_iter().collect();
    api
}

/// What is gone, changed and new. Pure.
fn difference(base: &Surface, head: &Surface) -> PublicApi {
    let mut api = PublicApi {
        items: base.items.len() as u64,
        unread: base.unread.union(&head.unread).cloned().collect(),
        ..PublicApi::default()
    };
    for (key, was) in &base.items {
        match head.items.get(key) {
            Some(now) if is_same(was, now) => {}
            Some(now) if is_extended(was, now) => api.added.push(format!("{key}({now})")),
            Some(now) => api
                .changed
                .push(format!("{key}: {} became {}", shown(was), shown(now))),
            None => match head.leads_to(key) {
                Some(now) if is_same(was, now) || is_extended(was, now) => {}
                Some(now) => {
                    api.changed
                        .push(format!("{key}: {} became {}", shown(was), shown(now)));
                }
                None => api.removed.push(key.clone()),
            },
        }
    }
    let is_new = |key: &&String| !base.items.contains_key(*key) && base.leads_to(key).is_none();
    api.added.extend(head.items.keys().filter(is_new).cloned());
    api
}

/// Where it is not known how something is written, nothing is said about it.
fn is_same(was: &str, now: &str) -> bool {
    was == now || was.is_empty() || now.is_empty()
}

fn shown(signature: &str) -> String {
    const MOST: usize = 120;
    let text: String = signature.chars().take(MOST).collect();
    format!("`{text}`")
}

/// Whether only parameters were added that nobody has to give; marked so by the readers whose languages have them.
fn is_extended(was: &str, now: &str) -> bool {
    let (Some(was), Some(now)) = (was.strip_prefix(OPTIONAL), now.strip_prefix(OPTIONAL)) else {
        return false;
    };
    let more = match now.strip_prefix(was) {
        Some(more) if was.is_empty() => more,
        Some(more) => match more.strip_prefix(", ") {
            Some(more) => more,
            None => return false,
        },
        None => return false,
    };
    more.split(", ")
        .all(|one| one.contains('=') || one.starts_with("..."))
}

/// What begins a list of parameters that may have defaults.
const OPTIONAL: &str = "params ";

/// A file of a tree, when it is one and not too large.
fn text_of(root: &Path, path: &str) -> Option<String> {
    const MOST_BYTES: u64 = 2 << 20;
    let place = root.join(path);
    let data = place.symlink_metadata().ok()?;
    if !data.is_file() || data.len() > MOST_BYTES {
        return None;
    }
    std::fs::read_to_string(place).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use wayproof_receipt::predicate::PublicApi;

    use super::{Surface, difference};

    /// What a reader says of two sides, each a list of files.
    pub(crate) fn between(
        read: fn(&Path, &[&str]) -> Surface,
        base: &[(&str, &str)],
        head: &[(&str, &str)],
    ) -> PublicApi {
        let side = |files: &[(&str, &str)]| {
            let folder = tempfile::TempDir::new().unwrap();
            for (path, text) in files {
                let place = folder.path().join(path);
                std::fs::create_dir_all(place.parent().unwrap()).unwrap();
                std::fs::write(place, text).unwrap();
            }
            folder
        };
        let mut paths: Vec<&str> = base.iter().chain(head).map(|(path, _)| *path).collect();
        paths.dedup();
        difference(
            &read(side(base).path(), &paths),
            &read(side(head).path(), &paths),
        )
    }
}
