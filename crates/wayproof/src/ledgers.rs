//! Opens ledgers and says in their words what a proof showed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wayproof_engine::{Policy, TaskName};
use wayproof_ledger::{
    Clock, EventBody, Ledger, LedgerError, Location, ObligationFrozen, ProofFinished, ReceiptIssued,
};
use wayproof_proof::Proven;
use wayproof_receipt::SigningKey;
use wayproof_repo::Commit;

use crate::exit::Mistake;

/// Opens the ledger of a data directory, or the one a URL names, for a command: it is signed with the directory's key
/// where that is the ledger's.
pub(crate) async fn open(data: &Path, url: Option<&str>) -> Result<Ledger> {
    let location = place(data, url);
    let key = match &location {
        Location::Sqlite(_) => Some(SigningKey::load_or_create(&key_file(data))?),
        Location::Postgres(_) => key_in(data)?,
    };
    Ledger::visit(location, Clock::system(), key)
        .await
        .context("opening the ledger")
}

/// Opens it for a gateway, which signs what all of them record: with another key than the ledger's it does not start.
pub(crate) async fn keep(data: &Path, url: Option<&str>) -> Result<Ledger> {
    let key = SigningKey::load_or_create(&key_file(data))?;
    let opened = Ledger::open(place(data, url), Clock::system(), Some(key)).await;
    opened.map_err(|error| match error {
        LedgerError::OtherSigner { .. } => Mistake(error.to_string()).into(),
        error => anyhow::Error::from(error).context("opening the ledger"),
    })
}

fn place(data: &Path, url: Option<&str>) -> Location {
    match url {
        Some(url) => Location::Postgres(url.to_owned()),
        None => Location::Sqlite(data.to_owned()),
    }
}

/// Where a data directory has the key of its ledger.
pub(crate) fn key_file(data: &Path) -> PathBuf {
    data.join("keys").join("ledger")
}

/// The key a data directory's ledger is signed with, where there is one.
pub(crate) fn key_in(data: &Path) -> Result<Option<SigningKey>> {
    let path = key_file(data);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(SigningKey::load_or_create(&path)?))
}

/// The obligation, as the ledger keeps it.
pub(crate) fn frozen(
    policy: &Policy,
    task: &TaskName,
    base: &Commit,
    obligation_digest: &str,
) -> ObligationFrozen {
    let owed = policy
        .task(task)
        .map(|task| task.proof.as_slice())
        .unwrap_or_default();
    ObligationFrozen {
        task: task.to_string(),
        requirements: owed
            .iter()
            .map(|any| any.iter().map(ToString::to_string).collect())
            .collect(),
        policy_digest: policy.digest().to_owned(),
        base: Some(base.id.to_string()),
        obligation_digest: obligation_digest.to_owned(),
    }
}

/// What a proof showed and, where it was sealed, its receipt.
pub(crate) fn proof_events(
    proven: &Proven,
    head: &Commit,
    receipt_digest: Option<&str>,
    key: &SigningKey,
) -> Vec<EventBody> {
    let verdict = proven.proof.verdict;
    let mut bodies = vec![EventBody::ProofFinished(ProofFinished {
        verdict,
        task: proven.proof.task.clone(),
        head_tree: Some(head.tree.to_string()),
        receipt_digest: receipt_digest.map(str::to_owned),
        one_fact: Some(proven.one_fact.clone()),
        wall_us: None,
    })];
    if let Some(digest) = receipt_digest {
        bodies.push(EventBody::ReceiptIssued(ReceiptIssued {
            receipt_digest: digest.to_owned(),
            verdict,
            commit: Some(head.id.to_string()),
            tree: Some(head.tree.to_string()),
            key_id: Some(key.public().keyid()),
        }));
    }
    bodies
}
