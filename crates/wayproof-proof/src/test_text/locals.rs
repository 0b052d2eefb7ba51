//! What the names of a test stand for, where they are given once and nothing happens in between.

use std::collections::BTreeMap;

/// Names with the text they were given, without spaces.
#[derive(Debug, Default)]
pub(super) struct Locals<'a> {
    given: BTreeMap<&'a str, String>,
}

impl<'a> Locals<'a> {
    /// Reads the lines of a test. A line that does something else in between may change what a call gives, and then
    /// the names before it stand for themselves.
    pub(super) fn of(lines: &[&'a str]) -> Self {
        let mut given = BTreeMap::new();
        let mut is_settled = true;
        for line in lines.iter().skip(1) {
            if let Some((name, value)) = assigned(line) {
                let is_new = given
                    .insert(name, value.split_whitespace().collect::<String>())
                    .is_none();
                is_settled &= is_new;
            } else if acts(line) {
                given.clear();
            }
        }
        if !is_settled {
            given.clear();
        }
        Self { given }
    }

    /// What an operand stands for.
    pub(super) fn meaning<'b>(&'b self, operand: &'b str) -> &'b str {
        let mut found = operand;
        for _ in 0..3 {
            match self.given.get(found) {
                Some(given) if given != found => found = given,
                Some(_) | None => break,
            }
        }
        found
    }
}

/// `const a = b`, `let a = b;`, `a := b`, `if a := b; a != c {`, `a = b`.
fn assigned(line: &str) -> Option<(&str, &str)> {
    let mut line = line.trim().trim_end_matches(';');
    for word in ["if ", "const ", "let ", "var ", "mut "] {
        line = line.strip_prefix(word).unwrap_or(line);
    }
    let (name, value) = line.split_once(" := ").or_else(|| line.split_once(" = "))?;
    let value = value.split_once("; ").map_or(value, |(value, _)| value);
    let name = name.split(':').next().unwrap_or(name).trim();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    is_name.then_some((name, value.trim()))
}

/// A statement that is a call and no assertion.
fn acts(line: &str) -> bool {
    let line = line.trim();
    let asserts = [
        "assert", "expect", "t.", "if ", "EXPECT", "ASSERT", "REQUIRE", "CHECK", "require.",
    ];
    line.contains('(') && !asserts.iter().any(|start| line.starts_with(start))
}
