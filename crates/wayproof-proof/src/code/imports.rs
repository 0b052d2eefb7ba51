//! Names that stand for something of another module: `import { argv } from 'node:process'`, `use std::env::args`.

use std::collections::BTreeMap;

use super::{Code, Kind, Language, Token};

/// The names a file gives to modules and to what it takes out of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Imports<'a> {
    /// Other names of modules.
    modules: BTreeMap<&'a str, &'a str>,
    /// Members taken out, by the name they have here: module and own name.
    members: BTreeMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Code<'a> {
    /// What a file imports, as far as single names go.
    pub(super) fn imports(&self) -> Imports<'a> {
        let mut imports = Imports::default();
        for (at, token) in self.tokens.iter().enumerate() {
            match self.language {
                Language::JavaScript if token.is_word("from") => {
                    let Some(module) = self.at(at + 1).filter(|next| next.kind == Kind::Text)
                    else {
                        continue;
                    };
                    let start = (0..at)
                        .rev()
                        .find(|start| self.at(*start).is_some_and(|token| token.is_word("import")));
                    imports.take(
                        self.slice(&(start.map_or(at, |start| start + 1)..at)),
                        last_part(module.text),
                        "as",
                    );
                }
                Language::JavaScript if token.is("=") => self.required(at, &mut imports),
                Language::Python if token.is_word("import") => self.python(at, &mut imports),
                Language::Rust if token.is_word("use") => {
                    let end = self.statement_end(at + 1);
                    self.used(at + 1, end, &mut imports);
                }
                Language::Go if token.kind == Kind::Text => {
                    let name = at.checked_sub(1).and_then(|at| self.at(at));
                    let is_first = name.is_some_and(|name| {
                        name.kind == Kind::Word
                            && (name.indent.is_some()
                                || self
                                    .at(at.saturating_sub(2))
                                    .is_some_and(|token| token.is_word("import")))
                    });
                    if let Some(name) = name
                        .filter(|name| is_first && name.text != "import" && name.text != "return")
                    {
                        imports.modules.insert(name.text, last_part(token.text));
                    }
                }
                _ => {}
            }
        }
        imports
    }

    /// `const { exit: leave } = process`, `const p = require('node:process')`.
    fn required(&self, at: usize, imports: &mut Imports<'a>) {
        let Some(value) = self.at(at + 1).filter(|value| value.kind == Kind::Word) else {
            return;
        };
        let module = if value.text == "require" {
            self.at(at + 3)
                .filter(|text| text.kind == Kind::Text)
                .map(|text| last_part(text.text))
        } else {
            let is_whole = !self
                .at(at + 2)
                .is_some_and(|next| next.indent.is_none() && !next.is(";") && !next.is(","));
            is_whole
                .then_some(value.text)
                .filter(|name| matches!(*name, "process" | "fs" | "crypto" | "Date" | "Math"))
        };
        let start = (0..at).rev().find(|start| {
            self.at(*start).is_some_and(|token| {
                matches!(token.text, "const" | "let" | "var") && token.kind == Kind::Word
            })
        });
        if let (Some(module), Some(start)) = (module, start) {
            imports.take(self.slice(&(start + 1..at)), module, ":");
        }
    }

    /// `from sys import argv as words`, `import sys as s`.
    fn python(&self, at: usize, imports: &mut Imports<'a>) {
        let end = (at + 1..self.tokens.len())
            .find(|end| self.at(*end).is_some_and(|token| token.indent.is_some()));
        let names = self.slice(&(at + 1..end.unwrap_or(self.tokens.len())));
        let module = at
            .checked_sub(2)
            .filter(|from| self.at(*from).is_some_and(|token| token.is_word("from")))
            .and_then(|from| self.at(from + 1));
        if let Some(module) = module {
            imports.take_members(names, module.text, "as");
        } else if let [module, word, name] = names
            && word.is_word("as")
        {
            imports.modules.insert(name.text, module.text);
        }
    }

    /// `use std::env::{self, args as words};`
    fn used(&self, from: usize, to: usize, imports: &mut Imports<'a>) {
        let mut module = "";
        for at in from..to {
            let Some(token) = self.at(at).filter(|token| token.kind == Kind::Word) else {
                continue;
            };
            if self.at(at + 1).is_some_and(|next| next.is("::")) {
                module = token.text;
            } else if self.at(at + 1).is_some_and(|next| next.is_word("as")) {
                if let Some(name) = self.at(at + 2) {
                    imports.members.insert(name.text, (module, token.text));
                    imports.modules.insert(name.text, token.text);
                }
            } else if !at
                .checked_sub(1)
                .and_then(|at| self.at(at))
                .is_some_and(|before| before.is_word("as"))
                && token.text != "as"
            {
                imports.members.insert(token.text, (module, token.text));
            }
        }
    }

    /// Whether the file takes a member of a module, by whatever name it has here.
    pub(crate) fn takes(&self, module: &str, member: &str) -> bool {
        self.imports
            .members
            .values()
            .any(|taken| *taken == (module, member))
    }

    /// The place after a chain of names that starts at `at` by another name that it has in this file.
    pub(super) fn end_of_known(
        &self,
        imports: &Imports<'_>,
        path: &[&str],
        at: usize,
    ) -> Option<usize> {
        let token = self
            .at(at)
            .filter(|token| token.kind == Kind::Word && !self.is_member(at))?;
        let (first, rest) = path.split_first()?;
        if imports.modules.get(token.text) == Some(first) && *first != token.text {
            let next = rest.first()?;
            let joins = self
                .at(at + 1)
                .is_some_and(|sign| sign.is(".") || sign.is("::") || sign.is("?."));
            return (joins && self.at(at + 2).is_some_and(|token| token.is_word(next)))
                .then(|| self.plain_end(rest, at + 2))
                .flatten();
        }
        let (module, name) = imports.members.get(token.text)?;
        let (second, others) = rest.split_first()?;
        if module != first || name != second {
            return None;
        }
        if others.is_empty() {
            Some(at + 1)
        } else {
            self.plain_end(others, at + 2)
        }
    }
}

