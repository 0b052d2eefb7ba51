//! Go: names with a capital, by package: functions and methods with the types of their parameters, types with their
//! capital fields. What lies in `internal`, or belongs to a program, is nobody else's.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::{Surface, text_of};
use crate::code::{Code, Kind, Token, nesting};

/// More files than this are no package.
const MOST_FILES: usize = 500;

/// Reads the packages that these files belong to.
pub(super) fn read(root: &Path, paths: &[&str]) -> Surface {
    let folder_of = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    let folders: BTreeSet<String> = paths.iter().map(|path| folder_of(path)).collect();
    let mut surface = Surface::default();
    for folder in folders {
        if folder.split('/').any(|part| part == "internal") {
            continue;
        }
        let entries = std::fs::read_dir(root.join(&folder))
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".go") && !name.ends_with("_test.go"))
            .take(MOST_FILES)
            .collect();
        names.sort();
        for name in names {
            let path = crate::plan::join(&folder, &name);
            if let Some(text) = text_of(root, &path)
                && let Some(code) = Code::read(&path, &text)
            {
                File {
                    code: &code,
                    folder: &folder,
                }
                .read(&mut surface);
            }
        }
    }
    surface
}

struct File<'a> {
    code: &'a Code<'a>,
    folder: &'a str,
}

