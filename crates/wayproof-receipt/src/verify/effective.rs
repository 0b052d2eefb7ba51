//! What a receipt proves after everything that is missing has been taken off.
//! Starts from what the proof claims and only ever goes down.

use std::collections::BTreeSet;

use super::{
    VerifiedLine,
    agree::{obligation_digest, obligations, obliged, proofs, summary_lines},
};
use crate::{
    key::PublicKey,
    predicate::{Predicate, Proof, Reason, Review, ReviewDecision, Svr, Verdict},
};

/// The verdict that is left, and how it came down.
pub(super) struct Effective {
    pub(super) verdict: Verdict,
    pub(super) claimed: Option<Verdict>,
    pub(super) task: Option<String>,
    pub(super) lowered: Vec<Reason>,
}

/// Takes off everything that is missing.
pub(super) fn verdict(lines: &[VerifiedLine]) -> Effective {
    let claimed = proofs(lines)
        .map(|(_, proof)| proof.verdict)
        .reduce(Verdict::min);
    let mut lowered = Vec::new();
    if claimed.is_none() {
        lowered.push(Reason::new(
            Verdict::Unproven,
            "the receipt has no proof line",
        ));
    }
    for (_, proof) in proofs(lines) {
        lowered.extend(proof.ceiling_with(&obliged(lines)).reasons);
        pre_registration(lines, proof, &mut lowered);
        reviews(lines, proof, &mut lowered);
        summaries(lines, proof, &mut lowered);
    }
    let start = claimed.unwrap_or(Verdict::Unproven);
    let verdict = match start {
        // A fault of the machine says nothing about the change, so nothing may refute it either.
        Verdict::InvalidInfra => start,
        _ => lowered
            .iter()
            .fold(start, |verdict, reason| verdict.min(reason.to)),
    };
    let task = proofs(lines).map(|(_, proof)| proof.task.clone()).next();
    let task = task.or_else(|| {
        obligations(lines)
            .map(|(_, obligation)| obligation.task.clone())
            .next()
    });
    Effective {
        verdict,
        claimed,
        task,
        lowered,
    }
}

/// Kinds of lines that a whole receipt has.
pub(super) fn missing(lines: &[VerifiedLine]) -> Vec<&'static str> {
    let mut missing = vec!["obligation", "test-result", "proof", "spend", "summary"];
    for line in lines {
        match &line.statement.predicate {
            // A summary in foreign words is no summary of ours.
            Predicate::Svr(svr) if !svr.is_ours() => {}
            predicate => missing.retain(|name| *name != predicate.line_name()),
        }
    }
    missing
}

/// The bar was set before the checks ran and was not exchanged.
fn pre_registration(lines: &[VerifiedLine], proof: &Proof, lowered: &mut Vec<Reason>) {
    let is_there = obligations(lines).next().is_some();
    if obligation_digest(proof).is_some() && !is_there {
        // Without the bar nobody can tell whether it was cleared.
        let why = "the obligation that the proof answers is not in the receipt";
        lowered.push(Reason::new(Verdict::Unproven, why));
    }
    let mut lower = |why| lowered.push(Reason::new(Verdict::ProvenWithGaps, why));
    if obligation_digest(proof).is_none() && is_there {
        lower("the proof does not refer to the obligation");
    }
    let first_check = proof
        .checks
        .iter()
        .filter_map(|check| check.started_at)
        .min();
    for (line, obligation) in obligations(lines) {
        if obligation
            .frozen_at
            .zip(first_check)
            .is_some_and(|(frozen, started)| frozen > started)
        {
            lower("the obligation was frozen after the checks began");
        }
        let start = |digest: &str| line.statement.digests().any(|(_, value)| value == digest);
        if !proof.base.digest.values().any(|digest| start(digest)) {
            lower("the obligation was frozen for another base revision");
        }
    }
}

/// Enough people other than the prover approved exactly this tree, and nobody rejected it.
fn reviews(lines: &[VerifiedLine], proof: &Proof, lowered: &mut Vec<Reason>) {
    let rules = obligations(lines).filter_map(|(_, obligation)| obligation.review.as_ref());
    let at_least = rules.map(|rule| rule.at_least).max();
    let needed = at_least
        .unwrap_or(0)
        .max(u32::from(proof.awaits_review(&obliged(lines))));
    let mut approvals: BTreeSet<[u8; 32]> = BTreeSet::new();
    for (line, review) in reviews_of_tree(lines, proof) {
        if is_superseded(lines, proof, (line, review)) {
            continue;
        }
        match review.decision {
            ReviewDecision::Rejected => {
                let reason = Reason::new(Verdict::Unproven, "a reviewer rejected the change");
                lowered.push(reason.about([review.reviewer.as_str()]));
            }
            ReviewDecision::Approved => {
                approvals.extend(others(lines, line).map(|key| *key.as_bytes()));
            }
        }
    }
    if approvals.len() < needed as usize {
        let why = format!(
            "{needed} approvals by somebody else are required and {} are there",
            approvals.len()
        );
        lowered.push(Reason::new(Verdict::Unproven, why));
    }
}

