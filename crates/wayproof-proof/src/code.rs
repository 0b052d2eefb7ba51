//! Source of any of the languages as far as a detector must know it: tokens, functions, assignments and branches.
//!
//! Pure. It parses no language: what it does not recognize is passed over, and nothing is said about it.

mod branch;
mod function;
mod imports;
mod token;
mod tries;

use std::ops::Range;

use self::imports::Imports;

pub(crate) use branch::Branch;
pub(crate) use function::Function;
pub(crate) use token::{Kind, Token, nesting};

/// How a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    JavaScript,
    Go,
    Rust,
    Ruby,
    Php,
    Java,
    C,
}

impl Language {
    /// The language of a file, by its extension.
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match crate::plan::extension(path) {
            "py" | "pyi" | "pyx" => Self::Python,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => Self::JavaScript,
            "go" => Self::Go,
            "rs" => Self::Rust,
            "rb" => Self::Ruby,
            "php" => Self::Php,
            "java" | "kt" => Self::Java,
            "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" => Self::C,
            _ => return None,
        })
    }

    /// Whether blocks are made by indentation or words instead of braces.
    pub(crate) fn is_indented(self) -> bool {
        matches!(self, Self::Python | Self::Ruby)
    }
}

/// A file's tokens.
#[derive(Clone, Debug)]
pub(crate) struct Code<'a> {
    /// How it is written.
    pub language: Language,
    /// Its tokens.
    pub tokens: Vec<Token<'a>>,
    /// The names it has for things of other modules.
    imports: Imports<'a>,
}

/// A name, or several, with what they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The tokens that are assigned to.
    pub target: Range<usize>,
    /// The tokens they get.
    pub value: Range<usize>,
}

impl<'a> Code<'a> {
    /// Reads a file; `None` where its language is not known.
    pub(crate) fn read(path: &str, text: &'a str) -> Option<Self> {
        let language = Language::of(path)?;
        let mut code = Self {
            language,
            tokens: token::tokens(text, language),
            imports: Imports::default(),
        };
        code.imports = code.imports();
        Some(code)
    }

