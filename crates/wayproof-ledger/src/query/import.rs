//! What an import asks: how far a log is read, what is recorded already, and what the gateway saw.
//!
//! Also pages of another program's SQLite file, because all SQL is in this crate; that file is only read.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments as _, AssertSqlSafe, Connection as _, Row as _};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::store::{Location, Store};

/// Names asked for at once.
const NAMES: usize = 64;

/// An import's key among advisory locks: "wpimport" in ASCII.
const LOCK: i64 = 0x7770_696d_706f_7274;

/// How far a log is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPosition {
    /// Where reading goes on.
    pub position: u64,
    /// What the reader has to remember.
    pub state: Option<String>,
}

/// An exchange that went through the gateway, as far as it can be recognized in an agent's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxied {
    /// Place of its first event.
    pub seq: i64,
    /// Whether it is over.
    pub is_settled: bool,
    /// The coding harness.
    pub agent: String,
    /// The conversation.
    pub session: Option<String>,
    /// The provider's name for it.
    pub provider_request_id: Option<String>,
    /// When it began.
    pub opened_us: i64,
    /// How long it took.
    pub total_us: i64,
    /// All input tokens, cached ones included.
    pub input: Option<i64>,
    /// All output tokens, reasoning included.
    pub output: Option<i64>,
}

/// The right to import into a ledger, until it is dropped.
#[derive(Debug)]
pub struct ImportTurn {
    /// Locked as long as it is open.
    _file: Option<File>,
    /// Holds an advisory lock.
    _connection: Option<AnyConnection>,
}

/// A row of opencode's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRow {
    /// The message.
    pub id: String,
    /// Its conversation.
    pub session: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
    /// The message as JSON.
    pub data: String,
}

impl Ledger {
    /// Takes the turn to import; refused while another import has it, so that nothing is recorded twice.
    pub async fn import_turn(&self) -> Result<ImportTurn, LedgerError> {
        let store = &self.0.store;
        let locked = || LedgerError::Locked {
            place: format!("{}, where another import runs", store.place()),
        };
        match store.location() {
            Location::Sqlite(directory) => {
                let path = directory.join("import.lock");
                let failed = |error| LedgerError::file("lock", &path, error);
                let file = File::create(&path).map_err(failed)?;
                file.try_lock().map_err(|error| match error {
                    std::fs::TryLockError::WouldBlock => locked(),
                    std::fs::TryLockError::Error(error) => failed(error),
                })?;
                Ok(ImportTurn {
                    _file: Some(file),
                    _connection: None,
                })
            }
            Location::Postgres(_) => {
                let mut connection = store.connect().await?;
                let is_ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                    .bind(LOCK)
                    .fetch_one(&mut connection)
                    .await
                    .map_err(store.failed("lock"))?;
                if !is_ours {
                    return Err(locked());
                }
                Ok(ImportTurn {
                    _file: None,
                    _connection: Some(connection),
                })
            }
        }
    }

