//! Where a fault can be planted in a file, and what it would be.

use std::ops::Range;

use crate::code::{Code, Kind, Language, Token};

/// A piece of text and what to put in its place.
pub(super) struct Place {
    /// The bytes that go.
    pub span: Range<usize>,
    /// The line they are in.
    pub line: u32,
    /// What comes.
    pub put: String,
    /// What that means.
    pub what: String,
}

/// Operators and what makes a fault of them; those between spaces only, as the same signs mean other things elsewhere.
const SIGNS: &[(&str, &str)] = &[
    ("==", "!="),
    ("!=", "=="),
    ("===", "!=="),
    ("!==", "==="),
    ("<", ">="),
    (">", "<="),
    ("<=", ">"),
    (">=", "<"),
    ("&&", "||"),
    ("||", "&&"),
    ("+", "-"),
    ("-", "+"),
    ("*", "+"),
    ("/", "*"),
    ("%", "*"),
    ("+=", "-="),
    ("-=", "+="),
    ("*=", "+="),
];
const WORDS: &[(&str, &str)] = &[
    ("and", "or"),
    ("or", "and"),
    ("true", "false"),
    ("false", "true"),
    ("True", "False"),
    ("False", "True"),
];
/// Calls that change nothing anybody sees.
const QUIET: &[&str] = &[
    "print",
    "println",
    "eprintln",
    "console",
    "log",
    "logger",
    "logging",
    "debug",
    "info",
    "warn",
    "trace",
    "fmt",
    "puts",
    "super",
    "defer",
    "assert",
    "debug_assert",
    "tracing",
];
/// Words that begin something else than a call.
const KEYWORDS: &[&str] = &[
    "return", "if", "for", "while", "def", "class", "func", "function", "fn", "raise", "throw",
    "await", "yield", "else", "elif", "switch", "match", "case", "with", "try", "except", "catch",
    "let", "const", "var", "pub", "go", "defer", "assert", "del", "new", "import", "from", "use",
    "mod", "export", "async",
];
/// Words before a text that names a file or module.
const IMPORTS: &[&str] = &[
    "import", "from", "require", "use", "include", "mod", "package",
];

/// Every place of a file.
pub(super) fn places(code: &Code<'_>, text: &str) -> Vec<Place> {
    let reader = Reader { code, text };
    let mut found = Vec::new();
    for at in 0..code.tokens.len() {
        found.extend(reader.sign(at));
        found.extend(reader.word(at));
        found.extend(reader.number(at));
        found.extend(reader.text(at));
        found.extend(reader.returned(at));
        found.extend(reader.step(at));
    }
    found.extend(reader.conditions());
    found
}

struct Reader<'a> {
    code: &'a Code<'a>,
    text: &'a str,
}

