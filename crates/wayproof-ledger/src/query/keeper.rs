//! Which provider keeps an answer that a later request continues from by its id.

use sqlx::Row as _;

use crate::error::LedgerError;
use crate::ledger::Ledger;

impl Ledger {
    /// The provider that keeps an answer or a conversation, and the session that it was given in.
    pub async fn keeper(&self, id: &str) -> Result<Option<(String, String)>, LedgerError> {
        const SQL: &str = "SELECT provider, session FROM exchanges
            WHERE kept = $1 AND provider IS NOT NULL AND session IS NOT NULL ORDER BY seq DESC LIMIT 1";
        let failed = || self.0.store.failed("read");
        let row = sqlx::query(SQL)
            .bind(id.to_owned())
            .fetch_optional(&self.0.readers)
            .await
            .map_err(failed())?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .transpose()
            .map_err(failed())
    }
}
