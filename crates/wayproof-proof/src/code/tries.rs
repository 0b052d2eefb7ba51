//! Attempts and what happens when they fail, as branches: the attempt is the condition.

use std::ops::Range;

use super::{Branch, Code, Language};

impl Code<'_> {
    /// Every attempt whose failure is handled.
    pub(crate) fn tries(&self) -> Vec<Branch> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let opens = match self.language {
                Language::Ruby => token.is_word("begin"),
                Language::Rust | Language::Go => false,
                _ => token.is_word("try"),
            };
            if !opens || self.is_member(at) {
                continue;
            }
            let branch = if self.language.is_indented() {
                self.indented_try(at)
            } else {
                self.braced_try(at)
            };
            found.extend(branch);
        }
        found
    }

    fn indented_try(&self, at: usize) -> Option<Branch> {
        let depth = self.at(at)?.indent?;
        let line_at = |from: usize, words: &[&str]| {
            (from..self.tokens.len()).find(|place| {
                self.at(*place)
                    .is_some_and(|token| token.indent == Some(depth) && words.contains(&token.text))
            })
        };
        let handler = line_at(at + 1, &["except", "rescue"])?;
        let end = (handler + 1..self.tokens.len())
            .find(|place| {
                self.at(*place).is_some_and(|token| {
                    token.indent.is_some_and(|indent| indent <= depth)
                        && !matches!(token.text, "except" | "rescue")
                })
            })
            .unwrap_or(self.tokens.len());
        Some(branch(at + 1..handler, handler + 1..end))
    }

    fn braced_try(&self, at: usize) -> Option<Branch> {
        let mut open = at + 1;
        // `try (Socket socket = ...) {`
        if self.at(open).is_some_and(|token| token.is("(")) {
            open = self.closing(open) + 1;
        }
        self.at(open).filter(|token| token.is("{"))?;
        let close = self.closing(open);
        self.at(close + 1).filter(|token| token.is_word("catch"))?;
        let mut start = close + 2;
        if self.at(start).is_some_and(|token| token.is("(")) {
            start = self.closing(start) + 1;
        }
        self.at(start).filter(|token| token.is("{"))?;
        Some(branch(at + 1..close, start + 1..self.closing(start)))
    }
}

fn branch(condition: Range<usize>, body: Range<usize>) -> Branch {
    Branch {
        condition,
        body,
        is_value: false,
    }
}

#[cfg(test)]
mod tests {
    use crate::code::Code;

    #[test]
    fn attempts_and_their_handlers_are_found() {
        for (path, text) in [
            (
                "a.py",
                "def f(x):\n    try:\n        g()\n    except OSError:\n        return x\n    return 1\n",
            ),
            (
                "a.js",
                "try {\n  g()\n} catch (error) {\n  return x\n}\nh()\n",
            ),
            (
                "a.java",
                "try (A a = new A()) { g(); } catch (E e) { return x; }\n",
            ),
            ("a.rb", "begin\n  g\nrescue E\n  return x\nend\n"),
        ] {
            let code = Code::read(path, text).unwrap();
            let tries = code.tries();
            let [one] = tries.as_slice() else {
                panic!("{text}")
            };
            assert!(
                code.slice(&one.condition)
                    .iter()
                    .any(|token| token.is_word("g")),
                "{text}"
            );
            let body = code.slice(&one.body);
            assert!(body.iter().any(|token| token.is_word("x")), "{text}");
            assert!(
                !body
                    .iter()
                    .any(|token| token.is_word("h") || token.text == "1"),
                "{text}"
            );
        }
        let none = Code::read("a.js", "x.try({})\n").unwrap();
        assert!(none.tries().is_empty());
    }
}
