//! Causes that show in words of a tool's output: coverage below what was asked, the same tests passing and failing
//! without an edit in between, an error that finds more than one reading, a document that speaks of an interface.
//! Fixed phrases of tools only; what a person or an assistant says about them is none of these.

use super::JobState;
use crate::{
    classify::is_document,
    evidence::{Evidence, EvidenceKind, Outcome, Severity},
    names::Cause,
};

/// How tools say that coverage is too low. Both parts have to stand on one line.
const COVERAGE: [(&str, &str); 6] = [
    ("Required test coverage of", "not reached"),
    ("coverage threshold for", "not met"),
    ("Coverage for", "does not meet"),
    ("Coverage failure: total of", "is less than fail-under"),
    ("Code coverage", "below the required"),
    ("Rule violated for", "covered ratio is"),
];

/// How compilers, databases and migration tools say that there is more than one reading.
const AMBIGUOUS: [&str; 12] = [
    "multiple applicable items in scope",
    "is ambiguous",
    "is an ambiguous reference",
    "ambiguous call",
    "ambiguous overload",
    "ambiguous column name",
    "call is ambiguous",
    "reference is ambiguous",
    "No overload matches this call",
    "Conflicting migrations detected",
    "Multiple head revisions are present",
    "multiple leaf nodes in the migration graph",
];

/// The line that says that coverage is too low.
pub(crate) fn low_coverage(text: &str) -> Option<(Cause, String)> {
    let line = text
        .lines()
        .filter(|line| line.contains("overage") || line.contains("covered ratio"))
        .find(|line| {
            COVERAGE.iter().any(|(first, then)| {
                line.split_once(first)
                    .is_some_and(|(_, rest)| rest.contains(then))
            })
        })?;
    Some((
        Cause::LowCoverage,
        format!("coverage is too low: {}", short(line)),
    ))
}

/// The error that finds more than one reading, once the job has edited something.
pub(crate) fn ambiguity(job: &JobState, evidence: &Evidence) -> Option<(Cause, String)> {
    if job.edit_count == 0 || evidence.outcome != Outcome::Failed {
        return None;
    }
    let errors = evidence
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| &found.message);
    let failures = evidence.failures.iter().map(|failure| &failure.message);
    let found = errors
        .chain(failures)
        .find(|message| is_ambiguous(message))?;
    Some((
        Cause::SchemaOrApiAmbiguity,
        format!("more than one reading: {}", short(found)),
    ))
}

/// The same for tools that print no diagnostics, such as those that run migrations.
pub(crate) fn ambiguous_migration(job: &JobState, text: &str) -> Option<(Cause, String)> {
    if job.edit_count == 0 || !text.contains("igration") && !text.contains("head revisions") {
        return None;
    }
    let line = text
        .lines()
        .find(|line| AMBIGUOUS[9..].iter().any(|phrase| line.contains(phrase)))?;
    Some((
        Cause::SchemaOrApiAmbiguity,
        format!("more than one reading: {}", short(line)),
    ))
}

fn is_ambiguous(message: &str) -> bool {
    AMBIGUOUS.iter().any(|phrase| message.contains(phrase))
}

/// Whether as many tests of a tool pass now as failed and passed before, with no edit in between, or the other way
/// round.
pub(crate) fn flaky(job: &JobState, evidence: &Evidence) -> Option<(Cause, String)> {
    if evidence.kind != EvidenceKind::Test {
        return None;
    }
    let ran = evidence.counts?.run;
    let before = job.evidence.iter().rev().find(|kept| {
        kept.kind == EvidenceKind::Test
            && kept.tool == evidence.tool
            && kept.grade == evidence.grade
    })?;
    let is_same_run = ran > 0 && before.counts.is_some_and(|counts| counts.run == ran);
    let is_same_tree = job.edits_at_last_test == Some(job.edit_count);
    let named = match (before.outcome, evidence.outcome) {
        (Outcome::Failed, Outcome::Passed) => before,
        (Outcome::Passed, Outcome::Failed) => evidence,
        _ => return None,
    };
    if !(is_same_run && is_same_tree) {
        return None;
    }
    let which = named
        .failures
        .first()
        .map_or("a test", |failure| &failure.name);
    Some((
        Cause::FlakyTest,
        format!("{which} passes and fails with nothing edited in between"),
    ))
}

/// Whether an edited document states something about an interface or a version, by what the tool shows of the edit.
pub(crate) fn claim(paths: &[String], shown: &str) -> Option<(Cause, String)> {
    const MOST: usize = 16 << 10;
    let path = paths.iter().find(|path| is_document(path))?;
    let shown = super::job::cut(shown, MOST);
    let word = shown
        .split_whitespace()
        .find(|word| is_version(word) || is_call(word))?;
    Some((
        Cause::ApiOrVersionClaim,
        format!("`{path}` speaks of {}", short(word)),
    ))
}

/// `v1.2`, `2.0.1`; not a date, a section of one digit or an address.
fn is_version(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let digits = word.strip_prefix('v').unwrap_or(word);
    let parts: Vec<&str> = digits.split('.').collect();
    let is_number =
        |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let enough = if digits.len() < word.len() { 2 } else { 3 };
    (enough..=3).contains(&parts.len()) && parts.iter().all(is_number)
}

/// `parse()`, `Client::new(`.
fn is_call(word: &str) -> bool {
    let word = word.trim_start_matches(['`', '(', '*', '"']);
    word.split_once('(').is_some_and(|(name, rest)| {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_.:".contains(&b);
        name.len() > 2 && name.bytes().all(is_name) && (rest.contains(')') || name.contains("::"))
    })
}

fn short(text: &str) -> &str {
    super::job::cut(text.trim(), 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_say_that_coverage_is_too_low_and_people_do_not() {
        for line in [
            "FAIL Required test coverage of 80% not reached. Total coverage: 71.20%",
            "Jest: \"global\" coverage threshold for lines (80%) not met: 71.2%",
            "ERROR: Coverage for lines (71.2%) does not meet global threshold (80%)",
            "Coverage failure: total of 71 is less than fail-under=80",
        ] {
            assert!(low_coverage(line).is_some(), "{line}");
        }
        for line in [
            "Total coverage: 91.20%",
            "coverage is too low, says Bob",
            "",
        ] {
            assert!(low_coverage(line).is_none(), "{line}");
        }
    }

    #[test]
    fn documents_that_speak_of_versions_and_calls_make_claims() {
        let docs = ["docs/guide.md".to_owned()];
        let claims = |text| claim(&docs, text).is_some();
        assert!(claims("since v2.1 the client retries"));
        assert!(claims("requires Node 18.0.1 or newer"));
        assert!(claims("call `Client::new(url)` first"));
        assert!(!claims("it is easy, see section 2.1 (below)"));
        assert!(!claims("the file was updated"));
        assert!(claim(&["src/lib.rs".to_owned()], "v2.1").is_none());
    }
}
