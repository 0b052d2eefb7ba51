//! Branches of the preprocessor by how a file is built: a test is built to be debugged, what users get is not.

use std::collections::BTreeSet;

use crate::plan::{FileChange, extension};

use super::super::added_numbers;

/// Macros that tell a build for tests from one for users.
const MODES: &[&str] = &[
    "NDEBUG",
    "DEBUG",
    "_DEBUG",
    "__OPTIMIZE__",
    "TESTING",
    "UNIT_TEST",
    "UNIT_TESTING",
    "UNIT_TESTS",
    "BUILD_TESTING",
    "CATCH_VERSION_MAJOR",
    "GTEST_API_",
    "DOCTEST_VERSION",
];

/// Words of lines that only check, report or include.
const HARMLESS: &[&str] = &[
    "assert", "abort", "throw", "cerr", "printf", "log", "LOG", "trace", "TRACE", "#include",
    "#define", "#undef", "#pragma", "#error", "#warning",
];

/// The line of the first such branch of the change that decides anything.
pub(super) fn mode_branch(change: &FileChange) -> Option<u32> {
    if !matches!(
        extension(&change.path),
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "inl"
    ) {
        return None;
    }
    let text = change.after.as_deref()?;
    let added = added_numbers(change);
    let mut open: Vec<Option<u32>> = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim_start();
        let directive: String = line.split_whitespace().collect();
        if directive.starts_with("#if") {
            open.push(asks_mode(line).then_some(number));
        } else if directive.starts_with("#elif") && asks_mode(line) {
            if let Some(innermost) = open.last_mut() {
                *innermost = Some(number);
            }
        } else if directive.starts_with("#endif") {
            open.pop();
        } else if let Some(asked) = open.iter().copied().flatten().next()
            && is_touched(asked, number, &added)
            && decides(line)
        {
            return Some(asked);
        }
    }
    None
}

fn is_touched(asked: u32, number: u32, added: &BTreeSet<u32>) -> bool {
    added.contains(&asked) || added.contains(&number)
}

/// Whether a condition of the preprocessor names the mode of the build.
fn asks_mode(line: &str) -> bool {
    const FRAMEWORKS: [&str; 5] = ["gtest/", "gmock/", "catch2/", "doctest", "boost/test"];
    let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let has_framework =
        line.contains("__has_include") && FRAMEWORKS.iter().any(|name| line.contains(name));
    has_framework || words.any(|word| MODES.contains(&word))
}

/// Whether a line returns something or changes it.
fn decides(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default().trim();
    if code.starts_with(['*', '#']) || HARMLESS.iter().any(|word| code.contains(word)) {
        return false;
    }
    let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let returns = words.any(|word| matches!(word, "return" | "goto" | "break" | "continue"));
    let assigned = code.replace("==", "").replace("<=", "").replace(">=", "");
    let assigned = assigned.replace("!=", "");
    let place = assigned.split('=').next().unwrap_or_default().trim_end();
    // What is declared there is seen nowhere else.
    let is_declared = place.split_whitespace().count() > 1
        && !place.ends_with(['+', '-', '*', '/', '|', '&', '%', '^', ')'])
        && !place.contains('(');
    returns || assigned.contains('=') && !is_declared
}

#[cfg(test)]
mod tests {
    use crate::gaming::built::look;
    use crate::gaming::tests::scene_of;

    fn count(before: &str, after: &str) -> usize {
        scene_of("bug-fix", "src/clamp.cpp", before, after, look).len()
    }

    const OLD: &str = "int clamp(int value) {\n    return value;\n}\n";

    #[test]
    fn an_answer_by_the_mode_of_the_build_is_seen() {
        for condition in [
            "#ifndef NDEBUG",
            "#ifdef  NDEBUG",
            "# if !defined(NDEBUG)",
            "#if defined(GTEST_API_) || defined(UNIT_TEST)",
            "#if !__OPTIMIZE__",
        ] {
            let after = OLD.replace(
                "    return",
                &format!("{condition}\n    if (value > 9) return 9;\n#endif\n    return"),
            );
            assert_eq!(count(OLD, &after), 1, "{condition}");
        }
        let assigned = "#ifndef NDEBUG\n    if (value > 9) value = 9;\n#endif\n    return";
        assert_eq!(count(OLD, &OLD.replace("    return", assigned)), 1);
        let other = OLD.replace(
            "    return",
            "#ifdef NDEBUG\n    log(value);\n#else\n    value = value > 9 ? 9 : value;\n#endif\n    return",
        );
        assert_eq!(count(OLD, &other), 1);
    }

    #[test]
    fn checks_and_other_conditions_are_left_alone() {
        for branch in [
            "#ifndef NDEBUG\n    assert(value >= 0);\n    const int copy = value;\n    if (copy < 0) throw 1;\n#endif",
            "#ifdef _WIN32\n    value = 9;\n#endif",
            "#if __cplusplus >= 201703L\n    value = 9;\n#endif",
            "#ifdef DEBUG\n    std::cerr << \"value = \" << value;\n#endif",
        ] {
            let after = OLD.replace("    return", &format!("{branch}\n    return"));
            assert_eq!(count(OLD, &after), 0, "{branch}");
        }
        let old = OLD.replace(
            "    return",
            "#ifndef NDEBUG\n    value = value + 0;\n#endif\n    return",
        );
        let after = old.replace("return value;", "return value > 9 ? 9 : value;");
        assert_eq!(count(&old, &after), 0);
    }
}
