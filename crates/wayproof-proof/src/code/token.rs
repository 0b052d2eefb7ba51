//! Reads source text into tokens, without comments, in any of the languages.

use super::Language;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A quoted text, or a pattern between slashes.
    Text,
    /// An operator or a bracket.
    Sign,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its letters, those of a text without its quotes.
    pub text: &'a str,
    /// The line it starts at, from 1.
    pub line: u32,
    /// How far its line is indented, where it is the first of it.
    pub indent: Option<usize>,
}

impl Token<'_> {
    /// Whether it is this sign.
    pub(crate) fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether it is this word.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// Operators of several letters, longer ones first.
const SIGNS: &[&str] = &[
    ">>>=", "===", "!==", "**=", "...", "<<=", ">>=", "??=", "&&=", "||=", "..=", "=>", "->", ":=",
    "::", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "+=", "-=", "*=", "/=", "%=", "|=", "&=",
    "^=", "++", "--", "<<", ">>", "**", "..", "//",
];

struct Reader<'a> {
    text: &'a str,
    language: Language,
    at: usize,
    line: u32,
    indent: Option<usize>,
    found: Vec<Token<'a>>,
}

/// The tokens of a text.
pub(crate) fn tokens(text: &str, language: Language) -> Vec<Token<'_>> {
    let mut reader = Reader {
        text,
        language,
        at: 0,
        line: 1,
        indent: Some(0),
        found: Vec::new(),
    };
    reader.read(text.len());
    reader.found
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn read(&mut self, end: usize) {
        while self.at < end {
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else {
                break;
            };
            if letter == '\n' {
                self.line += 1;
                self.at += 1;
                self.indent = Some(0);
            } else if letter.is_whitespace() {
                self.at += letter.len_utf8();
                self.indent = self.indent.map(|depth| depth + 1);
            } else if let Some(length) = self.comment(rest) {
                self.skip(length);
            } else if let Some((open, length, close)) = self.quoted(rest) {
                self.take_text(open, length, close);
            } else if letter.is_alphanumeric()
                || matches!(letter, '_' | '$')
                || letter == '@' && self.language != Language::Php
            {
                let length = word_length(rest, letter);
                let kind = if letter.is_ascii_digit() {
                    Kind::Number
                } else {
                    Kind::Word
                };
                self.push(kind, length);
            } else {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let length = sign.map_or(letter.len_utf8(), |sign| sign.len());
                self.push(Kind::Sign, length);
            }
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        self.found.push(Token {
            kind,
            text,
            line: self.line,
            indent: self.indent.take(),
        });
        self.at += length;
    }

    /// Steps over what is no token.
    fn skip(&mut self, length: usize) {
        let skipped = self.rest().get(..length).unwrap_or_default();
        let lines = skipped.matches('\n').count();
        self.line += u32::try_from(lines).unwrap_or(u32::MAX);
        self.at += length.max(1);
        if lines > 0 && self.indent.is_none() {
            self.indent = None;
        }
    }

    /// The length of a comment that starts here.
    fn comment(&self, rest: &str) -> Option<usize> {
        let to_end_of_line = || Some(rest.find('\n').unwrap_or(rest.len()));
        match self.language {
            Language::Python | Language::Ruby => rest.starts_with('#').then(to_end_of_line)?,
            Language::Php if rest.starts_with('#') && !rest.starts_with("#[") => to_end_of_line(),
            Language::JavaScript if self.at == 0 && rest.starts_with("#!") => to_end_of_line(),
            _ if rest.starts_with("//") => to_end_of_line(),
            _ if rest.starts_with("/*") => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
            _ => None,
        }
    }

    /// The lengths of the opening of a quoted text, of its inside and of its closing.
    fn quoted(&self, rest: &str) -> Option<(usize, usize, usize)> {
        let marks = rest
            .find(|c: char| !matches!(c, 'r' | 'b' | 'f' | 'u' | 'c' | 'R' | 'B' | 'F' | 'U'))
            .filter(|length| *length <= 2 && self.is_marked())
            .unwrap_or(0);
        let quoted = rest.get(marks..)?;
        let is_raw = rest.get(..marks)?.contains(['r', 'R']);
        if self.language == Language::Rust && is_raw {
            let fence = quoted.find(|c| c != '#')?;
            if !quoted.get(fence..)?.starts_with('"') {
                return None;
            }
            let close = format!("\"{}", "#".repeat(fence));
            let inside = quoted.get(fence + 1..)?;
            let length = inside.find(&close).unwrap_or(inside.len());
            return Some((marks + fence + 1, length, close.len()));
        }
        let quote = quoted.chars().next()?;
        let tripled = quote.to_string().repeat(3);
        if self.language == Language::Python
            && matches!(quote, '"' | '\'')
            && quoted.starts_with(&tripled)
        {
            let inside = quoted.get(3..)?;
            return Some((marks + 3, inside.find(&tripled).unwrap_or(inside.len()), 3));
        }
        let is_quote = match (self.language, quote) {
            (_, '"') => true,
            (Language::Rust, '\'') => is_letter(quoted),
            (_, '\'') => true,
            (Language::JavaScript | Language::Go | Language::Ruby, '`') => true,
            (Language::JavaScript, '/') => self.may_be_pattern(),
            _ => false,
        };
        if !is_quote {
            return None;
        }
        let is_escaped = !(self.language == Language::Go && quote == '`');
        let spans_lines = quote == '`'
            || matches!(
                self.language,
                Language::Rust | Language::Php | Language::Ruby
            );
        let length = inside_length(quoted.get(1..)?, quote, is_escaped, spans_lines);
        Some((marks + 1, length, 1))
    }

    /// Whether letters before a quote belong to it.
    fn is_marked(&self) -> bool {
        matches!(self.language, Language::Python | Language::Rust)
    }

    /// Whether a slash opens a pattern: after a value it divides.
    fn may_be_pattern(&self) -> bool {
        self.found.last().is_none_or(|last| match last.kind {
            Kind::Word => matches!(
                last.text,
                "return" | "typeof" | "case" | "in" | "of" | "await" | "yield"
            ),
            Kind::Number | Kind::Text => false,
            Kind::Sign => !matches!(last.text, ")" | "]" | "}" | "++" | "--"),
        })
    }

    fn take_text(&mut self, open: usize, length: usize, close: usize) {
        let start = self.at + open;
        let inside = self.text.get(start..start + length).unwrap_or_default();
        let line = self.line;
        self.found.push(Token {
            kind: Kind::Text,
            text: inside,
            line,
            indent: self.indent.take(),
        });
        let is_template = self.language == Language::JavaScript
            && self
                .text
                .get(self.at..start)
                .is_some_and(|quote| quote == "`");
        if is_template {
            self.at = start;
            self.take_holes(start + length);
        }
        let lines = inside.matches('\n').count();
        self.line = line + u32::try_from(lines).unwrap_or(u32::MAX);
        self.at = (start + length + close).min(self.text.len());
    }

    /// The expressions inside a template.
    fn take_holes(&mut self, end: usize) {
        while let Some(hole) = self.text.get(self.at..end).and_then(|rest| rest.find("${")) {
            let from = self.at + hole + 2;
            let length = self.text.get(from..end).and_then(|rest| rest.find('}'));
            let to = length.map_or(end, |length| from + length);
            self.at = from;
            self.read(to);
            self.indent = None;
            self.at = to.max(from);
        }
    }
}

