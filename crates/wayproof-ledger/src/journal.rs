//! The write-ahead journal of one process: what it acknowledged before the database has it.
//!
//! A journal is a row of segments of fixed size, written in full beforehand so that making events durable changes no
//! file length, and used again once the database holds their content. The directory tells whose they are: each owner
//! holds the lock on `OWNER.lock`; segments of an owner whose lock is free are orphans, taken over on the next open.
//! The journal knows nothing about what events mean.

mod orphan;
mod segment;

use std::fs::{self, File};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

pub(crate) use orphan::find_orphans;
pub(crate) use segment::HEADER_BYTES;
pub(crate) use segment::{Segment, Unsynced};

use crate::error::LedgerError;

/// Files kept for another use once their content is in the database.
const MAX_SPARES: usize = 2;

/// How far a segment is written; the reader follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The segment's file.
    pub(crate) path: PathBuf,
    /// Its nonce.
    pub(crate) nonce: u64,
    /// Everything before this byte is on the disk.
    pub(crate) end: u64,
    /// Nothing will follow.
    pub(crate) is_sealed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    written: Vec<Written>,
    spares: Vec<PathBuf>,
    /// Held as long as somebody writes or reads this journal; a process that dies lets go of it.
    #[expect(dead_code, reason = "it is there to be held")]
    lock: Option<File>,
}

/// What the writer has made durable, for the one who brings it into the database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Shared>>);

impl Progress {
    /// The segments not yet forgotten, oldest first.
    pub(crate) fn written(&self) -> Vec<Written> {
        self.lock().written.clone()
    }

