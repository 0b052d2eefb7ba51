//! The log's one row in the database: its identity and the growing edge of its tree.
//!
//! Whoever locks it may append; everybody else waits. It says nothing about events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::PublicKey;
use wayproof_receipt::log::Frontier;

use crate::error::LedgerError;
use crate::store::Store;

/// The log's one row, locked until the transaction ends.
pub(crate) struct Log {
    pub(crate) origin: String,
    /// The one key that signs checkpoints; nobody has claimed a new log yet.
    pub(crate) signer: Option<PublicKey>,
    pub(crate) frontier: Frontier,
    /// The size as the row tells it; the frontier tells it, too.
    pub(crate) stored_size: i64,
    pub(crate) checkpoint_size: i64,
    pub(crate) checkpoint_us: i64,
}

impl Log {
    /// Makes the row of a new ledger.
    pub(crate) async fn create(
        connection: &mut AnyConnection,
        origin: &str,
    ) -> Result<(), sqlx::Error> {
        const SQL: &str =
            "INSERT INTO log (one, origin, size, frontier, checkpoint_size, checkpoint_us)
            VALUES (1, $1, 0, $2, 0, 0) ON CONFLICT (one) DO NOTHING";
        let frontier = STANDARD.encode(Frontier::new().to_bytes());
        sqlx::query(SQL)
            .bind(origin)
            .bind(frontier)
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Reads the row and keeps others from writing.
    pub(crate) async fn lock(
        connection: &mut AnyConnection,
        store: &Store,
    ) -> Result<Self, LedgerError> {
        const SQL: &str = "UPDATE log SET size = size WHERE one = 1
            RETURNING origin, frontier, size, checkpoint_size, checkpoint_us, signer";
        let row = sqlx::query(SQL)
            .fetch_one(connection)
            .await
            .map_err(store.failed("write to"))?;
        Self::read(&row, store)
    }

    /// Reads the row as it is.
    pub(crate) async fn load(
        connection: &mut AnyConnection,
        store: &Store,
    ) -> Result<Self, LedgerError> {
        const SQL: &str =
            "SELECT origin, frontier, size, checkpoint_size, checkpoint_us, signer FROM log
            WHERE one = 1";
        let row = sqlx::query(SQL)
            .fetch_one(connection)
            .await
            .map_err(store.failed("read"))?;
        Self::read(&row, store)
    }

    fn read(row: &AnyRow, store: &Store) -> Result<Self, LedgerError> {
        let failed = || store.failed("read");
        let frontier: String = row.try_get(1).map_err(failed())?;
        let signer: Option<String> = row.try_get(5).map_err(failed())?;
        let unreadable = |what: &str| LedgerError::Inconsistent(format!("{what} cannot be read"));
        Ok(Self {
            origin: row.try_get(0).map_err(failed())?,
            frontier: STANDARD
                .decode(frontier)
                .ok()
                .and_then(|bytes| Frontier::from_bytes(&bytes).ok())
                .ok_or_else(|| unreadable("the stored frontier"))?,
            signer: signer
                .map(|signer| signer.parse())
                .transpose()
                .map_err(|_| unreadable("the key that the log's row names"))?,
            stored_size: row.try_get(2).map_err(failed())?,
            checkpoint_size: row.try_get(3).map_err(failed())?,
            checkpoint_us: row.try_get(4).map_err(failed())?,
        })
    }

    /// Number of events, and the sequence number of the next one.
    pub(crate) fn size(&self) -> i64 {
        i64::try_from(self.frontier.size()).unwrap_or(i64::MAX)
    }

    pub(crate) async fn save(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        const SQL: &str =
            "UPDATE log SET size = $1, frontier = $2, checkpoint_size = $3, checkpoint_us = $4,
            signer = $5 WHERE one = 1";
        sqlx::query(SQL)
            .bind(self.size())
            .bind(STANDARD.encode(self.frontier.to_bytes()))
            .bind(self.checkpoint_size)
            .bind(self.checkpoint_us)
            .bind(self.signer.map(|signer| signer.to_string()))
            .execute(connection)
            .await
            .map(|_| ())
    }
}
