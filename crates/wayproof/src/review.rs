//! Reviews by people, and what models find beforehand.
//!
//! Models are asked and find things; people decide, with a signature over the merged tree and the checklist. What is
//! found never pays for anything.

mod answer;
mod ask;
pub(crate) mod case;
mod checklist;
pub(crate) mod findings;
pub(crate) mod lines;
mod makers;
mod owners;
pub(crate) mod sarif;
pub(crate) mod sign;
pub(crate) mod standing;
pub(crate) mod subject;

use anyhow::Result;
use wayproof_proof::Proven;
use wayproof_receipt::{PublicKey, Verdict};
use wayproof_repo::{Commit, Repo};

use self::{standing::Asked, subject::Subject};
use crate::{gate, sealing::Owed};

pub(crate) use self::{
    ask::{Asking, ask},
    checklist::Checklist,
};

/// Whether a proof waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It stands as it is.
    AsItIs,
    /// Everything but a person's review is there.
    AwaitsReview,
}

/// The gap of a proof that only a person can close.
const MISSING: &str = "HUMAN_REVIEW_MISSING";

/// Lowers a proof that only a review can complete, while that is missing.
pub(crate) fn settle(
    proven: &mut Proven,
    (repo, owed): (&Repo, &Owed<'_>),
    (into, head): (&Commit, &Commit),
    machine: &PublicKey,
) -> Result<Settled> {
    let row = owed.policy.task(owed.task);
    let Some(row) = row.filter(|_| proven.proof.awaits_review(&[])) else {
        return Ok(Settled::AsItIs);
    };
    if !proven.proof.verdict.is_above(Verdict::Unproven) {
        return Ok(Settled::AsItIs);
    }
    let rule = standing::rule_of(row);
    let Some(subject) = Subject::of(repo, into, head)? else {
        return Ok(missing(proven, &subject::conflict(into, head)));
    };
    let trust = gate::trust_if_any(repo, into.id.as_str())?;
    let asked = Asked {
        repo,
        subject: &subject,
        trust: trust.as_ref(),
        machine: Some(*machine),
    };
    let standing = standing::standing(&asked, &rule)?;
    if standing.is_satisfied() && subject.tree == head.tree {
        let names: Vec<&str> = standing
            .counted()
            .map(|heard| heard.reviewer.as_str())
            .collect();
        proven.one_fact = format!("{}; approved by {}", proven.one_fact, names.join(", "));
        return Ok(Settled::AsItIs);
    }
    let what = if standing.is_satisfied() {
        "the approval is of the merged tree, which is another than this one; rebase, and prove again"
            .to_owned()
    } else {
        standing.missing.join("; ")
    };
    Ok(missing(proven, &what))
}

fn missing(proven: &mut Proven, what: &str) -> Settled {
    proven.proof.verdict = Verdict::Unproven;
    proven.proof.gaps.push(MISSING.to_owned());
    proven.one_fact = format!("a person's review is missing: {what}");
    Settled::AwaitsReview
}
