//! Where the logs are: files below an agent's folder, and what tells one file from another.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::agent::Source;

/// Folders below the agent's one at most.
const MAX_DEPTH: usize = 8;

/// Files of one agent at most.
const MAX_FILES: usize = 1_000_000;

/// Bytes at the beginning that tell a file from another.
const HEAD: u64 = 4096;

/// A file of logs.
#[derive(Debug, Clone)]
pub(crate) struct LogFile {
    pub(crate) source: Source,
    pub(crate) path: PathBuf,
    /// Below the home, as it is recorded.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) changed_us: i64,
}

/// What is remembered of a file beside how far it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remembered {
    /// How many bytes at the beginning are known.
    pub(crate) head: u64,
    /// Their hash.
    pub(crate) hash: u64,
    /// For documents: when it was changed.
    pub(crate) changed_us: i64,
    /// What its reader remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reader: Option<String>,
}

/// The files of an agent below a home, the oldest change first. Links are not followed.
pub(crate) fn find(source: Source, home: &Path) -> io::Result<Vec<LogFile>> {
    let mut found = Vec::new();
    let mut folders = vec![(home.join(source.folder()), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = entry.path();
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if kind.is_file() && source.is_log(&path) && found.len() < MAX_FILES {
                found.push(log_file(source, home, path)?);
            }
        }
    }
    found.sort_by(|a, b| (a.changed_us, &a.path).cmp(&(b.changed_us, &b.path)));
    Ok(found)
}

fn log_file(source: Source, home: &Path, path: PathBuf) -> io::Result<LogFile> {
    let about = fs::metadata(&path)?;
    let changed = about.modified()?.duration_since(UNIX_EPOCH).ok();
    let name = path.strip_prefix(home).unwrap_or(&path).to_string_lossy();
    let name = name
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    Ok(LogFile {
        source,
        name,
        bytes: about.len(),
        changed_us: changed
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .unwrap_or(0),
        path,
    })
}

/// The hash of the first bytes, as many as are known.
pub(crate) fn head(file: &mut File, bytes: u64) -> io::Result<(u64, u64)> {
    let length = bytes.min(HEAD);
    let mut head = Vec::new();
    file.take(length).read_to_end(&mut head)?;
    Ok((length, xxh3_64(&head)))
}
