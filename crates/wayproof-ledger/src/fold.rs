//! Brings events into the database: one transaction a batch.
//!
//! The transaction numbers the events, stores them, extends the Merkle tree with its tiles, brings the projections up
//! to date, moves the journal's position, and signs a checkpoint if one is due. Either all of that happens or nothing,
//! so every event is in the ledger exactly once. Events are only ever inserted.

mod rebuild;
mod seal;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sqlx::any::AnyArguments;
use sqlx::{AnyConnection, Arguments, AssertSqlSafe, Connection, Row as _};
use wayproof_receipt::SigningKey;
use wayproof_receipt::log::{Checkpoint, Hash, leaf_hash};

use crate::clock::Clock;
use crate::error::LedgerError;
use crate::event::Event;
use crate::log_row::Log;
use crate::project::Projection;
use crate::sealed::{CHECKPOINTS, JOURNALS};
use crate::store::Store;
use crate::table::{Cell, Collapsed, Kind, Parameters, insert};
use crate::tile;

/// Rows of one statement at most.
const MAX_ROWS: usize = 64;

/// Checkpoints are signed no more often than this.
const CHECKPOINT_US: u64 = 1_000_000;

/// Events on their way into the database.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// Their texts, in order.
    pub(crate) texts: Vec<&'a str>,
    /// How far the journal they come from is read with them.
    pub(crate) position: Option<Position<'a>>,
}

/// A place in a journal file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'a> {
    /// The file's name.
    pub(crate) journal: &'a str,
    /// Everything before this byte is in the database already.
    pub(crate) from: u64,
    /// Everything before this byte is in it afterwards.
    pub(crate) to: u64,
}

/// Whether a checkpoint is signed whatever the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    WhenDue,
    Now,
}

/// Who writes to the database.
pub(crate) struct Folder {
    store: Store,
    clock: Clock,
    key: Option<SigningKey>,
    connection: Option<AnyConnection>,
    statements: BTreeMap<(&'static str, usize), Arc<str>>,
    /// Events that no checkpoint covers yet.
    is_unsigned: bool,
}

impl Folder {
    pub(crate) fn new(store: Store, clock: Clock, key: Option<SigningKey>) -> Self {
        Self {
            store,
            clock,
            key,
            connection: None,
            statements: BTreeMap::new(),
            is_unsigned: false,
        }
    }

    /// Whether events wait for a checkpoint.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.is_unsigned && self.key.is_some()
    }

