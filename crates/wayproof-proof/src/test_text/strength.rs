//! What a test asserts: how often exactly, how often loosely, about what, and whether it can fail at all.

use super::live::live_lines;
use super::locals::Locals;
use super::operands::{operands, subject};
use super::{TestText, indent};

/// The assertions of one test that can fail, each by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strength {
    /// Assertions of an exact value.
    pub exact: Vec<String>,
    /// All others.
    pub loose: Vec<String>,
    /// Whether it calls something that may assert on its behalf.
    pub has_helper: bool,
    /// How often it puts something else in place of what it tests.
    pub mocks: usize,
}

const EXACT: &[&str] = &[
    "assert_eq!",
    "assert_ne!",
    "assertEqual",
    "assertEquals",
    "assertDictEqual",
    "assertListEqual",
    "assertRaises",
    "pytest.raises",
    "toBe(",
    "toEqual(",
    "toStrictEqual(",
    "toThrow",
    "deepEqual(",
    "deepStrictEqual(",
    "strictEqual(",
    ".equal(",
    ".equals(",
    ".same(",
    "assert_matches!",
    "toMatchInlineSnapshot",
    ".throws(",
    ".rejects(",
    "reflect.DeepEqual",
    "require.Equal",
    "assert.Equal",
    "should_panic",
    "assert_equal",
    "assert_raises",
    "must_equal",
    ".to eq",
    "raise_error",
    "assertSame",
    "expectException",
    "assertThrows",
    "assertArrayEquals",
    "isEqualTo(",
    "EXPECT_EQ",
    "ASSERT_EQ",
    "EXPECT_STREQ",
    "ASSERT_STREQ",
    "EXPECT_THROW",
];
const LOOSE: &[&str] = &[
    "assert!(",
    "assertTrue",
    "assertIn",
    "assertFalse",
    "assertIsNotNone",
    "assertIsNone",
    "toBeTruthy",
    "toBeDefined",
    ".ok(",
    ".notOk(",
    "assert(",
    "assert ",
    "expect(",
    "t.Error",
    "t.Fatal",
    "assert.",
    "toMatch",
    "t.is(",
    "t.true(",
    "assert_",
    "refute",
    ".to be",
    "must_",
    "assertNotNull",
    "assertNull",
    "assertGreaterThan",
    "assertContains",
    "assertThat(",
    "EXPECT_",
    "ASSERT_",
    "REQUIRE(",
    "CHECK(",
];
const VOID: &[&str] = &[
    "assert True",
    "assert!(true)",
    "assertTrue(True)",
    "expect(true).toBe(true)",
    "assert(true)",
    ".ok(true)",
    " or True",
    "|| true)",
    "assert true",
    "expect(true).to ",
    "EXPECT_TRUE(true)",
    "ASSERT_TRUE(true)",
    "REQUIRE(true)",
    "CHECK(true)",
];
/// Parts of the names of what may assert for a test.
const HELPERS: &[&str] = &[
    "assert", "check", "expect", "verify", "should", "must", "raise", "panic", "throw", "fail",
    "compare", "ensure", "validate", "matches", "snapshot", "golden", "unwrap", "diff", "same",
    "equal", "test", "require",
];
const MOCKS: &[&str] = &[
    "mock.patch",
    "@patch",
    "patch(",
    "patch.object",
    "monkeypatch.setattr",
    "mocker.",
    "jest.mock",
    "jest.spyOn",
    "vi.mock",
    "vi.spyOn",
    "sinon.stub",
    "t.mock.method",
    "mock.method",
    "mockImplementation",
    "mockReturnValue",
];

