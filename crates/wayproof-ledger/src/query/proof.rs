//! Proofs that an event is in the log, and the content kept beside the log.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::log::{Hash, Node, Note, TlogProof, hash_in_tile, inclusion_plan, tile_of};
use wayproof_receipt::sha256_hex;

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::log_row::Log;
use crate::tile;

/// A receipt the ledger knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptRow {
    /// SHA-256 of the bundle.
    pub digest: String,
    /// The place of the event that recorded it.
    pub seq: i64,
    /// The job it is about.
    pub job: Option<String>,
    /// The bundle, if it was kept.
    pub content: Option<String>,
}

impl Ledger {
    /// Keeps a text under its SHA-256 beside the log and returns that digest. What is kept proves itself.
    pub async fn keep(&self, content: &str) -> Result<String, LedgerError> {
        const SQL: &str = "INSERT INTO contents (digest, content) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
        let digest = sha256_hex(content.as_bytes());
        let kept = sqlx::query(SQL)
            .bind(digest.clone())
            .bind(content.to_owned())
            .execute(&self.0.readers)
            .await;
        kept.map(|_| digest)
            .map_err(self.0.store.failed("write to"))
    }

    /// A text kept under its digest; one that does not fit its digest any more is an error.
    pub async fn kept(&self, digest: &str) -> Result<Option<String>, LedgerError> {
        let content: Option<String> =
            sqlx::query_scalar("SELECT content FROM contents WHERE digest = $1")
                .bind(digest.to_owned())
                .fetch_optional(&self.0.readers)
                .await
                .map_err(self.0.store.failed("read"))?;
        match content {
            Some(content) if sha256_hex(content.as_bytes()) != digest => {
                Err(LedgerError::Inconsistent(format!(
                    "the content kept under {digest} is not what it was"
                )))
            }
            content => Ok(content),
        }
    }

    /// A receipt by the digest of its bundle.
    pub async fn receipt(&self, digest: &str) -> Result<Option<ReceiptRow>, LedgerError> {
        const SQL: &str = "SELECT seq, job FROM milestones WHERE digest = $1 ORDER BY seq LIMIT 1";
        let failed = || self.0.store.failed("read");
        let row = sqlx::query(SQL)
            .bind(digest.to_owned())
            .fetch_optional(&self.0.readers)
            .await;
        let Some(row) = row.map_err(failed())? else {
            return Ok(None);
        };
        Ok(Some(ReceiptRow {
            digest: digest.to_owned(),
            seq: row.try_get(0).map_err(failed())?,
            job: row.try_get(1).map_err(failed())?,
            content: self.kept(digest).await?,
        }))
    }

    /// A C2SP log proof that the event at this place is in the log; `None` if no signed checkpoint covers it.
    pub async fn inclusion_proof(&self, seq: i64) -> Result<Option<TlogProof>, LedgerError> {
        const SQL: &str =
            "SELECT size, note FROM checkpoints WHERE size > $1 ORDER BY size DESC LIMIT 1";
        let failed = || self.0.store.failed("read");
        let Ok(index) = u64::try_from(seq) else {
            return Ok(None);
        };
        let row = sqlx::query(SQL)
            .bind(seq)
            .fetch_optional(&self.0.readers)
            .await
            .map_err(failed())?;
        let Some(row) = row else { return Ok(None) };
        let size: i64 = row.try_get(0).map_err(failed())?;
        let note: String = row.try_get(1).map_err(failed())?;
        let contradicts = |why: String| LedgerError::Inconsistent(why);
        let checkpoint = Note::parse(&note).map_err(|error| contradicts(error.to_string()))?;
        let size = u64::try_from(size).unwrap_or(0);
        let plan = inclusion_plan(size, index).map_err(|error| contradicts(error.to_string()))?;
        let mut connection = self.0.readers.acquire().await.map_err(failed())?;
        let mut hashes = BTreeMap::new();
        for node in plan.nodes() {
            hashes.insert(node, self.node(&mut connection, node, size).await?);
        }
        let hashes = plan
            .assemble(&|node| hashes.get(&node).copied())
            .map_err(|error| contradicts(error.to_string()))?;
        Ok(Some(TlogProof {
            index,
            extra: None,
            hashes,
            checkpoint,
        }))
    }

    /// A C2SP log proof that a receipt was recorded.
    pub async fn receipt_inclusion_proof(
        &self,
        digest: &str,
    ) -> Result<Option<TlogProof>, LedgerError> {
        match self.receipt(digest).await? {
            Some(receipt) => self.inclusion_proof(receipt.seq).await,
            None => Ok(None),
        }
    }

    /// The log's identity, as its checkpoints are signed.
    pub async fn origin(&self) -> Result<String, LedgerError> {
        let mut connection = self
            .0
            .readers
            .acquire()
            .await
            .map_err(self.0.store.failed("read"))?;
        Ok(Log::load(&mut connection, &self.0.store).await?.origin)
    }

    pub(crate) async fn node(
        &self,
        connection: &mut AnyConnection,
        node: Node,
        size: u64,
    ) -> Result<Hash, LedgerError> {
        let missing = || LedgerError::Inconsistent(format!("the tree has no hash for {node:?}"));
        let place = tile_of(node, size).ok_or_else(missing)?;
        let hashes = tile::load(connection, (place.level, place.index), &self.0.store).await?;
        hash_in_tile(node, &hashes).ok_or_else(missing)
    }
}
