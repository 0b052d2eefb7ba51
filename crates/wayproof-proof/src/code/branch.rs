//! Where source takes one way or another: `if`, `while`, `switch`, `match` and the choice between two values.

use std::ops::Range;

use super::{Code, Kind, Language, nesting};

/// One condition with what depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// The tokens of the condition.
    pub condition: Range<usize>,
    /// The tokens that run, or are the value, where it holds.
    pub body: Range<usize>,
    /// Whether the body is a value and not a block.
    pub is_value: bool,
}

impl Code<'_> {
    /// Every branch.
    pub(crate) fn branches(&self) -> Vec<Branch> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let is_branch = token.kind == Kind::Word
                && matches!(
                    token.text,
                    "if" | "elif" | "elsif" | "unless" | "while" | "switch" | "match"
                )
                && !self.is_member(at);
            if is_branch {
                found.extend(self.block_branch(at));
            } else if token.is("&&") && self.at(at + 1).is_some_and(|next| next.is("(")) {
                found.extend(self.guarded(at));
            } else if token.is("[")
                && at > 0
                && self.at(at - 1).is_some_and(|before| before.is("]"))
            {
                found.extend(self.chosen(at));
            } else if self.language == Language::Ruby && matches!(token.text, "sample" | "shuffle")
            {
                found.extend(self.drawn(at));
            } else if token.is("?")
                && self.language != Language::Rust
                && self.language != Language::Go
            {
                found.extend(self.choice(at));
            }
        }
        found
    }

    fn block_branch(&self, at: usize) -> Option<Branch> {
        match self.language {
            Language::Python => Some(self.python_branch(at)),
            // `return x if a`
            Language::Ruby if self.at(at).is_some_and(|token| token.indent.is_none()) => {
                let condition = at + 1..self.line_end(at + 1);
                let start = (0..at)
                    .rev()
                    .find(|start| self.at(*start).is_some_and(|token| token.indent.is_some()))?;
                Some(Branch {
                    condition,
                    body: start..at,
                    is_value: false,
                })
            }
            Language::Ruby => {
                let condition = at + 1..self.line_end(at + 1);
                Some(Branch {
                    body: self.indented_after(at, condition.end),
                    condition,
                    is_value: false,
                })
            }
            Language::Go | Language::Rust => self.bare_branch(at),
            Language::JavaScript | Language::Java | Language::C | Language::Php => {
                self.wrapped_branch(at)
            }
        }
    }

    fn line_end(&self, from: usize) -> usize {
        let next = (from..self.tokens.len())
            .find(|at| self.at(*at).is_some_and(|token| token.indent.is_some()));
        next.unwrap_or(self.tokens.len())
    }

    /// `if a:` with a block, or `x if a else y`.
    fn python_branch(&self, at: usize) -> Branch {
        let mut depth = 0_i32;
        let mut end = at + 1;
        while let Some(token) = self.at(end) {
            depth += nesting(token);
            let stops = depth < 0 || depth == 0 && (token.is(":") || token.is_word("else"));
            if stops || depth == 0 && token.indent.is_some() {
                break;
            }
            end += 1;
        }
        let is_block = self.at(end).is_some_and(|token| token.is(":"))
            && self.at(at).is_some_and(|token| token.indent.is_some());
        if is_block {
            return Branch {
                condition: at + 1..end,
                body: self.indented_after(at, end),
                is_value: false,
            };
        }
        let start = (0..at)
            .rev()
            .find(|before| self.at(*before).is_some_and(|token| token.indent.is_some()));
        Branch {
            condition: at + 1..end,
            body: start.unwrap_or(at)..at,
            is_value: true,
        }
    }

    /// `if a {`, and `pattern if a =>`.
    fn bare_branch(&self, at: usize) -> Option<Branch> {
        let mut depth = 0_i32;
        let mut end = at + 1;
        while let Some(token) = self.at(end) {
            if depth == 0 && (token.is("{") || token.is("=>")) {
                break;
            }
            depth += nesting(token);
            if depth < 0 {
                return None;
            }
            end += 1;
        }
        let body = if self.at(end)?.is("{") {
            end + 1..self.closing(end)
        } else if self.at(end + 1).is_some_and(|token| token.is("{")) {
            end + 2..self.closing(end + 1)
        } else {
            end + 1..self.statement_end(end + 1)
        };
        Some(Branch {
            condition: at + 1..end,
            body,
            is_value: false,
        })
    }

    /// `if (a) {` and `if (a) b`.
    fn wrapped_branch(&self, at: usize) -> Option<Branch> {
        self.at(at + 1).filter(|token| token.is("("))?;
        let close = self.closing(at + 1);
        let body = if self.at(close + 1).is_some_and(|token| token.is("{")) {
            close + 2..self.closing(close + 1)
        } else {
            close + 1..self.statement_end(close + 1)
        };
        Some(Branch {
            condition: at + 2..close,
            body,
            is_value: false,
        })
    }

    /// `a && (b = c)`.
    fn guarded(&self, at: usize) -> Option<Branch> {
        let body = at + 2..self.closing(at + 1);
        let assigns = self
            .slice(&body)
            .iter()
            .any(|token| token.kind == Kind::Sign && matches!(token.text, "=" | "+=" | "-="));
        let start = (0..at).rev().find(|before| {
            self.at(*before)
                .is_some_and(|token| token.indent.is_some() || token.is(";") || token.is("{"))
        })?;
        assigns.then_some(Branch {
            condition: start..at,
            body,
            is_value: false,
        })
    }

    /// `[a, b][c]`: an element of a list that is written down.
    fn chosen(&self, at: usize) -> Option<Branch> {
        let open = self.opening(at - 1)?;
        let before = open.checked_sub(1).and_then(|at| self.at(at));
        let is_element = before.is_some_and(|token| {
            matches!(token.kind, Kind::Word | Kind::Text) && token.text != "return"
                || token.is(")")
                || token.is("]")
        });
        let is_list = self.slice(&(open..at)).iter().any(|token| token.is(","));
        (is_list && !is_element).then(|| Branch {
            condition: at + 1..self.closing(at),
            body: open + 1..at - 1,
            is_value: true,
        })
    }

    /// `[a, b].sample`: any element of a list that is written down.
    fn drawn(&self, at: usize) -> Option<Branch> {
        let close = at.checked_sub(2).filter(|_| self.is_member(at))?;
        self.at(close).filter(|token| token.is("]"))?;
        let open = self.opening(close)?;
        Some(Branch {
            condition: at..at + 1,
            body: open + 1..close,
            is_value: true,
        })
    }

    /// `a ? b : c`.
    fn choice(&self, at: usize) -> Option<Branch> {
        // A type of TypeScript may be optional: `name?: type`, `name?)`.
        let next = self.at(at + 1)?;
        if next.kind == Kind::Sign && matches!(next.text, ":" | ")" | "," | ";" | "=") {
            return None;
        }
        let mut depth = 0_i32;
        let mut start = at;
        while let Some(before) = start.checked_sub(1) {
            let token = self.at(before)?;
            depth -= nesting(token);
            let is_start = depth < 0
                || depth == 0
                    && (token.kind == Kind::Sign
                        && matches!(token.text, "=" | "=>" | "," | ";" | ":" | "?")
                        || token.is_word("return"));
            if is_start {
                break;
            }
            start = before;
            if token.indent.is_some() && depth == 0 && !(token.kind == Kind::Sign) {
                break;
            }
        }
        Some(Branch {
            condition: start..at,
            body: at + 1..self.statement_end(at + 1),
            is_value: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::code::Code;

    fn branches(path: &str, text: &str) -> Vec<(String, String)> {
        let code = Code::read(path, text).unwrap();
        let joined = |range: &std::ops::Range<usize>| {
            let words: Vec<&str> = code.slice(range).iter().map(|token| token.text).collect();
            words.join(" ")
        };
        code.branches()
            .iter()
            .map(|branch| (joined(&branch.condition), joined(&branch.body)))
            .collect()
    }

    #[test]
    fn conditions_and_their_bodies_are_found_in_every_language() {
        let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
        assert_eq!(
            branches("a.js", "if (a && b) return c\nd()"),
            pair("a && b", "return c")
        );
        assert_eq!(
            branches("a.js", "return a > b ? c : d\ne()"),
            pair("a > b", "c : d")
        );
        assert_eq!(
            branches("a.go", "if x, ok := m[k]; ok {\n\treturn x\n}"),
            pair("x , ok := m [ k ] ; ok", "return x")
        );
        assert_eq!(
            branches("a.rs", "if a.any(|x| { x }) { b } else { c }"),
            pair("a . any ( | x | { x } )", "b")
        );
        assert_eq!(
            branches("a.py", "if a(b):\n    return c\nd"),
            pair("a ( b )", "return c")
        );
        assert_eq!(branches("a.py", "x = b if a else c\n"), pair("a", "x = b"));
        assert_eq!(branches("a.js", "a && (b = c)\n"), pair("a", "b = c"));
        assert_eq!(branches("a.js", "return [a, b][c]\n"), pair("c", "a , b"));
        assert!(branches("a.js", "a[b, 1][c]\nd && (e)\n").is_empty());
    }

    #[test]
    fn functions_and_assignments_are_found() {
        let names = |path: &str, text: &str| -> Vec<String> {
            let code = Code::read(path, text).unwrap();
            code.functions()
                .iter()
                .map(|function| function.name.to_owned())
                .collect()
        };
        assert_eq!(
            names(
                "a.js",
                "const f = (a) => a\nfunction g (b) { }\nclass C { m (c) { } }"
            ),
            ["f", "g", "m"]
        );
        assert_eq!(
            names("a.go", "func (p *P) M(a int) int {\n}\nfunc f() {\n}"),
            ["M", "f"]
        );
        assert_eq!(
            names("a.rs", "pub fn f<T>(a: T) -> T where T: X {\n a }"),
            ["f"]
        );
        assert_eq!(names("a.py", "def f(a,\n  b):\n    return a\n"), ["f"]);
        let code =
            Code::read("a.js", "const { A: mode = 'x' } = process.env\nconst b = 1").unwrap();
        let found = code.assignments();
        let last = found.iter().find(|found| found.value.len() == 3).unwrap();
        assert_eq!(code.slice(&last.target)[0].text, "const");
    }
}
