//! Works out a condition or an answer for given inputs, as far as it is arithmetic, comparison and length.

use std::collections::BTreeMap;

use crate::code::{Kind, Token};

/// A value of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    Truth(bool),
}

/// The inputs, by the names they have.
pub(super) type Inputs<'a> = BTreeMap<&'a str, Value>;

/// The value of an expression; `None` where it is more than that.
pub(super) fn value(tokens: &[Token<'_>], inputs: &Inputs<'_>) -> Option<Value> {
    let mut reader = Reader {
        tokens,
        inputs,
        at: 0,
    };
    let found = reader.binary(0)?;
    (reader.at == tokens.len()).then_some(found)
}

struct Reader<'a, 'b> {
    tokens: &'a [Token<'b>],
    inputs: &'a Inputs<'a>,
    at: usize,
}

/// How tightly an operator binds.
fn strength(sign: &str) -> Option<u8> {
    Some(match sign {
        "||" | "or" => 1,
        "&&" | "and" => 2,
        "==" | "===" | "!=" | "!==" | "<" | "<=" | ">" | ">=" | "is" => 3,
        "|" => 4,
        "^" => 5,
        "&" => 6,
        "<<" | ">>" => 7,
        "+" | "-" => 8,
        "*" | "/" | "%" | "//" => 9,
        _ => return None,
    })
}

