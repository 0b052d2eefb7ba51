//! One file of a journal.
//!
//! Its header carries a nonce that is also in its name. A file whose header does not fit its name was never in use:
//! the header becomes durable together with the first group. Nothing here decides when a file may be deleted.

#![expect(
    clippy::cast_possible_truncation,
    reason = "the length of a header fits every pointer width"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::LedgerError;

/// Bytes before the first frame: magic (8), nonce (8), end of the segment before (8), checksum (8).
pub(crate) const HEADER_BYTES: u64 = 32;

const MAGIC: [u8; 8] = *b"wpjrnl\x00\x01";

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
    file: File,
    nonce: u64,
    bytes: u64,
    end: u64,
    group: u32,
    /// The header, until it is written with the first group.
    header: Option<[u8; HEADER_BYTES as usize]>,
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
        Ok(Self {
            path,
            file,
            nonce: name.nonce,
            bytes,
            end: HEADER_BYTES,
            group: 0,
            header: Some(header(name.nonce, previous_end)),
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

    /// Where the next group goes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Whether a group of so many bytes fits.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.end + bytes as u64 <= self.bytes
    }

    /// The number of the next group.
    pub(crate) fn next_group(&mut self) -> u32 {
        self.group += 1;
        self.group
    }

    /// Writes a sealed group and waits until the disk has it.
    pub(crate) fn write(&mut self, frames: &[u8]) -> Result<(), LedgerError> {
        let failed = |error| LedgerError::file("write", &self.path, error);
        if let Some(header) = &self.header {
            self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
            self.file.write_all(header).map_err(failed)?;
        }
        self.file.write_all(frames).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.header = None;
        self.end += frames.len() as u64;
        Ok(())
    }

    /// Cuts off what a failed write may have left behind, so that a later open does not find what nobody
    /// acknowledged. Best effort: the disk has just failed.
    pub(crate) fn abandon(&mut self) {
        let cut = self
            .file
            .set_len(self.end)
            .and_then(|()| self.file.sync_all());
        if let Err(error) = cut {
            tracing::warn!(path = %self.path.display(), %error, "cannot cut the journal after a failed write");
        }
    }
}

fn rename_spare(spare: &Path, path: &Path) -> std::io::Result<File> {
    fs::rename(spare, path)?;
    OpenOptions::new().read(true).write(true).open(path)
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
