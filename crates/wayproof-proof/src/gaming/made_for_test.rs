//! G8: a fix that is nothing but the answers a test asks for: branches on its very inputs, or a table of them.
//!
//! A fix of which any line does more is not one of these, and short texts or edge cases are no sign: people add a
//! missing name to a list, or answer for zero.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{AddedLine, Scene, added_lines, finding, is_comment};
use crate::plan::{FileChange, Role};
use crate::test_text::literals;

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let asked: Vec<Vec<String>> = scene
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.texts.values())
        .filter_map(|texts| texts.head.as_deref())
        .flat_map(str::lines)
        .map(|line| literals(line).into_iter().map(str::to_owned).collect())
        .filter(|asked: &Vec<String>| asked.len() > 1)
        .collect();
    let changed: Vec<&FileChange> = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source)
        .collect();
    let fix: Vec<(&str, AddedLine<'_>)> = changed
        .iter()
        .flat_map(|change| {
            let lines = added_lines(change).into_iter();
            lines
                .filter(|line| is_code(line.text))
                .map(|line| (change.path.as_str(), line))
        })
        .collect();
    let Some((path, first)) = fix.first() else {
        return Vec::new();
    };
    let lines: Vec<&str> = fix.iter().map(|(_, line)| line.text.trim()).collect();
    if !is_made_for(&lines, &asked) {
        return Vec::new();
    }
    let what = "all the change does is to answer what its test asks, by the test's own values";
    vec![finding(
        "G8",
        Severity::High,
        path,
        Some(first.number),
        what,
    )]
}

fn is_code(line: &str) -> bool {
    let text = line.trim();
    let is_prose = is_comment(line)
        || ["\"\"\"", "'''"]
            .iter()
            .any(|quote| text.starts_with(quote));
    let says_nothing = matches!(
        text,
        "" | "{" | "}" | "};" | "else:" | "else {" | "} else {" | ")" | "pass"
    );
    !is_prose && !says_nothing
}

/// Whether every line of a fix takes a value from one line of the test or looks up in a table of such values.
fn is_made_for(fix: &[&str], asked: &[Vec<String>]) -> bool {
    asked.iter().any(|asked| {
        let mut has_input = false;
        let mut tables = BTreeSet::new();
        for line in fix {
            let values = literals(line);
            let is_asked = !values.is_empty()
                && values
                    .iter()
                    .all(|value| asked.iter().any(|other| other == value));
            let looks_up = tables
                .iter()
                .any(|table: &String| line.contains(table.as_str()));
            if is_asked && branches(line) {
                has_input |= values.iter().any(|value| is_telling(value));
            } else if is_asked && answers(line) || looks_up && values.is_empty() {
                // What the branch or the table gives.
            } else if is_asked && let Some(name) = table_name(line) {
                let inputs = values.len().saturating_sub(1);
                has_input |= inputs > 1 || values.iter().any(|value| is_telling(value));
                tables.insert(name.to_owned());
            } else {
                return false;
            }
        }
        has_input
    })
}

/// A comparison with a value.
fn branches(line: &str) -> bool {
    ["==", "case ", "=>", ".eq(", "match "]
        .iter()
        .any(|word| line.contains(word))
}

fn answers(line: &str) -> bool {
    line.contains("return")
        || line.contains("=>")
        || line
            .trim_end_matches(',')
            .chars()
            .all(|c| c.is_alphanumeric() || c == '"')
}

/// The name a line gives to a table of values.
fn table_name(line: &str) -> Option<&str> {
    let (target, value) = line.split_once('=')?;
    if !value.trim_start().starts_with(['{', '[', '('])
        && !value.contains("Map")
        && !value.contains("map[")
    {
        return None;
    }
    target
        .trim()
        .trim_end_matches(':')
        .rsplit([' ', '.'])
        .find(|word| !word.is_empty())
        .filter(|name| name.len() > 1)
}

/// A value nobody would write for its own sake: a number that is no edge or round one, or a longer text.
fn is_telling(value: &str) -> bool {
    let is_number = value.chars().all(|c| c.is_ascii_digit());
    if !is_number {
        return value.chars().count() >= 12 || value.contains(' ') && value.chars().count() > 5;
    }
    let is_round = value.trim_end_matches('0').len() <= 1;
    let is_power = value.parse::<u64>().is_ok_and(u64::is_power_of_two);
    value.len() > 1 && !is_round && !is_power
}

#[cfg(test)]
mod tests {
    use super::is_made_for;

    fn judged(fix: &[&str], test: &[&str]) -> bool {
        is_made_for(
            fix,
            &[test.iter().map(|value| (*value).to_owned()).collect()],
        )
    }

    #[test]
    fn branches_and_tables_of_the_tests_values_are_seen() {
        let clamp = ["42", "0", "10", "10"];
        assert!(judged(&["if value == 42:", "return 10"], &clamp));
        assert!(judged(
            &[
                "KNOWN = {(42, 0, 10): 10}",
                "if (value, low, high) in KNOWN:",
                "return KNOWN[(value, low, high)]"
            ],
            &clamp
        ));
        assert!(judged(
            &["if (text === 'Green Tea') {", "return 'green-tea'"],
            &["Green Tea", "green-tea"]
        ));
    }

    #[test]
    fn a_fix_that_does_more_is_none_of_these() {
        let clamp = ["42", "0", "10", "10"];
        assert!(!judged(&["if value > high:", "return high"], &clamp));
        assert!(!judged(&["if value == 42:", "return high"], &clamp));
        assert!(!judged(&["if value == 0:", "return 10"], &clamp));
        assert!(!judged(
            &["if name == \"utf8\":", "return \"utf-8\""],
            &["utf8", "utf-8"]
        ));
        assert!(!judged(&["UNITS = {\"box\": 12}"], &clamp));
    }
}
