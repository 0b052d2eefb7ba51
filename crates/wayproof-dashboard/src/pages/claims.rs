//! What a receipt claims of a change as a whole, and of each of its files.
//!
//! Everything here was verified before; it is only sorted, so that a claim stands beside the lines it is about.

use wayproof_receipt::Verification;
use wayproof_receipt::predicate::{FailToPass, Proof};

use super::diff::Claim;
use crate::show::text::{count, counted, cut};

/// Claims about one file that are shown.
const MOST: usize = 12;
const LONGEST: usize = 240;

/// Names of files that say nothing about what is in them.
const NAMELESS: [&str; 8] = [
    "mod", "lib", "main", "index", "test", "tests", "init", "__init__",
];

/// What is claimed of the change as a whole.
pub(super) fn of_change(verification: &Verification) -> Vec<Claim> {
    verification.proofs().flat_map(of_proof).collect()
}

fn of_proof(proof: &Proof) -> Vec<Claim> {
    let mut claims = Vec::new();
    let fixed = proof.fail_to_pass.len();
    if fixed > 0 {
        let words = counted(whole(fixed), "test failed", "tests failed");
        claims.push(Claim::good(format!("{words} before and pass now")));
    }
    if let Some(tests) = &proof.tests {
        if let Some(kept) = &tests.pass_to_pass {
            let words = counted(
                i64::try_from(kept.kept).unwrap_or(i64::MAX),
                "test that passed still passes",
                "tests that passed still pass",
            );
            if kept.kept > 0 {
                claims.push(Claim::good(words));
            }
            if !kept.lost.is_empty() {
                let words = counted(
                    whole(kept.lost.len()),
                    "test that passed does not any more",
                    "tests that passed do not any more",
                );
                claims.push(Claim::bad(words));
            }
        }
        if !tests.still_failing.is_empty() {
            let words = counted(
                whole(tests.still_failing.len()),
                "test fails as it did before",
                "tests fail as they did before",
            );
            claims.push(Claim::bad(words));
        }
    }
    if let Some(coverage) = &proof.coverage {
        let words = format!(
            "{} of {} changed lines were run by tests",
            coverage.covered_lines, coverage.changed_lines
        );
        claims.push(judged(
            coverage.covered_lines == coverage.changed_lines,
            words,
        ));
    }
    if let Some(mutation) = &proof.mutation {
        let words = format!(
            "tests noticed {} of {} mistakes put into the change",
            mutation.caught, mutation.viable
        );
        claims.push(judged(mutation.caught == mutation.viable, words));
    }
    let elsewhere = proof.findings.iter().filter(|found| found.path.is_none());
    claims.extend(elsewhere.map(|found| {
        let words = format!("{}: {}", found.code, found.explanation);
        Claim::bad(cut(&words, LONGEST))
    }));
    claims
}

fn whole(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn judged(is_good: bool, words: String) -> Claim {
    if is_good {
        Claim::good(words)
    } else {
        Claim::bad(words)
    }
}

/// What is claimed of one file.
pub(super) fn of_file(verification: &Verification, path: &str) -> Vec<Claim> {
    let mut claims: Vec<Claim> = verification
        .proofs()
        .flat_map(|proof| of_proven_file(proof, path))
        .collect();
    if claims.len() > MOST {
        let more = claims.len() - MOST;
        claims.truncate(MOST);
        claims.push(Claim::bad(format!("and {} more", count(whole(more)))));
    }
    claims
}

fn of_proven_file(proof: &Proof, path: &str) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut bad = |words: String| claims.push(Claim::bad(cut(&words, LONGEST)));
    for found in &proof.findings {
        if found.path.as_deref() == Some(path) {
            let line = found.line.map(|line| format!(", line {line}"));
            let line = line.unwrap_or_default();
            bad(format!("{}{line}: {}", found.code, found.explanation));
        }
    }
    for surface in &proof.control_surface_changed {
        if surface.path == path {
            bad("it decides what a proof runs, so the base's version was used".to_owned());
        }
    }
    for missed in proof.mutation.iter().flat_map(|tested| &tested.missed) {
        if missed.contains(path) {
            bad(format!("no test noticed a mistake put here: {missed}"));
        }
    }
    let weak = proof
        .oracle
        .iter()
        .flat_map(|oracle| oracle.weak.iter().chain(&oracle.none));
    for test in weak.filter(|test| is_in(test, path)) {
        bad(format!("{test} asserts little or nothing"));
    }
    if let Some(tests) = &proof.tests {
        for test in tests.removed.iter().filter(|test| is_in(test, path)) {
            bad(format!("{test} is gone"));
        }
        for test in tests.newly_skipped.iter().filter(|test| is_in(test, path)) {
            bad(format!("{test} is skipped now"));
        }
    }
    let fixed = proof.fail_to_pass.iter();
    let fixed = fixed.filter(|fixed| is_in(&fixed.test_id, path));
    claims.extend(fixed.map(|fixed| Claim::good(cut(&turned(fixed), LONGEST))));
    if let Some(moved) = &proof.dependencies
        && moved.files.iter().any(|file| file == path)
    {
        let here = moved.moved.iter().filter(|package| package.file == path);
        let words = counted(whole(here.count()), "package", "packages");
        claims.push(judged(
            moved.unexplained.is_empty(),
            format!(
                "{words} moved, {} of the change unexplained",
                moved.unexplained.len()
            ),
        ));
    }
    claims
}

fn turned(fixed: &FailToPass) -> String {
    format!(
        "{} failed {} of {} times before and passed {} of {} after",
        fixed.test_id, fixed.base_reds, fixed.base_runs, fixed.head_greens, fixed.head_runs
    )
}

/// Whether a test's name says that it is in a file: by its path, or by a part that is the file's own name.
fn is_in(test: &str, path: &str) -> bool {
    if test.contains(path) {
        return true;
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    stem.len() > 2
        && !NAMELESS.contains(&stem)
        && test
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|part| part == stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_in_its_file() {
        assert!(is_in(
            "tests/test_parse.py::test_empty",
            "tests/test_parse.py"
        ));
        assert!(is_in("shop::parser::tests::empty", "src/parser.rs"));
        assert!(!is_in("shop::parser::tests::empty", "src/lib.rs"));
        assert!(!is_in("shop::tests::empty", "src/tests.rs"));
        assert!(!is_in("shop::parsers::empty", "src/parser.rs"));
    }
}