    /// Runs one batch's transaction. After an error nothing of the batch is in the database.
    pub(crate) async fn fold(&mut self, batch: &Batch<'_>, sign: Sign) -> Result<(), LedgerError> {
        let prepared = Prepared::new(batch);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connect().await?,
        };
        let outcome = self
            .transact(&mut connection, &prepared, batch.position, sign)
            .await;
        if outcome.is_ok() {
            self.connection = Some(connection);
        }
        outcome
    }

    /// A connection outside of any transaction.
    pub(crate) async fn connection(&mut self) -> Result<&mut AnyConnection, LedgerError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Makes everything folded survive a loss of power; `false` if a reader is in the way for now.
    pub(crate) async fn make_durable(&mut self) -> Result<bool, LedgerError> {
        let failed = self.store.failed("sync");
        let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .fetch_one(self.connection().await?)
            .await;
        let columns =
            row.and_then(|row| Ok([row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?]));
        // The log's length and how much of it is in the database file, which is synced once they are equal.
        let [log, checkpointed] = columns.map_err(failed)?;
        Ok(log == checkpointed)
    }

    /// How far a journal is in the database.
    pub(crate) async fn position_of(&mut self, journal: &str) -> Result<Option<u64>, LedgerError> {
        let failed = self.store.failed("read");
        position_of(self.connection().await?, journal)
            .await
            .map_err(failed)
    }

    /// The names of the journals whose position is known.
    pub(crate) async fn journals(&mut self) -> Result<Vec<String>, LedgerError> {
        let failed = self.store.failed("read");
        let names = sqlx::query_scalar("SELECT name FROM journals")
            .fetch_all(self.connection().await?)
            .await;
        names.map_err(failed)
    }

    /// Forgets journals whose files no longer exist.
    pub(crate) async fn forget(&mut self, names: &[String]) -> Result<(), LedgerError> {
        let failed = self.store.failed("write to");
        forget_journals(self.connection().await?, names)
            .await
            .map_err(failed)
    }

    /// The same without its connection, to be used on another runtime.
    pub(crate) async fn without_connection(mut self) -> Result<Self, LedgerError> {
        if let Some(connection) = self.connection.take() {
            connection
                .close()
                .await
                .map_err(self.store.failed("open"))?;
        }
        Ok(self)
    }

    /// Lets go of the database.
    pub(crate) async fn close(self) -> Result<(), LedgerError> {
        match self.connection {
            Some(connection) => connection.close().await.map_err(self.store.failed("close")),
            None => Ok(()),
        }
    }

    async fn transact(
        &mut self,
        connection: &mut AnyConnection,
        prepared: &Prepared<'_>,
        position: Option<Position<'_>>,
        sign: Sign,
    ) -> Result<(), LedgerError> {
        let store = self.store.clone();
        let failed = || store.failed("write to");
        let mut transaction = connection
            .begin_with(store.begin())
            .await
            .map_err(failed())?;
        let mut log = Log::lock(&mut transaction, &store).await?;
        let first = log.size();
        self.write_events(&mut transaction, first, &prepared.texts)
            .await
            .map_err(failed())?;
        tile::grow(
            &mut transaction,
            &mut log.frontier,
            &prepared.leaves,
            &store,
        )
        .await?;
        let projection = prepared.project(first);
        for collapsed in projection.tables() {
            self.write_rows(&mut transaction, collapsed)
                .await
                .map_err(failed())?;
        }
        if let Some(position) = position {
            let is_ours = move_position(&mut transaction, position)
                .await
                .map_err(failed())?;
            if !is_ours {
                let why = format!(
                    "the journal {} was carried over by somebody else",
                    position.journal
                );
                return Err(LedgerError::Inconsistent(why));
            }
        }
        let is_signed = self.checkpoint(&mut transaction, &mut log, sign).await?;
        log.save(&mut transaction).await.map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        self.is_unsigned = !is_signed;
        Ok(())
    }

    async fn write_events(
        &mut self,
        connection: &mut AnyConnection,
        first: i64,
        texts: &[&str],
    ) -> Result<(), sqlx::Error> {
        let mut seq = first;
        for chunk in chunks(texts) {
            let sql = self.statement("events", chunk.len(), |rows, parameters| {
                insert("events", &["seq", "body"], rows, parameters)
            });
            let mut arguments = AnyArguments::default();
            for text in chunk {
                bind(&mut arguments, seq)?;
                bind(&mut arguments, *text)?;
                seq += 1;
            }
            sqlx::query_with(AssertSqlSafe(sql), arguments)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    async fn write_rows(
        &mut self,
        connection: &mut AnyConnection,
        collapsed: &Collapsed,
    ) -> Result<(), sqlx::Error> {
        let table = collapsed.table;
        let rows: Vec<_> = collapsed.rows.values().collect();
        for chunk in chunks(&rows) {
            let sql = self.statement(table.name, chunk.len(), |rows, parameters| {
                table.upsert(rows, parameters)
            });
            let mut arguments = AnyArguments::default();
            for row in chunk {
                for (cell, column) in row.iter().zip(table.columns) {
                    match (cell, column.kind) {
                        (Cell::Int(value), _) => bind(&mut arguments, *value)?,
                        (Cell::Text(value), _) => bind(&mut arguments, value.as_str())?,
                        (Cell::Null, Kind::Int) => bind(&mut arguments, None::<i64>)?,
                        (Cell::Null, Kind::Text) => bind(&mut arguments, None::<String>)?,
                    }
                }
            }
            sqlx::query_with(AssertSqlSafe(sql), arguments)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// The text of a statement, made once for each number of rows.
    fn statement(
        &mut self,
        table: &'static str,
        rows: usize,
        make: impl FnOnce(usize, Parameters) -> String,
    ) -> Arc<str> {
        let parameters = self.store.parameters();
        let text = self
            .statements
            .entry((table, rows))
            .or_insert_with(|| make(rows, parameters).into());
        Arc::clone(text)
    }

    /// Signs the tree as it is now, and says whether everything is signed.
    async fn checkpoint(
        &self,
        connection: &mut AnyConnection,
        log: &mut Log,
        sign: Sign,
    ) -> Result<bool, LedgerError> {
        let size = log.size();
        // Whoever has another key leaves signing to those who have the log's.
        let is_ours = |key: &&SigningKey| log.signer == Some(key.public());
        let key = self.key.as_ref().filter(is_ours);
        let Some(key) = key.filter(|_| size > log.checkpoint_size) else {
            return Ok(true);
        };
        let now_us = self.clock.now_us();
        let is_due = now_us.abs_diff(log.checkpoint_us) >= CHECKPOINT_US;
        if sign == Sign::WhenDue && !is_due {
            return Ok(false);
        }
        let checkpoint = Checkpoint {
            origin: log.origin.clone(),
            size: log.frontier.size(),
            root: log.frontier.root(),
        };
        let note = checkpoint
            .sign(key)
            .map_err(|error| LedgerError::Inconsistent(error.to_string()))?;
        sqlx::query("INSERT INTO checkpoints (size, at_us, note, seal) VALUES ($1, $2, $3, $4)")
            .bind(size)
            .bind(now_us)
            .bind(note.to_string())
            .bind(CHECKPOINTS.seal(&[size.into(), now_us.into(), note.to_string().into()]))
            .execute(connection)
            .await
            .map_err(self.store.failed("write to"))?;
        log.checkpoint_size = size;
        log.checkpoint_us = now_us;
        Ok(true)
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// What can be worked out before the database is locked.
struct Prepared<'a> {
    texts: Vec<&'a str>,
    leaves: Vec<Hash>,
    events: Vec<Option<Event>>,
}

impl<'a> Prepared<'a> {
    fn new(batch: &Batch<'a>) -> Self {
        let texts = batch.texts.clone();
        let leaves = texts
            .iter()
            .map(|text| leaf_hash(text.as_bytes()))
            .collect();
        let events = texts.iter().map(|text| read_event(text)).collect();
        Self {
            texts,
            leaves,
            events,
        }
    }

    fn project(&self, first: i64) -> Projection {
        let mut projection = Projection::new();
        for (seq, event) in (first..).zip(&self.events) {
            if let Some(event) = event {
                projection.absorb(seq, event);
            }
        }
        projection
    }
}

/// An event that cannot be read is kept in the log and hashed, but has no part in the projections.
pub(crate) fn read_event(text: &str) -> Option<Event> {
    match Event::parse(text) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!(%error, "an event is kept without being understood");
            None
        }
    }
}

/// Moves a journal's position, and fails if somebody else has moved it.
async fn move_position(
    connection: &mut AnyConnection,
    position: Position<'_>,
) -> Result<bool, sqlx::Error> {
    const SQL: &str = "INSERT INTO journals (name, position, seal) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position, seal = excluded.seal
        WHERE journals.position = $4";
    let [from, to] =
        [position.from, position.to].map(|offset| i64::try_from(offset).unwrap_or(i64::MAX));
    let moved = sqlx::query(SQL)
        .bind(position.journal)
        .bind(to)
        .bind(JOURNALS.seal(&[position.journal.into(), to.into()]))
        .bind(from)
        .execute(connection)
        .await?;
    Ok(moved.rows_affected() == 1)
}

async fn position_of(
    connection: &mut AnyConnection,
    journal: &str,
) -> Result<Option<u64>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar("SELECT position FROM journals WHERE name = $1")
        .bind(journal)
        .fetch_optional(connection)
        .await?;
    Ok(position.and_then(|position| u64::try_from(position).ok()))
}

async fn forget_journals(
    connection: &mut AnyConnection,
    names: &[String],
) -> Result<(), sqlx::Error> {
    for name in names {
        sqlx::query("DELETE FROM journals WHERE name = $1")
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Splits rows into runs of powers of two, so that few different statements are prepared.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let power = rows.len().checked_ilog2()?;
        let (chunk, rest) = rows.split_at(MAX_ROWS.min(1 << power));
        rows = rest;
        Some(chunk)
    })
}

fn bind<'q, T>(arguments: &mut AnyArguments, value: T) -> Result<(), sqlx::Error>
where
    T: sqlx::Encode<'q, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    arguments.add(value).map_err(sqlx::Error::Encode)
}
