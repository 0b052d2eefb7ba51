//! The functions of a file: where their parameters and their bodies stand, in any of the languages.

use std::ops::Range;

use super::{Code, Kind, Language, Token};

/// A function of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    /// Its name, "" for one without.
    pub name: &'a str,
    /// The tokens between its parentheses.
    pub parameters: Range<usize>,
    /// The tokens of its body.
    pub body: Range<usize>,
}

impl<'a> Code<'a> {
    /// Every function, outer ones first.
    pub(crate) fn functions(&self) -> Vec<Function<'a>> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let is_keyword = token.kind == Kind::Word
                && matches!(token.text, "fn" | "func" | "def" | "function");
            let function = if is_keyword && !self.is_member(at) {
                self.declared(at)
            } else if token.is("=>") && self.language == Language::JavaScript {
                self.arrow(at)
            } else if token.is("(") && self.language == Language::JavaScript {
                self.method(at)
            } else if token.is("(") && matches!(self.language, Language::Java | Language::C) {
                self.typed(at)
            } else {
                None
            };
            found.extend(function);
        }
        found
    }

    /// `fn name<T>(…) -> T {`, `func (r R) name(…) T {`, `def name(…):`, `function name (…) {`.
    fn declared(&self, at: usize) -> Option<Function<'a>> {
        let mut open =
            (at + 1..at + 40).find(|at| self.at(*at).is_some_and(|token| token.is("(")))?;
        let mut close = self.closing(open);
        let has_receiver = self.language == Language::Go && open == at + 1;
        let mut first = open + 1;
        if has_receiver
            && self
                .at(close + 1)
                .is_some_and(|token| token.kind == Kind::Word)
            && self.at(close + 2).is_some_and(|token| token.is("("))
        {
            first = open + 1;
            open = close + 2;
            close = self.closing(open);
        }
        let name = self.at(if has_receiver { open - 1 } else { at + 1 });
        let name = name
            .filter(|token| {
                token.kind == Kind::Word || self.language == Language::Ruby && token.is("==")
            })
            .map_or("", |token| token.text);
        let body = self.body_after(at, close + 1)?;
        Some(Function {
            name,
            parameters: first..close,
            body,
        })
    }

    /// The block of a declaration that begins at `head`, after its parameters.
    fn body_after(&self, head: usize, from: usize) -> Option<Range<usize>> {
        if self.language.is_indented() {
            return Some(self.indented_after(head, from));
        }
        let open = (from..from + 60).find(|at| {
            self.at(*at)
                .is_some_and(|token| token.is("{") || token.is(";"))
        })?;
        self.at(open).filter(|token| token.is("{"))?;
        Some(open + 1..self.closing(open))
    }

    /// `(a, b) => …` and `a => …`.
    fn arrow(&self, at: usize) -> Option<Function<'a>> {
        let before = at.checked_sub(1)?;
        let first = if self.at(before)?.is(")") {
            self.opening(before)? + 1
        } else {
            before
        };
        let parameters = first..before + usize::from(first == before);
        let mut place = first.checked_sub(if first == before { 1 } else { 2 });
        if place
            .and_then(|at| self.at(at))
            .is_some_and(|token| token.is_word("async"))
        {
            place = place.and_then(|at| at.checked_sub(1));
        }
        let is_given = place
            .and_then(|at| self.at(at))
            .is_some_and(|token| token.is("=") || token.is(":"));
        let name = place
            .filter(|_| is_given)
            .and_then(|at| self.at(at.checked_sub(1)?));
        let body = if self.at(at + 1)?.is("{") {
            at + 2..self.closing(at + 1)
        } else {
            at + 1..self.statement_end(at + 1)
        };
        Some(Function {
            name: name.map_or("", |token| token.text),
            parameters,
            body,
        })
    }

    /// `name (…) {` inside a class or an object.
    fn method(&self, open: usize) -> Option<Function<'a>> {
        const OTHERS: &[&str] = &[
            "if", "for", "while", "switch", "catch", "function", "return", "with",
        ];
        let close = self.closing(open);
        self.at(close + 1).filter(|token| token.is("{"))?;
        let name = open.checked_sub(1).and_then(|at| self.at(at))?;
        let is_method = (name.kind == Kind::Word && !OTHERS.contains(&name.text) || name.is("]"))
            && !open
                .checked_sub(2)
                .and_then(|at| self.at(at))
                .is_some_and(|token| token.is_word("function"));
        is_method.then(|| Function {
            name: name.text,
            parameters: open + 1..close,
            body: close + 2..self.closing(close + 1),
        })
    }

    /// `type name (…) const {` and `type name (…) throws Fault {`.
    fn typed(&self, open: usize) -> Option<Function<'a>> {
        const OTHERS: &[&str] = &[
            "if",
            "for",
            "while",
            "switch",
            "catch",
            "return",
            "synchronized",
            "try",
            "sizeof",
        ];
        let name = open.checked_sub(1).and_then(|at| self.at(at))?;
        let before = open.checked_sub(2).and_then(|at| self.at(at))?;
        let is_typed = match before.kind {
            Kind::Word => !matches!(before.text, "new" | "return" | "else" | "case" | "throw"),
            Kind::Sign => matches!(before.text, ">" | "]" | "*" | "&" | "::"),
            Kind::Number | Kind::Text => false,
        };
        let is_operator = before.is_word("operator");
        if name.kind != Kind::Word && !is_operator || OTHERS.contains(&name.text) || !is_typed {
            return None;
        }
        let close = self.closing(open);
        let block = (close + 1..close + 12).find(|at| {
            let ends = |token: &Token<'_>| {
                let goes_on = token.kind == Kind::Word
                    || matches!(token.text, "," | "." | "->" | "::" | "<" | ">" | "&" | "*");
                !goes_on
            };
            self.at(*at).is_none_or(ends)
        })?;
        self.at(block).filter(|token| token.is("{"))?;
        Some(Function {
            name: name.text,
            parameters: open + 1..close,
            body: block + 1..self.closing(block),
        })
    }
}