/// Whether everybody who signed a decision signed a later one about the same tree. Of two at the same time, or
/// without a time, both hold.
fn is_superseded(
    lines: &[VerifiedLine],
    proof: &Proof,
    (line, review): (&VerifiedLine, &Review),
) -> bool {
    let Some(at) = review.reviewed_at else {
        return false;
    };
    line.signers.iter().all(|signer| {
        reviews_of_tree(lines, proof).any(|(other, later)| {
            later.reviewed_at.is_some_and(|then| then > at)
                && other.signers.iter().any(|one| one.key == signer.key)
        })
    })
}

fn reviews_of_tree<'l>(
    lines: &'l [VerifiedLine],
    proof: &'l Proof,
) -> impl Iterator<Item = (&'l VerifiedLine, &'l Review)> {
    let tree = proof.head.digest.get("gitTree").map(String::as_str);
    lines
        .iter()
        .filter_map(move |line| match &line.statement.predicate {
            Predicate::Review(review) => {
                let is_this_tree = line
                    .statement
                    .digests()
                    .any(|(name, value)| name == "gitTree" && Some(value) == tree);
                is_this_tree.then_some((line, review.as_ref()))
            }
            _ => None,
        })
}

/// Keys on a review that signed neither proof nor obligation: nobody approves their own work. A key that is pinned
/// as something else than a reviewer's, such as a machine's, is nobody's approval.
fn others<'l>(
    lines: &'l [VerifiedLine],
    review: &'l VerifiedLine,
) -> impl Iterator<Item = &'l PublicKey> {
    let is_provers = |key: &PublicKey| {
        let proving = proofs(lines)
            .map(|(line, _)| line)
            .chain(obligations(lines).map(|(line, _)| line));
        proving
            .flat_map(|line| &line.signers)
            .any(|signer| signer.key == *key)
    };
    review
        .signers
        .iter()
        .filter(|signer| signer.is_reviewer || signer.name.is_none())
        .map(|signer| &signer.key)
        .filter(move |key| !is_provers(key))
}

/// The summary is there, and so is every line it rests on. A line that could say less than the
/// proof must not pay off by being taken out, so its absence leaves nothing proven.
fn summaries(lines: &[VerifiedLine], proof: &Proof, lowered: &mut Vec<Reason>) {
    let present: BTreeSet<&str> = lines.iter().map(|line| line.digest.as_str()).collect();
    if summary_lines(lines).next().is_none() {
        lowered.push(Reason::new(
            Verdict::Unproven,
            "the receipt has no summary line",
        ));
    }
    for svr in summary_lines(lines) {
        let said = svr.verdict(&proof.task);
        if let Some(verdict) = said.filter(|verdict| proof.verdict.is_above(*verdict)) {
            lowered.push(Reason::new(verdict, "the summary says less than the proof"));
        }
        let rests_on = |line: &VerifiedLine| inputs(svr).any(|(_, digest)| digest == line.digest);
        if !proofs(lines).any(|(line, _)| rests_on(line)) {
            lowered.push(Reason::new(
                Verdict::Unproven,
                "the summary does not rest on the proof",
            ));
        }
        for (name, digest) in inputs(svr) {
            if !present.contains(digest) {
                let to = match name {
                    "spend" | "test-result" => Verdict::ProvenWithGaps,
                    _ => Verdict::Unproven,
                };
                let why = "a line that the summary rests on is not in the receipt";
                lowered.push(Reason::new(to, why).about([name, digest]));
            }
        }
    }
}

/// Names and digests of the lines a summary rests on.
fn inputs(svr: &Svr) -> impl Iterator<Item = (&str, &str)> {
    svr.input_attestations.iter().filter_map(|input| {
        let digest = input.digest.get("sha256")?;
        Some((input.name.as_deref().unwrap_or("unknown"), digest.as_str()))
    })
}
