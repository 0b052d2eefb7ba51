//! Where the money went, and what a proven change costs.
//!
//! The measure is everything spent on a task, a class or a model, failed attempts included, over the jobs it took part
//! in that ended PROVEN. Spend without a job has its own row, and unknown prices are counted beside the sums.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::page::{Money, money};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::project::DAY_US;

/// What spend is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendBy {
    /// The policy's rows.
    Task,
    /// Classes.
    Class,
    /// Models, with their provider.
    Model,
    /// Repositories.
    Repo,
    /// Everything in one row.
    Total,
}

impl SpendBy {
    fn columns(self) -> &'static str {
        match self {
            Self::Task => "spend.task",
            Self::Class => "spend.class",
            Self::Model => "spend.provider || '/' || spend.model",
            Self::Repo => "COALESCE(jobs.repo, '')",
            Self::Total => "''",
        }
    }
}

/// Spend of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpendRow {
    /// The group; empty for spend that has none.
    pub name: String,
    /// Requests settled.
    pub exchanges: i64,
    /// What they cost.
    pub money: Money,
    /// Jobs that took part.
    pub jobs: i64,
    /// Those of them that ended PROVEN.
    pub proven: i64,
    /// Those that ended PROVEN_WITH_GAPS.
    pub proven_with_gaps: i64,
}

impl SpendRow {
    /// Listed money for each job that ended PROVEN; unknown without one, or with nothing priced.
    pub fn listed_per_proven_nano_usd(&self) -> Option<i64> {
        self.money.listed_nano_usd?.checked_div(self.proven)
    }

    /// Billed money for each job that ended PROVEN.
    pub fn billed_per_proven_nano_usd(&self) -> Option<i64> {
        self.money.billed_nano_usd?.checked_div(self.proven)
    }
}

impl Ledger {
    /// Spend since the beginning of a day (UTC), the dearest group first.
    pub async fn spend(&self, by: SpendBy, since_us: i64) -> Result<Vec<SpendRow>, LedgerError> {
        // Money first summed for each job, so that counting jobs is not multiplied by their days and models.
        let sql = format!(
            "WITH parts AS (
                SELECT {} AS name, spend.job AS job, jobs.verdict AS verdict,
                    SUM(spend.exchanges) AS exchanges, SUM(spend.listed_nano_usd) AS listed,
                    SUM(spend.listed_unknown) AS listed_unknown, SUM(spend.billed_nano_usd) AS billed,
                    SUM(spend.subscription_nano_usd) AS subscription
                FROM usage_days AS spend LEFT JOIN jobs ON jobs.id = spend.job
                WHERE spend.day >= $1 GROUP BY 1, 2, 3)
            SELECT name, CAST(SUM(exchanges) AS BIGINT), CAST(SUM(listed) AS BIGINT),
                CAST(SUM(listed_unknown) AS BIGINT), CAST(SUM(billed) AS BIGINT), CAST(SUM(subscription) AS BIGINT),
                CAST(SUM(CASE WHEN job <> '' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'PROVEN' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'PROVEN_WITH_GAPS' THEN 1 ELSE 0 END) AS BIGINT)
            FROM parts GROUP BY name ORDER BY COALESCE(SUM(listed), 0) DESC, name",
            by.columns()
        );
        let day = since_us.div_euclid(DAY_US);
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(day)
            .fetch_all(&self.0.readers)
            .await;
        let rows = rows.map_err(self.0.store.failed("read"))?;
        rows.iter()
            .map(|row| spend_row(row).map_err(self.0.store.failed("read")))
            .collect()
    }

    /// What a proven change costs, over everything since the beginning of a day (UTC).
    pub async fn cost_per_proven_change(&self, since_us: i64) -> Result<Option<i64>, LedgerError> {
        let total = self.spend(SpendBy::Total, since_us).await?;
        Ok(total.first().and_then(SpendRow::listed_per_proven_nano_usd))
    }
}

fn spend_row(row: &AnyRow) -> Result<SpendRow, sqlx::Error> {
    Ok(SpendRow {
        name: row.try_get(0)?,
        exchanges: row.try_get(1)?,
        money: money(row, 2)?,
        jobs: row.try_get(6)?,
        proven: row.try_get(7)?,
        proven_with_gaps: row.try_get(8)?,
    })
}
