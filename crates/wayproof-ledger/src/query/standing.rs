//! What the log shows of one event, worked out anew: its text's hash leads to the root of a checkpoint, and the
//! checkpoint is signed by the log's key. Finding a proof in the database says neither.

use wayproof_receipt::log::{
    Checkpoint, CheckpointError, NoteKey, TlogProof, TlogProofError, leaf_hash, verify_inclusion,
};

use super::detail::StoredEvent;
use crate::error::LedgerError;
use crate::forgotten::Replaced;
use crate::ledger::Ledger;

/// What the log shows of one event.
#[derive(Debug, Clone)]
pub enum Standing {
    /// No signed checkpoint covers it yet.
    Uncovered,
    /// Its text is not here any more, so nothing can be worked out: it was pruned, or its words were forgotten.
    Gone,
    /// It is in the log.
    Logged(Box<Logged>),
    /// The log contradicts itself, in a sentence.
    Broken(String),
}

/// An event that is in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The event.
    pub event: StoredEvent,
    /// The way from it to the root. Its extra bytes are the event's text, so that it can be checked with nothing else.
    pub proof: TlogProof,
    /// How many events the checkpoint covers.
    pub size: u64,
    /// The log's key, by which the checkpoint is signed; nothing where this ledger was opened without.
    pub key: Option<NoteKey>,
}

impl Ledger {
    /// What the log shows of the event at a place.
    pub async fn standing(&self, seq: i64) -> Result<Standing, LedgerError> {
        let proof = match self.inclusion_proof(seq).await {
            Ok(Some(proof)) => proof,
            Ok(None) => return Ok(Standing::Uncovered),
            Err(LedgerError::Inconsistent(why)) => return Ok(Standing::Broken(why)),
            Err(error) => return Err(error),
        };
        let Some(event) = self.event_at(seq).await? else {
            return Ok(Standing::Gone);
        };
        let key = match self.0.log_key {
            Some(key) => {
                let name = self.origin().await?;
                let key = NoteKey::new(&name, key);
                Some(key.map_err(|error| LedgerError::Inconsistent(error.to_string()))?)
            }
            None => None,
        };
        match verified(&proof, &event.text, key.as_ref()) {
            Ok(size) => {
                let extra = Some(event.text.as_bytes().to_vec());
                let proof = TlogProof { extra, ..proof };
                Ok(Standing::Logged(Box::new(Logged {
                    event,
                    proof,
                    size,
                    key,
                })))
            }
            Err(_) if self.is_replaced(&event).await? => Ok(Standing::Gone),
            Err(error) => Ok(Standing::Broken(told(&error))),
        }
    }

    async fn is_replaced(&self, event: &StoredEvent) -> Result<bool, LedgerError> {
        let failed = || self.0.store.failed("read");
        let mut connection = self.0.readers.acquire().await.map_err(failed())?;
        let replaced = Replaced::read(&mut connection).await.map_err(failed())?;
        Ok(replaced.is_replaced(event.seq, &event.text))
    }
}

/// How many events the checkpoint covers, if the text is in its tree and the key vouches for it.
fn verified(proof: &TlogProof, text: &str, key: Option<&NoteKey>) -> Result<u64, TlogProofError> {
    let leaf = leaf_hash(text.as_bytes());
    if let Some(key) = key {
        return Ok(proof.verify(&leaf, key)?.size);
    }
    let checkpoint = Checkpoint::parse(proof.checkpoint.text())?;
    verify_inclusion(
        checkpoint.size,
        proof.index,
        &leaf,
        &checkpoint.root,
        &proof.hashes,
    )?;
    Ok(checkpoint.size)
}

fn told(error: &TlogProofError) -> String {
    match error {
        TlogProofError::Checkpoint(CheckpointError::Note(_)) => {
            "the checkpoint is not signed by the log's key".to_owned()
        }
        TlogProofError::Checkpoint(_) | TlogProofError::Malformed(_) => {
            "the checkpoint is not one of this log".to_owned()
        }
        TlogProofError::Inclusion(_) => {
            "the event does not lead to the root that the checkpoint signed".to_owned()
        }
    }
}
