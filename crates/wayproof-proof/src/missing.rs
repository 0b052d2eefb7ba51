//! What the trees only point to and this machine does not have: contents that Git LFS keeps, and submodules.
//!
//! Pure. Where nothing is red at the head they were not missed. Where something is, nobody can say whether the change
//! or the missing content made it so.

use std::collections::BTreeSet;

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::Severity;
use wayproof_repo::Missing;

use crate::prove::Evidence;
use crate::verdict::Judgment;

/// The judgment, or that the machine lacks what it would rest on. A cheat stays one.
pub(crate) fn settle(evidence: &Evidence, missing: &BTreeSet<Missing>) -> Judgment {
    let judgment = &evidence.judgment;
    let is_open = matches!(judgment.verdict, Verdict::Unproven | Verdict::Refuted);
    let mut findings = evidence.findings.iter();
    let is_cheat = findings.any(|finding| finding.severity == Severity::High);
    let mut heads = evidence
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.head());
    let is_red = heads.any(|head| {
        !head.stopped.is_empty() || head.results.values().any(|result| result.red.is_some())
    });
    let mut judgment = judgment.clone();
    let Some(sentence) = told(missing).filter(|_| is_red && !is_cheat) else {
        return judgment;
    };
    if is_open {
        return Judgment::infra(sentence);
    }
    // What is shown stays so, and a new test that cannot hold here is no fault of the change.
    let mut gaps = judgment.gaps.iter_mut();
    if let Some(gap) = gaps.find(|gap| *gap == "NEW_TEST_FAILS") {
        "CONTENT_MISSING".clone_into(gap);
        judgment.one_fact = format!(
            "{}; {sentence}",
            judgment
                .one_fact
                .replace("NEW_TEST_FAILS", "CONTENT_MISSING")
        );
    }
    judgment
}

/// What is missing, and how to get it.
fn told(missing: &BTreeSet<Missing>) -> Option<String> {
    let files = missing.iter().filter_map(|one| match one {
        Missing::Lfs(path) => Some(path),
        Missing::Submodule(_) => None,
    });
    let files: Vec<&String> = files.collect();
    if let Some(first) = files.first() {
        let count = files.len();
        return Some(format!(
            "tests fail, and the contents of {count} file(s) that Git LFS keeps are not here, the first is {first}; `git lfs pull` gets them"
        ));
    }
    missing.iter().find_map(|one| match one {
        Missing::Submodule(path) => Some(format!(
            "tests fail, and the submodule {path} is not checked out here; `git submodule update --init --recursive` gets it"
        )),
        Missing::Lfs(_) => None,
    })
}
