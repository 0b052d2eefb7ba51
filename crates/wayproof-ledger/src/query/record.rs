//! What the rows of the policy did, what two dimensions of spend show, and how both went from day to day.
//!
//! Money stays in its three columns, and unknown prices are counted beside the sums.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::page::{Money, money};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::project::DAY_US;

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
    pub proven_at_once: i64,
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

/// What spend is laid out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrossBy {
    /// The policy's rows.
    Task,
    /// Classes.
    Class,
    /// Providers.
    Provider,
    /// Models, with their provider.
    Model,
    /// Agents.
    Agent,
    /// Repositories.
    Repo,
    /// Verdicts of the jobs.
    Verdict,
    /// Days (UTC), as their number since 1970.
    Day,
}

impl CrossBy {
    const fn column(self) -> &'static str {
        match self {
            Self::Task => "spend.task",
            Self::Class => "spend.class",
            Self::Provider => "spend.provider",
            Self::Model => "spend.provider || '/' || spend.model",
            Self::Agent => "COALESCE(jobs.agent, '')",
            Self::Repo => "COALESCE(jobs.repo, '')",
            Self::Verdict => "COALESCE(jobs.verdict, '')",
            Self::Day => "CAST(spend.day AS TEXT)",
        }
    }
}

/// Spend where two dimensions cross.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpendCell {
    /// The names along both; empty where there is none.
    pub names: [String; 2],
    /// Requests settled.
    pub exchanges: i64,
    /// What they cost.
    pub money: Money,
    /// Jobs that took part.
    pub jobs: i64,
    /// Those of them whose last verdict is PROVEN.
    pub proven: i64,
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayRecord {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Requests settled.
    pub exchanges: i64,
    /// What they cost.
    pub money: Money,
    /// Jobs closed on that day with the verdict PROVEN.
    pub proven: i64,
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
                proven_at_once: row.try_get(3)?,
                proven_with_gaps: row.try_get(4)?,
                not_proven: row.try_get(5)?,
                escalated: row.try_get(6)?,
                escalated_proven: row.try_get(7)?,
                money: money(row, 8)?,
            })
        };
        rows.iter().map(|row| read(row).map_err(failed())).collect()
    }

    /// Spend since the beginning of a day (UTC) by two dimensions, the dearest first, at most `limit` rows.
    pub async fn spend_by_two(
        &self,
        by: [CrossBy; 2],
        since_us: i64,
        limit: u32,
    ) -> Result<Vec<SpendCell>, LedgerError> {
        let sql = format!(
            "SELECT {} AS one, {} AS two, CAST(SUM(spend.exchanges) AS BIGINT),
                CAST(SUM(spend.listed_nano_usd) AS BIGINT), CAST(SUM(spend.listed_unknown) AS BIGINT),
                CAST(SUM(spend.billed_nano_usd) AS BIGINT), CAST(SUM(spend.subscription_nano_usd) AS BIGINT),
                COUNT(DISTINCT CASE WHEN spend.job <> '' THEN spend.job END),
                COUNT(DISTINCT CASE WHEN jobs.verdict = 'PROVEN' THEN spend.job END)
            FROM spend LEFT JOIN jobs ON jobs.id = spend.job
            WHERE spend.day >= $1 GROUP BY 1, 2
            ORDER BY COALESCE(SUM(spend.listed_nano_usd), 0) DESC, one, two LIMIT $2",
            by[0].column(),
            by[1].column()
        );
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(since_us.div_euclid(DAY_US))
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let read = |row: &AnyRow| {
            Ok(SpendCell {
                names: [row.try_get(0)?, row.try_get(1)?],
                exchanges: row.try_get(2)?,
                money: money(row, 3)?,
                jobs: row.try_get(7)?,
                proven: row.try_get(8)?,
            })
        };
        rows.iter().map(|row| read(row).map_err(failed())).collect()
    }

    /// Spend and proven changes of each day since a time, oldest first; days without either are left out.
    pub async fn days(&self, since_us: i64) -> Result<Vec<DayRecord>, LedgerError> {
        const SPENT: &str =
            "SELECT day, CAST(SUM(exchanges) AS BIGINT), CAST(SUM(listed_nano_usd) AS BIGINT),
                CAST(SUM(listed_unknown) AS BIGINT), CAST(SUM(billed_nano_usd) AS BIGINT),
                CAST(SUM(subscription_nano_usd) AS BIGINT)
            FROM spend WHERE day >= $1 GROUP BY day ORDER BY day";
        const PROVEN: &str = "SELECT closed_us / 86400000000 AS day, COUNT(*) FROM jobs
            WHERE verdict = 'PROVEN' AND closed_us >= $1 GROUP BY 1";
        let failed = || self.0.store.failed("read");
        let first = since_us.div_euclid(DAY_US);
        let rows = sqlx::query(SPENT)
            .bind(first)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let mut days = std::collections::BTreeMap::<i64, DayRecord>::new();
        for row in &rows {
            let day = row.try_get(0).map_err(failed())?;
            let record = days.entry(day).or_default();
            record.exchanges = row.try_get(1).map_err(failed())?;
            record.money = money(row, 2).map_err(failed())?;
        }
        let rows = sqlx::query(PROVEN)
            .bind(first.saturating_mul(DAY_US))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        for row in &rows {
            let day = row.try_get(0).map_err(failed())?;
            days.entry(day).or_default().proven = row.try_get(1).map_err(failed())?;
        }
        Ok(days
            .into_iter()
            .map(|(day, record)| DayRecord { day, ..record })
            .collect())
    }
}
