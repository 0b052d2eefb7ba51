//! Reads the tests of a source file as text: where each begins and ends, by indentation, in any of the languages.
//!
//! Pure. It parses no language: a test it cannot find is one that nothing is said about.

mod live;
mod locals;
mod names;
mod operands;
mod strength;

pub(crate) use strength::{Strength, literals};

use crate::report::TestId;

/// One test as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestText<'a> {
    /// Its name, or what it says it does.
    pub name: &'a str,
    /// The class around it, "" without one.
    pub scope: &'a str,
    /// The line it starts at, from 1.
    pub line: u32,
    /// Its lines, the first with its name.
    pub lines: Vec<&'a str>,
}

impl TestText<'_> {
    /// Its text without what formatting changes, and without its name.
    pub(crate) fn body(&self) -> String {
        let lines = self.lines.iter().map(|line| line.trim());
        let text: String = lines.filter(|line| !is_comment(line)).collect();
        let text = text.replacen(self.name, "", 1).replace('\'', "\"");
        text.split_whitespace().collect()
    }

    /// Whether an id may mean this test.
    pub(crate) fn is_named_by(&self, id: &TestId) -> bool {
        let id = id.as_str();
        let id = id.split_once('[').map_or(id, |(stem, _)| stem);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let has_name = if self.name.chars().all(is_word) {
            id.split(|c| !is_word(c)).any(|word| word == self.name)
        } else {
            id.ends_with(self.name)
        };
        has_name && id.contains(self.scope)
    }
}

/// The tests of a file, in order.
pub(crate) fn tests_in(text: &str) -> Vec<TestText<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut class = ("", 0);
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.trim_start().strip_prefix("class ") {
            class = (word(name), indent(line));
        }
        let Some(name) = test_name(line) else {
            continue;
        };
        let end = end_of(&lines, at);
        found.push(TestText {
            name,
            scope: if indent(line) > class.1 { class.0 } else { "" },
            line: u32::try_from(at + 1).unwrap_or(u32::MAX),
            lines: lines.get(at..end).unwrap_or_default().to_vec(),
        });
    }
    found
}

/// The body of the first test of a text.
pub(crate) fn body_of(text: &str) -> Option<String> {
    tests_in(text).first().map(TestText::body)
}

/// The lines of a file that belong to none of its tests.
pub(crate) fn around_tests(text: &str) -> Vec<&str> {
    let tests = tests_in(text);
    let inside = |number: usize| {
        tests.iter().any(|test| {
            let first = test.line as usize;
            (first..first + test.lines.len()).contains(&number)
        })
    };
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(number, _)| !inside(*number))
        .map(|(_, line)| line)
        .collect()
}

/// The line after the last of a block that opens at `start`: the first that stands no deeper and closes nothing.
fn end_of(lines: &[&str], start: usize) -> usize {
    let depth = lines.get(start).map_or(0, |line| indent(line));
    let mut end = start + 1;
    for (at, line) in lines.iter().enumerate().skip(start + 1) {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        let is_deeper = indent(line) > depth;
        // Some put the brace that opens a block on a line of its own.
        if at == start + 1 && indent(line) == depth && text == "{" {
            continue;
        }
        let closes = indent(line) == depth && (text.starts_with([')', '}', ']']) || text == "end");
        if !is_deeper && !closes {
            break;
        }
        end = at + 1;
        // A signature over several lines goes on; a block in braces is over.
        if closes && !text.ends_with(':') && !text.ends_with('{') {
            break;
        }
    }
    end
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let named = |rest| Some(word(rest)).filter(|name| !name.is_empty());
    let line = line.strip_prefix("async ").unwrap_or(line);
    if let Some(rest) = line.strip_prefix("def ") {
        return named(rest).filter(|name| name.starts_with("test"));
    }
    let rust = line
        .strip_prefix("pub fn ")
        .or_else(|| line.strip_prefix("fn "));
    if let Some(rest) = rust {
        return named(rest);
    }
    if let Some(rest) = line.strip_prefix("func ") {
        return named(rest).filter(|name| name.starts_with("Test"));
    }
    if let Some(name) = names::of_macro(line).or_else(|| names::of_method(line)) {
        return Some(name);
    }
    let call = names::CALLS
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    let quote = call
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))?;
    call.get(1..)?.split(quote).next()
}

/// Whether a line is a comment in any of the languages.
pub(crate) fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "#!", "# ", "*", "/*"]
        .iter()
        .any(|start| line.starts_with(start))
        || line == "#"
}

#[cfg(test)]
mod tests {
    use super::{around_tests, tests_in};
    use crate::report::TestId;

    #[test]
    fn tests_end_where_their_indentation_does() {
        let text = "import shop\n\nclass TestA:\n    def test_a(\n        self,\n    ):\n        assert 1\n\n    def helper(self):\n        assert 2\n\ndef test_b():\n    pass\n";
        let tests = tests_in(text);
        assert_eq!(tests[0].scope, "TestA");
        assert_eq!(tests[0].lines.len(), 4);
        assert_eq!((tests[1].scope, tests[1].line), ("", 12));
        assert!(around_tests(text).contains(&"        assert 2"));
        assert!(tests[0].is_named_by(&TestId::new("t.py::TestA::test_a[1]")));
        assert!(!tests[0].is_named_by(&TestId::new("t.py::TestB::test_a")));
    }

    #[test]
    fn blocks_in_braces_end_with_their_brace() {
        let text = "test('adds one', () => {\n  equal(1, 1)\n})\nconst x = 1\nfunc TestB(t *testing.T) {\n\tt.Fatal()\n}\n";
        let tests = tests_in(text);
        assert_eq!((tests[0].name, tests[0].lines.len()), ("adds one", 3));
        assert_eq!((tests[1].name, tests[1].lines.len()), ("TestB", 3));
        assert!(tests[0].is_named_by(&TestId::new("a.test.js > sums > adds one")));
        assert!(tests[1].is_named_by(&TestId::new("example.com/shop.TestB/sub")));
    }

    #[test]
    fn a_body_is_the_same_under_another_name_and_formatting() {
        let one = tests_in("def test_a():\n    assert f('x') == 1\n");
        let other = tests_in("def test_other():\n    # why\n    assert f(\"x\")  ==  1\n");
        assert_eq!(one[0].body(), other[0].body());
    }

    #[test]
    fn a_test_of_ruby_ends_with_its_last_word() {
        let text = "class ShopTest\n  def test_a\n    assert_equal 1, f\n  end\n\n  def test_b\n  end\nend\n";
        let tests = tests_in(text);
        assert_eq!(tests.len(), 2);
        assert_eq!(tests[0].lines.last(), Some(&"  end"));
    }
}