    /// The token at a place, if there is one.
    pub(crate) fn at(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at)
    }

    /// The tokens of a range.
    pub(crate) fn slice(&self, range: &Range<usize>) -> &[Token<'a>] {
        self.tokens.get(range.clone()).unwrap_or_default()
    }

    /// The place of the bracket that closes the one at `open`; the end of the file where none does.
    pub(crate) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_i32;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            depth += nesting(token);
            if depth <= 0 {
                return at;
            }
        }
        self.tokens.len()
    }

    /// The end of the statement that `from` stands in: a semicolon or a comma outside brackets, or a line that does
    /// not go on.
    pub(crate) fn statement_end(&self, from: usize) -> usize {
        let mut depth = 0_i32;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            let is_new_line = token.indent.is_some() && at > from && depth == 0;
            if is_new_line && !self.goes_on(at) {
                return at;
            }
            depth += nesting(token);
            if depth < 0 || depth == 0 && (token.is(";") || token.is(",")) {
                return at;
            }
        }
        self.tokens.len()
    }

    /// Whether a line that starts at `at` goes on with the one before.
    fn goes_on(&self, at: usize) -> bool {
        if self.language == Language::Rust
            || self.language == Language::Java
            || self.language == Language::C
        {
            return true;
        }
        let opens = self.at(at).is_some_and(|token| {
            token.kind == Kind::Sign
                && matches!(
                    token.text,
                    "." | "?" | ":" | "&&" | "||" | "?." | "??" | "+"
                )
        });
        let before = at.checked_sub(1).and_then(|at| self.at(at));
        let hangs = before.is_some_and(|token| {
            token.kind == Kind::Sign
                && !matches!(token.text, ")" | "]" | "}" | ";" | "++" | "--" | ":")
                || matches!(token.text, "and" | "or" | "not" | "return")
                    && token.kind == Kind::Word
                    && self.language == Language::Python
        });
        opens && self.language == Language::JavaScript || hangs
    }

    /// The places of a chain of names (`process.argv`, `env::var`) in a range.
    pub(crate) fn find_path(&self, path: &[&str], range: &Range<usize>) -> Option<usize> {
        range.clone().find(|at| self.has_path(path, *at))
    }

    /// Whether a chain of names starts at `at`.
    pub(crate) fn has_path(&self, path: &[&str], at: usize) -> bool {
        self.path_end(path, at).is_some()
    }

    /// The place after a chain of names that starts at `at`, by whatever names the file has for it.
    pub(crate) fn path_end(&self, path: &[&str], at: usize) -> Option<usize> {
        self.plain_end(path, at)
            .or_else(|| self.end_of_known(&self.imports, path, at))
    }

    /// The place after a chain of names as it is written.
    fn plain_end(&self, path: &[&str], at: usize) -> Option<usize> {
        let mut place = at;
        for (number, word) in path.iter().enumerate() {
            if number > 0 {
                let joins = |token: &Token<'_>| token.is(".") || token.is("::") || token.is("?.");
                if !self.at(place).is_some_and(joins) {
                    // `process['env']`
                    let is_text = self.at(place).is_some_and(|token| token.is("["))
                        && self
                            .at(place + 1)
                            .is_some_and(|token| token.kind == Kind::Text && token.text == *word);
                    if !is_text {
                        return None;
                    }
                    place += 3;
                    continue;
                }
                place += 1;
            }
            if !self.at(place).is_some_and(|token| token.is_word(word)) {
                return None;
            }
            place += 1;
        }
        Some(place)
    }

    /// Whether the token at `at` is a member of something.
    pub(crate) fn is_member(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|at| self.at(at))
            .is_some_and(|token| token.is(".") || token.is("?.") || token.is("::"))
    }

    /// Whether something is done with the token at `at` as a whole: it is called, or a member of it is.
    pub(crate) fn is_called(&self, at: usize) -> bool {
        self.at(at + 1)
            .is_some_and(|token| token.is("(") || token.is("!"))
    }

    /// The lines below `from` that stand deeper than the line of `head`.
    pub(crate) fn indented_after(&self, head: usize, from: usize) -> Range<usize> {
        let line = (0..=head)
            .rev()
            .find_map(|at| self.at(at)?.indent)
            .unwrap_or_default();
        let start = if self.language == Language::Python {
            let colon = (from..self.tokens.len())
                .find(|at| self.at(*at).is_some_and(|token| token.is(":")));
            colon.map_or(from, |at| at + 1)
        } else {
            from
        };
        let end = (start..self.tokens.len()).find(|at| {
            self.at(*at)
                .and_then(|token| token.indent)
                .is_some_and(|indent| indent <= line)
        });
        start..end.unwrap_or(self.tokens.len())
    }

    /// The place of the bracket that opens what `close` closes.
    pub(crate) fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for at in (0..=close).rev() {
            depth += nesting(self.at(at)?);
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// Every assignment: `=`, `:=` and their kin, declarations and loops over something.
    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let is_assignment = token.kind == Kind::Sign
                && matches!(
                    token.text,
                    "=" | ":=" | "+=" | "-=" | "*=" | "|=" | "&=" | "^=" | "??=" | "||=" | "&&="
                );
            if token.is_word("as") {
                found.extend(self.given_after(at));
                continue;
            }
            if token.is(":") && self.language == Language::Java {
                found.extend(self.java_loop(at));
                continue;
            }
            let is_loop = token.kind == Kind::Word && matches!(token.text, "in" | "of");
            if !is_assignment && !is_loop {
                continue;
            }
            let start = self.target_start(at);
            let end = if is_loop {
                self.loop_end(at + 1)
            } else {
                self.statement_end(at + 1)
            };
            if start < at {
                found.push(Assignment {
                    target: start..at,
                    value: at + 1..end,
                });
            }
        }
        found
    }

    /// `with VALUE as NAME:` and `foreach (VALUE as NAME)`.
    fn given_after(&self, at: usize) -> Option<Assignment> {
        let start = match self.language {
            Language::Python => (0..at).rev().find(|start| {
                self.at(*start).is_some_and(|token| {
                    token.is_word("with") || token.is_word("import") || token.is_word("except")
                })
            })?,
            Language::Php => {
                (0..at).rev().find(|start| {
                    self.at(*start)
                        .is_some_and(|token| token.is_word("foreach"))
                })? + 1
            }
            _ => return None,
        };
        if self
            .at(start)
            .is_some_and(|token| !token.is_word("with") && !token.is("("))
        {
            return None;
        }
        let end = (at + 1..self.tokens.len()).find(|end| {
            self.at(*end)
                .is_some_and(|token| matches!(token.text, ":" | "," | ")"))
        })?;
        Some(Assignment {
            target: at + 1..end,
            value: start + 1..at,
        })
    }

    /// `for (Type NAME : VALUE)`.
    fn java_loop(&self, at: usize) -> Option<Assignment> {
        let open = (0..at)
            .rev()
            .find(|open| self.at(*open).is_some_and(|token| token.is("(")))?;
        let is_loop = open
            .checked_sub(1)
            .and_then(|at| self.at(at))
            .is_some_and(|token| token.is_word("for"));
        is_loop.then(|| Assignment {
            target: at.saturating_sub(1)..at,
            value: at + 1..self.closing(open),
        })
    }

    fn loop_end(&self, from: usize) -> usize {
        let is_end = |at: &usize| {
            self.at(*at).is_some_and(|token| {
                token.is("{")
                    || token.is(":")
                    || token.is(")") && self.opening(*at).is_some_and(|open| open < from)
            })
        };
        (from..self.tokens.len())
            .find(is_end)
            .unwrap_or(self.tokens.len())
    }

    /// The start of what is assigned to at `at`.
    fn target_start(&self, at: usize) -> usize {
        let mut depth = 0_i32;
        let mut start = at;
        while let Some(before) = start.checked_sub(1) {
            let Some(token) = self.at(before) else { break };
            depth -= nesting(token);
            let ends = token.kind == Kind::Sign && matches!(token.text, ";" | "=>" | "&&" | "||")
                || token.is(",") && depth == 0 && self.language == Language::JavaScript
                || token.is("{") && depth < 0
                || token.is("(") && depth < 0
                || token.is("}")
                    && depth > 0
                    && self
                        .at(before + 1)
                        .is_some_and(|next| next.indent.is_some());
            if ends {
                break;
            }
            start = before;
            if token.indent.is_some() && depth == 0 {
                break;
            }
        }
        start
    }
}