    /// How far a file of an agent's logs is read.
    pub async fn log_position(
        &self,
        agent: &str,
        file: &str,
    ) -> Result<Option<LogPosition>, LedgerError> {
        let row = sqlx::query("SELECT position, state FROM import_files WHERE id = $1")
            .bind(format!("{agent}:{file}"))
            .fetch_optional(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        let read = |row: AnyRow| -> Result<LogPosition, sqlx::Error> {
            let position: i64 = row.try_get(0)?;
            Ok(LogPosition {
                position: u64::try_from(position).unwrap_or(0),
                state: row.try_get(1)?,
            })
        };
        row.map(|row| read(row).map_err(self.0.store.failed("read")))
            .transpose()
    }

    /// Which of these exchanges are recorded.
    pub async fn known_exchanges(&self, ids: &[String]) -> Result<BTreeSet<String>, LedgerError> {
        self.known("SELECT id FROM exchanges WHERE id IN", ids)
            .await
    }

    /// Of which of these sessions the directory is known.
    pub async fn placed_sessions(&self, ids: &[String]) -> Result<BTreeSet<String>, LedgerError> {
        let sql = "SELECT id FROM sessions WHERE cwd IS NOT NULL AND id IN";
        self.known(sql, ids).await
    }

    async fn known(&self, sql: &str, ids: &[String]) -> Result<BTreeSet<String>, LedgerError> {
        let mut found = BTreeSet::new();
        for chunk in ids.chunks(NAMES) {
            let marks: Vec<_> = (1..=chunk.len()).map(|at| format!("${at}")).collect();
            let sql = format!("{sql} ({})", marks.join(", "));
            let mut arguments = AnyArguments::default();
            let bound = chunk.iter().try_for_each(|id| arguments.add(id.clone()));
            let rows: Result<Vec<String>, _> = match bound {
                Ok(()) => {
                    sqlx::query_scalar_with(AssertSqlSafe(sql), arguments)
                        .fetch_all(&self.0.readers)
                        .await
                }
                Err(error) => Err(sqlx::Error::Encode(error)),
            };
            found.extend(rows.map_err(self.0.store.failed("read"))?);
        }
        Ok(found)
    }

    /// Exchanges of the gateway from a place of the log on, oldest first.
    pub async fn proxied(&self, from: i64, limit: u32) -> Result<Vec<Proxied>, LedgerError> {
        const SQL: &str =
            "SELECT seq, settled_seq, agent, session, provider_request_id, opened_us, total_us,
                input, COALESCE(cache_read, 0) + COALESCE(cache_write, 0), output, reasoning
            FROM exchanges WHERE seq >= $1 AND imported IS NULL ORDER BY seq LIMIT $2";
        let rows = sqlx::query(SQL)
            .bind(from)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        rows.iter()
            .map(|row| proxied(row).map_err(self.0.store.failed("read")))
            .collect()
    }
}

fn proxied(row: &AnyRow) -> Result<Proxied, sqlx::Error> {
    let (settled, agent, total): (Option<i64>, Option<String>, Option<i64>) =
        (row.try_get(1)?, row.try_get(2)?, row.try_get(6)?);
    let (input, cached): (Option<i64>, i64) = (row.try_get(7)?, row.try_get(8)?);
    let (output, reasoning): (Option<i64>, Option<i64>) = (row.try_get(9)?, row.try_get(10)?);
    Ok(Proxied {
        seq: row.try_get(0)?,
        is_settled: settled.is_some(),
        agent: agent.unwrap_or_default(),
        session: row.try_get(3)?,
        provider_request_id: row.try_get(4)?,
        opened_us: row.try_get(5)?,
        total_us: total.unwrap_or(0),
        input: input.map(|input| input.saturating_add(cached)),
        output: output.map(|output| output.saturating_add(reasoning.unwrap_or(0))),
    })
}

/// Messages of opencode's database that changed after a time, oldest change first.
pub async fn opencode_messages(
    file: &Path,
    after_ms: i64,
    limit: u32,
) -> Result<Vec<ForeignRow>, LedgerError> {
    const SQL: &str = "SELECT id, session_id, time_created, time_updated, data FROM message
        WHERE time_updated > $1 AND time_updated <= (
            SELECT MAX(time_updated) FROM (
                SELECT time_updated FROM message WHERE time_updated > $1 ORDER BY time_updated LIMIT $2) AS page)
        ORDER BY time_updated, id";
    let place = file.display().to_string();
    let failed = |error| LedgerError::database("read", &place, error);
    let mut connection = Store::open_foreign(file).await?;
    let rows = sqlx::query(SQL)
        .bind(after_ms)
        .bind(i64::from(limit))
        .fetch_all(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    rows.iter()
        .map(|row| {
            let read = || {
                Ok(ForeignRow {
                    id: row.try_get(0)?,
                    session: row.try_get(1)?,
                    created_ms: row.try_get(2)?,
                    updated_ms: row.try_get(3)?,
                    data: row.try_get(4)?,
                })
            };
            read().map_err(failed)
        })
        .collect()
}
