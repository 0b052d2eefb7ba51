//! Takes old events out of a ledger: their texts go, the hashes of their leaves stay, so every checkpoint can still be
//! proven. What verification needs instead of them is kept under a digest that an event of the log names.

use serde::Serialize;
use sqlx::{AnyConnection, Connection as _, Row as _};
use wayproof_receipt::sha256_hex;

use crate::error::LedgerError;
use crate::event::{EventBody, EventsPruned};
use crate::fold::read_event;
use crate::ledger::{About, Ledger};
use crate::log_row::Log;
use crate::sealed::PRUNED;
use crate::store::Store;
use crate::verify::{Report, read_pruned, snapshot_before};

/// Events looked at at a time.
const PAGE: i64 = 1024;

/// What a prune did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prune {
    /// Events that were taken out.
    pub events: i64,
    /// Their bytes.
    pub bytes: i64,
    /// The first place that still has its event.
    pub before: i64,
    /// What was captured with them, which goes, too.
    #[serde(skip)]
    captured: Vec<String>,
    /// What a verification found afterwards; absent if nothing was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl Ledger {
    /// What pruning events that happened before a moment would take out.
    pub async fn would_prune(&self, until_us: i64) -> Result<Prune, LedgerError> {
        self.flush().await?;
        let store = &self.0.store;
        let mut connection = store.connect().await?;
        let found = find(store, &mut connection, until_us).await;
        connection.close().await.map_err(store.failed("close"))?;
        found
    }

    /// Takes out the events from the log's beginning up to the first one that did not happen before a moment, and
    /// verifies the ledger. Sessions, jobs, exchanges, spend and receipts stay.
    pub async fn prune(&self, until_us: i64, by: Option<String>) -> Result<Prune, LedgerError> {
        self.flush().await?;
        let store = &self.0.store;
        let mut connection = store.connect().await?;
        let pruned = self.prune_on(&mut connection, until_us, by).await;
        connection.close().await.map_err(store.failed("close"))?;
        let mut pruned = pruned?;
        if pruned.events > 0 {
            self.flush().await?;
            pruned.report = Some(self.verify().await?);
        }
        Ok(pruned)
    }

    async fn prune_on(
        &self,
        connection: &mut AnyConnection,
        until_us: i64,
        by: Option<String>,
    ) -> Result<Prune, LedgerError> {
        let store = &self.0.store;
        let found = find(store, connection, until_us).await?;
        if found.events == 0 {
            return Ok(found);
        }
        let snapshot = snapshot_before(store, connection, found.before).await?;
        let snapshot = serde_json::to_string(&snapshot)
            .map_err(|error| LedgerError::Inconsistent(error.to_string()))?;
        let digest = self.keep(&snapshot).await?;
        debug_assert_eq!(digest, sha256_hex(snapshot.as_bytes()));
        // The log says it first: without the event nothing may be missing, and with it nothing has to be.
        let event = EventBody::EventsPruned(EventsPruned {
            before: found.before,
            events: found.events,
            until_us,
            snapshot_digest: digest.clone(),
            by,
        });
        self.append(&self.event(About::default(), event)).await?;
        self.flush().await?;
        self.take_out(connection, &found, &digest).await?;
        Ok(found)
    }

    async fn take_out(
        &self,
        connection: &mut AnyConnection,
        found: &Prune,
        snapshot: &str,
    ) -> Result<(), LedgerError> {
        let (store, before) = (&self.0.store, found.before);
        let failed = || store.failed("prune");
        let mut transaction = connection
            .begin_with(store.begin())
            .await
            .map_err(failed())?;
        Log::lock(&mut transaction, store).await?;
        let earlier = read_pruned(&mut transaction).await.map_err(failed())?;
        if earlier
            .as_ref()
            .is_some_and(|earlier| earlier.before >= before)
        {
            let why = "somebody else pruned the ledger meanwhile";
            return Err(LedgerError::Refused(why.to_owned()));
        }
        let at_us = self.clock().now_us();
        let seal = PRUNED.seal(&[before.into(), at_us.into(), snapshot.into()]);
        sqlx::query("INSERT INTO pruned (before, at_us, snapshot, seal) VALUES ($1, $2, $3, $4)")
            .bind(before)
            .bind(at_us)
            .bind(snapshot.to_owned())
            .bind(seal)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        sqlx::query("DELETE FROM events WHERE seq < $1")
            .bind(before)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        for digest in &found.captured {
            sqlx::query("DELETE FROM contents WHERE digest = $1")
                .bind(digest.clone())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        if let Some(earlier) = earlier {
            sqlx::query("DELETE FROM contents WHERE digest = $1")
                .bind(earlier.snapshot_digest)
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
            sqlx::query("DELETE FROM pruned WHERE before < $1")
                .bind(before)
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())?;
        store.scrub(connection).await.map_err(failed())
    }
}

/// Finds the events from the first one that is left up to the first one that did not happen before a moment.
async fn find(
    store: &Store,
    connection: &mut AnyConnection,
    until_us: i64,
) -> Result<Prune, LedgerError> {
    const SQL: &str = "SELECT seq, body FROM events WHERE seq >= $1 ORDER BY seq LIMIT $2";
    let failed = || store.failed("read");
    let earlier = read_pruned(connection).await.map_err(failed())?;
    let first = earlier.map_or(0, |earlier| earlier.before);
    let mut found = Prune {
        events: 0,
        bytes: 0,
        before: first,
        captured: Vec::new(),
        report: None,
    };
    loop {
        let rows = sqlx::query(SQL)
            .bind(found.before)
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed())?;
        for row in &rows {
            let seq: i64 = row.try_get(0).map_err(failed())?;
            let body: String = row.try_get(1).map_err(failed())?;
            // An event that cannot be understood has no time, so it ends what may go.
            let event = read_event(&body);
            let is_old = event.as_ref().is_some_and(|event| event.at_us < until_us);
            if let Some(EventBody::ContentCaptured(captured)) = event.map(|event| event.body)
                && is_old
            {
                found.captured.push(captured.content_digest);
            }
            if !is_old || seq != found.before {
                return Ok(found);
            }
            found.before += 1;
            found.events += 1;
            found.bytes += i64::try_from(body.len()).unwrap_or(0);
        }
        if rows.is_empty() {
            return Ok(found);
        }
    }
}
