//! Python: names of modules without an underscore, with the parameters of functions and of the methods of classes.
//! Where a module has `__all__`, that is its surface.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{OPTIONAL, Surface, text_of};
use crate::code::{Code, Kind, nesting};

/// How far stars are followed.
const DEPTH: u8 = 4;

/// Reads the modules at these paths.
pub(super) fn read(root: &Path, paths: &[&str]) -> Surface {
    let mut surface = Surface::default();
    for path in paths {
        let is_private = path
            .split('/')
            .any(|part| part.starts_with('_') && !part.starts_with("__"));
        if is_private || !path.ends_with(".py") {
            continue;
        }
        let Some(text) = text_of(root, path) else {
            continue;
        };
        let module = Module::read(root, path, &text, 0);
        let name = module_name(path);
        if module.has_unknown_star {
            surface.unread.insert((*path).to_owned());
        }
        for (item, signature) in &module.items {
            let top = item.split('.').next().unwrap_or(item);
            let is_public = match &module.all {
                Some(all) => all.contains(top),
                None => !top.starts_with('_'),
            };
            if is_public {
                surface.put(format!("{name}.{item}"), signature);
            } else {
                surface
                    .names
                    .insert(format!("{name}.{item}"), signature.clone());
            }
        }
        for (imported, signature) in &module.imported {
            // What a package passes on is its own; what a module needs for itself is not, but it is there.
            let top = imported.split('.').next().unwrap_or(imported);
            let is_passed_on = match &module.all {
                Some(all) => all.contains(top),
                None => path.ends_with("__init__.py") && !top.starts_with('_'),
            };
            let key = format!("{name}.{imported}");
            if is_passed_on {
                surface.put(key.clone(), signature);
            }
            surface.names.insert(key, signature.clone());
        }
    }
    surface
}

fn module_name(path: &str) -> String {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.replace('/', ".")
}

#[derive(Default)]
struct Module {
    items: BTreeMap<String, String>,
    /// Names of other modules, with how they are written where those could be read.
    imported: BTreeMap<String, String>,
    all: Option<BTreeSet<String>>,
    has_unknown_star: bool,
}

/// What a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around<'a> {
    Function,
    Class(&'a str),
    Block,
}

