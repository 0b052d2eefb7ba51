//! Reads the data module of the `genai-prices` wheel: one Python expression of calls, lists and literals.
//! It evaluates nothing. What the grammar does not know is an error with its line, so that a change of the source is
//! seen and not guessed at.

use std::collections::BTreeMap;

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// `Name(key=value, …)`; positional arguments are kept in order.
    Call {
        name: String,
        args: Vec<Self>,
        named: BTreeMap<String, Self>,
    },
    /// `[…]`.
    List(Vec<Self>),
    /// `{…}`: nothing this crate needs is in one, so its entries are read and dropped.
    Dict,
    /// A string.
    Text(String),
    /// A number, as written.
    Number(String),
    /// `None`, `True`, `False` or any other bare name.
    Name(String),
}

/// Text that is not such an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct LiteralError {
    /// Line of the text, from 1.
    pub line: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// Reads the expression that starts at an offset of the text.
pub(crate) fn read(text: &str, at: usize) -> Result<Literal, LiteralError> {
    Reader { text, at }.value()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong<T>(&self, expected: &'static str) -> Result<T, LiteralError> {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        Err(LiteralError {
            line: 1 + before.matches('\n').count(),
            expected,
        })
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Whether the next thing is this sign, which is then behind us.
    fn eat(&mut self, sign: char) -> bool {
        self.skip_space();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len_utf8();
        }
        is_next
    }

    fn take_while(&mut self, keep: fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|c| keep(*c)).collect();
        self.at += taken.len();
        taken
    }

    fn value(&mut self) -> Result<Literal, LiteralError> {
        self.skip_space();
        match self.rest().chars().next() {
            Some('[') => {
                self.at += 1;
                Ok(Literal::List(self.items(']')?))
            }
            Some('{') => {
                self.at += 1;
                self.entries()
            }
            Some('\'' | '"') => self.text(),
            Some('0'..='9' | '-') => {
                let number = self.take_while(|c| c.is_ascii_digit() || "-+._eE".contains(c));
                Ok(Literal::Number(number))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(),
            Some(_) | None => self.wrong("a value"),
        }
    }

    fn items(&mut self, end: char) -> Result<Vec<Literal>, LiteralError> {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(self.value()?);
            if !self.eat(',') && !self.eat(end) {
                return self.wrong("a comma");
            } else if self
                .text
                .get(..self.at)
                .is_some_and(|read| read.ends_with(end))
            {
                break;
            }
        }
        Ok(items)
    }

    fn entries(&mut self) -> Result<Literal, LiteralError> {
        while !self.eat('}') {
            self.value()?;
            if !self.eat(':') {
                return self.wrong("a colon");
            }
            self.value()?;
            if !self.eat(',') {
                return if self.eat('}') {
                    Ok(Literal::Dict)
                } else {
                    self.wrong("a comma")
                };
            }
        }
        Ok(Literal::Dict)
    }

    fn name(&mut self) -> Result<Literal, LiteralError> {
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if !self.rest().starts_with('(') {
            return Ok(Literal::Name(name));
        }
        self.at += 1;
        let (mut args, mut named) = (Vec::new(), BTreeMap::new());
        while !self.eat(')') {
            match self.value()? {
                Literal::Name(key) if self.eat('=') => {
                    named.insert(key, self.value()?);
                }
                value => args.push(value),
            }
            if !self.eat(',') {
                if self.eat(')') {
                    break;
                }
                return self.wrong("a comma");
            }
        }
        Ok(Literal::Call { name, args, named })
    }

    fn text(&mut self) -> Result<Literal, LiteralError> {
        let Some(quote) = self.rest().chars().next() else {
            return self.wrong("a string");
        };
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.text.get(self.at..).unwrap_or_default().char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += offset + 1;
                    return Ok(Literal::Text(out));
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, c)) if c == '\\' || c == '\'' || c == '"' => out.push(c),
                    Some(_) | None => return self.wrong("an escape that is known here"),
                },
                c => out.push(c),
            }
        }
        self.wrong("the end of a string")
    }
}

// === impl Literal ===

impl Literal {
    /// The keyword arguments of a call with this name.
    pub(crate) fn call(&self, wanted: &str) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Call { name, named, .. } if name == wanted => Some(named),
            Self::Call { .. }
            | Self::List(_)
            | Self::Dict
            | Self::Text(_)
            | Self::Number(_)
            | Self::Name(_) => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The text of a string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}
