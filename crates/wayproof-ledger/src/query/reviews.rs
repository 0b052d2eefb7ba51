//! What people decided about changes, as the events say it.

use super::detail::StoredEvent;
use crate::error::LedgerError;
use crate::ledger::Ledger;

impl Ledger {
    /// The last reviews that were recorded, newest first.
    pub async fn reviews_recorded(&self, limit: u32) -> Result<Vec<StoredEvent>, LedgerError> {
        const SQL: &str =
            "SELECT seq FROM milestones WHERE kind = 'review-recorded' ORDER BY seq DESC LIMIT $1";
        let places: Vec<i64> = sqlx::query_scalar(SQL)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        let mut stored = self.events_at(&places).await?;
        stored.sort_by_key(|stored| std::cmp::Reverse(stored.seq));
        Ok(stored)
    }
}
