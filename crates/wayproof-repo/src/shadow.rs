//! A private, empty git directory that borrows a repository's objects. Through it objects are read and written
//! with none of the repository's own configuration; it refuses to know the repository's references.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::git::{Git, RepoError};

/// Whose configuration takes part in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Config {
    /// Nobody's: the answer depends on objects alone.
    None,
    /// The user's own, outside the repository: what to ignore, how line ends are kept.
    User,
}

/// A git directory of our own over somebody else's objects.
#[derive(Debug)]
pub(crate) struct Shadow {
    directory: TempDir,
    objects: PathBuf,
}

impl Shadow {
    /// Makes a shadow of a repository.
    pub(crate) fn new(
        git_dir: &Path,
        objects: PathBuf,
        object_format: &str,
    ) -> Result<Self, RepoError> {
        let doing = "make a private git directory";
        let directory = TempDir::with_prefix("wayproof-git-").map_err(RepoError::io(doing))?;
        let root = directory.path();
        for folder in ["refs/heads", "objects", "info"] {
            fs::create_dir_all(root.join(folder)).map_err(RepoError::io(doing))?;
        }
        let config = match object_format {
            "sha1" => "[core]\n\trepositoryformatversion = 0\n\tbare = false\n".to_owned(),
            other => format!(
                "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectFormat = {other}\n"
            ),
        };
        fs::write(root.join("config"), config).map_err(RepoError::io(doing))?;
        fs::write(root.join("HEAD"), "ref: refs/heads/none\n").map_err(RepoError::io(doing))?;
        // A shallow clone ends where this file says; the repository's private excludes hide the user's own files.
        for file in ["shallow", "info/exclude"] {
            copy_if_present(&git_dir.join(file), &root.join(file))?;
        }
        Ok(Self { directory, objects })
    }

    /// Starts a call that sees objects only.
    pub(crate) fn git(&self) -> Git {
        self.git_in(self.directory.path(), Config::None)
    }

    /// Starts a call in a directory, with the objects but not the references of the repository.
    pub(crate) fn git_in(&self, directory: &Path, config: Config) -> Git {
        let git = Git::at(directory)
            .env("GIT_DIR", self.directory.path())
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env("GIT_INDEX_FILE", self.directory.path().join("no-index"));
        match config {
            Config::None => git
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_CONFIG_GLOBAL", "/dev/null"),
            Config::User => git,
        }
    }

    /// Makes room for an index of our own.
    pub(crate) fn index(&self) -> Result<TempDir, RepoError> {
        TempDir::with_prefix_in("index-", self.directory.path())
            .map_err(RepoError::io("make a temporary index"))
    }
}

/// Copies a regular file that may be missing.
fn copy_if_present(from: &Path, to: &Path) -> Result<(), RepoError> {
    let is_file = fs::symlink_metadata(from).is_ok_and(|metadata| metadata.is_file());
    if is_file {
        fs::copy(from, to).map_err(RepoError::io(format!("copy {}", from.display())))?;
    }
    Ok(())
}
