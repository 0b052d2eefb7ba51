//! Gives rows their seal that a ledger is too old to have.
//!
//! One transaction, with the log's row and the books' row locked, so that nothing changes meanwhile.

use sqlx::{AnyConnection, Connection};

use super::Folder;
use crate::error::LedgerError;
use crate::log_row::Log;
use crate::sealed::{ALL, REBUILT, SealedRow};

/// The name under which it is remembered that it was done.
const NAME: &str = "seals-1";

impl Folder {
    /// Seals what has no seal, once for each ledger.
    pub(crate) async fn seal_rows(&mut self) -> Result<(), LedgerError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connect().await?,
        };
        let outcome = self.seal_on(&mut connection).await;
        if outcome.is_ok() {
            self.connection = Some(connection);
        }
        outcome
    }

    async fn seal_on(&mut self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let store = self.store.clone();
        let failed = || store.failed("bring up to date");
        if is_done(connection).await.map_err(failed())? {
            return Ok(());
        }
        let mut transaction = connection
            .begin_with(store.begin())
            .await
            .map_err(failed())?;
        Log::lock(&mut transaction, &store).await?;
        sqlx::query("UPDATE books SET version = version WHERE one = 1")
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        if is_done(&mut transaction).await.map_err(failed())? {
            return transaction.rollback().await.map_err(failed());
        }
        note_rebuilt(&mut transaction, NAME, self.clock.now_us())
            .await
            .map_err(failed())?;
        for table in ALL {
            let mut last: Option<SealedRow> = None;
            loop {
                let page = table.page(&mut transaction, last.as_ref()).await;
                let page = page.map_err(failed())?;
                for row in page.iter().filter(|row| row.seal.is_none()) {
                    table
                        .reseal(&mut transaction, row)
                        .await
                        .map_err(failed())?;
                }
                match page.into_iter().next_back() {
                    Some(row) => last = Some(row),
                    None => break,
                }
            }
        }
        transaction.commit().await.map_err(failed())
    }
}

/// Remembers that something was made for this ledger.
pub(super) async fn note_rebuilt(
    connection: &mut AnyConnection,
    name: &str,
    at_us: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO rebuilt (name, at_us, seal) VALUES ($1, $2, $3)")
        .bind(name.to_owned())
        .bind(at_us)
        .bind(REBUILT.seal(&[name.into(), at_us.into()]))
        .execute(connection)
        .await
        .map(drop)
}

async fn is_done(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let found: Option<String> = sqlx::query_scalar("SELECT name FROM rebuilt WHERE name = $1")
        .bind(NAME)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}
