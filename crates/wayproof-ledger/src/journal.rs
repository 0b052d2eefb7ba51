//! The write-ahead journal of one process: what it acknowledged before the database has it.
//!
//! A journal is a row of segments of fixed size, written in full beforehand so that making a group durable changes no
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
use segment::Segment;

use crate::error::LedgerError;
use crate::frame;

/// Files kept for another use once their content is in the database.
const MAX_SPARES: usize = 2;

/// How far a segment is written; the reader follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The segment's file.
    pub(crate) path: PathBuf,
    /// Its nonce.
    pub(crate) nonce: u64,
    /// Everything before this byte is durable.
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

/// The writing end of this process's journal.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    owner: Uuid,
    segment_bytes: u64,
    opened: u32,
    current: Option<Segment>,
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
            current: None,
            progress: Progress(Arc::new(Mutex::new(Shared {
                lock: Some(lock),
                ..Shared::default()
            }))),
        })
    }

    /// What is durable, for the reader.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Writes the frames of one group and returns once they are durable.
    pub(crate) fn write(&mut self, frames: &mut [u8]) -> Result<(), LedgerError> {
        let has_room = |segment: &Segment| segment.has_room(frames.len());
        let mut segment = match self.current.take_if(|segment| has_room(segment)) {
            Some(segment) => segment,
            None => self.next_segment(frames.len())?,
        };
        let (nonce, offset) = (segment.nonce(), segment.end());
        frame::seal(frames, segment.next_group(), nonce, offset);
        match segment.write(frames) {
            Ok(()) => {
                self.publish(&segment, false);
                self.current = Some(segment);
                Ok(())
            }
            Err(error) => {
                // After a failed sync nobody knows what the disk holds: never write to this file again.
                segment.abandon();
                self.publish(&segment, true);
                Err(error)
            }
        }
    }

    fn next_segment(&mut self, frames_bytes: usize) -> Result<Segment, LedgerError> {
        let previous_end = self.seal_current();
        let bytes = self.segment_bytes.max(HEADER_BYTES + frames_bytes as u64);
        let is_usual = bytes == self.segment_bytes;
        let spare = if is_usual {
            self.progress.lock().spares.pop()
        } else {
            None
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

    /// Where the segment before the next one ends; zero if there is none.
    fn seal_current(&mut self) -> u64 {
        if let Some(segment) = self.current.take() {
            self.publish(&segment, true);
        }
        self.progress
            .lock()
            .written
            .last()
            .map_or(0, |written| written.end)
    }

    fn publish(&self, segment: &Segment, is_sealed: bool) {
        let mut shared = self.progress.lock();
        if let Some(written) = shared
            .written
            .iter_mut()
            .rfind(|written| written.path == segment.path())
        {
            written.end = segment.end();
            written.is_sealed = is_sealed;
        }
    }

    /// Writes nothing more, so that everything written can be retired.
    pub(crate) fn seal(&mut self) {
        self.seal_current();
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
