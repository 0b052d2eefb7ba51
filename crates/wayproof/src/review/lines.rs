//! Review lines in the notes of a repository: found, added, kept when a new receipt takes the note's place.
//!
//! They lie at the tree they are about, beside whatever receipt that tree has. What a stranger put there is left alone
//! and counts for nothing.

use anyhow::{Context, Result};
use wayproof_receipt::{
    Bundle, Envelope, Predicate, Signature, Trust, VerifiedLine, predicate::Review, verify,
};
use wayproof_repo::{Oid, Repo};

use crate::{exit::Mistake, sealing::NOTES_REF};

/// Every authentic statement attached to any of these objects, each once.
pub(crate) fn statements(
    repo: &Repo,
    objects: &[&Oid],
    trust: Option<&Trust>,
) -> Result<Vec<VerifiedLine>> {
    let mut found: Vec<VerifiedLine> = Vec::new();
    for object in objects {
        let Some(bytes) = note(repo, object)? else {
            continue;
        };
        for line in verify(&bytes, trust).statements {
            if found.iter().all(|known| known.digest != line.digest) {
                found.push(line);
            }
        }
    }
    Ok(found)
}

/// What a line says, if it is a review of this tree.
pub(crate) fn review_of<'l>(line: &'l VerifiedLine, tree: &Oid) -> Option<&'l Review> {
    let Predicate::Review(review) = &line.statement.predicate else {
        return None;
    };
    is_about(line, tree).then_some(review)
}

fn is_about(line: &VerifiedLine, tree: &Oid) -> bool {
    let mut digests = line.statement.digests();
    digests.any(|(name, value)| name == "gitTree" && value == tree.as_str())
}

/// The tree a review is about.
pub(crate) fn tree_of(line: &VerifiedLine) -> Option<&str> {
    let mut digests = line.statement.digests();
    digests
        .find(|(name, _)| *name == "gitTree")
        .map(|(_, value)| value)
}

/// Attaches a review to its tree. An earlier decision of the same key about the tree makes room.
pub(crate) fn attach(repo: &Repo, tree: &Oid, review: &Envelope) -> Result<()> {
    let signer = review.signatures().first().and_then(Signature::key);
    let old = match note(repo, tree)? {
        Some(bytes) => Some(Bundle::parse(&bytes).map_err(|error| {
            Mistake(format!(
                "what is attached to the tree {tree} in {NOTES_REF} is no receipt ({error}); remove it with `git notes --ref={NOTES_REF} remove {tree}`"
            ))
        })?),
        None => None,
    };
    let is_replaced = |line: &&Envelope| {
        is_review(line) && line.signatures().first().and_then(Signature::key) == signer
    };
    let kept = old.iter().flat_map(Bundle::envelopes);
    let mut bundle = Bundle::new(kept.filter(|line| !is_replaced(line)).cloned());
    bundle.push(review.clone());
    repo.write_note(NOTES_REF, tree, bundle.to_jsonl().as_bytes())
        .context("attaching the review to the tree")
}

/// A new receipt of a tree together with the reviews that the tree has already.
pub(crate) fn carried_over(repo: &Repo, tree: &Oid, mut receipt: Bundle) -> Result<Bundle> {
    let Some(bytes) = note(repo, tree)? else {
        return Ok(receipt);
    };
    // What cannot be read has no reviews; the new receipt takes its place.
    let Ok(old) = Bundle::parse(&bytes) else {
        return Ok(receipt);
    };
    for envelope in old.envelopes().filter(|envelope| is_review(envelope)) {
        receipt.push(envelope.clone());
    }
    Ok(receipt)
}

/// A receipt without the reviews of people whom the base does not list: anybody can add a line to a note.
pub(crate) fn without_strangers(bytes: &[u8], trust: &Trust) -> Vec<u8> {
    let Ok(bundle) = Bundle::parse(bytes) else {
        return bytes.to_vec();
    };
    let is_strange = |envelope: &&Envelope| {
        is_review(envelope) && {
            let line = verify(envelope.to_line().as_bytes(), Some(trust));
            let mut signers = line.statements.iter().flat_map(|line| &line.signers);
            !signers.any(|signer| signer.is_reviewer)
        }
    };
    if bundle.envelopes().any(|envelope| is_strange(&envelope)) {
        let kept = bundle.envelopes().filter(|envelope| !is_strange(envelope));
        Bundle::new(kept.cloned()).to_jsonl().into_bytes()
    } else {
        bytes.to_vec()
    }
}

fn is_review(envelope: &Envelope) -> bool {
    envelope
        .statement()
        .is_ok_and(|statement| matches!(statement.predicate, Predicate::Review(_)))
}

fn note(repo: &Repo, object: &Oid) -> Result<Option<Vec<u8>>> {
    repo.read_note(NOTES_REF, object)
        .context("reading the notes of the repository")
}