/// `'a'` and `'\n'`; `'a` is a lifetime.
fn is_letter(quoted: &str) -> bool {
    let mut letters = quoted.chars().skip(1);
    let first = letters.next();
    first == Some('\\') || letters.next() == Some('\'')
}

fn inside_length(inside: &str, quote: char, is_escaped: bool, spans_lines: bool) -> usize {
    let mut letters = inside.char_indices();
    let mut in_class = false;
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && is_escaped {
            letters.next();
        } else if letter == '\n' && !spans_lines {
            return at;
        } else if quote == '/' && letter == '[' {
            in_class = true;
        } else if quote == '/' && letter == ']' {
            in_class = false;
        } else if letter == quote && !in_class {
            return at;
        }
    }
    inside.len()
}

fn word_length(rest: &str, first: char) -> usize {
    let is_number = first.is_ascii_digit();
    let mut end = first.len_utf8();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        let is_point = is_number
            && letter == '.'
            && letters
                .peek()
                .is_some_and(|(_, next)| next.is_ascii_digit());
        if !(letter.is_alphanumeric() || matches!(letter, '_' | '$') || is_point) {
            break;
        }
        end = at + letter.len_utf8();
    }
    end
}

/// What a token adds to the depth of brackets.
pub(crate) fn nesting(token: &Token<'_>) -> i32 {
    if token.kind != Kind::Sign {
        return 0;
    }
    match token.text {
        "(" | "[" | "{" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};
    use crate::code::Language;

    fn texts(text: &str, language: Language) -> Vec<&str> {
        tokens(text, language)
            .iter()
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn comments_are_left_out_and_texts_kept_whole() {
        assert_eq!(
            texts("x = 1 # why\ny = 'a # b'", Language::Python),
            ["x", "=", "1", "y", "=", "a # b"]
        );
        assert_eq!(texts("a /* b\n*/ c // d", Language::Go), ["a", "c"]);
        let rust = "fn f<'a>(x: &'a str) { r#\"a\"b\"#; 'c'; 1_000.5 }";
        assert!(texts(rust, Language::Rust).contains(&"a\"b"));
        assert!(texts(rust, Language::Rust).contains(&"1_000.5"));
        assert!(texts(rust, Language::Rust).contains(&"c"));
    }

    #[test]
    fn patterns_and_templates_of_scripts_are_texts() {
        let found = tokens(
            "if (/a\\/[/]b/.test(x / y)) `m ${n + 1} o`",
            Language::JavaScript,
        );
        let kinds: Vec<_> = found.iter().map(|token| (token.kind, token.text)).collect();
        assert_eq!(kinds[2], (Kind::Text, "a\\/[/]b"));
        assert!(kinds.contains(&(Kind::Sign, "/")));
        assert!(kinds.contains(&(Kind::Word, "n")));
        assert!(!kinds.contains(&(Kind::Word, "o")));
    }

    #[test]
    fn lines_and_indents_are_counted() {
        let found = tokens("a\n  b `x\ny` c\n", Language::JavaScript);
        let places: Vec<_> = found
            .iter()
            .map(|token| (token.text, token.line, token.indent))
            .collect();
        assert_eq!(
            places,
            [
                ("a", 1, Some(0)),
                ("b", 2, Some(2)),
                ("x\ny", 2, None),
                ("c", 3, None)
            ]
        );
    }
}