    /// Takes segments out of use whose content the database holds durably. Their files are kept as spares or
    /// deleted, and when this returns no open will ever find them again.
    pub(crate) fn retire(&self, paths: &[PathBuf]) -> Result<(), LedgerError> {
        for path in paths {
            let has_room = self.lock().spares.len() < MAX_SPARES;
            if has_room {
                let spare = path.with_extension("spare");
                fs::rename(path, &spare)
                    .map_err(|error| LedgerError::file("rename", path, error))?;
                self.lock().spares.push(spare);
            } else {
                fs::remove_file(path).map_err(|error| LedgerError::file("remove", path, error))?;
            }
            self.lock().written.retain(|written| written.path != *path);
        }
        match paths.first().and_then(|path| path.parent()) {
            Some(directory) => sync_directory(directory),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing end of this process's journal: it opens segments and syncs them.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    owner: Uuid,
    segment_bytes: u64,
    opened: u32,
    progress: Progress,
}

impl Journal {
    /// Takes a place in the directory; files are made when the first event comes.
    pub(crate) fn open(
        directory: &Path,
        owner: Uuid,
        segment_bytes: u64,
    ) -> Result<Self, LedgerError> {
        fs::create_dir_all(directory)
            .map_err(|error| LedgerError::file("create", directory, error))?;
        let lock = take_lock(directory, owner)?;
        Ok(Self {
            directory: directory.to_owned(),
            owner,
            segment_bytes,
            opened: 0,
            progress: Progress(Arc::new(Mutex::new(Shared {
                lock: Some(lock),
                ..Shared::default()
            }))),
        })
    }

    /// What is on the disk, for the reader.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Makes durable what was written to a segment, and says so to the reader.
    pub(crate) fn sync(&self, unsynced: &Unsynced, is_last: bool) -> Result<(), LedgerError> {
        if let Err(error) = unsynced.sync() {
            // After a failed sync nobody knows what the disk holds: never write to this file again.
            unsynced.abandon();
            self.publish(&unsynced.path, unsynced.from, true);
            return Err(error);
        }
        self.publish(&unsynced.path, unsynced.to, is_last);
        Ok(())
    }

    /// Opens the next segment with these frames in it, and returns once they are durable.
    pub(crate) fn begin(&mut self, frames: &mut [u8]) -> Result<Segment, LedgerError> {
        let mut segment = self.next_segment(frames.len())?;
        if let Err(error) = segment.write(frames) {
            segment.unsynced().abandon();
            self.publish(segment.path(), HEADER_BYTES, true);
            return Err(error);
        }
        let unsynced = segment.unsynced();
        self.sync(&unsynced, false)?;
        segment.synced(unsynced.to);
        Ok(segment)
    }

    fn next_segment(&mut self, frames_bytes: usize) -> Result<Segment, LedgerError> {
        let bytes = self.segment_bytes.max(HEADER_BYTES + frames_bytes as u64);
        let is_usual = bytes == self.segment_bytes;
        let (spare, previous_end) = {
            let mut shared = self.progress.lock();
            let spare = if is_usual { shared.spares.pop() } else { None };
            (spare, shared.written.last().map_or(0, |last| last.end))
        };
        self.opened += 1;
        let name = segment::Name::new(self.owner, self.opened);
        let segment = Segment::create(
            &self.directory,
            &name,
            spare.as_deref(),
            (bytes, previous_end),
        )?;
        sync_directory(&self.directory)?;
        let written = Written {
            path: segment.path().to_owned(),
            nonce: segment.nonce(),
            end: HEADER_BYTES,
            is_sealed: false,
        };
        self.progress.lock().written.push(written);
        Ok(segment)
    }

    /// Makes a file ready for the segment after this one, so that nobody has to wait for it then.
    pub(crate) fn make_spare(&self) {
        if !self.progress.lock().spares.is_empty() {
            return;
        }
        let name = format!("{}-next-{:010}.spare", self.owner.simple(), self.opened);
        let path = self.directory.join(name);
        match segment::create_spare(&path, self.segment_bytes) {
            Ok(()) => self.progress.lock().spares.push(path),
            // It is tried again, and told, when the segment is needed.
            Err(error) => tracing::debug!(%error, "no file is ready for the journal to go on in"),
        }
    }

    fn publish(&self, path: &Path, end: u64, is_sealed: bool) {
        let mut shared = self.progress.lock();
        if let Some(written) = shared
            .written
            .iter_mut()
            .rfind(|written| written.path == path)
        {
            written.end = end;
            written.is_sealed = is_sealed;
        }
    }

    /// Writes nothing more to a segment, so that everything written can be retired.
    pub(crate) fn seal(&self, segment: &Segment) {
        self.publish(segment.path(), segment.unsynced().from, true);
    }

    /// Leaves the directory as if this journal had never been, or for the next open to take over what was not retired.
    pub(crate) fn close(self) -> Result<(), LedgerError> {
        let spares = mem::take(&mut self.progress.lock().spares);
        for path in &spares {
            fs::remove_file(path).map_err(|error| LedgerError::file("remove", path, error))?;
        }
        sync_directory(&self.directory)?;
        if self.progress.lock().written.is_empty() {
            let lock = lock_path(&self.directory, self.owner);
            fs::remove_file(&lock).map_err(|error| LedgerError::file("remove", &lock, error))?;
        }
        Ok(())
    }
}

fn lock_path(directory: &Path, owner: Uuid) -> PathBuf {
    directory.join(format!("{}.lock", owner.simple()))
}

/// The lock is taken under another name first: nobody may find a lock file whose owner does not hold it yet.
fn take_lock(directory: &Path, owner: Uuid) -> Result<File, LedgerError> {
    let path = lock_path(directory, owner);
    let draft = path.with_extension("lock-draft");
    let failed = |error| LedgerError::file("create", &draft, error);
    let file = File::create_new(&draft).map_err(failed)?;
    file.lock().map_err(failed)?;
    fs::rename(&draft, &path).map_err(failed)?;
    Ok(file)
}

/// Makes creations, renames and removals in a directory durable.
fn sync_directory(directory: &Path) -> Result<(), LedgerError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| LedgerError::file("sync", directory, error))
}
