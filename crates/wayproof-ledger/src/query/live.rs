//! What goes on at this moment, and what was seen lately.
//!
//! Looks at the end of the log only, so that a page that is always open costs the same over a million events.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::{AssertSqlSafe, Row as _};

use super::detail::StoredEvent;
use super::page::{JOB_COLUMNS, JobRow, job};
use crate::error::LedgerError;
use crate::ledger::Ledger;

/// Requests and jobs at the end of the log that are looked at for work in flight.
const LATELY: i64 = 1_000;

/// Which jobs are in flight: since when, and how far the end of the log reaches in requests and in jobs.
const IN_FLIGHT: &str = "closed_us IS NULL AND last_us >= $1 AND (
    id IN (SELECT job FROM (SELECT job FROM exchanges ORDER BY seq DESC LIMIT $2) AS asked
        WHERE job IS NOT NULL)
    OR seq IN (SELECT seq FROM (SELECT seq FROM jobs ORDER BY seq DESC LIMIT $3) AS opened))";

/// A settled request in as few figures as its model's record needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerSeen {
    /// Who answered.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// When it was opened.
    pub opened_us: i64,
    /// How long it took.
    pub total_us: Option<i64>,
    /// Tokens of fresh input.
    pub input: Option<i64>,
    /// Tokens read from a cache.
    pub cache_read: Option<i64>,
    /// Tokens written.
    pub output: Option<i64>,
}

impl Ledger {
    /// Jobs that are open and in which something happened since a time, the latest first.
    pub async fn jobs_in_flight(
        &self,
        since_us: i64,
        limit: u32,
    ) -> Result<Vec<JobRow>, LedgerError> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE {IN_FLIGHT} ORDER BY last_us DESC, seq DESC LIMIT $4"
        );
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(since_us)
            .bind(LATELY)
            .bind(LATELY)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        rows.iter().map(|row| job(row).map_err(failed())).collect()
    }

    /// How many jobs are in flight since a time.
    pub async fn in_flight(&self, since_us: i64) -> Result<i64, LedgerError> {
        let sql = format!("SELECT COUNT(*) FROM jobs WHERE {IN_FLIGHT}");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(since_us)
            .bind(LATELY)
            .bind(LATELY)
            .fetch_one(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))
    }

    /// The last cause for which each of these jobs moved, as its event.
    pub async fn last_moves(&self, jobs: &[String]) -> Result<Vec<StoredEvent>, LedgerError> {
        const SQL: &str = "SELECT MAX(seq) FROM milestones WHERE job = $1 AND kind = 'escalated'";
        let mut places = BTreeSet::new();
        for job in jobs {
            let seq: Option<i64> = sqlx::query_scalar(SQL)
                .bind(job.clone())
                .fetch_one(&self.0.readers)
                .await
                .map_err(self.0.store.failed("read"))?;
            places.extend(seq);
        }
        self.events_at(&Vec::from_iter(places)).await
    }

    /// The last requests that are over, newest first.
    pub async fn answers_seen(&self, limit: u32) -> Result<Vec<AnswerSeen>, LedgerError> {
        const SQL: &str =
            "SELECT provider, model, outcome, opened_us, total_us, input, cache_read, output
            FROM exchanges WHERE settled_seq IS NOT NULL ORDER BY seq DESC LIMIT $1";
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(SQL)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(AnswerSeen {
                provider: row.try_get(0)?,
                model: row.try_get(1)?,
                outcome: row.try_get(2)?,
                opened_us: row.try_get(3)?,
                total_us: row.try_get(4)?,
                input: row.try_get(5)?,
                cache_read: row.try_get(6)?,
                output: row.try_get(7)?,
            })
        };
        rows.iter().map(|row| read(row).map_err(failed())).collect()
    }

    /// How many events there are.
    pub async fn size(&self) -> Result<i64, LedgerError> {
        sqlx::query_scalar("SELECT size FROM log")
            .fetch_one(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))
    }

    /// How many events the last signed checkpoint covers.
    pub async fn signed_size(&self) -> Result<Option<i64>, LedgerError> {
        sqlx::query_scalar("SELECT MAX(size) FROM checkpoints")
            .fetch_one(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))
    }
}
