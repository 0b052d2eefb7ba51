//! How tests are named in languages that do not call them functions.

/// Calls whose first argument, a text, names a test.
pub(super) const CALLS: &[&str] = &[
    "test(",
    "it(",
    "test ",
    "it ",
    "specify ",
    "t.test(",
    "st.test(",
    "test.test(",
];

/// The test of `TEST(Suite, Name)` and `TEST_CASE("name")`.
pub(super) fn of_macro(line: &str) -> Option<&str> {
    let (start, rest) = line.split_once('(')?;
    let (arguments, _) = rest.rsplit_once(')')?;
    let name = match start {
        "TEST" | "TEST_F" | "TEST_P" | "TYPED_TEST" => arguments.rsplit(',').next()?.trim(),
        "TEST_CASE" => arguments.split('"').nth(1)?,
        _ => return None,
    };
    Some(name).filter(|name| !name.is_empty())
}

/// The test of `public function testName()`, `void name()` and `int main()`.
pub(super) fn of_method(line: &str) -> Option<&str> {
    const MODIFIERS: [&str; 4] = ["public ", "protected ", "final ", "static "];
    let mut line = line.split_once("@Test ").map_or(line, |(_, rest)| rest);
    while let Some(rest) = MODIFIERS.iter().find_map(|word| line.strip_prefix(word)) {
        line = rest.trim_start();
    }
    let (name, _) = ["function ", "void ", "int "]
        .iter()
        .find_map(|word| line.strip_prefix(word))?
        .split_once('(')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !line.trim_end().ends_with(';')).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::test_text::tests_in;

    #[test]
    fn tests_have_names_in_every_language() {
        for (text, name, lines) in [
            ("TEST(Calc, Add) {\n  EXPECT_EQ(1, f());\n}\n", "Add", 3),
            (
                "TEST_CASE(\"adds one\") {\n  CHECK(f());\n}\n",
                "adds one",
                3,
            ),
            (
                "    public function testAdd(): void\n    {\n        f();\n    }\n",
                "testAdd",
                4,
            ),
            (
                "    @Test public void adds() {\n        f();\n    }\n",
                "adds",
                3,
            ),
            ("  it \"adds\" do\n    f\n  end\n", "adds", 3),
            ("int main() {\n  return f();\n}\n", "main", 3),
        ] {
            let tests = tests_in(text);
            let found: Vec<_> = tests
                .iter()
                .map(|test| (test.name, test.lines.len()))
                .collect();
            assert_eq!(found, [(name, lines)]);
        }
        assert!(tests_in("int add(int, int);\n").is_empty());
    }
}