fn is_capital(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

impl File<'_> {
    fn read(&self, surface: &mut Surface) {
        let is_program = self
            .code
            .tokens
            .windows(2)
            .next()
            .is_some_and(|words| match words {
                [one, other] => one.is_word("package") && other.is_word("main"),
                _ => false,
            });
        if is_program {
            return;
        }
        let mut depth = 0_i32;
        for (at, token) in self.code.tokens.iter().enumerate() {
            let is_top = depth == 0 && token.indent.is_some();
            depth += nesting(token);
            if !is_top || token.kind != Kind::Word {
                continue;
            }
            match token.text {
                "func" => self.function(at, surface),
                "type" | "const" | "var" => self.declared(at, token.text, surface),
                _ => {}
            }
        }
    }

    fn key(&self, name: &str) -> String {
        let folder = if self.folder.is_empty() {
            "."
        } else {
            self.folder
        };
        format!("{folder}: {name}")
    }

    fn text(&self, range: &Range<usize>) -> String {
        let words: Vec<&str> = self
            .code
            .slice(range)
            .iter()
            .map(|token| token.text)
            .collect();
        words.join(" ")
    }

    fn function(&self, at: usize, surface: &mut Surface) {
        let mut open = at + 2;
        let mut owner = None;
        if self.code.at(at + 1).is_some_and(|token| token.is("(")) {
            let close = self.code.closing(at + 1);
            let receiver = self.code.slice(&(at + 2..close));
            let base = receiver
                .iter()
                .position(|token| token.is("["))
                .unwrap_or(receiver.len());
            owner = receiver
                .get(..base)
                .and_then(|words| words.iter().rev().find(|token| token.kind == Kind::Word))
                .map(|token| token.text);
            open = close + 2;
        }
        let Some(name) = self.code.at(open - 1).map(|token| token.text) else {
            return;
        };
        if !is_capital(name) || owner.is_some_and(|owner| !is_capital(owner)) {
            return;
        }
        let mut generic = String::new();
        if self.code.at(open).is_some_and(|token| token.is("[")) {
            let close = self.code.closing(open);
            generic = self.text(&(open..close + 1));
            open = close + 1;
        }
        let close = self.code.closing(open);
        let body = (close + 1..self.code.tokens.len()).find(|at| {
            let token = self.code.at(*at);
            token.is_some_and(|token| {
                token.indent.is_some() || token.is("{") && !self.opens_type(*at)
            })
        });
        let mut result = close + 1..body.unwrap_or(self.code.tokens.len());
        let parameters = self.types(&(open + 1..close)).join(", ");
        let results = if self
            .code
            .at(result.start)
            .is_some_and(|token| token.is("("))
        {
            result = result.start + 1..self.code.closing(result.start);
            self.types(&result).join(", ")
        } else {
            self.text(&result)
        };
        let name = owner.map_or_else(|| name.to_owned(), |owner| format!("{owner}.{name}"));
        surface.put(
            self.key(&name),
            &format!("func{generic}({parameters}) ({results})"),
        );
    }

    /// `interface {` and `struct {` as the type of something.
    fn opens_type(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.code.at(at));
        before.is_some_and(|token| token.is_word("interface") || token.is_word("struct"))
    }

    /// The types of parameters; their names are nobody's concern.
    fn types(&self, range: &Range<usize>) -> Vec<String> {
        let mut parts: Vec<Vec<&Token<'_>>> = vec![Vec::new()];
        let mut depth = 0_i32;
        for token in self.code.slice(range) {
            if depth == 0 && token.is(",") {
                parts.push(Vec::new());
                continue;
            }
            depth += nesting(token);
            if let Some(last) = parts.last_mut() {
                last.push(token);
            }
        }
        parts.retain(|part| !part.is_empty());
        let is_named = |part: &[&Token<'_>]| match part {
            [name, next, ..] => {
                const TYPES: &[&str] = &["func", "map", "chan", "struct", "interface"];
                let is_array =
                    next.is("[") && part.len() > 3 && part.last().is_some_and(|last| last.is("]"));
                let is_word = name.kind == Kind::Word && !TYPES.contains(&name.text);
                is_word && !next.is(".") && !is_array
            }
            _ => false,
        };
        let has_names = parts.iter().any(|part| is_named(part));
        let mut later = String::new();
        let mut types = Vec::new();
        for part in parts.iter().rev() {
            let skipped = usize::from(has_names && is_named(part));
            if !has_names || skipped > 0 {
                let words: Vec<&str> = part.iter().skip(skipped).map(|token| token.text).collect();
                later = words.join(" ");
            }
            types.push(later.clone());
        }
        types.reverse();
        types
    }

    /// `type Name …`, `const Name = …`, and several of them in parentheses.
    fn declared(&self, at: usize, kind: &str, surface: &mut Surface) {
        if !self.code.at(at + 1).is_some_and(|token| token.is("(")) {
            self.one(at + 1, kind, surface);
            return;
        }
        let close = self.code.closing(at + 1);
        let mut depth = 0_i32;
        for place in at + 2..close {
            let Some(token) = self.code.at(place) else {
                break;
            };
            if depth == 0 && token.indent.is_some() {
                self.one(place, kind, surface);
            }
            depth += nesting(token);
        }
    }

    fn one(&self, at: usize, kind: &str, surface: &mut Surface) {
        let Some(name) = self
            .code
            .at(at)
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
        else {
            return;
        };
        if kind != "type" {
            // `A, B = 1, 2`
            let names = (at..).step_by(2).map_while(|place| {
                let is_first =
                    place == at || self.code.at(place - 1).is_some_and(|token| token.is(","));
                self.code
                    .at(place)
                    .filter(|token| is_first && token.kind == Kind::Word)
            });
            for name in names.filter(|token| is_capital(token.text)) {
                surface.put(self.key(name.text), kind);
            }
            return;
        }
        if !is_capital(name) {
            return;
        }
        let shape = self.code.at(at + 1).map_or("", |token| token.text);
        let is_open = self.code.at(at + 2).is_some_and(|token| token.is("{"));
        if !matches!(shape, "struct" | "interface") || !is_open {
            let mut depth = 0_i32;
            let end = (at + 1..self.code.tokens.len()).find(|place| {
                let Some(token) = self.code.at(*place) else {
                    return true;
                };
                let is_over = depth == 0 && (token.indent.is_some() || token.is(")"));
                depth += nesting(token);
                is_over
            });
            let rest = at + 1..end.unwrap_or(self.code.tokens.len());
            surface.put(self.key(name), &format!("type {}", self.text(&rest)));
            return;
        }
        surface.put(self.key(name), shape);
        let close = self.code.closing(at + 2);
        let mut depth = 0_i32;
        for place in at + 3..close {
            let Some(token) = self.code.at(place) else {
                break;
            };
            let starts = depth == 0 && (token.indent.is_some() || place == at + 3);
            depth += nesting(token);
            if starts && token.kind == Kind::Word && is_capital(token.text) {
                let end = self.line_end(place, close);
                let how = self.text(&(place + 1..end));
                surface.put(self.key(&format!("{name}.{}", token.text)), &how);
            }
        }
    }

    fn line_end(&self, from: usize, close: usize) -> usize {
        let mut depth = 0_i32;
        for at in from..close {
            let Some(token) = self.code.at(at) else { break };
            if at > from && depth == 0 && (token.indent.is_some() || token.is(";")) {
                return at;
            }
            depth += nesting(token);
        }
        close
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::between;
    use super::read;

    const BASE: &str = "package calc\n\nconst (\n\tLimit = 3\n\town   = 4\n)\n\nvar A, B = 1, 2\n\ntype Cart struct {\n\tOwner string\n\titems []int\n}\n\ntype adder interface {\n\tAdd(int)\n}\n\nfunc (c *Cart) Add(item, more int, rest ...string) (int, error) {\n\treturn 1, nil\n}\n\nfunc Total(c Cart) int { return helper(c) }\n\nfunc helper(c Cart) int { return 0 }\n";

    fn after(head: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let api = between(read, &[("calc/calc.go", BASE)], &[("calc/calc.go", head)]);
        (api.removed, api.changed, api.added)
    }

    #[test]
    fn what_is_inside_may_change() {
        let head = BASE
            .replace("helper", "sum")
            .replace("items []int", "goods []int")
            .replace("item, more int", "one int, other int")
            .replace("own   = 4", "mine  = 5");
        assert_eq!(after(&head), (vec![], vec![], vec![]));
    }

    #[test]
    fn what_others_use_may_not() {
        assert_eq!(
            after(&BASE.replace("func Total", "func Sum")).0,
            ["calc: Total"]
        );
        assert_eq!(
            after(&BASE.replace(") Add(", ") Put(")).0,
            ["calc: Cart.Add"]
        );
        assert_eq!(
            after(&BASE.replace("Owner", "Buyer")).0,
            ["calc: Cart.Owner"]
        );
        assert_eq!(after(&BASE.replace("Limit", "limit")).0, ["calc: Limit"]);
        assert_eq!(after(&BASE.replace("A, B", "A, C")).0, ["calc: B"]);
        assert_eq!(after(&BASE.replace("more int", "more int64")).1.len(), 1);
        assert_eq!(after(&BASE.replace("(int, error)", "int")).1.len(), 1);
        let elsewhere = between(read, &[("calc/calc.go", BASE)], &[("calc/other.go", BASE)]);
        assert!(elsewhere.removed.is_empty() && elsewhere.changed.is_empty());
    }
}
