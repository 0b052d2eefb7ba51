//! How long captured bodies are kept, by how they were prepared: those past their time go, what the log says of them
//! stays. Their digests are promised to nobody, so a ledger without them verifies as it did.

use serde::Serialize;
use sqlx::{AnyConnection, Connection as _, Row as _};
use wayproof_engine::Capture;

use crate::error::LedgerError;
use crate::event::EventBody;
use crate::fold::read_event;
use crate::ledger::Ledger;

/// Events looked at at a time.
const PAGE: i64 = 1024;

/// Up to when bodies of one kind go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How they were prepared.
    pub capture: Capture,
    /// Bodies captured before this moment go.
    pub until_us: i64,
}

/// Bodies of one kind that went, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outlived {
    /// How they were prepared.
    pub capture: Capture,
    /// How many.
    pub bodies: i64,
    /// As they were kept, packed.
    pub bytes: i64,
}

impl Ledger {
    /// What outlived its time.
    pub async fn outlived(&self, limits: &[Retention]) -> Result<Vec<Outlived>, LedgerError> {
        self.outlive(limits, false).await
    }

    /// Takes bodies out that outlived their time.
    pub async fn prune_captured(&self, limits: &[Retention]) -> Result<Vec<Outlived>, LedgerError> {
        self.outlive(limits, true).await
    }

    async fn outlive(
        &self,
        limits: &[Retention],
        takes_out: bool,
    ) -> Result<Vec<Outlived>, LedgerError> {
        self.flush().await?;
        let store = &self.0.store;
        let mut connection = store.connect().await?;
        let found = self.outlive_on(&mut connection, limits, takes_out).await;
        connection.close().await.map_err(store.failed("close"))?;
        found
    }

    async fn outlive_on(
        &self,
        connection: &mut AnyConnection,
        limits: &[Retention],
        takes_out: bool,
    ) -> Result<Vec<Outlived>, LedgerError> {
        const SQL: &str =
            "SELECT milestones.seq, milestones.at_us, events.body FROM milestones JOIN events ON events.seq = milestones.seq
            WHERE milestones.kind = 'content-captured' AND milestones.at_us < $1 AND milestones.seq > $2
            ORDER BY milestones.seq LIMIT $3";
        let failed = || self.0.store.failed("read");
        let none = |limit: &Retention| Outlived {
            capture: limit.capture,
            bodies: 0,
            bytes: 0,
        };
        let mut gone: Vec<Outlived> = limits.iter().map(none).collect();
        let latest = limits.iter().map(|limit| limit.until_us).max();
        let mut after = -1;
        while let Some(latest) = latest {
            let rows = sqlx::query(SQL)
                .bind(latest)
                .bind(after)
                .bind(PAGE)
                .fetch_all(&mut *connection)
                .await
                .map_err(failed())?;
            for row in &rows {
                after = row.try_get(0).map_err(failed())?;
                let at_us: i64 = row.try_get(1).map_err(failed())?;
                let text: String = row.try_get(2).map_err(failed())?;
                let Some(EventBody::ContentCaptured(told)) =
                    read_event(&text).map(|event| event.body)
                else {
                    continue;
                };
                for (limit, sum) in limits.iter().zip(&mut gone) {
                    if told.capture == limit.capture && at_us < limit.until_us {
                        let bytes = self
                            .body(connection, &told.content_digest, takes_out)
                            .await?;
                        sum.bodies += i64::from(bytes.is_some());
                        sum.bytes += bytes.unwrap_or(0);
                    }
                }
            }
            if rows.is_empty() {
                break;
            }
        }
        if takes_out && gone.iter().any(|gone| gone.bodies > 0) {
            let scrubbed = self.0.store.scrub(connection).await;
            scrubbed.map_err(self.0.store.failed("prune"))?;
        }
        Ok(gone)
    }

    /// The length of a body that is still there; afterwards it is not, if it is to be taken out.
    async fn body(
        &self,
        connection: &mut AnyConnection,
        digest: &str,
        takes_out: bool,
    ) -> Result<Option<i64>, LedgerError> {
        const SQL: &str = "SELECT CAST(LENGTH(content) AS BIGINT) FROM contents WHERE digest = $1";
        let bytes: Option<i64> = sqlx::query_scalar(SQL)
            .bind(digest.to_owned())
            .fetch_optional(&mut *connection)
            .await
            .map_err(self.0.store.failed("read"))?;
        if takes_out && bytes.is_some() {
            sqlx::query("DELETE FROM contents WHERE digest = $1")
                .bind(digest.to_owned())
                .execute(&mut *connection)
                .await
                .map_err(self.0.store.failed("prune"))?;
        }
        Ok(bytes)
    }
}