impl<'a> Imports<'a> {
    /// `a, { b as c }`, `* as d`, `{ e: f }`.
    fn take(&mut self, names: &[Token<'a>], module: &'a str, renames: &str) {
        let open = names.iter().position(|token| token.is("{"));
        let (whole, members) = names.split_at(open.unwrap_or(names.len()));
        if let Some(name) = whole
            .iter()
            .rev()
            .find(|token| token.kind == Kind::Word && token.text != "as")
        {
            self.modules.insert(name.text, module);
        }
        self.take_members(members, module, renames);
    }

    fn take_members(&mut self, names: &[Token<'a>], module: &'a str, renames: &str) {
        for (at, token) in names.iter().enumerate() {
            let is_next = |offset: usize, word: &str| {
                names
                    .get(at + offset)
                    .is_some_and(|token| token.text == word)
            };
            let is_new_name = at
                .checked_sub(1)
                .and_then(|at| names.get(at))
                .is_some_and(|before| before.text == renames);
            if token.kind != Kind::Word || token.text == "as" || is_new_name {
                continue;
            }
            let here = if is_next(1, renames) {
                names.get(at + 2).map_or(token.text, |name| name.text)
            } else {
                token.text
            };
            self.members.insert(here, (module, token.text));
        }
    }
}

/// `process` of `node:process`, `rand` of `math/rand`.
fn last_part(module: &str) -> &str {
    module.rsplit(['/', ':']).next().unwrap_or(module)
}

#[cfg(test)]
mod tests {
    use crate::code::Code;

    #[test]
    fn imported_names_are_known_by_where_they_come_from() {
        for (path, text, chain) in [
            (
                "a.js",
                "import { argv as words } from 'node:process'\nwords",
                ["process", "argv"],
            ),
            (
                "a.js",
                "import p from 'process'\np.argv",
                ["process", "argv"],
            ),
            (
                "a.js",
                "const { argv } = process\nargv",
                ["process", "argv"],
            ),
            (
                "a.js",
                "const { exit: leave } = require('node:process')\nleave",
                ["process", "exit"],
            ),
            ("a.js", "const p = process\np.exit", ["process", "exit"]),
            (
                "a.py",
                "from sys import argv as words\nwords",
                ["sys", "argv"],
            ),
            ("a.py", "import sys as s\ns.argv", ["sys", "argv"]),
            ("a.rs", "use std::env::{self, args};\nargs", ["env", "args"]),
            ("a.rs", "use std::env as e;\ne::args", ["env", "args"]),
            ("a.go", "import o \"os\"\no.Args", ["os", "Args"]),
        ] {
            let code = Code::read(path, text).unwrap();
            let imports = code.imports();
            let last = (0..code.tokens.len())
                .rev()
                .find(|at| code.tokens[*at].indent.is_some())
                .unwrap();
            assert!(code.path_end(&chain, last).is_some(), "{text} {imports:?}");
        }
        let code = Code::read("a.js", "import { argv } from './shop.js'\nargv").unwrap();
        assert_eq!(code.path_end(&["process", "argv"], 6), None);
    }
}
