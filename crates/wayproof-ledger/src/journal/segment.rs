//! One file of a journal.
//!
//! Its header carries a nonce that is also in its name. A file whose header does not fit its name was never in use:
//! the header becomes durable together with the first frames. Writing and syncing are two steps: what is written
//! outlives the process, what is synced outlives the machine. Nothing here decides when a file may be deleted.

#![expect(
    clippy::cast_possible_truncation,
    reason = "the length of a header fits every pointer width"
)]

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::LedgerError;
use crate::frame;

/// Bytes before the first frame: magic (8), nonce (8), end of the segment before (8), checksum (8).
pub(crate) const HEADER_BYTES: u64 = 32;

const MAGIC: [u8; 8] = *b"wpjrnl\x00\x02";

/// What a segment's file is called: its owner, its number among the owner's segments and its nonce.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    /// Whose it is.
    pub(crate) owner: Uuid,
    /// Its place in the row.
    pub(crate) number: u32,
    /// Told apart from every earlier use of the same file.
    pub(crate) nonce: u64,
}

impl Name {
    /// The next segment of an owner.
    pub(crate) fn new(owner: Uuid, number: u32) -> Self {
        let (high, low) = owner.as_u64_pair();
        let nonce = xxh3_64_with_seed(&low.to_le_bytes(), high.wrapping_add(u64::from(number)));
        Self {
            owner,
            number,
            nonce,
        }
    }

    /// The file's name.
    pub(crate) fn file_name(&self) -> String {
        format!(
            "{}-{:010}-{:016x}.journal",
            self.owner.simple(),
            self.number,
            self.nonce
        )
    }

    /// Reads a file's name.
    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let mut parts = file_name.strip_suffix(".journal")?.split('-');
        let owner = Uuid::try_parse(parts.next()?).ok()?;
        let number = parts.next()?.parse().ok()?;
        let nonce = u64::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some(Self {
            owner,
            number,
            nonce,
        })
    }
}

/// A segment being written.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    file: Arc<File>,
    nonce: u64,
    bytes: u64,
    end: u64,
    durable: u64,
    is_broken: bool,
}

/// What of a segment is written and perhaps not yet on the disk.
#[derive(Debug, Clone)]
pub(crate) struct Unsynced {
    /// The segment's file.
    pub(crate) path: PathBuf,
    file: Arc<File>,
    /// Everything before this byte is on the disk.
    pub(crate) from: u64,
    /// Everything before this byte is written.
    pub(crate) to: u64,
}

impl Unsynced {
    /// Waits until the disk has it.
    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        self.file
            .sync_data()
            .map_err(|error| LedgerError::file("sync", &self.path, error))
    }

    /// The frames, read back.
    pub(crate) fn frames(&self) -> Result<Vec<u8>, LedgerError> {
        let mut frames = vec![0; usize::try_from(self.to - self.from).unwrap_or_default()];
        self.file
            .read_exact_at(&mut frames, self.from)
            .map_err(|error| LedgerError::file("read", &self.path, error))?;
        Ok(frames)
    }

    /// Cuts off everything that did not reach the disk, so that a later open does not find it. Best effort: the disk
    /// has just failed.
    pub(crate) fn abandon(&self) {
        let cut = self
            .file
            .set_len(self.from)
            .and_then(|()| self.file.sync_all());
        if let Err(error) = cut {
            tracing::warn!(path = %self.path.display(), %error, "cannot cut the journal after a failed write");
        }
    }
}

impl Segment {
    /// Makes a file of the given size, from a spare one if there is one; it says where the segment before ends.
    pub(crate) fn create(
        directory: &Path,
        name: &Name,
        spare: Option<&Path>,
        (bytes, previous_end): (u64, u64),
    ) -> Result<Self, LedgerError> {
        let path = directory.join(name.file_name());
        let file = match spare {
            Some(spare) => rename_spare(spare, &path),
            None => create_filled(&path, bytes),
        };
        let file = file.map_err(|error| LedgerError::file("create", &path, error))?;
        file.write_all_at(&header(name.nonce, previous_end), 0)
            .map_err(|error| LedgerError::file("write", &path, error))?;
        Ok(Self {
            path,
            file: Arc::new(file),
            nonce: name.nonce,
            bytes,
            end: HEADER_BYTES,
            durable: 0,
            is_broken: false,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The nonce.
    pub(crate) fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Whether so many more bytes can be written.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        !self.is_broken && self.end + bytes as u64 <= self.bytes
    }

    /// Whether less than half is left.
    pub(crate) fn is_half_full(&self) -> bool {
        self.end > self.bytes / 2
    }

    /// Writes frames. After a failure there is room for nothing more.
    pub(crate) fn write(&mut self, frames: &mut [u8]) -> Result<(), LedgerError> {
        frame::seal(frames, self.durable as u32, self.nonce, self.end);
        if let Err(error) = self.file.write_all_at(frames, self.end) {
            self.is_broken = true;
            return Err(LedgerError::file("write", &self.path, error));
        }
        self.end += frames.len() as u64;
        Ok(())
    }

    /// What is written and perhaps not yet on the disk.
    pub(crate) fn unsynced(&self) -> Unsynced {
        Unsynced {
            path: self.path.clone(),
            file: Arc::clone(&self.file),
            from: self.durable.max(HEADER_BYTES),
            to: self.end,
        }
    }

    /// Notes how much is on the disk.
    pub(crate) fn synced(&mut self, to: u64) {
        self.durable = self.durable.max(to);
    }
}

fn rename_spare(spare: &Path, path: &Path) -> std::io::Result<File> {
    fs::rename(spare, path)?;
    OpenOptions::new().read(true).write(true).open(path)
}

/// Makes a file for a later segment.
pub(crate) fn create_spare(path: &Path, bytes: u64) -> Result<(), LedgerError> {
    create_filled(path, bytes)
        .map(drop)
        .map_err(|error| LedgerError::file("create", path, error))
}

/// Writes zeros instead of leaving a hole: a later sync then has no metadata to bring along.
fn create_filled(path: &Path, bytes: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    let filled =
        std::io::copy(&mut std::io::repeat(0).take(bytes), &mut file).and_then(|_| file.sync_all());
    if let Err(error) = filled {
        // The disk is full or failing; a half-made file must not take up what little is left.
        fs::remove_file(path)?;
        return Err(error);
    }
    Ok(file)
}

fn header(nonce: u64, previous_end: u64) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    let fields = [MAGIC, nonce.to_le_bytes(), previous_end.to_le_bytes()].concat();
    let sum = xxh3_64_with_seed(&fields, nonce).to_le_bytes();
    for (slot, byte) in header.iter_mut().zip(fields.iter().chain(&sum)) {
        *slot = *byte;
    }
    header
}

/// Reads a header: where the segment before ends, or nothing if the file was never in use under this nonce.
pub(crate) fn read_header(segment: &[u8], nonce: u64) -> Option<u64> {
    let previous_end = u64::from_le_bytes(segment.get(16..24)?.try_into().ok()?);
    (segment.get(..HEADER_BYTES as usize)? == header(nonce, previous_end)).then_some(previous_end)
}