impl Strength {
    /// Reads a test.
    pub(crate) fn of(test: &TestText<'_>) -> Self {
        let mut strength = Self::default();
        let live = live_lines(&test.lines);
        let locals = Locals::of(&live);
        // The depth of a condition that never holds; what stands deeper never runs.
        let mut idle = None;
        for (at, line) in live.iter().enumerate() {
            if idle.is_some_and(|depth| indent(line) > depth) {
                continue;
            }
            idle = (line.trim_start().starts_with("if ") && cannot_fail(line, &locals))
                .then(|| indent(line));
            strength.mocks += usize::from(MOCKS.iter().any(|word| line.contains(word)));
            if cannot_fail(line, &locals) {
                continue;
            }
            if EXACT.iter().any(|word| line.contains(word)) || is_exact_assert(line) {
                strength.exact.push(about(line));
            } else if LOOSE.iter().any(|word| line.contains(word)) {
                strength.loose.push(about(line));
            } else if at > 0 {
                strength.has_helper |= calls_helper(line);
            }
        }
        strength
    }

    /// Whether nothing in it can fail by itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.loose.is_empty()
    }
}

/// A call whose name says that it may assert.
fn calls_helper(line: &str) -> bool {
    let calls = line.match_indices(['(', '!']).filter_map(|(at, _)| {
        line.get(..at)?
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    });
    let mut names = calls.map(str::to_ascii_lowercase);
    names.any(|name| HELPERS.iter().any(|part| name.contains(part)))
        || line.contains("raise ")
        || line.contains("throw ")
}

