//! Whether the lines of a receipt contradict each other or themselves.
//! A contradiction is a forgery or a mix-up: it makes the receipt invalid, not merely weaker.

use std::collections::BTreeSet;

use super::VerifiedLine;
use crate::{
    predicate::{Obligation, Predicate, Proof, Svr, Verdict},
    statement::Statement,
};

type Digests<'a> = BTreeSet<(&'a str, &'a str)>;

/// Every contradiction, as sentences.
pub(super) fn contradictions(lines: &[VerifiedLine]) -> Vec<String> {
    let mut problems = Vec::new();
    subjects(lines, &mut problems);
    for (line, proof) in proofs(lines) {
        head(&line.statement, proof, &mut problems);
        obligation(lines, proof, &mut problems);
        claim(lines, proof, &mut problems);
        summaries(lines, proof, &mut problems);
    }
    problems
}

/// The proof lines.
pub(super) fn proofs(lines: &[VerifiedLine]) -> impl Iterator<Item = (&VerifiedLine, &Proof)> {
    lines
        .iter()
        .filter_map(|line| match &line.statement.predicate {
            Predicate::Proof(proof) => Some((line, proof.as_ref())),
            _ => None,
        })
}

/// The obligation lines.
pub(super) fn obligations(
    lines: &[VerifiedLine],
) -> impl Iterator<Item = (&VerifiedLine, &Obligation)> {
    lines
        .iter()
        .filter_map(|line| match &line.statement.predicate {
            Predicate::Obligation(obligation) => Some((line, obligation.as_ref())),
            _ => None,
        })
}

/// The summary lines that speak in our properties.
pub(super) fn summary_lines(lines: &[VerifiedLine]) -> impl Iterator<Item = &Svr> {
    lines
        .iter()
        .filter_map(|line| match &line.statement.predicate {
            Predicate::Svr(svr) if svr.is_ours() => Some(svr.as_ref()),
            _ => None,
        })
}

/// The digest of the obligation's envelope that a proof refers to.
pub(super) fn obligation_digest(proof: &Proof) -> Option<&str> {
    proof
        .obligation
        .as_ref()?
        .digest
        .get("sha256")
        .map(String::as_str)
}

/// All lines speak of the same change. The obligation is older than the change, so it is not held
/// to that here.
fn subjects(lines: &[VerifiedLine], problems: &mut Vec<String>) {
    let about = |line: &VerifiedLine| !matches!(line.statement.predicate, Predicate::Obligation(_));
    let held: Vec<_> = lines.iter().filter(|line| about(line)).collect();
    let is_proof = |line: &VerifiedLine| matches!(line.statement.predicate, Predicate::Proof(_));
    // The proof says what the change is; without one, the line that says most.
    let anchor = held
        .iter()
        .max_by_key(|line| (is_proof(line), digests(&line.statement).len()));
    let Some(anchor) = anchor.map(|line| digests(&line.statement)) else {
        return;
    };
    for line in held {
        if !digests(&line.statement).is_subset(&anchor) {
            problems.push(format!(
                "the {} line is about another change than the rest",
                line.statement.predicate.line_name()
            ));
        }
    }
}

fn digests(statement: &Statement) -> Digests<'_> {
    statement.digests().collect()
}

/// The proof ran on the tree it is about.
fn head(statement: &Statement, proof: &Proof, problems: &mut Vec<String>) {
    let subjects = digests(statement);
    if !subjects
        .iter()
        .any(|(algorithm, _)| *algorithm == "gitTree")
    {
        problems.push("the proof names no git tree".to_owned());
    }
    let ran_on: Digests<'_> = proof
        .head
        .digest
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    if !ran_on.is_subset(&subjects) {
        problems.push("the proof ran on another revision than the one it is about".to_owned());
    }
}

/// An obligation that is there is the one the proof answers.
fn obligation(lines: &[VerifiedLine], proof: &Proof, problems: &mut Vec<String>) {
    for (line, obligation) in obligations(lines) {
        if obligation_digest(proof).is_some_and(|digest| digest != line.digest) {
            problems.push(
                "the proof answers another obligation than the one in this receipt".to_owned(),
            );
        }
        if obligation.task != proof.task {
            problems.push("the obligation and the proof are about different tasks".to_owned());
        }
    }
}

/// The proof claims no more than its own fields support.
fn claim(lines: &[VerifiedLine], proof: &Proof, problems: &mut Vec<String>) {
    let ceiling = proof.ceiling_with(&obliged(lines));
    // Only a claim of success can be forged; a receipt that says less is merely lowered.
    let is_success = proof.verdict.is_above(Verdict::Unproven);
    if is_success && proof.verdict.is_above(ceiling.verdict) {
        let deciding = ceiling
            .reasons
            .iter()
            .filter(|reason| proof.verdict.is_above(reason.to));
        let why: Vec<_> = deciding.map(|reason| reason.why.as_str()).collect();
        problems.push(format!(
            "the proof claims {} where its own fields support {} at most: {}",
            proof.verdict,
            ceiling.verdict,
            why.join("; ")
        ));
    }
}

/// Requirements of every obligation in the receipt.
pub(super) fn obliged(lines: &[VerifiedLine]) -> Vec<Vec<String>> {
    obligations(lines)
        .flat_map(|(_, obligation)| obligation.requirements.iter().cloned())
        .collect()
}

/// The summary says no more than the proof.
fn summaries(lines: &[VerifiedLine], proof: &Proof, problems: &mut Vec<String>) {
    for svr in summary_lines(lines) {
        match svr.verdict(&proof.task) {
            None => problems.push("the summary is about another task than the proof".to_owned()),
            Some(verdict) if verdict.is_above(proof.verdict) => {
                problems.push(format!(
                    "the summary says {verdict} where the proof says {}",
                    proof.verdict
                ));
            }
            Some(_) => {}
        }
    }
}
