//! The working tree as a commit nobody refers to. It refuses to trust the user's index beyond the list of
//! tracked paths, and writes neither the index nor a reference.

use std::fs;
use std::path::{Path, PathBuf};

use crate::discover::Repo;
use crate::git::{Git, RepoError};
use crate::path;
use crate::revision::{Oid, oid};
use crate::shadow::Config;
use crate::tree::os_string;

/// The working tree at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// A dangling commit with the checked-out commit as its parent; equal trees on equal parents give equal commits.
    pub commit: Oid,
    /// The tree of tracked and untracked files that are not ignored.
    pub tree: Oid,
}

impl Repo {
    /// Records the working tree, untracked files that are not ignored included, on the checked-out commit.
    pub fn snapshot(&self) -> Result<Snapshot, RepoError> {
        self.snapshot_after(&self.head()?.id)
    }

    /// Records the working tree as a child of a commit of the caller's choice, such as an earlier snapshot.
    pub fn snapshot_after(&self, parent: &Oid) -> Result<Snapshot, RepoError> {
        let folder = self.shadow().index()?;
        let index = folder.path().join("index");
        let tracked = self
            .git()
            .args(["ls-files", "--stage", "-t", "-z"])
            .output()?;
        let tracked = Tracked::parse(&tracked, self.root())?;
        self.indexed(&index)
            .args(["update-index", "-z", "--index-info"])
            .input(tracked.all)
            .output()?;
        self.indexed(&index)
            .args(["add", "--all", "--", "."])
            .output()?;
        if !tracked.left_out.is_empty() {
            self.indexed(&index)
                .args(["update-index", "-z", "--index-info"])
                .input(tracked.left_out)
                .output()?;
        }
        let write = || {
            let tree = self.indexed(&index).arg("write-tree").line()?;
            oid("write-tree", &tree)
        };
        let mut tree = write()?;
        let pointers = self.pointers_again(tree.as_str())?;
        if !pointers.is_empty() {
            self.indexed(&index)
                .args(["update-index", "-z", "--index-info"])
                .input(pointers)
                .output()?;
            tree = write()?;
        }
        let commit = self.dangling_commit(&tree, parent)?;
        Ok(Snapshot { commit, tree })
    }

    /// Tells whether the working tree differs from the checked-out commit.
    pub fn is_dirty(&self) -> Result<bool, RepoError> {
        Ok(self.snapshot()?.tree != self.head()?.tree)
    }

    /// Starts a call that sees the working tree, an index of ours and the user's configuration.
    fn indexed(&self, index: &Path) -> Git {
        self.shadow()
            .git_in(self.root(), Config::User)
            .env("GIT_INDEX_FILE", index)
            .env("GIT_WORK_TREE", self.root())
            .setting("advice.addEmbeddedRepo=false")
            .setting("core.safecrlf=false")
    }

    /// Writes a commit with a fixed author and date, so that its name depends on content alone.
    fn dangling_commit(&self, tree: &Oid, parent: &Oid) -> Result<Oid, RepoError> {
        let answer = with_identity(self.objects(), "@0 +0000")
            .args([
                "commit-tree",
                "-m",
                "snapshot of the working tree",
                "-p",
                parent.as_str(),
                tree.as_str(),
            ])
            .line()?;
        oid("commit-tree", &answer)
    }
}

/// Gives a call a name to write commits under.
pub(crate) fn with_identity(git: Git, date: &str) -> Git {
    let mut git = git;
    for role in ["AUTHOR", "COMMITTER"] {
        git = git
            .env(&format!("GIT_{role}_NAME"), "wayproof")
            .env(&format!("GIT_{role}_EMAIL"), "wayproof@localhost");
        if !date.is_empty() {
            git = git.env(&format!("GIT_{role}_DATE"), date);
        }
    }
    git
}

/// The user's index as records for an index of ours.
struct Tracked {
    /// Every entry, without stat data and marks.
    all: Vec<u8>,
    /// Entries a sparse checkout left out of the working tree.
    left_out: Vec<u8>,
}

impl Tracked {
    /// Reads `tag mode name stage<TAB>path` records.
    fn parse(listing: &[u8], root: &Path) -> Result<Self, RepoError> {
        let mut tracked = Self {
            all: Vec::new(),
            left_out: Vec::new(),
        };
        for record in listing
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            let [tag, b' ', entry @ ..] = record else {
                return Err(RepoError::Unexpected {
                    command: "ls-files".to_owned(),
                    detail: path::to_text(record),
                });
            };
            append(&mut tracked.all, entry);
            if *tag == b'S' && is_absent(root, entry) {
                append(&mut tracked.left_out, entry);
            }
        }
        Ok(tracked)
    }
}

/// Appends one record with its end.
fn append(records: &mut Vec<u8>, entry: &[u8]) {
    records.extend_from_slice(entry);
    records.push(0);
}

/// Tells whether the path of an entry has nothing on disk.
fn is_absent(root: &Path, entry: &[u8]) -> bool {
    let name = entry
        .splitn(2, |byte| *byte == b'\t')
        .nth(1)
        .unwrap_or_default();
    fs::symlink_metadata(root.join(PathBuf::from(os_string(name.to_vec())))).is_err()
}
