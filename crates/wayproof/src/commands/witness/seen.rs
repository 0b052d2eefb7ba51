//! What a witness has seen of a log: one small file, replaced whole and synced.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use wayproof_receipt::log::{Hash, empty_root};
use wayproof_receipt::sha256_hex;

/// The newest checkpoint.
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) root: Hash,
}

#[derive(Serialize, Deserialize)]
struct Written {
    origin: String,
    size: u64,
    root: Hash,
}

/// The file of a log; its name says nothing that a log could choose.
pub(super) fn place(directory: &Path, origin: &str) -> PathBuf {
    directory.join(format!("{}.json", sha256_hex(origin.as_bytes())))
}

impl Seen {
    /// Reads what was seen; nothing of a log that is new.
    pub(super) fn read(place: &Path) -> Result<Self> {
        let text = match fs::read(place) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self {
                    size: 0,
                    root: empty_root(),
                });
            }
            text => text.with_context(|| format!("reading {}", place.display()))?,
        };
        let Written { size, root, .. } = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not what a witness wrote", place.display()))?;
        Ok(Self { size, root })
    }

    /// Remembers it; on the disk when this returns.
    pub(super) fn write(&self, place: &Path, origin: &str) -> Result<()> {
        let folder = place.parent().unwrap_or(Path::new("."));
        let written = Written {
            origin: origin.to_owned(),
            size: self.size,
            root: self.root,
        };
        let text = serde_json::to_vec(&written)?;
        let write = || {
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(place).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("writing {}", place.display()))
    }
}
