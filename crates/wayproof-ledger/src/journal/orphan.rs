//! Journals whose process is gone, read back whole and checked.
//!
//! Torn tails are left out: a loss of power came before they were on the disk. Damage to what had been on the disk is
//! an error and never passed over. What to do with the events is not decided here.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::segment::{self, HEADER_BYTES, Name};
use super::{lock_path, sync_directory};
use crate::error::LedgerError;
use crate::frame::{self, Extent};

/// A journal without a process, held by its lock.
#[derive(Debug)]
pub(crate) struct Orphan {
    directory: PathBuf,
    owner: Uuid,
    segments: Vec<Name>,
    _lock: Option<File>,
}

/// A segment read back.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The segment's file.
    pub(crate) path: PathBuf,
    /// Its nonce.
    pub(crate) nonce: u64,
    /// Its bytes up to the end of the last whole frame.
    pub(crate) bytes: Vec<u8>,
}

/// Finds the journals in a directory whose process is gone, and keeps others from taking them.
pub(crate) fn find_orphans(directory: &Path) -> Result<Vec<Orphan>, LedgerError> {
    let failed = |error| LedgerError::file("read", directory, error);
    let mut owners: BTreeMap<Uuid, Vec<Name>> = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let file_name = entry.map_err(failed)?.file_name();
        let Some(file_name) = file_name.to_str() else {
            continue;
        };
        if let Some(name) = Name::parse(file_name) {
            owners.entry(name.owner).or_default().push(name);
        } else if let Some(owner) = owner_of(file_name) {
            owners.entry(owner).or_default();
        }
    }
    let mut orphans = Vec::new();
    for (owner, mut segments) in owners {
        if let Some(lock) = try_take(directory, owner)? {
            segments.sort();
            orphans.push(Orphan {
                directory: directory.to_owned(),
                owner,
                segments,
                _lock: lock,
            });
        }
    }
    Ok(orphans)
}

/// The owner of a lock file or a spare file.
fn owner_of(file_name: &str) -> Option<Uuid> {
    let stem = match file_name.strip_suffix(".spare") {
        Some(stem) => stem.split('-').next()?,
        None => file_name.strip_suffix(".lock")?,
    };
    Uuid::try_parse(stem).ok()
}

/// Takes the lock of an owner that is gone; `None` if the owner lives or somebody else was faster.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether the journal is ours, the inner one is its lock"
)]
fn try_take(directory: &Path, owner: Uuid) -> Result<Option<Option<File>>, LedgerError> {
    let path = lock_path(directory, owner);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        // The lock file goes last, so without one there is nobody to ask.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
        Err(error) => return Err(LedgerError::file("open", &path, error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Some(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(LedgerError::file("lock", &path, error)),
    }
}

impl Orphan {
    /// Reads the segments one after the other, oldest first, and checks that nothing acknowledged is broken.
    pub(crate) fn recovered(&self) -> impl Iterator<Item = Result<Recovered, LedgerError>> {
        let mut previous: Option<(PathBuf, u64)> = None;
        self.segments
            .iter()
            .filter_map(move |name| self.read(name, &mut previous).transpose())
    }

    fn read(
        &self,
        name: &Name,
        previous: &mut Option<(PathBuf, u64)>,
    ) -> Result<Option<Recovered>, LedgerError> {
        let path = self.directory.join(name.file_name());
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // Somebody who held the lock before has finished with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::file("read", &path, error)),
        };
        let end = whole_end(&path, &bytes, name.nonce)?;
        if let (Some((path, end)), Some(expected @ 1..)) =
            (previous.as_ref(), segment::read_header(&bytes, name.nonce))
        {
            // The segment after knows where the one before ended.
            if *end != expected {
                return Err(LedgerError::JournalDamaged {
                    path: path.clone(),
                    offset: expected.min(*end),
                });
            }
        }
        *previous = Some((path.clone(), end as u64));
        bytes.truncate(end);
        Ok(Some(Recovered {
            path,
            nonce: name.nonce,
            bytes,
        }))
    }

    /// Deletes the files, once the database holds their content durably.
    pub(crate) fn remove(self) -> Result<Vec<PathBuf>, LedgerError> {
        let mut removed = Vec::new();
        for name in &self.segments {
            let path = self.directory.join(name.file_name());
            remove_if_there(&path)?;
            remove_if_there(&path.with_extension("spare"))?;
            removed.push(path);
        }
        self.remove_spares()?;
        sync_directory(&self.directory)?;
        remove_if_there(&lock_path(&self.directory, self.owner))?;
        Ok(removed)
    }

    fn remove_spares(&self) -> Result<(), LedgerError> {
        let failed = |error| LedgerError::file("read", &self.directory, error);
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file_name = entry.file_name();
            let spare = file_name.to_str().filter(|name| name.ends_with(".spare"));
            if spare.and_then(owner_of) == Some(self.owner) {
                remove_if_there(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// Where the whole frames of a segment end.
fn whole_end(path: &Path, bytes: &[u8], nonce: u64) -> Result<usize, LedgerError> {
    let start = usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX);
    let extent = if segment::read_header(bytes, nonce).is_some() {
        frame::extent(bytes, start, nonce)
    } else if frame::told_durable(bytes, 0, nonce) > 0 {
        // The header reaches the disk together with the first frames.
        Extent::Damaged(0)
    } else {
        Extent::Whole(start)
    };
    match extent {
        Extent::Whole(end) => Ok(end),
        Extent::Damaged(at) => Err(LedgerError::JournalDamaged {
            path: path.to_owned(),
            offset: at as u64,
        }),
    }
}

fn remove_if_there(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LedgerError::file("remove", path, error))
        }
        _ => Ok(()),
    }
}
