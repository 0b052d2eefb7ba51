//! Judges whether a change may be merged: every proof that the base's policy asks of it is there, about exactly this
//! tree, and signed by somebody whom the base trusts.
//!
//! Nothing of the change has a say in it: policy and trust file are read from the base. A receipt that does not count
//! is named with the reason, since somebody will ask.

mod inert;
mod owing;
mod report;
mod shown;

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use wayproof_engine::{Policy, TaskName};
use wayproof_receipt::{
    Predicate, Proof, PublicKey, ResourceDescriptor, Trust, Verdict, Verification, VerifyOutcome,
    sha256_hex, verify,
};
use wayproof_repo::{Commit, Oid, Repo};

use crate::{
    exit::Mistake,
    proving::repo_mistake,
    review::{lines, standing::Standing},
    sealing::NOTES_REF,
};

pub(crate) use report::{junit, markdown, sarif, text, uri};

/// Where the base keeps the signers it trusts.
pub(crate) const TRUST_PATH: &str = ".wayproof/trust";

/// What is judged, and by what.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) base: &'a Commit,
    pub(crate) head: &'a Commit,
    /// The revision it goes into, which may have moved on since the base.
    pub(crate) into: &'a Commit,
    /// The base's policy.
    pub(crate) policy: &'a Policy,
    /// The base's trust.
    pub(crate) trust: &'a Trust,
    /// The task whose proof is owed, where the caller knows.
    pub(crate) task: Option<&'a TaskName>,
    /// The branch the change is on, where it is known.
    pub(crate) branch: Option<&'a str>,
    /// Whether gaps that are named are accepted.
    pub(crate) allows_gaps: bool,
    /// Receipts of proofs that ran here just now, and the key that signed them.
    pub(crate) own: Own,
}

/// What was proven by the one who judges. A receipt that merely came along never makes its signer trusted, not even
/// if that is the same key.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) key: Option<PublicKey>,
    pub(crate) receipts: Vec<Vec<u8>>,
}

/// How closely a receipt is about the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grade {
    /// It is about this very tree; the commit may have been amended, squashed or fast-forwarded.
    Tree,
    /// It is about the same change of the same files, in another tree: the branch was rebased.
    Change,
}

/// A receipt that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    /// SHA-256 of the receipt.
    pub(crate) digest: String,
    pub(crate) grade: Grade,
    pub(crate) outcome: VerifyOutcome,
    pub(crate) task: Option<String>,
    pub(crate) verdict: Option<Verdict>,
    /// Who signed it: the trusted name, or the key.
    pub(crate) signers: Vec<String>,
    /// Why it does not count; empty if it does.
    pub(crate) objections: Vec<String>,
    /// Its page, where a gateway's address was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<String>,
    #[serde(skip)]
    pub(crate) verification: Verification,
}

/// A proof that is owed.
#[derive(Debug, Serialize)]
pub(crate) struct Owed {
    /// The task; nothing if only a receipt could tell, and there is none.
    pub(crate) task: Option<String>,
    /// Why it is owed.
    pub(crate) why: String,
    /// The receipt or the review that pays it.
    pub(crate) paid_by: Option<String>,
    /// How it stands with the people who have to review, if they have to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) review: Option<Standing>,
    /// Whether a proof can pay it, or some of it.
    #[serde(skip)]
    pub(crate) is_provable: bool,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(crate) struct Ruling {
    pub(crate) is_satisfied: bool,
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) head_tree: String,
    pub(crate) owed: Vec<Owed>,
    pub(crate) receipts: Vec<Found>,
}

impl Ruling {
    /// Links receipts to their pages at a gateway's address.
    pub(crate) fn link(&mut self, pages: &str) {
        let pages = pages.trim_end_matches('/');
        for found in &mut self.receipts {
            found.page = Some(format!("{pages}/receipts/{}", found.digest));
        }
    }

    /// Tasks that are owed and not paid, as far as they are known.
    pub(crate) fn unpaid(&self) -> impl Iterator<Item = &str> {
        let unpaid = self
            .owed
            .iter()
            .filter(|owed| owed.paid_by.is_none() && owed.is_provable);
        unpaid.filter_map(|owed| owed.task.as_deref())
    }
}