impl<'b> Reader<'_, 'b> {
    fn peek(&self) -> Option<Token<'b>> {
        self.tokens.get(self.at).copied()
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_there = self
            .peek()
            .is_some_and(|token| token.kind != Kind::Text && token.text == sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn binary(&mut self, least: u8) -> Option<Value> {
        let mut left = self.unary()?;
        while let Some(token) = self.peek().filter(|token| token.kind != Kind::Text) {
            let Some(bound) = strength(token.text).filter(|bound| *bound > least) else {
                break;
            };
            self.at += 1;
            let right = self.binary(bound)?;
            left = apply(token.text, &left, &right)?;
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Value> {
        if self.takes("-") {
            return match self.unary()? {
                Value::Number(number) => Some(Value::Number(number.checked_neg()?)),
                Value::Text(_) | Value::Truth(_) => None,
            };
        }
        if self.takes("!") || self.takes("not") {
            return match self.unary()? {
                Value::Truth(truth) => Some(Value::Truth(!truth)),
                Value::Text(_) | Value::Number(_) => None,
            };
        }
        if self.takes("*") || self.takes("&") || self.takes("+") {
            return self.unary();
        }
        let first = self.primary()?;
        self.members(first)
    }

    fn primary(&mut self) -> Option<Value> {
        let token = self.peek()?;
        self.at += 1;
        match token.kind {
            Kind::Number => {
                let digits = token.text.replace('_', "");
                let digits = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                Some(Value::Number(digits.parse().ok()?))
            }
            Kind::Text => Some(Value::Text(token.text.to_owned())),
            Kind::Word if matches!(token.text, "len" | "size" | "count") && self.takes("(") => {
                let inside = self.binary(0)?;
                self.takes(")").then(|| length(&inside)).flatten()
            }
            Kind::Word => match token.text {
                "true" | "True" => Some(Value::Truth(true)),
                "false" | "False" => Some(Value::Truth(false)),
                name => self.inputs.get(name).cloned(),
            },
            Kind::Sign if token.text == "(" => {
                let inside = self.binary(0)?;
                self.takes(")").then_some(inside)
            }
            Kind::Sign => None,
        }
    }

    /// `.length`, `.len()`, `.startsWith('a')` and the like.
    fn members(&mut self, mut of: Value) -> Option<Value> {
        while self.takes(".") {
            let name = self.peek()?.text;
            self.at += 1;
            let argument = if self.takes("(") {
                let argument = if self.takes(")") {
                    None
                } else {
                    Some(self.binary(0)?)
                };
                if argument.is_some() && !self.takes(")") {
                    return None;
                }
                argument
            } else {
                None
            };
            of = match (name, &of, argument) {
                ("length" | "len" | "size" | "count", _, None) => length(&of)?,
                (
                    "startsWith" | "startswith" | "starts_with",
                    Value::Text(text),
                    Some(Value::Text(part)),
                ) => Value::Truth(text.starts_with(&part)),
                (
                    "endsWith" | "endswith" | "ends_with",
                    Value::Text(text),
                    Some(Value::Text(part)),
                ) => Value::Truth(text.ends_with(&part)),
                ("includes" | "contains", Value::Text(text), Some(Value::Text(part))) => {
                    Value::Truth(text.contains(&part))
                }
                (
                    "to_string" | "to_owned" | "toString" | "clone" | "into" | "trim" | "as_str"
                    | "as_bytes",
                    _,
                    None,
                ) => of,
                _ => return None,
            };
        }
        Some(of)
    }
}

fn length(of: &Value) -> Option<Value> {
    match of {
        Value::Text(text) => Some(Value::Number(i64::try_from(text.chars().count()).ok()?)),
        Value::Number(_) | Value::Truth(_) => None,
    }
}

fn apply(sign: &str, left: &Value, right: &Value) -> Option<Value> {
    let truth = |truth: bool| Some(Value::Truth(truth));
    match (sign, left, right) {
        ("==" | "===" | "is", one, other) => truth(one == other),
        ("!=" | "!==", one, other) => truth(one != other),
        ("||" | "or", Value::Truth(one), Value::Truth(other)) => truth(*one || *other),
        ("&&" | "and", Value::Truth(one), Value::Truth(other)) => truth(*one && *other),
        ("+", Value::Text(one), Value::Text(other)) => Some(Value::Text(format!("{one}{other}"))),
        (_, Value::Number(one), Value::Number(other)) => numbers(sign, *one, *other),
        _ => None,
    }
}

fn numbers(sign: &str, one: i64, other: i64) -> Option<Value> {
    let number = match sign {
        "<" => return Some(Value::Truth(one < other)),
        "<=" => return Some(Value::Truth(one <= other)),
        ">" => return Some(Value::Truth(one > other)),
        ">=" => return Some(Value::Truth(one >= other)),
        "+" => one.checked_add(other)?,
        "-" => one.checked_sub(other)?,
        "*" => one.checked_mul(other)?,
        "/" | "//" => one.checked_div(other)?,
        "%" => one.checked_rem(other)?,
        "&" => one & other,
        "|" => one | other,
        "^" => one ^ other,
        "<<" => one.checked_shl(u32::try_from(other).ok()?)?,
        ">>" => one.checked_shr(u32::try_from(other).ok()?)?,
        _ => return None,
    };
    Some(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use super::{Inputs, Value, value};
    use crate::code::Code;

    fn worked_out(text: &str) -> Option<Value> {
        let code = Code::read("a.js", text).unwrap();
        let inputs = Inputs::from([
            ("value", Value::Number(42)),
            ("text", Value::Text("Green Tea".to_owned())),
        ]);
        value(&code.tokens, &inputs)
    }

    #[test]
    fn arithmetic_and_comparisons_are_worked_out() {
        assert_eq!(worked_out("value * 7 === 294"), Some(Value::Truth(true)));
        assert_eq!(worked_out("value - (30 + 2)"), Some(Value::Number(10)));
        assert_eq!(
            worked_out("value > 41 && value < 43"),
            Some(Value::Truth(true))
        );
        assert_eq!(
            worked_out("text.length === 9 && !text.startsWith('B')"),
            Some(Value::Truth(true))
        );
        assert_eq!(worked_out("value ^ 7"), Some(Value::Number(45)));
    }

    #[test]
    fn what_is_more_is_left_open() {
        for text in [
            "high > value",
            "f(value)",
            "value / 0",
            "value ? 1 : 2",
            "text.at(0)",
        ] {
            assert_eq!(worked_out(text), None, "{text}");
        }
    }
}
