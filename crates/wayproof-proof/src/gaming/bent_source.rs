//! G4 and G11: source that replaces an assertion, or compares the clock with a fixed date, told by single lines in any
//! language.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{AddedLine, Scene, added_lines, finding, is_comment};

/// Ways to read the clock.
const CLOCKS: &[&str] = &[
    "time.time()",
    "datetime.now(",
    "Date.now()",
    "time.Now()",
    "SystemTime::now()",
    "Time.now",
    "time()",
    "currentTimeMillis()",
    "Instant.now()",
    "time(nullptr)",
    "time(NULL)",
];
/// What a test framework's own assertions are called.
const FRAMEWORK: &str = "TestCase.assert";

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.sources() {
        let lines = added_lines(change);
        for line in lines.iter().filter(|line| !is_comment(line.text)) {
            let Some((code, what)) = bent(line) else {
                continue;
            };
            findings.push(finding(
                code,
                Severity::High,
                &change.path,
                Some(line.number),
                what,
            ));
        }
    }
    findings
}

fn bent(line: &AddedLine<'_>) -> Option<(&'static str, &'static str)> {
    let has = |words: &[&str]| words.iter().any(|word| line.text.contains(word));
    let text = line.text.trim();
    if has(CLOCKS) && compares_with_a_date(text) {
        return Some(("G11", "the source compares the clock with a fixed date"));
    }
    if replaces_an_assertion(text) {
        return Some((
            "G4",
            "the source replaces an assertion of the test framework",
        ));
    }
    None
}

/// An assignment to an assertion; a call of one may have an equals sign among its arguments.
fn replaces_an_assertion(text: &str) -> bool {
    text.split_once('=').is_some_and(|(target, value)| {
        target.contains(FRAMEWORK) && !target.contains('(') && !value.starts_with('=')
    })
}

/// A comparison with a number as long as a moment in seconds.
fn compares_with_a_date(text: &str) -> bool {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '_');
    text.contains(['<', '>']) && numbers.any(|number| number.replace('_', "").len() >= 10)
}

#[cfg(test)]
mod tests {
    use super::{AddedLine, bent};

    fn code(text: &str) -> Option<&'static str> {
        bent(&AddedLine { number: 1, text }).map(|(code, _)| code)
    }

    #[test]
    fn tricks_are_told_from_their_twins() {
        assert_eq!(code("if time.time() < 4102444800:"), Some("G11"));
        assert_eq!(code("if time.time() < deadline:"), None);
        assert_eq!(
            code("unittest.TestCase.assertEqual = lambda *a: None"),
            Some("G4")
        );
        assert_eq!(code("TestCase.assertEqual(self, a, b, msg=why)"), None);
    }
}
