//! Makes projections again that a ledger is too old to have.
//!
//! One transaction reads every event and writes the new tables, with the log's row locked, so that nothing is
//! recorded meanwhile. Rows of exchanges are brought up to date, too: taking in the same event twice changes nothing
//! there.

use sqlx::{Connection, Row as _};

use super::{Folder, read_event};
use crate::error::LedgerError;
use crate::log_row::Log;
use crate::project::Projection;

/// The set of projections this version has beyond the first; a new name makes them again.
const NAME: &str = "usage-1";

/// Events read at a time.
const PAGE: i64 = 4096;

/// Tables that are made anew.
const ANEW: [&str; 3] = ["usage_days", "activity", "import_files"];

impl Folder {
    /// Makes the newer projections from the events, once for each ledger.
    pub(crate) async fn rebuild(&mut self) -> Result<(), LedgerError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connect().await?,
        };
        let outcome = self.rebuild_on(&mut connection).await;
        if outcome.is_ok() {
            self.connection = Some(connection);
        }
        outcome
    }

    /// The same, and lets go of the database.
    pub(crate) async fn rebuild_and_close(mut self) -> Result<(), LedgerError> {
        self.rebuild().await?;
        self.seal_rows().await?;
        self.close().await
    }

    async fn rebuild_on(
        &mut self,
        connection: &mut sqlx::AnyConnection,
    ) -> Result<(), LedgerError> {
        let store = self.store.clone();
        let failed = || store.failed("bring up to date");
        if is_rebuilt(connection).await.map_err(failed())? {
            return Ok(());
        }
        let mut transaction = connection
            .begin_with(store.begin())
            .await
            .map_err(failed())?;
        let log = Log::lock(&mut transaction, &store).await?;
        if is_rebuilt(&mut transaction).await.map_err(failed())? {
            return transaction.rollback().await.map_err(failed());
        }
        for table in ANEW {
            let sql = format!("DELETE FROM {table}");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        let mut at = 0;
        while at < log.size() {
            match self.take_in(&mut transaction, at).await.map_err(failed())? {
                Some(next) => at = next,
                None => break,
            }
        }
        super::seal::note_rebuilt(&mut transaction, NAME, self.clock.now_us())
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }
}

impl Folder {
    /// Takes in a page of events, and says where the next one begins.
    async fn take_in(
        &mut self,
        connection: &mut sqlx::AnyConnection,
        at: i64,
    ) -> Result<Option<i64>, sqlx::Error> {
        const SQL: &str = "SELECT seq, body FROM events WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let rows = sqlx::query(SQL)
            .bind(at)
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
        let mut next = None;
        let mut projection = Projection::new();
        for row in &rows {
            let seq: i64 = row.try_get(0)?;
            let text: String = row.try_get(1)?;
            if let Some(event) = read_event(&text) {
                projection.absorb(seq, &event);
            }
            next = Some(seq + 1);
        }
        for collapsed in [
            &projection.exchanges,
            &projection.usage,
            &projection.activity,
            &projection.import_files,
        ] {
            self.write_rows(connection, collapsed).await?;
        }
        Ok(next)
    }
}

async fn is_rebuilt(connection: &mut sqlx::AnyConnection) -> Result<bool, sqlx::Error> {
    let found: Option<String> = sqlx::query_scalar("SELECT name FROM rebuilt WHERE name = $1")
        .bind(NAME)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}