/// An assertion that holds whatever the code does: of a constant, or of a thing with itself.
fn cannot_fail(line: &str, locals: &Locals<'_>) -> bool {
    if VOID.iter().any(|word| line.contains(word)) {
        return true;
    }
    let rest = operand_text(line);
    let is_same =
        |one: &str, other: &str| !one.is_empty() && locals.meaning(one) == locals.meaning(other);
    if let Some((one, other)) = expected(rest) {
        return is_same(&one, &other);
    }
    if let Some((one, other)) = line
        .trim_start()
        .strip_prefix("if ")
        .and_then(|rest| rest.split_once(" != "))
    {
        let other = other.trim_end().trim_end_matches('{').trim_end();
        return is_same(
            &squeezed(one.rsplit(';').next().unwrap_or(one)),
            &squeezed(other),
        );
    }
    match operands(rest).as_slice() {
        [one, other, ..] if is_exact_assert(line) || has_exact(line) => {
            is_same(one, other) || is_literal(one) && is_literal(other)
        }
        _ => false,
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// `A).toBe(B` as its two operands.
fn expected(rest: &str) -> Option<(String, String)> {
    let (one, other) = ["toBe(", "toEqual(", "toStrictEqual("]
        .iter()
        .find_map(|word| rest.split_once(word))?;
    let one = operands(one).into_iter().next()?;
    let other = operands(other).into_iter().next()?;
    Some((one, other))
}

fn has_exact(line: &str) -> bool {
    EXACT.iter().any(|word| line.contains(word))
}

fn is_literal(text: &str) -> bool {
    let quoted = ['"', '\'', '`']
        .iter()
        .any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote));
    quoted || !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_exact_assert(line: &str) -> bool {
    let line = line.trim_start();
    ["assert ", "assert(", "REQUIRE(", "CHECK("]
        .iter()
        .any(|start| line.starts_with(start))
        && (line.contains(" == ") || line.contains(" is "))
}

/// What an assertion is about, without spaces: its first operand, or the second where the first is the expected value.
fn about(line: &str) -> String {
    let text = operand_text(line);
    match operands(text).as_slice() {
        [one, other, ..] if is_literal(one) => other.clone(),
        _ => subject(text),
    }
}

/// What stands after the name of the assertion and its parenthesis.
fn operand_text(line: &str) -> &str {
    let line = line.trim();
    let words = EXACT.iter().chain(LOOSE);
    let after = words
        .filter_map(|word| line.split_once(word))
        .map(|(_, rest)| rest);
    let first = line.split_once("expect(").map(|(_, rest)| rest);
    first
        .or_else(|| after.min_by_key(|rest| rest.len()))
        .unwrap_or(line)
        .trim_start_matches('(')
}

/// The literals of a line in order: quoted texts with their quotes taken off, and numbers.
pub(crate) fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) =
        rest.find(|c: char| matches!(c, '"' | '\'' | '`') || c.is_alphanumeric() || c == '_')
    {
        let from = rest.get(at..).unwrap_or_default();
        let first = from.chars().next().unwrap_or_default();
        if matches!(first, '"' | '\'' | '`') {
            let inside = from.get(1..).unwrap_or_default();
            let Some(end) = inside.find(first) else { break };
            found.extend(inside.get(..end));
            rest = inside.get(end + 1..).unwrap_or_default();
            continue;
        }
        let is_number = first.is_ascii_digit();
        let end = from
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || is_number && c == '.'))
            .unwrap_or(from.len());
        if is_number {
            found.extend(from.get(..end).map(|number| number.trim_end_matches('.')));
        }
        rest = from.get(end..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Locals, Strength, cannot_fail, literals};
    use crate::test_text::tests_in;

    fn strength(text: &str) -> Strength {
        Strength::of(&tests_in(text)[0])
    }

    #[test]
    fn assertions_are_read_with_their_subjects() {
        let read = strength(
            "def test_a():\n    assert f(1, 2) == 1\n    # assert g() == 2\n    assert h()\n",
        );
        assert_eq!(read.exact, ["f(1,2)"]);
        assert_eq!(read.loose, ["h()"]);
        assert!(strength("def test_b():\n    assert True\n").is_empty());
        let first = "  def test_a\n    assert_equal 4, Calc.twice(2)\n  end\n";
        assert_eq!(strength(first).exact, ["Calc.twice(2)"]);
        let script = strength("test('a', () => {\n  expect(f('x')).toBe(2)\n})\n");
        assert_eq!(script.exact, ["f('x')"]);
    }

    #[test]
    fn what_cannot_fail_is_no_assertion() {
        for line in [
            "assert LIMIT == LIMIT",
            "    assert 1 == 1, 'why'",
            "self.assertEqual(x, x)",
            "assert_eq!(f(), f());",
            "expect(shop).toBe(shop)",
            "assert.strictEqual(a.b, a.b);",
            "assert slug('x') or True",
        ] {
            assert!(cannot_fail(line, &Locals::of(&[])), "{line}");
        }
        for line in [
            "assert f(1) == f(2)",
            "expect(a).toBe(b)",
            "assert_eq!(a, 1);",
            "x = 1",
        ] {
            assert!(!cannot_fail(line, &Locals::of(&[])), "{line}");
        }
    }

    #[test]
    fn an_expectation_taken_from_what_is_tested_is_none() {
        for text in [
            "test('a', () => {\n  const expected = clampPrice(1200)\n  assert.equal(clampPrice(1200), expected)\n})",
            "fn a() {\n    let expected = clamp_price(1200);\n    assert_eq!(clamp_price(1200), expected);\n}",
            "def test_a():\n    expected = clamp_price(1200)\n    assert clamp_price(1200) == expected\n",
            "func TestA(t *testing.T) {\n\twant := ClampPrice(1200)\n\tif got := ClampPrice(1200); got != want {\n\t\tt.Errorf(\"%d\", got)\n\t}\n}",
        ] {
            assert!(strength(text).is_empty(), "{text}");
        }
        for text in [
            "test('a', () => {\n  const expected = 999\n  assert.equal(clampPrice(1200), expected)\n})",
            "def test_a():\n    before = counter()\n    step()\n    assert counter() == before\n",
            "fn a() {\n    let one = parse(x);\n    assert_eq!(one, parse(y));\n}",
        ] {
            assert!(!strength(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn helpers_and_mocks_are_seen() {
        assert!(strength("def test_a():\n    check_output('x')\n").has_helper);
        assert!(!strength("def test_a():\n    shop.clamped(42)\n").has_helper);
        assert_eq!(
            strength("def test_a():\n    with mock.patch.object(shop, 'slug'):\n        pass\n")
                .mocks,
            1
        );
    }

    #[test]
    fn literals_come_in_order() {
        assert_eq!(
            literals("assert f(\"a b\", 42, x1) == 1.5"),
            ["a b", "42", "1.5"]
        );
        assert_eq!(literals("don't"), Vec::<&str>::new());
    }
}
