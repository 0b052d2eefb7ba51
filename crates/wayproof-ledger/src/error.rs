//! What can go wrong with a ledger, one clear sentence each.
//!
//! Reasons of the operating system and of the databases are sorted into the few that a person can act on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::MigrateError;

use crate::record::RecordError;

/// Why a ledger cannot be opened, read or brought up to date.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The place given is not one a ledger can be at.
    #[error(
        "`{given}` is not a place for a ledger: give a directory, sqlite:PATH or postgres://USER@HOST/DATABASE"
    )]
    BadLocation {
        /// What was given, without a password.
        given: String,
    },
    /// Another program keeps the database to itself.
    #[error("the ledger at {place} is locked by another program")]
    Locked {
        /// Which ledger.
        place: String,
    },
    /// The database's file does not hold what it should.
    #[error("the ledger at {place} is corrupt: {detail}")]
    Corrupt {
        /// Which ledger.
        place: String,
        /// What the database says.
        detail: String,
    },
    /// A journal is broken where events had been acknowledged.
    #[error("the journal {} is damaged at byte {offset}, and events behind it had been acknowledged", path.display())]
    JournalDamaged {
        /// The journal's file.
        path: PathBuf,
        /// The first byte that is wrong.
        offset: u64,
    },
    /// No room left.
    #[error("the disk of the ledger at {place} is full")]
    DiskFull {
        /// Which ledger.
        place: String,
    },
    /// No right to write.
    #[error("the ledger at {place} cannot be written: it is read-only for this user")]
    ReadOnly {
        /// Which ledger.
        place: String,
    },
    /// A later version made this ledger.
    #[error("the ledger at {place} was made by a newer version of Wayproof (schema {found})")]
    NewerSchema {
        /// Which ledger.
        place: String,
        /// Its schema.
        found: i64,
    },
    /// The database server does not let us in.
    #[error("the ledger at {place} cannot be reached: {detail}")]
    Unreachable {
        /// Which ledger.
        place: String,
        /// What the server or the network says.
        detail: String,
    },
    /// The log has a key already, and it is another one.
    #[error(
        "the ledger at {place} is signed with the key {signer}, and the key given is {given}: copy keys/ledger from \
         the data directory of a gateway that signs it into this one's; if that key is lost, `wayproof ledger rekey` \
         makes this one its key"
    )]
    OtherSigner {
        /// Which ledger.
        place: String,
        /// Whose signature its checkpoints carry.
        signer: String,
        /// The key it was opened with.
        given: String,
    },
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
    /// The record is not one the ledger takes.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A file could not be read or written for another reason.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system says.
        source: Arc<io::Error>,
    },
    /// The database failed for another reason.
    #[error("cannot {doing} the ledger at {place}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Which ledger.
        place: String,
        /// What the database says.
        source: Arc<sqlx::Error>,
    },
    /// It is not done, and this is why.
    #[error("{0}")]
    Refused(String),
    /// What the ledger holds contradicts itself.
    #[error("the ledger contradicts itself: {0}")]
    Inconsistent(String),
}

/// Why an event was not recorded. Nothing acknowledged earlier is affected.
pub type AppendError = LedgerError;

impl LedgerError {
    /// Sorts an error of the file system.
    pub(crate) fn file(doing: &'static str, path: &Path, error: io::Error) -> Self {
        let place = || path.display().to_string();
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull { place: place() },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { place: place() }
            }
            _ => Self::File {
                doing,
                path: path.to_owned(),
                source: Arc::new(error),
            },
        }
    }

    /// Sorts an error of the database.
    pub(crate) fn database(doing: &'static str, place: &str, error: sqlx::Error) -> Self {
        let place = place.to_owned();
        match cause(&error) {
            Cause::Locked => Self::Locked { place },
            Cause::Corrupt => Self::Corrupt {
                place,
                detail: error_text(&error),
            },
            Cause::Full => Self::DiskFull { place },
            Cause::ReadOnly => Self::ReadOnly { place },
            Cause::Unreachable => Self::Unreachable {
                place,
                detail: error_text(&error),
            },
            Cause::Other => Self::Database {
                doing,
                place,
                source: Arc::new(error),
            },
        }
    }

    /// Sorts an error of bringing the schema up to date.
    pub(crate) fn migration(place: &str, error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(found) => Self::NewerSchema {
                place: place.to_owned(),
                found,
            },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::database("set up", place, error)
            }
            other => Self::Corrupt {
                place: place.to_owned(),
                detail: other.to_string(),
            },
        }
    }
}

enum Cause {
    Locked,
    Corrupt,
    Full,
    ReadOnly,
    Unreachable,
    Other,
}

fn cause(error: &sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(error) => error
            .code()
            .map_or(Cause::Other, |code| cause_of_code(&code)),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => Cause::Unreachable,
        _ => Cause::Other,
    }
}

/// SQLite's result codes (the low byte is the primary one) and PostgreSQL's five-letter states.
fn cause_of_code(code: &str) -> Cause {
    match code {
        "53100" => return Cause::Full,
        "25006" | "42501" => return Cause::ReadOnly,
        "28000" | "28P01" | "3D000" | "53300" | "57P01" | "57P02" | "57P03" => {
            return Cause::Unreachable;
        }
        "XX001" | "XX002" => return Cause::Corrupt,
        "55P03" => return Cause::Locked,
        _ => {}
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) if code.len() < 5 => Cause::Locked,
        Ok(11 | 26) if code.len() < 5 => Cause::Corrupt,
        Ok(13) if code.len() < 5 => Cause::Full,
        Ok(3 | 8 | 14) if code.len() < 5 => Cause::ReadOnly,
        _ => Cause::Other,
    }
}

fn error_text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
