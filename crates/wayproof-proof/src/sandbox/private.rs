//! The directory one run keeps to itself, outside everything the command can see. It refuses to outlive the run.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::SandboxError;

/// Where the new root is mounted.
pub(super) const ROOT: &str = "root";
/// The home of a command that cannot be given a new root.
pub(super) const HOME: &str = "home";
/// The temporary directory of a command that cannot be given a new root.
pub(super) const TMP: &str = "tmp";
/// Where the launcher writes what happened.
const STATUS: &str = "status";

/// A private directory, removed at the end.
#[derive(Debug)]
pub(super) struct PrivateDir {
    directory: TempDir,
}

impl PrivateDir {
    /// Makes one, with an empty status file.
    pub(super) fn new() -> Result<Self, SandboxError> {
        let io = |source| SandboxError::Io {
            doing: "make a private directory".to_owned(),
            source,
        };
        let directory = TempDir::with_prefix("wayproof-sandbox-").map_err(io)?;
        // The mounts inside are made at real paths, so links on the way are resolved now.
        for name in [ROOT, HOME, TMP] {
            fs::create_dir(directory.path().join(name)).map_err(io)?;
        }
        fs::write(directory.path().join(STATUS), "").map_err(io)?;
        Ok(Self { directory })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Where a private directory has its status file.
pub(super) fn status_file(private: &Path) -> PathBuf {
    private.join(STATUS)
}