impl Reader<'_> {
    /// Where a token stands in the text.
    fn start(&self, token: &Token<'_>) -> usize {
        token
            .text
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr())
    }

    fn span(&self, token: &Token<'_>) -> Range<usize> {
        let start = self.start(token);
        start..start + token.text.len()
    }

    fn place(&self, token: &Token<'_>, put: &str) -> Place {
        Place {
            span: self.span(token),
            line: token.line,
            put: put.to_owned(),
            what: format!("`{}` became `{put}`", token.text),
        }
    }

    fn stands_free(&self, span: &Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let is_space = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
        span.start.checked_sub(1).is_some_and(is_space) && is_space(span.end)
    }

    fn sign(&self, at: usize) -> Option<Place> {
        let token = self.code.at(at).filter(|token| token.kind == Kind::Sign)?;
        let (_, put) = SIGNS.iter().find(|(sign, _)| *sign == token.text)?;
        // A sign that opens an operand (`-1`, `*pointer`) follows no value.
        let follows_value = at
            .checked_sub(1)
            .and_then(|at| self.code.at(at))
            .is_some_and(|before| {
                before.kind != Kind::Sign || matches!(before.text, ")" | "]" | "}" | "?")
            });
        (follows_value && self.stands_free(&self.span(token))).then(|| self.place(token, put))
    }

    fn word(&self, at: usize) -> Option<Place> {
        let token = self.code.at(at).filter(|token| token.kind == Kind::Word)?;
        let (_, put) = WORDS.iter().find(|(word, _)| *word == token.text)?;
        let is_joint = matches!(token.text, "and" | "or");
        let is_fit = !is_joint || self.code.language.is_indented();
        (is_fit && !self.code.is_member(at)).then(|| self.place(token, put))
    }

    fn number(&self, at: usize) -> Option<Place> {
        let token = self
            .code
            .at(at)
            .filter(|token| token.kind == Kind::Number)?;
        if self.code.is_member(at) || self.is_attribute(at) {
            return None;
        }
        let value: u64 = token.text.parse().ok()?;
        // What counts bits or bytes by a suffix, or in another base, is left alone.
        let put = if value > 1 && value % 10 == 9 {
            value - 1
        } else {
            value.checked_add(1)?
        };
        Some(self.place(token, &put.to_string()))
    }

    /// A text that is a value. One that stands alone is documentation, one that is imported a name.
    fn text(&self, at: usize) -> Option<Place> {
        let token = self.code.at(at).filter(|token| token.kind == Kind::Text)?;
        let before = at.checked_sub(1).and_then(|at| self.code.at(at))?;
        let is_alone = token.indent.is_some();
        let is_name = before.kind == Kind::Word && IMPORTS.contains(&before.text)
            || before.is("(")
                && at
                    .checked_sub(2)
                    .and_then(|at| self.code.at(at))
                    .is_some_and(|word| IMPORTS.contains(&word.text));
        if is_alone || is_name || self.is_attribute(at) || token.text.contains('\n') {
            return None;
        }
        let start = self.start(token);
        let quote = start
            .checked_sub(1)
            .and_then(|at| self.text.as_bytes().get(at))?;
        // A pattern, a letter and a raw text have rules of their own.
        let is_letter = *quote == b'\''
            && matches!(
                self.code.language,
                Language::Rust | Language::Go | Language::Java | Language::C
            );
        if is_letter || !matches!(quote, b'"' | b'\'' | b'`') {
            return None;
        }
        Some(Place {
            span: start..start,
            line: token.line,
            put: "~".to_owned(),
            what: "a text became another".to_owned(),
        })
    }

    /// Whether the line is an attribute, a decorator or an import.
    fn is_attribute(&self, at: usize) -> bool {
        let first = (0..=at).rev().find(|at| {
            self.code
                .at(*at)
                .is_some_and(|token| token.indent.is_some())
        });
        first.and_then(|at| self.code.at(at)).is_some_and(|token| {
            token.is("#")
                || token.text.starts_with('@')
                || token.kind == Kind::Word && IMPORTS.contains(&token.text)
        })
    }

    /// `return value`, where a language has a value for nothing.
    fn returned(&self, at: usize) -> Option<Place> {
        let token = self.code.at(at).filter(|token| token.is_word("return"))?;
        let put = match self.code.language {
            Language::Python => "None",
            Language::JavaScript => "undefined",
            Language::Php => "null",
            Language::Ruby => "nil",
            Language::Go | Language::Rust | Language::Java | Language::C => return None,
        };
        let first = self
            .code
            .at(at + 1)
            .filter(|next| next.line == token.line)?;
        let end = self.code.statement_end(at + 1);
        let last = end.checked_sub(1).and_then(|at| self.code.at(at))?;
        let is_whole = last.line == token.line
            && first.kind != Kind::Text
            && last.kind != Kind::Text
            && !first.is(";")
            && !first.is("}")
            && !first.text.starts_with(put);
        // A statement that goes on over lines, or holds a block, is left alone.
        let holds_block = self
            .code
            .slice(&(at + 1..end))
            .iter()
            .any(|token| token.is("{") || token.is("=>"));
        (is_whole && !holds_block).then(|| Place {
            span: self.start(first)..self.span(last).end,
            line: token.line,
            put: put.to_owned(),
            what: format!("nothing but {put} is returned"),
        })
    }

    /// A statement that is only a call, left out.
    fn step(&self, at: usize) -> Option<Place> {
        let token = self
            .code
            .at(at)
            .filter(|token| token.kind == Kind::Word && token.indent.is_some())?;
        if KEYWORDS.contains(&token.text) || QUIET.contains(&token.text) {
            return None;
        }
        let mut end = at + 1;
        while self
            .code
            .at(end)
            .is_some_and(|joint| joint.is(".") || joint.is("::"))
            && self
                .code
                .at(end + 1)
                .is_some_and(|name| name.kind == Kind::Word)
        {
            end += 2;
        }
        let close = self
            .code
            .at(end)
            .filter(|open| open.is("("))
            .map(|_| self.code.closing(end))?;
        let last = self.code.at(close).filter(|last| last.line == token.line)?;
        let after = self.code.at(close + 1);
        let ends = after
            .is_none_or(|next| next.indent.is_some() || next.is(";") && next.line == token.line);
        let needs_end = matches!(
            self.code.language,
            Language::Rust | Language::Java | Language::C | Language::Php
        );
        if !ends || needs_end && !after.is_some_and(|next| next.is(";")) {
            return None;
        }
        let put = if self.code.language == Language::Python {
            "pass"
        } else {
            ""
        };
        Some(Place {
            span: self.start(token)..self.span(last).end,
            line: token.line,
            put: put.to_owned(),
            what: format!("the call of `{}` is left out", token.text),
        })
    }

    /// Conditions that are denied as a whole.
    fn conditions(&self) -> Vec<Place> {
        let branches = self
            .code
            .branches()
            .into_iter()
            .filter(|branch| !branch.is_value);
        let denied = |range: Range<usize>| {
            let mut range = range;
            let (mut first, mut last) = (
                self.code.at(range.start)?,
                self.code.at(range.end.checked_sub(1)?)?,
            );
            let before = range.start.checked_sub(1).and_then(|at| self.code.at(at))?;
            let is_if = |token: &Token<'_>| matches!(token.text, "if" | "elif" | "elsif");
            let opens = if is_if(before) {
                before
            } else {
                self.code.at(range.start.checked_sub(2)?)?
            };
            if first.is("(") && self.code.closing(range.start) == range.end - 1 {
                range = range.start + 1..range.end - 1;
                first = self.code.at(range.start)?;
                last = self.code.at(range.end.checked_sub(1)?)?;
            }
            let tokens = self.code.slice(&range);
            let is_plain = !tokens.iter().any(|token| {
                matches!(token.text, "let" | ":=" | ";" | "{" | "}") && token.kind != Kind::Text
            });
            let is_fit = is_if(opens)
                && is_plain
                && first.line == last.line
                && last.kind != Kind::Text
                && first.kind != Kind::Text;
            let span = self.start(first)..self.span(last).end;
            let old = self.text.get(span.clone())?;
            let put = if self.code.language == Language::Python {
                format!("not ({old})")
            } else {
                format!("!({old})")
            };
            is_fit.then(|| Place {
                span,
                line: first.line,
                put,
                what: "a condition is denied".to_owned(),
            })
        };
        branches
            .filter_map(|branch| denied(branch.condition))
            .collect()
    }
}
