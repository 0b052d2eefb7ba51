//! Freezes what a job owes, and seals what a proof showed into a receipt that lies where people look for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use wayproof_engine::{Policy, TaskName};
use wayproof_proof::Proven;
use wayproof_receipt::{
    Bundle, Envelope, Predicate, ResourceDescriptor, SigningKey, Statement, Time, Trust, Verdict,
    predicate::{Obligation, ReviewRule, Spend, Svr, Verifier},
    seal, sha256_hex,
};
use wayproof_repo::{Commit, Repo};

use crate::{
    commands::receipt::TRUST_FILE,
    review::{lines, standing},
};

/// Where receipts are attached in a repository.
pub(crate) const NOTES_REF: &str = "refs/notes/wayproof";

/// Who made the verdict, with the version of its logic.
const VERIFIER: &str = concat!("https://wayproof.dev/prove/v", env!("CARGO_PKG_VERSION"));

/// What an obligation is about.
#[derive(Debug)]
pub(crate) struct Owed<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) task: &'a TaskName,
    pub(crate) base: &'a Commit,
    pub(crate) ask: Option<&'a str>,
    pub(crate) job: Option<&'a str>,
}

/// A sealed receipt and where it lies.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) path: PathBuf,
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
}

/// The key of the data directory, made on first use, with its owner pinned beside it.
pub(crate) fn own_key(data: &Path) -> Result<SigningKey> {
    let key = SigningKey::load_or_create(&data.join("keys").join("receipt"))?;
    let trust = data.join(TRUST_FILE);
    if !trust.exists() {
        let pinned = Trust::default()
            .and("this-machine", &key.public())
            .to_string();
        fs::write(&trust, pinned).with_context(|| format!("writing {}", trust.display()))?;
    }
    Ok(key)
}

/// Signs what a job will have to prove, before its first edit.
pub(crate) fn obligation(owed: &Owed<'_>, at_us: i64, key: &SigningKey) -> Result<Envelope> {
    let task = owed.policy.task(owed.task);
    let requirements = task.map(|task| {
        task.proof
            .iter()
            .map(|any| any.iter().map(ToString::to_string).collect())
            .collect()
    });
    let base = ResourceDescriptor::revision(owed.base.id.as_str(), owed.base.tree.as_str());
    let obligation = Obligation {
        task: owed.task.to_string(),
        requirements: requirements.unwrap_or_default(),
        policy: Some(ResourceDescriptor::pinned(
            "policy",
            "sha256",
            owed.policy.digest(),
        )),
        base: base.clone(),
        ask: owed
            .ask
            .map(|ask| ("sha256".to_owned(), sha256_hex(ask.as_bytes())))
            .into_iter()
            .collect(),
        job: owed.job.map(str::to_owned),
        review: task.filter(|task| standing::is_required(task)).map(|task| {
            let rule = standing::rule_of(task);
            ReviewRule {
                by: rule.by,
                at_least: rule.at_least,
            }
        }),
        frozen_at: Some(Time(at_us)),
        ..Obligation::default()
    };
    let statement = Statement {
        subject: vec![base],
        predicate: Predicate::Obligation(Box::new(obligation)),
    };
    seal(&statement, key).context("signing the obligation")
}

/// Seals a proof with its obligation and what the work cost.
pub(crate) fn receipt(
    proven: &Proven,
    obligation: &Envelope,
    spend: Option<Spend>,
    at_us: i64,
    key: &SigningKey,
) -> Result<Bundle> {
    let sign = |predicate| {
        let statement = Statement {
            subject: proven.subjects.clone(),
            predicate,
        };
        seal(&statement, key).context("signing the receipt")
    };
    let mut lines = vec![obligation.clone()];
    for result in &proven.test_results {
        lines.push(sign(Predicate::TestResult(Box::new(result.clone())))?);
    }
    lines.push(sign(Predicate::Proof(Box::new(proven.proof.clone())))?);
    if let Some(spend) = spend {
        lines.push(sign(Predicate::Spend(Box::new(spend)))?);
    }
    let verifier = Verifier {
        id: VERIFIER.to_owned(),
        ..Verifier::default()
    };
    let verdict = (proven.proof.task.as_str(), proven.proof.verdict);
    let summary = Svr::new(verifier, Time(at_us), verdict, &lines);
    lines.push(sign(Predicate::Svr(Box::new(summary)))?);
    Ok(Bundle::new(lines))
}

/// Keeps a receipt in the data directory, with the reviews its tree has already, and attaches it to the tree and, where the tree is committed, its commit.
pub(crate) fn keep(bundle: Bundle, data: &Path, repo: &Repo, head: &Commit) -> Result<Sealed> {
    let bundle = lines::carried_over(repo, &head.tree, bundle)?;
    let bytes = bundle.to_jsonl().into_bytes();
    let digest = sha256_hex(&bytes);
    let folder = data.join("receipts");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join(format!(
        "{}-{}.intoto.jsonl",
        head.tree.as_str(),
        digest.get(..12).unwrap_or(&digest)
    ));
    fs::write(&path, &bytes).with_context(|| format!("writing the receipt {}", path.display()))?;
    repo.write_note(NOTES_REF, &head.tree, &bytes)
        .context("attaching the receipt to the tree")?;
    let checked_out = repo.head().context("reading the checked-out commit")?;
    if checked_out.tree == head.tree {
        repo.write_note(NOTES_REF, &checked_out.id, &bytes)
            .context("attaching the receipt to the commit")?;
    }
    Ok(Sealed {
        path,
        digest,
        bytes,
    })
}

/// Whether a verdict is worth a receipt of its own.
pub(crate) fn is_sealed(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Proven | Verdict::ProvenWithGaps | Verdict::Unproven | Verdict::Refuted => true,
        Verdict::InvalidInfra => false,
    }
}
