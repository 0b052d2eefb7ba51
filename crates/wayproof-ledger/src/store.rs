//! The database behind a ledger: one SQL text on SQLite and on PostgreSQL.
//!
//! What differs between the two is kept here: addresses, the pragmas of SQLite, how a writing transaction begins and
//! the spelling of a primary key. Nothing here knows what the tables mean.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor, SqlSafeStr,
};

use crate::clock::Clock;
use crate::error::LedgerError;
use crate::table::Parameters;

/// Where a ledger is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory with an embedded database and its journals.
    Sqlite(PathBuf),
    /// A PostgreSQL server, as a URL.
    Postgres(String),
}

impl Location {
    /// Reads a place as settings give it: a directory, `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let bad = || LedgerError::BadLocation {
            given: hide_password(text),
        };
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            AnyConnectOptions::from_str(text).map_err(|_| bad())?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
            .unwrap_or(text);
        if path.is_empty() || path.contains("://") {
            return Err(bad());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(directory) => write!(f, "{}", directory.display()),
            Self::Postgres(url) => f.write_str(&hide_password(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A URL without what stands between the user's colon and the at sign.
fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((login, place)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = login.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

/// Readers that may be open at once.
const MAX_READERS: u32 = 4;

/// How to reach a ledger's database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    options: AnyConnectOptions,
    location: Location,
    is_read_only: bool,
}

impl Store {
    /// Finds the database; for SQLite the directory is made.
    pub(crate) fn new(location: &Location) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let url = match location {
            Location::Sqlite(directory) => {
                fs::create_dir_all(directory)
                    .map_err(|error| LedgerError::file("create", directory, error))?;
                sqlite_url(&directory.join("ledger.db"))?
            }
            Location::Postgres(url) => url.clone(),
        };
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| LedgerError::BadLocation {
                given: location.to_string(),
            })?
            .disable_statement_logging();
        Ok(Self {
            options,
            location: location.clone(),
            is_read_only: false,
        })
    }

    /// The same without a way to change anything. An embedded database must be there.
    pub(crate) fn read_only(mut self) -> Result<Self, LedgerError> {
        if let Location::Sqlite(directory) = &self.location {
            let file = directory.join("ledger.db");
            fs::metadata(&file).map_err(|error| LedgerError::file("read", &file, error))?;
            let wal = directory.join("ledger.db-wal");
            let has_wal = fs::metadata(&wal).is_ok_and(|about| about.len() > 0);
            let mode = if has_wal {
                "?mode=ro"
            } else {
                "?mode=ro&immutable=true"
            };
            let url = sqlite_url(&file)?.replace("?mode=rwc", mode);
            self.options = AnyConnectOptions::from_str(&url)
                .map_err(|_| LedgerError::BadLocation {
                    given: self.location.to_string(),
                })?
                .disable_statement_logging();
            self.is_read_only = true;
        }
        Ok(self)
    }

    /// Where the ledger is.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Where the ledger is, for messages.
    pub(crate) fn place(&self) -> String {
        self.location.to_string()
    }

    /// Gives an error of the database its sentence.
    pub(crate) fn failed(
        &self,
        doing: &'static str,
    ) -> impl FnOnce(sqlx::Error) -> LedgerError + use<> {
        let place = self.place();
        move |error| LedgerError::database(doing, &place, error)
    }

    /// A connection of its own, for the one who writes.
    pub(crate) async fn connect(&self) -> Result<AnyConnection, LedgerError> {
        let mut connection = self.options.connect().await.map_err(self.failed("open"))?;
        if let (Location::Sqlite(_), false) = (&self.location, self.is_read_only) {
            set_up_sqlite(&mut connection)
                .await
                .map_err(self.failed("open"))?;
        }
        Ok(connection)
    }

    /// A connection to another program's SQLite file, which is not changed.
    pub(crate) async fn open_foreign(file: &Path) -> Result<AnyConnection, LedgerError> {
        sqlx::any::install_default_drivers();
        let url = sqlite_url(file)?.replace("?mode=rwc", "?mode=ro");
        let place = file.display().to_string();
        let options = AnyConnectOptions::from_str(&url).map_err(|_| LedgerError::BadLocation {
            given: place.clone(),
        })?;
        options
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|error| LedgerError::database("open", &place, error))
    }

    /// Connections for those who read, opened as they are needed.
    pub(crate) fn readers(&self) -> AnyPool {
        let is_sqlite = matches!(self.location, Location::Sqlite(_));
        AnyPoolOptions::new()
            .max_connections(MAX_READERS)
            .idle_timeout(Duration::from_secs(30))
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        set_up_sqlite(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// The statement that begins a transaction that will write.
    ///
    /// SQLite takes its write lock at once, so that a busy ledger is waited for instead of failing half way.
    pub(crate) fn begin(&self) -> &'static str {
        match self.location {
            Location::Sqlite(_) => "BEGIN IMMEDIATE",
            Location::Postgres(_) => "BEGIN",
        }
    }

    /// How long lists of parameters are spelled.
    pub(crate) fn parameters(&self) -> Parameters {
        match self.location {
            Location::Sqlite(_) => Parameters::InOrder,
            Location::Postgres(_) => Parameters::Numbered,
        }
    }

    /// How many of the rows have something that is no text in one of these columns. PostgreSQL has only texts there;
    /// SQLite keeps in each value what it is, and a single bit makes bytes of a text.
    pub(crate) fn count_of_no_texts(&self, columns: &[&str]) -> String {
        format!(
            "CAST(COALESCE(SUM({}), 0) AS BIGINT)",
            self.is_no_text(columns)
        )
    }

    /// 1 for a row with something that is no text in one of these columns, else 0.
    pub(crate) fn is_no_text(&self, columns: &[&str]) -> String {
        if let Location::Postgres(_) = self.location {
            return "CAST(0 AS BIGINT)".to_owned();
        }
        let tests: Vec<_> = columns
            .iter()
            .map(|name| format!("{name} >= x''"))
            .collect();
        format!("CASE WHEN {} THEN 1 ELSE 0 END", tests.join(" OR "))
    }

    /// The statement that begins a transaction that reads one state throughout.
    pub(crate) fn begin_snapshot(&self) -> &'static str {
        match self.location {
            Location::Sqlite(_) => "BEGIN",
            Location::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// The first thing that the database itself finds wrong with its structure: pages, indices, free space.
    ///
    /// Only an embedded database is looked into; a server keeps its own files.
    pub(crate) async fn own_finding(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Option<String>, LedgerError> {
        if let Location::Postgres(_) = self.location {
            return Ok(None);
        }
        let finding: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
            .fetch_one(connection)
            .await
            .map_err(self.failed("check"))?;
        Ok(Some(finding).filter(|finding| finding != "ok"))
    }

    /// The time that all who share the ledger go by: a server's own clock, else this machine's.
    pub(crate) async fn now_us(
        &self,
        connection: &mut AnyConnection,
        clock: &Clock,
    ) -> Result<i64, sqlx::Error> {
        const SQL: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";
        if let Location::Sqlite(_) = self.location {
            return Ok(clock.now_us());
        }
        sqlx::query_scalar(SQL).fetch_one(connection).await
    }

    /// Brings the schema up to date; several processes may try at once.
    pub(crate) async fn migrate(&self) -> Result<(), LedgerError> {
        let _turn = self.take_turn()?;
        let mut connection = self.connect().await?;
        self.migrate_on(&mut connection).await?;
        connection.close().await.map_err(self.failed("set up"))
    }

    /// Brings the schema behind a connection up to date.
    pub(crate) async fn migrate_on(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<(), LedgerError> {
        let migrator = Migrator {
            migrations: self.migrations().into(),
            ..Migrator::DEFAULT
        };
        migrator
            .run(connection)
            .await
            .map_err(|error| LedgerError::migration(&self.place(), error))
    }

    fn take_turn(&self) -> Result<Option<File>, LedgerError> {
        let Location::Sqlite(directory) = &self.location else {
            return Ok(None);
        };
        let path = directory.join("migrate.lock");
        let failed = |error| LedgerError::file("lock", &path, error);
        let file = File::create(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Some(file))
    }

    /// Takes out of SQLite's files what was deleted: pages keep remains of what they once held, and the write-ahead
    /// log the pages as they were.
    pub(crate) async fn scrub(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if let Location::Sqlite(_) = self.location {
            for sql in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                connection.execute(sql).await?;
            }
        }
        Ok(())
    }

    /// Every migration, oldest first.
    pub(crate) fn migrations(&self) -> Vec<Migration> {
        let texts = [
            (1, "ledger", include_str!("../migrations/0001_ledger.sql")),
            (2, "books", include_str!("../migrations/0002_books.sql")),
            (3, "usage", include_str!("../migrations/0003_usage.sql")),
            (4, "pages", include_str!("../migrations/0004_pages.sql")),
            (5, "seals", include_str!("../migrations/0005_seals.sql")),
            (6, "pruned", include_str!("../migrations/0006_pruned.sql")),
            (7, "reviews", include_str!("../migrations/0007_reviews.sql")),
            (8, "spend", include_str!("../migrations/0008_spend.sql")),
            (9, "signer", include_str!("../migrations/0009_signer.sql")),
            (
                10,
                "callers",
                include_str!("../migrations/0010_callers.sql"),
            ),
            (11, "orders", include_str!("../migrations/0011_orders.sql")),
            (12, "kept", include_str!("../migrations/0012_kept.sql")),
        ];
        texts
            .map(|(version, name, sql)| self.migration(version, name, sql))
            .into()
    }

    /// One text for both: the checksum is the text's, whatever SQLite's spelling makes of it.
    fn migration(&self, version: i64, name: &'static str, sql: &'static str) -> Migration {
        let mut migration = Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        );
        if let Location::Sqlite(_) = self.location {
            let spelled = sql
                .replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
                .replace("/* kept in the order of its key */", "WITHOUT ROWID");
            migration.sql = AssertSqlSafe(spelled).into_sql_str();
        }
        migration
    }
}

/// The journal carries durability, so SQLite syncs only at its checkpoints. Caches are small: memory is bounded.
async fn set_up_sqlite(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    const PRAGMAS: &str = "PRAGMA page_size = 8192;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA wal_autocheckpoint = 2000;
        PRAGMA busy_timeout = 3000;
        PRAGMA cache_size = -2048;
        PRAGMA temp_store = MEMORY;
        PRAGMA journal_size_limit = 16777216";
    connection.execute(PRAGMAS).await.map(|_| ())
}

fn sqlite_url(file: &Path) -> Result<String, LedgerError> {
    let absolute =
        std::path::absolute(file).map_err(|error| LedgerError::file("find", file, error))?;
    let path = absolute.to_str().ok_or_else(|| LedgerError::BadLocation {
        given: file.display().to_string(),
    })?;
    let mut url = String::from("sqlite://");
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => url.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]),
        }
    }
    url.push_str("?mode=rwc");
    Ok(url)
}

/// An upper-case digit of a hexadecimal number.
fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}
