//! Which provider sealed which reasoning of a conversation.
//!
//! A gateway that begins anew, or that takes a conversation over from another, asks it once.

use sqlx::Row as _;
use wayproof_wire::SealMark;

use crate::error::LedgerError;
use crate::event::{Event, EventBody};
use crate::ledger::Ledger;

/// The exchanges of a session that are looked at, the newest.
const MOST_EXCHANGES: i64 = 1_000;

impl Ledger {
    /// The providers that answered in a session, each with the marks of what it sealed, newest first.
    pub async fn seals_of_session(
        &self,
        session: &str,
    ) -> Result<Vec<(String, Vec<SealMark>)>, LedgerError> {
        const SQL: &str = "SELECT events.body FROM exchanges
            JOIN events ON events.seq = exchanges.settled_seq
            WHERE exchanges.session = $1 ORDER BY exchanges.seq DESC LIMIT $2";
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(SQL)
            .bind(session.to_owned())
            .bind(MOST_EXCHANGES)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let mut found = Vec::new();
        for row in &rows {
            let body: String = row.try_get(0).map_err(failed())?;
            // Most answers seal nothing, and then there is nothing to read.
            if !body.contains("\"seals\":[") {
                continue;
            }
            let EventBody::ExchangeSettled(settled) = Event::parse(&body)?.body else {
                continue;
            };
            if let Some(provider) = settled.provider {
                found.push((provider, settled.seals));
            }
        }
        Ok(found)
    }
}
