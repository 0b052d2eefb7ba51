//! The two databases every test runs on.

use std::path::PathBuf;

use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;
use wayproof_ledger::{Clock, Ledger, LedgerError, Location};
use wayproof_testkit::Postgres;

use crate::fixture::{NOON_US, key};

/// A place for a ledger that goes away with this value.
pub(crate) struct Place {
    pub(crate) location: Location,
    /// Stopped before its directory goes.
    server: Option<Postgres>,
    directory: TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let location = Location::Sqlite(directory.path().join("data"));
        Self {
            location,
            directory,
            server: None,
        }
    }

    pub(crate) fn postgres() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let server = Postgres::create(directory.path()).expect("a server");
        let location = Location::Postgres(server.url());
        Self {
            location,
            directory,
            server: Some(server),
        }
    }

    pub(crate) async fn open(&self) -> Ledger {
        self.try_open().await.expect("the ledger opens")
    }

    pub(crate) async fn try_open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(self.location.clone(), Clock::fixed(NOON_US), Some(key())).await
    }

    /// Opens it at another time.
    pub(crate) async fn open_at(&self, now_us: i64) -> Ledger {
        Ledger::open(self.location.clone(), Clock::fixed(now_us), Some(key()))
            .await
            .expect("the ledger opens")
    }

    /// Changes the database behind the ledger's back.
    pub(crate) async fn sql(&self, statement: &str) {
        let mut connection = AnyConnection::connect(&self.url())
            .await
            .expect("connected");
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .expect("the statement runs");
        connection.close().await.expect("closed");
    }

    fn url(&self) -> String {
        match &self.location {
            Location::Sqlite(directory) => {
                format!("sqlite://{}", directory.join("ledger.db").display())
            }
            Location::Postgres(url) => url.clone(),
        }
    }

    /// Stops the database server as a crash would, and starts it again.
    pub(crate) fn restart(&self) {
        self.stop();
        self.start();
    }

    /// Stops the database server as a crash would.
    pub(crate) fn stop(&self) {
        let server = self.server.as_ref().expect("a server");
        server.stop().expect("stopped");
    }

    /// Starts the database server again.
    pub(crate) fn start(&self) {
        let server = self.server.as_ref().expect("a server");
        server.start().expect("started");
    }

    /// The ledger's own directory (SQLite).
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

/// Runs one test on both databases, under its own name for each.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::engine::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::engine::Place::postgres()).await;
            })*
        }
    };
}
