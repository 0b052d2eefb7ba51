//! What the rows of the policy did.
//!
//! Money stays in its three columns, and unknown prices are counted beside the sums.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::page::{Money, money};
use crate::error::LedgerError;
use crate::ledger::Ledger;

/// What became of the jobs of one row of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskRecord {
    /// The row.
    pub task: String,
    /// Jobs opened.
    pub jobs: i64,
    /// Those whose last verdict is PROVEN.
    pub proven: i64,
    /// Those that were PROVEN by their first proof, without moving up.
    pub proven_at_first: i64,
    /// Those whose last verdict is PROVEN_WITH_GAPS.
    pub proven_with_gaps: i64,
    /// Those whose last verdict is UNPROVEN or REFUTED.
    pub not_proven: i64,
    /// Those that moved to another class.
    pub escalated: i64,
    /// Those of them that ended PROVEN.
    pub escalated_proven: i64,
    /// What they cost.
    pub money: Money,
}

impl TaskRecord {
    /// Jobs of which a proof said something, of which shares are taken.
    pub const fn judged(&self) -> i64 {
        self.proven + self.proven_with_gaps + self.not_proven
    }
}

impl Ledger {
    /// What each row of the policy did since a time.
    pub async fn task_records(&self, since_us: i64) -> Result<Vec<TaskRecord>, LedgerError> {
        const SQL: &str = "SELECT COALESCE(task, ''), COUNT(*),
                CAST(SUM(CASE WHEN verdict = 'PROVEN' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'PROVEN' AND proofs = 1 AND escalations = 0 THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'PROVEN_WITH_GAPS' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'UNPROVEN' OR verdict = 'REFUTED' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN escalations > 0 THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN escalations > 0 AND verdict = 'PROVEN' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(listed_nano_usd) AS BIGINT), CAST(SUM(listed_unknown) AS BIGINT),
                CAST(SUM(billed_nano_usd) AS BIGINT), CAST(SUM(subscription_nano_usd) AS BIGINT)
            FROM jobs WHERE seq >= $1 GROUP BY 1 ORDER BY 2 DESC, 1";
        let failed = || self.0.store.failed("read");
        let since = self.first_job_at(since_us).await?;
        let rows = sqlx::query(SQL)
            .bind(since)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let read = |row: &AnyRow| {
            Ok(TaskRecord {
                task: row.try_get(0)?,
                jobs: row.try_get(1)?,
                proven: row.try_get(2)?,
                proven_at_first: row.try_get(3)?,
                proven_with_gaps: row.try_get(4)?,
                not_proven: row.try_get(5)?,
                escalated: row.try_get(6)?,
                escalated_proven: row.try_get(7)?,
                money: money(row, 8)?,
            })
        };
        rows.iter().map(|row| read(row).map_err(failed())).collect()
    }
}