/// The signers that a revision trusts.
pub(crate) fn trust_at(repo: &Repo, revision: &str, path: &str) -> Result<Trust> {
    let bytes = repo.read(revision, path).map_err(repo_mistake)?;
    let bytes = bytes.ok_or_else(|| {
        Mistake(format!(
            "the base has no {path}, so no signer is trusted; commit one with a line `name ed25519 key` for each signer, such as the trust.txt beside the receipts' key"
        ))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Mistake(format!("the trust file {path} of the base is not text")))?;
    Ok(Trust::parse(&text)
        .map_err(|error| Mistake(format!("the trust file {path} of the base: {error}")))?)
}

/// The signers that a revision trusts, if it names any.
pub(crate) fn trust_if_any(repo: &Repo, revision: &str) -> Result<Option<Trust>> {
    let is_there = repo
        .read(revision, TRUST_PATH)
        .map_err(repo_mistake)?
        .is_some();
    is_there
        .then(|| trust_at(repo, revision, TRUST_PATH))
        .transpose()
}

/// Judges a change.
pub(crate) fn judge(question: &Question<'_>) -> Result<Ruling> {
    let changes = question
        .repo
        .changes(question.base.tree.as_str(), question.head.tree.as_str())
        .map_err(repo_mistake)?;
    let mut paths: Vec<String> = changes
        .iter()
        .flat_map(|change| change.old_path.iter().chain([&change.path]))
        .cloned()
        .collect();
    paths.sort();
    paths.dedup();
    let receipts = find(question)?;
    let owed = if paths.is_empty() {
        Vec::new()
    } else {
        owing::owed(question, &paths, &receipts)?
    };
    Ok(Ruling {
        is_satisfied: owed.iter().all(|owed| owed.paid_by.is_some()),
        base: question.base.id.to_string(),
        head: question.head.id.to_string(),
        head_tree: question.head.tree.to_string(),
        owed,
        receipts,
    })
}

/// The name that proofs of this very run are signed with.
const THIS_GATE: &str = "this-gate";

/// The receipts that are attached to the head, those that count first.
pub(crate) fn attached(question: &Question<'_>) -> Result<Vec<Found>> {
    let change = change_digest(question)?;
    let mut found = Vec::new();
    for object in [&question.head.tree, &question.head.id] {
        look_at(question, object, &change, &mut found)?;
    }
    sort(&mut found);
    Ok(found)
}

fn change_digest(question: &Question<'_>) -> Result<String> {
    let (base, head) = (&question.base.tree, &question.head.tree);
    let digest = question.repo.change_digest(base.as_str(), head.as_str());
    digest.map_err(repo_mistake)
}

fn sort(found: &mut [Found]) {
    found.sort_by_key(|found| (found.objections.len(), found.grade == Grade::Change));
}

/// Weighs what is attached to an object, if it is about the change.
fn look_at(
    question: &Question<'_>,
    object: &Oid,
    change: &str,
    found: &mut Vec<Found>,
) -> Result<()> {
    let Some(bytes) = note(question.repo, object)? else {
        return Ok(());
    };
    let digest = sha256_hex(&bytes);
    let bytes = lines::without_strangers(&bytes, question.trust);
    if found.iter().any(|found| found.digest == digest) {
        return Ok(());
    }
    let verification = verify(&bytes, Some(question.trust));
    if let Some(grade) = grade(&verification, question.head, change) {
        found.push(weigh(question, verification, grade, digest));
    }
    Ok(())
}

/// Every receipt about this tree or this change, those that count first.
///
/// Receipts of other trees are looked through only where none of this one counts: a repository may have many.
fn find(question: &Question<'_>) -> Result<Vec<Found>> {
    let change = change_digest(question)?;
    let mut found = own(question);
    for object in [&question.head.tree, &question.head.id] {
        look_at(question, object, &change, &mut found)?;
    }
    if !found.iter().any(|found| found.objections.is_empty()) {
        let noted = question
            .repo
            .noted(NOTES_REF)
            .context("reading the notes of the repository")?;
        for object in noted {
            look_at(question, &object, &change, &mut found)?;
        }
    }
    sort(&mut found);
    Ok(found)
}

/// The receipts of this very run.
fn own(question: &Question<'_>) -> Vec<Found> {
    let trust = question
        .own
        .key
        .map(|key| question.trust.clone().and(THIS_GATE, &key));
    let weighed = |bytes: &Vec<u8>| {
        let verification = verify(bytes, trust.as_ref());
        weigh(question, verification, Grade::Tree, sha256_hex(bytes))
    };
    question.own.receipts.iter().map(weighed).collect()
}

fn note(repo: &Repo, object: &Oid) -> Result<Option<Vec<u8>>> {
    repo.read_note(NOTES_REF, object)
        .context("reading the notes of the repository")
}

/// How closely the proofs of a receipt are about the change; `None` if they are about something else.
fn grade(verification: &Verification, head: &Commit, change: &str) -> Option<Grade> {
    let mut best = None;
    for line in &verification.statements {
        if !matches!(line.statement.predicate, Predicate::Proof(_)) {
            continue;
        }
        for (algorithm, digest) in line.statement.digests() {
            match algorithm {
                "gitTree" if digest == head.tree.as_str() => return Some(Grade::Tree),
                "sha256" if digest == change => best = Some(Grade::Change),
                _ => {}
            }
        }
    }
    best
}

fn weigh(
    question: &Question<'_>,
    verification: Verification,
    grade: Grade,
    digest: String,
) -> Found {
    let mut objections = Vec::new();
    let mut signers: Vec<String> = Vec::new();
    let mut strangers: Vec<String> = Vec::new();
    for signer in verification
        .statements
        .iter()
        .flat_map(|line| &line.signers)
    {
        let name = signer
            .name
            .clone()
            .unwrap_or_else(|| signer.key.fingerprint());
        if signer.name.is_none() && !strangers.contains(&name) {
            strangers.push(name.clone());
        }
        if !signers.contains(&name) {
            signers.push(name);
        }
    }
    match verification.outcome {
        VerifyOutcome::Good => {}
        VerifyOutcome::SignerNotPinned => objections.push(format!(
            "signed by {}, whom the base does not trust",
            strangers.join(" and ")
        )),
        VerifyOutcome::Invalid => objections.push(format!(
            "it does not verify: {}",
            verification.problems.join("; ")
        )),
    }
    if grade == Grade::Change {
        objections.push(
            "it proves the same change in another tree, so what else is different there is unproven"
                .to_owned(),
        );
    }
    for proof in verification.proofs() {
        about(question, proof, &mut objections);
    }
    bar(question, &verification, &mut objections);
    worth(question, &verification, &mut objections);
    Found {
        digest,
        grade,
        outcome: verification.outcome,
        task: verification.task.clone(),
        verdict: verification.verdict,
        signers,
        objections,
        page: None,
        verification,
    }
}

/// The proof measures the change from where it begins, by what the policy asks.
fn about(question: &Question<'_>, proof: &Proof, objections: &mut Vec<String>) {
    let is = |described: &ResourceDescriptor, algorithm: &str, digest: &str| {
        described.digest.get(algorithm).map(String::as_str) == Some(digest)
    };
    if !is(&proof.base, "gitTree", question.base.tree.as_str()) {
        objections.push(format!(
            "it measures from another base than {}",
            short(question.base.id.as_str())
        ));
    }
    let task = question
        .policy
        .tasks()
        .iter()
        .find(|task| task.name.as_str() == proof.task);
    let Some(task) = task else {
        objections.push(format!("the base's policy has no task `{}`", proof.task));
        return;
    };
    let asked: Vec<Vec<String>> = task
        .proof
        .iter()
        .map(|any| any.iter().map(ToString::to_string).collect())
        .collect();
    if asked != proof.requirements {
        objections.push("it shows something else than the base's policy asks for".to_owned());
    }
}

/// The bar was set by the base's policy.
fn bar(question: &Question<'_>, verification: &Verification, objections: &mut Vec<String>) {
    let wanted = question.policy.digest();
    let others = verification
        .statements
        .iter()
        .filter_map(|line| match &line.statement.predicate {
            Predicate::Obligation(obligation) => obligation.policy.as_ref(),
            _ => None,
        })
        .any(|policy| policy.digest.get("sha256").map(String::as_str) != Some(wanted));
    if others {
        objections.push("its bar was set by another policy than the base's".to_owned());
    }
}

/// The verdict that is left is enough.
fn worth(question: &Question<'_>, verification: &Verification, objections: &mut Vec<String>) {
    match verification.verdict {
        Some(Verdict::Proven) => return,
        Some(Verdict::ProvenWithGaps) if question.allows_gaps => return,
        Some(Verdict::ProvenWithGaps) => {
            let gaps: Vec<&str> = verification
                .proofs()
                .flat_map(|proof| proof.gaps.iter().map(String::as_str))
                .collect();
            objections.push(with_list("it is proven with gaps", &gaps));
        }
        Some(verdict) => objections.push(format!("its verdict is {verdict}")),
        // Already said: it does not verify.
        None => return,
    }
    for reason in &verification.lowered {
        let about: Vec<&str> = reason.about.iter().map(String::as_str).collect();
        objections.push(with_list(&reason.why, &about));
    }
}

/// A sentence, and what it is about.
fn with_list(sentence: &str, about: &[&str]) -> String {
    if about.is_empty() {
        sentence.to_owned()
    } else {
        format!("{sentence}: {}", about.join(", "))
    }
}

/// The first digits of an id, as people say it.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Writes a file that a CI system picks up.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
