//! Up to where events were pruned, and what was kept instead of them.

use serde::Serialize;
use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::sha256_hex;

use super::{Problem, Stop};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// Events that are gone; their hashes are still in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// The first place that still has its event, and so the number of those without.
    pub before: i64,
    /// When the last prune was.
    pub at_us: i64,
    /// SHA-256 of what is kept instead, in hexadecimal. An event of the log names it.
    pub snapshot_digest: String,
}

/// What a verification goes by.
pub(super) struct Kept {
    pub(super) told: Pruned,
    pub(super) snapshot: Snapshot,
}

/// Reads how far the ledger is pruned; `None` if it is not.
pub(super) async fn load(
    connection: &mut AnyConnection,
    store: &Store,
) -> Result<Option<Kept>, Stop> {
    let failed = || store.failed("read");
    let Some(told) = read(connection).await.map_err(failed())? else {
        return Ok(None);
    };
    let content: Option<String> =
        sqlx::query_scalar("SELECT content FROM contents WHERE digest = $1")
            .bind(told.snapshot_digest.clone())
            .fetch_optional(connection)
            .await
            .map_err(failed())?;
    let before = told.before;
    let broken = |why: &str| {
        let what = format!("what was kept of the events before {before} {why}");
        Problem::new(what)
    };
    let content = content.ok_or_else(|| broken("is missing"))?;
    if sha256_hex(content.as_bytes()) != told.snapshot_digest {
        return Err(broken("is not what it was").into());
    }
    let snapshot: Snapshot = serde_json::from_str(&content)
        .map_err(|error| broken(&format!("is unreadable: {error}")))?;
    if snapshot.before != before || before < 1 {
        return Err(broken("is of other events").into());
    }
    Ok(Some(Kept { told, snapshot }))
}

/// The newest prune.
pub(crate) async fn read(connection: &mut AnyConnection) -> Result<Option<Pruned>, sqlx::Error> {
    const SQL: &str = "SELECT before, at_us, snapshot FROM pruned ORDER BY before DESC LIMIT 1";
    let row = sqlx::query(SQL).fetch_optional(connection).await?;
    row.map(|row| {
        Ok(Pruned {
            before: row.try_get(0)?,
            at_us: row.try_get(1)?,
            snapshot_digest: row.try_get(2)?,
        })
    })
    .transpose()
}
