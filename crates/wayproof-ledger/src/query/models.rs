//! How models did here: how quick they were lately, and what a proven change of each task costs with them.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::page::{Money, money};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::project::DAY_US;

/// How long a model's answers took, over the newest exchanges of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelPace {
    /// Who served it.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Answers that were completed.
    pub completed: u64,
    /// Exchanges that came to nothing.
    pub failed: u64,
    /// Half of the completed answers took no longer than this.
    pub median_us: Option<i64>,
    /// Nineteen of twenty took no longer than this.
    pub p95_us: Option<i64>,
}

/// How a model did at one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskFit {
    /// The policy's row.
    pub task: String,
    /// Who served it.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Jobs it took part in that have ended with a verdict.
    pub judged: i64,
    /// Those of them that ended PROVEN.
    pub proven: i64,
    /// What it cost, over all its jobs at that task.
    pub money: Money,
}

impl TaskFit {
    /// The share of judged jobs that ended PROVEN, in per mille; unknown without any.
    pub fn proven_pm(&self) -> Option<i64> {
        self.proven.checked_mul(1_000)?.checked_div(self.judged)
    }

    /// Listed money for each job that ended PROVEN.
    pub fn listed_per_proven_nano_usd(&self) -> Option<i64> {
        self.money.listed_nano_usd?.checked_div(self.proven)
    }
}

/// The newest exchanges that pace is taken from.
const RECENT: i64 = 20_000;

impl Ledger {
    /// How quick each model was, over the newest exchanges.
    pub async fn model_pace(&self) -> Result<Vec<ModelPace>, LedgerError> {
        const SQL: &str = "SELECT provider, model, outcome, total_us FROM exchanges
            WHERE settled_seq IS NOT NULL AND provider IS NOT NULL AND model IS NOT NULL
            ORDER BY seq DESC LIMIT $1";
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(SQL)
            .bind(RECENT)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let mut times: BTreeMap<(String, String), (Vec<i64>, u64)> = BTreeMap::new();
        for row in &rows {
            let (key, outcome, total) = pace_row(row).map_err(failed())?;
            let (taken, lost) = times.entry(key).or_default();
            match (outcome.as_deref(), total) {
                (Some("completed"), Some(total)) => taken.push(total),
                (Some("completed"), None) => {}
                _ => *lost += 1,
            }
        }
        let paces = times
            .into_iter()
            .map(|((provider, model), (mut taken, lost))| {
                taken.sort_unstable();
                ModelPace {
                    provider,
                    model,
                    completed: taken.len() as u64,
                    failed: lost,
                    median_us: quantile(&taken, 50),
                    p95_us: quantile(&taken, 95),
                }
            });
        Ok(paces.collect())
    }

    /// How each model did at each task, since the beginning of a day (UTC).
    pub async fn task_fit(&self, since_us: i64) -> Result<Vec<TaskFit>, LedgerError> {
        // Money first summed for each job, so that counting jobs is not multiplied by their days and classes.
        const SQL: &str = "WITH parts AS (
                SELECT spend.task AS task, spend.provider AS provider, spend.model AS model,
                    jobs.id AS job, jobs.verdict AS verdict,
                    SUM(spend.listed_nano_usd) AS listed, SUM(spend.listed_unknown) AS listed_unknown,
                    SUM(spend.billed_nano_usd) AS billed, SUM(spend.subscription_nano_usd) AS subscription
                FROM spend LEFT JOIN jobs ON jobs.id = spend.job
                WHERE spend.day >= $1 AND spend.task <> '' AND spend.model <> '' GROUP BY 1, 2, 3, 4, 5)
            SELECT task, provider, model,
                CAST(SUM(CASE WHEN verdict IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(CASE WHEN verdict = 'PROVEN' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(SUM(listed) AS BIGINT), CAST(SUM(listed_unknown) AS BIGINT), CAST(SUM(billed) AS BIGINT),
                CAST(SUM(subscription) AS BIGINT)
            FROM parts GROUP BY task, provider, model ORDER BY task, provider, model";
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(SQL)
            .bind(since_us.div_euclid(DAY_US))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let fits: Result<_, _> = rows.iter().map(fit_row).collect();
        fits.map_err(failed())
    }
}

type PaceRow = ((String, String), Option<String>, Option<i64>);

fn pace_row(row: &AnyRow) -> Result<PaceRow, sqlx::Error> {
    let key = (row.try_get(0)?, row.try_get(1)?);
    Ok((key, row.try_get(2)?, row.try_get(3)?))
}

fn fit_row(row: &AnyRow) -> Result<TaskFit, sqlx::Error> {
    Ok(TaskFit {
        task: row.try_get(0)?,
        provider: row.try_get(1)?,
        model: row.try_get(2)?,
        judged: row.try_get(3)?,
        proven: row.try_get(4)?,
        money: money(row, 5)?,
    })
}

/// The smallest value that so many of a hundred do not exceed.
fn quantile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        assert_eq!(quantile(&[], 50), None);
        assert_eq!(quantile(&[7], 95), Some(7));
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(
            (quantile(&hundred, 50), quantile(&hundred, 95)),
            (Some(50), Some(95))
        );
    }
}
