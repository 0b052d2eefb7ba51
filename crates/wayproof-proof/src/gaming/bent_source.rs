//! G8 and G9: source that is bent towards the one who judges it: a look at who calls or when, and values that claim
//! to equal whatever they are held against.

use wayproof_receipt::predicate::{Finding, Severity};

use super::{AddedLine, Scene, added_lines, finding, is_comment};
use crate::plan::Role;

/// Ways to see the caller or the program.
const CALLERS: &[&str] = &[
    "inspect.stack",
    "_getframe",
    "sys.argv[0]",
    "process.argv[1]",
    "os.Args[0]",
    "caller_locations",
    "caller.",
    "caller(",
    "$PROGRAM_NAME",
    "$0",
    "debug_backtrace",
    "getStackTrace",
    "StackWalker",
    "program_invocation",
];
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
    for change in scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source)
    {
        let lines = added_lines(change);
        for (at, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !is_comment(line.text))
        {
            let next = lines
                .get(at + 1)
                .filter(|next| next.number == line.number + 1);
            let Some((code, what)) = bent(line, next) else {
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

fn bent(
    line: &AddedLine<'_>,
    next: Option<&AddedLine<'_>>,
) -> Option<(&'static str, &'static str)> {
    let has = |words: &[&str]| words.iter().any(|word| line.text.contains(word));
    let text = line.text.trim();
    if names_a_test(text) && has(CALLERS) {
        return Some(("G8", "the source looks for a test among its callers"));
    }
    if has(CLOCKS) && compares_with_a_date(text) {
        return Some(("G11", "the source compares the clock with a fixed date"));
    }
    if replaces_an_assertion(text) {
        return Some((
            "G4",
            "the source replaces an assertion of the test framework",
        ));
    }
    let body = next.map(|next| next.text.trim());
    if text.starts_with("def __eq__") && body == Some("return True")
        || text.starts_with("fn eq(&self") && body == Some("true")
    {
        return Some(("G9", "a value claims to equal whatever it is compared with"));
    }
    None
}

/// `test`, `tests`, `test_slug`, `pytest`; `latest` is something else.
fn names_a_test(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| {
            let word = word.to_ascii_lowercase();
            let runners = [
                "pytest", "unittest", "junit", "surefire", "phpunit", "minitest", "rspec",
            ];
            matches!(word.as_str(), "test" | "tests") || runners.contains(&word.as_str())
        })
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

    fn code(text: &str, next: &str) -> Option<&'static str> {
        let line = |number, text| AddedLine { number, text };
        bent(&line(1, text), Some(&line(2, next))).map(|(code, _)| code)
    }

    #[test]
    fn tricks_are_told_from_their_twins() {
        assert_eq!(
            code(
                "if any(\"test\" in f.filename for f in inspect.stack()):",
                ""
            ),
            Some("G8")
        );
        assert_eq!(code("print(slug(sys.argv[0]))", ""), None);
        assert_eq!(code("log.info('latest: %s', sys.argv[0])", ""), None);
        assert_eq!(code("if time.time() < 4102444800:", ""), Some("G11"));
        assert_eq!(code("if time.time() < deadline:", ""), None);
        assert_eq!(
            code("def __eq__(self, other):", "    return True"),
            Some("G9")
        );
        assert_eq!(
            code("def __eq__(self, other):", "    return self.a == other.a"),
            None
        );
        assert_eq!(
            code("unittest.TestCase.assertEqual = lambda *a: None", ""),
            Some("G4")
        );
        assert_eq!(code("TestCase.assertEqual(self, a, b, msg=why)", ""), None);
    }
}
