//! Copies of an embedded ledger in one file, and ledgers made from them. Neither counts before it is verified.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::Connection as _;
use wayproof_receipt::PublicKey;

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::store::{Location, Store};
use crate::verify::{Report, verify};

/// The database's name in its directory.
const DATABASE: &str = "ledger.db";

impl Ledger {
    /// Copies everything recorded until now into one new file, while the ledger is in use, and verifies the copy.
    ///
    /// Events that another process has acknowledged within the last second may not be in it.
    pub async fn backup(&self, file: &Path) -> Result<Report, LedgerError> {
        let store = &self.0.store;
        if let Location::Postgres(_) = store.location() {
            return Err(not_embedded());
        }
        refuse_existing(file)?;
        self.flush().await?;
        let beside = Beside::new(file)?;
        let copy = beside.database();
        let text = copy.to_str().ok_or_else(|| LedgerError::BadLocation {
            given: copy.display().to_string(),
        })?;
        let mut connection = store.connect().await?;
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(text.to_owned())
            .execute(&mut connection)
            .await;
        copied.map_err(store.failed("copy"))?;
        connection.close().await.map_err(store.failed("close"))?;
        let report = beside.verify(self.0.log_key.as_ref()).await?;
        if report.is_whole() {
            beside.publish(file)?;
        }
        Ok(report)
    }

    /// Makes a ledger from a copy, in a directory without one, once the copy is verified.
    ///
    /// With `replace` a ledger that is there is set aside first, and the place it went to is returned.
    pub async fn restore(
        file: &Path,
        directory: &Path,
        key: Option<&PublicKey>,
        replace: bool,
    ) -> Result<(Report, Option<PathBuf>), LedgerError> {
        fs::create_dir_all(directory)
            .map_err(|error| LedgerError::file("create", directory, error))?;
        let target = directory.join(DATABASE);
        if !replace {
            refuse_existing(&target)?;
        }
        let beside = Beside::new(&target)?;
        fs::copy(file, beside.database())
            .map_err(|error| LedgerError::file("read", file, error))?;
        let report = beside.verify(key).await?;
        if !report.is_whole() {
            return Ok((report, None));
        }
        refuse_in_use(&directory.join("journal"))?;
        let aside = set_aside(directory)?;
        beside.publish(&target)?;
        Ok((report, aside))
    }
}

fn not_embedded() -> LedgerError {
    let why = "a copy in one file is made of an embedded ledger; PostgreSQL has pg_dump";
    LedgerError::BadLocation {
        given: why.to_owned(),
    }
}

fn refuse_existing(file: &Path) -> Result<(), LedgerError> {
    let there = io::Error::new(io::ErrorKind::AlreadyExists, "it exists");
    match fs::symlink_metadata(file) {
        Ok(_) => Err(LedgerError::file("write", file, there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(LedgerError::file("write", file, error)),
    }
}

/// A process that uses the ledger holds its journal's files locked.
fn refuse_in_use(journal: &Path) -> Result<(), LedgerError> {
    let entries = match fs::read_dir(journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| LedgerError::file("read", journal, error))?,
    };
    for entry in entries {
        let path = entry
            .map_err(|error| LedgerError::file("read", journal, error))?
            .path();
        let file = File::open(&path).map_err(|error| LedgerError::file("read", &path, error))?;
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(LedgerError::Locked {
                place: journal.display().to_string(),
            });
        }
    }
    Ok(())
}

/// Moves a ledger's files into a folder of their own; none are there in a new directory.
fn set_aside(directory: &Path) -> Result<Option<PathBuf>, LedgerError> {
    let names = [DATABASE, "ledger.db-wal", "ledger.db-shm", "journal"];
    let there: Vec<_> = names
        .iter()
        .map(|name| directory.join(name))
        .filter(|path| path.exists())
        .collect();
    if there.is_empty() {
        return Ok(None);
    }
    let mut number = 1;
    let aside = loop {
        let aside = directory.join(format!("replaced-{number}"));
        match fs::create_dir(&aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(LedgerError::file("create", &aside, error)),
        }
    };
    for path in there {
        let name = path.file_name().unwrap_or_default();
        fs::rename(&path, aside.join(name))
            .map_err(|error| LedgerError::file("move", &path, error))?;
    }
    Ok(Some(aside))
}

/// A directory beside a file that is to be, on the same file system; gone when this is.
struct Beside {
    directory: PathBuf,
}

impl Beside {
    fn new(file: &Path) -> Result<Self, LedgerError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let directory = file.with_file_name(format!(".{name}.{}.making", std::process::id()));
        fs::create_dir(&directory)
            .map_err(|error| LedgerError::file("create", &directory, error))?;
        Ok(Self { directory })
    }

    fn database(&self) -> PathBuf {
        self.directory.join(DATABASE)
    }

    async fn verify(&self, key: Option<&PublicKey>) -> Result<Report, LedgerError> {
        let store = Store::new(&Location::Sqlite(self.directory.clone()))?;
        // A copy that an older version made is brought up to date like any ledger; one that is none fails here.
        if !self.database().is_file() {
            return Err(LedgerError::file(
                "read",
                &self.database(),
                io::ErrorKind::NotFound.into(),
            ));
        }
        store.migrate().await?;
        crate::fold::Folder::new(store.clone(), crate::clock::Clock::system(), None)
            .rebuild_and_close()
            .await?;
        verify(&store, key.into(), &|_, _| {}).await
    }

    /// Gives the database its name, on the disk before this returns.
    fn publish(&self, file: &Path) -> Result<(), LedgerError> {
        let database = self.database();
        let wal = self.directory.join("ledger.db-wal");
        if fs::metadata(&wal).is_ok_and(|about| about.len() > 0) {
            let why = "the copy is not in one file".to_owned();
            return Err(LedgerError::Inconsistent(why));
        }
        let failed = |error| LedgerError::file("write", file, error);
        File::open(&database)
            .and_then(|made| made.sync_all())
            .map_err(failed)?;
        fs::rename(&database, file).map_err(failed)?;
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way.
        drop(fs::remove_dir_all(&self.directory));
    }
}
