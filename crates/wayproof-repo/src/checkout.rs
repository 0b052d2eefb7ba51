//! A tree written out as plain files. It refuses a destination that holds anything, and leaves no git directory
//! and no worktree behind.

use std::fs;
use std::path::{Component, Path};

use crate::discover::Repo;
use crate::git::RepoError;

impl Repo {
    /// Writes the files of a revision or tree into an empty directory, which is made when missing.
    ///
    /// Links are written as links, submodules as empty directories, contents as they are stored.
    pub fn checkout(&self, revision: &str, destination: &Path) -> Result<(), RepoError> {
        let tree = self.treeish(revision)?;
        let destination = absolute(destination)?;
        fs::create_dir_all(&destination)
            .map_err(RepoError::io(format!("make {}", destination.display())))?;
        let mut entries = fs::read_dir(&destination)
            .map_err(RepoError::io(format!("list {}", destination.display())))?;
        if entries.next().is_some() {
            return Err(RepoError::NotEmpty(destination));
        }
        let folder = self.shadow().index()?;
        let index = folder.path().join("index");
        self.objects()
            .env("GIT_INDEX_FILE", &index)
            .args(["read-tree", tree.as_str()])
            .output()?;
        // The prefix is glued to each name as it stands, so it has to end in a separator.
        let mut prefix = std::ffi::OsString::from("--prefix=");
        prefix.push(destination.join(""));
        self.objects()
            .env("GIT_INDEX_FILE", &index)
            .env("GIT_WORK_TREE", &destination)
            .args(["checkout-index", "--all", "--force"])
            .arg(prefix)
            .output()
            .map(drop)
    }
}

/// Makes a path absolute without following links and without `..`.
fn absolute(path: &Path) -> Result<std::path::PathBuf, RepoError> {
    let path =
        std::path::absolute(path).map_err(RepoError::io(format!("locate {}", path.display())))?;
    if path.components().any(|part| part == Component::ParentDir) {
        return fs::canonicalize(&path)
            .map_err(RepoError::io(format!("locate {}", path.display())));
    }
    Ok(path)
}