impl Module {
    fn read(root: &Path, path: &str, text: &str, depth: u8) -> Self {
        let mut module = Self::default();
        let Some(code) = Code::read(path, text) else {
            return module;
        };
        let mut around: Vec<(usize, Around<'_>)> = Vec::new();
        let mut nested = 0_i32;
        for (at, token) in code.tokens.iter().enumerate() {
            let indent = token.indent.filter(|_| nested == 0);
            nested += nesting(token);
            let Some(indent) = indent else { continue };
            around.retain(|(depth, _)| *depth < indent);
            let is_local = around.iter().any(|(_, kind)| *kind == Around::Function);
            if is_local {
                continue;
            }
            let class = around.iter().find_map(|(_, kind)| match kind {
                Around::Class(name) => Some(*name),
                Around::Function | Around::Block => None,
            });
            let first = at + usize::from(token.is_word("async"));
            let name = code.at(first + 1).map_or("", |token| token.text);
            match code.at(first).map_or("", |token| token.text) {
                "def" => {
                    module.function(&code, class, name, first + 2);
                    around.push((indent, Around::Function));
                }
                "class" => {
                    if class.is_none() {
                        module.items.insert(name.to_owned(), "class".to_owned());
                        around.push((indent, Around::Class(name)));
                    } else {
                        around.push((indent, Around::Function));
                    }
                }
                "if" | "elif" | "else" | "try" | "except" | "finally" | "with" | "for"
                | "while" => {
                    around.push((indent, Around::Block));
                }
                "import" | "from" if class.is_none() => {
                    module.import(&code, at, (root, path, depth));
                }
                _ if class.is_none() => module.assigned(&code, at),
                _ => {}
            }
        }
        module
    }

    fn function(&mut self, code: &Code<'_>, class: Option<&str>, name: &str, open: usize) {
        let is_special = name.starts_with("__") && name.ends_with("__");
        if name.is_empty() || class.is_some() && name.starts_with('_') && !is_special {
            return;
        }
        let key = class.map_or_else(|| name.to_owned(), |class| format!("{class}.{name}"));
        let signature = format!("{OPTIONAL}{}", parameters(code, open));
        let known = self.items.entry(key).or_default();
        if !known.is_empty() {
            known.push_str(" | ");
        }
        known.push_str(&signature);
    }

    fn assigned(&mut self, code: &Code<'_>, at: usize) {
        let end = code.statement_end(at);
        let names: Vec<&str> = (at..end)
            .take_while(|at| {
                !code
                    .at(*at)
                    .is_some_and(|token| token.is("=") || token.is(":"))
            })
            .filter_map(|at| code.at(at))
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect();
        let follows = |sign: &str| code.at(at + 1).is_some_and(|token| token.is(sign));
        if !(follows("=") || follows(":") || follows(",") || follows("+=")) {
            return;
        }
        if names.first() == Some(&"__all__") {
            let close = (at..code.tokens.len()).find(|at| {
                code.at(*at)
                    .is_some_and(|token| token.is("[") || token.is("("))
            });
            let range = close.map_or(at..end, |open| open..code.closing(open));
            let texts = code
                .slice(&range)
                .iter()
                .filter(|token| token.kind == Kind::Text);
            let all = self.all.get_or_insert_default();
            all.extend(texts.map(|token| token.text.to_owned()));
            return;
        }
        if follows("+=") {
            return;
        }
        for name in names {
            self.items
                .entry(name.to_owned())
                .or_insert_with(|| "value".to_owned());
        }
    }

    /// `import a.b as c`, `from .m import (a, b as c)`, `from m import *`.
    fn import(&mut self, code: &Code<'_>, at: usize, (root, path, depth): (&Path, &str, u8)) {
        let line = code.at(at).map_or(0, |token| token.line);
        let is_from = code.at(at).is_some_and(|token| token.is_word("from"));
        let mut end = (at + 1..code.tokens.len())
            .find(|at| {
                code.at(*at)
                    .is_some_and(|token| token.indent.is_some() && token.line != line)
            })
            .unwrap_or(code.tokens.len());
        let import = (at..end).find(|at| code.at(*at).is_some_and(|token| token.is_word("import")));
        let Some(import) = import else { return };
        if code.at(import + 1).is_some_and(|token| token.is("(")) {
            end = code.closing(import + 1);
        }
        let words = code.slice(&(import + 1..end));
        if is_from && words.first().is_some_and(|token| token.is("*")) {
            let from: String = code
                .slice(&(at + 1..import))
                .iter()
                .map(|token| token.text)
                .collect();
            self.star(&from, (root, path, depth));
            return;
        }
        let from: String = code
            .slice(&(at + 1..import))
            .iter()
            .map(|token| token.text)
            .collect();
        let other = is_from
            .then(|| Self::of(&from, (root, path, depth)))
            .flatten();
        for words in words.split(|token| token.is(",")) {
            let names: Vec<&str> = words
                .iter()
                .filter(|token| token.kind == Kind::Word)
                .map(|token| token.text)
                .collect();
            let (Some(first), Some(last)) = (names.first(), names.last()) else {
                continue;
            };
            // `import a.b` gives the name `a`.
            let name = if is_from || names.contains(&"as") {
                *last
            } else {
                *first
            };
            self.pass(name, first, other.as_ref());
        }
    }

    /// Takes a name of another module, with its parts.
    fn pass(&mut self, name: &str, original: &str, other: Option<&Self>) {
        self.imported.entry(name.to_owned()).or_default();
        let Some(other) = other else { return };
        for (item, how) in other.items.iter().chain(&other.imported) {
            let part = item
                .strip_prefix(original)
                .filter(|rest| rest.is_empty() || rest.starts_with('.'));
            if let Some(part) = part {
                self.imported.insert(format!("{name}{part}"), how.clone());
            }
        }
    }

    fn star(&mut self, from: &str, at: (&Path, &str, u8)) {
        let Some(other) = Self::of(from, at) else {
            self.has_unknown_star = true;
            return;
        };
        let is_public = |name: &str| match &other.all {
            Some(all) => all.contains(name),
            None => !name.starts_with('_'),
        };
        let tops = other.items.keys().chain(other.imported.keys());
        let tops: BTreeSet<&String> = tops
            .filter(|name| !name.contains('.') && is_public(name))
            .collect();
        for top in tops {
            self.pass(top, top, Some(&other));
        }
        self.has_unknown_star |= other.has_unknown_star;
    }

    /// The module of the repository that a name means.
    fn of(from: &str, (root, path, depth): (&Path, &str, u8)) -> Option<Self> {
        let dots = from.chars().take_while(|c| *c == '.').count();
        let rest = from.trim_start_matches('.').replace('.', "/");
        let mut folder: Vec<&str> = path.split('/').collect();
        folder.truncate(folder.len().saturating_sub(dots.max(1)));
        let near = if folder.is_empty() {
            String::new()
        } else {
            format!("{}/", folder.join("/"))
        };
        let starts = if dots == 0 {
            vec![String::new(), "src/".to_owned(), near]
        } else {
            vec![near]
        };
        let places = starts.iter().flat_map(|start| {
            let start = format!("{start}{rest}");
            let start = start.trim_end_matches('/');
            [format!("{start}.py"), format!("{start}/__init__.py")]
        });
        let mut found = places.filter(|_| depth < DEPTH);
        let (text, place) = found.find_map(|place| Some((text_of(root, &place)?, place)))?;
        Some(Self::read(root, &place, &text, depth + 1))
    }
}

/// Parameters by name and default, without their types.
fn parameters(code: &Code<'_>, open: usize) -> String {
    let close = code.closing(open);
    let mut all = Vec::new();
    let mut one = String::new();
    let mut depth = 0_i32;
    let mut is_type = false;
    for token in code.slice(&(open + 1..close)) {
        if depth == 0 && token.is(",") {
            all.push(std::mem::take(&mut one));
            is_type = false;
            continue;
        }
        is_type = depth == 0 && token.is(":") || is_type && !(depth == 0 && token.is("="));
        depth += nesting(token);
        if !is_type {
            one.push_str(token.text);
        }
    }
    all.push(one);
    all.retain(|one| !one.is_empty());
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::between;
    use super::read;

    const BASE: &str = "import os\nfrom .impl import helper\nLIMIT = 3\n_own = 1\n\n\ndef total(items, *, tax: int = 0) -> int:\n    def inner(x):\n        return x\n    return sum(items)\n\n\nclass Cart:\n    kind = 1\n\n    def __init__(self, owner):\n        self.owner = owner\n\n    def add(self, item):\n        pass\n\n    def _grow(self):\n        pass\n";

    fn after(head: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let api = between(read, &[("shop.py", BASE)], &[("shop.py", head)]);
        (api.removed, api.changed, api.added)
    }

    #[test]
    fn what_is_inside_may_change() {
        let head = BASE
            .replace("import os\n", "")
            .replace("_own", "_mine")
            .replace("inner", "within")
            .replace("_grow", "_shrink")
            .replace("tax: int = 0", "tax = 0");
        assert_eq!(after(&head), (vec![], vec![], vec![]));
    }

    #[test]
    fn what_others_use_may_not() {
        assert_eq!(
            after(&BASE.replace("def total", "def sum_of")).0,
            ["shop.total"]
        );
        assert_eq!(
            after(&BASE.replace("def add", "def put")).0,
            ["shop.Cart.add"]
        );
        assert_eq!(after(&BASE.replace("LIMIT", "MOST")).0, ["shop.LIMIT"]);
        let changed = after(&BASE.replace("items, *", "goods, *")).1;
        assert!(changed[0].starts_with("shop.total: "), "{changed:?}");
        assert_eq!(
            after(&BASE.replace("self, owner", "self, owner, name"))
                .1
                .len(),
            1
        );
        let (removed, changed, added) =
            after(&BASE.replace("self, owner", "self, owner, name=None"));
        assert!(removed.is_empty() && changed.is_empty() && added.len() == 1);
    }

    #[test]
    fn what_moves_and_is_passed_on_stays() {
        let goods = BASE.replace("LIMIT = 3\n", "");
        let head = |goods: &str| {
            let files = [
                (
                    "shop.py",
                    "from .goods import total, Cart as Cart\nfrom .more import *\n",
                ),
                ("more.py", "LIMIT = 3\n"),
                ("goods.py", goods),
            ];
            between(read, &[("shop.py", BASE)], &files)
        };
        let api = head(&goods);
        assert!(api.removed.is_empty() && api.changed.is_empty(), "{api:?}");
        let api = head(
            &goods
                .replace("items, *", "goods, *")
                .replace("def add", "def put"),
        );
        assert_eq!((api.removed.len(), api.changed.len()), (1, 1), "{api:?}");
        let listed = "__all__ = [\n    'f',\n]\ndef f(): pass\ndef g(): pass\n";
        let all = between(
            read,
            &[("a.py", listed)],
            &[("a.py", "__all__ = ['f']\ndef f(): pass\n")],
        );
        assert!(all.removed.is_empty(), "{all:?}");
    }
}
