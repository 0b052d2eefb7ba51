//! How quick models were lately.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::LedgerError;
use crate::ledger::Ledger;

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
}

type PaceRow = ((String, String), Option<String>, Option<i64>);

fn pace_row(row: &AnyRow) -> Result<PaceRow, sqlx::Error> {
    let key = (row.try_get(0)?, row.try_get(1)?);
    Ok((key, row.try_get(2)?, row.try_get(3)?))
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
