//! What differs between two trees, file by file, and digests of it. It refuses to guess what a change means.

use sha2::{Digest, Sha256};

use crate::discover::Repo;
use crate::git::RepoError;
use crate::path;
use crate::revision::{Oid, oid};

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content or mode differs.
    Modified,
    /// It is gone.
    Deleted,
    /// It moved, perhaps with edits.
    Renamed,
    /// It turned into a link, a submodule or a file.
    TypeChanged,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is at the head, or was when deleted.
    pub path: String,
    /// Where it was, when it moved.
    pub old_path: Option<String>,
    /// How it changed.
    pub kind: ChangeKind,
    /// Its content before.
    pub old_blob: Option<Oid>,
    /// Its content after.
    pub new_blob: Option<Oid>,
}

impl Repo {
    /// Lists what changed from one revision or tree to another, moved files recognized, sorted by path.
    pub fn changes(&self, base: &str, head: &str) -> Result<Vec<Change>, RepoError> {
        let raw = self.raw_changes(base, head, &["--find-renames=60%", "-l2000"])?;
        let mut fields = raw
            .split(|byte| *byte == 0)
            .filter(|field| !field.is_empty());
        let mut changes = Vec::new();
        while let Some(header) = fields.next() {
            changes.push(parse_change(header, &mut fields)?);
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    /// Digests a change: SHA-256, in hexadecimal, of git's raw list of changed paths with modes and full object
    /// names, without rename detection.
    ///
    /// Equal for equal before and after contents of the same paths, wherever in history they stand.
    pub fn change_digest(&self, base: &str, head: &str) -> Result<String, RepoError> {
        let raw = self.raw_changes(base, head, &["--no-renames"])?;
        Ok(format!("{:x}", Sha256::digest(&raw)))
    }

    /// Gives git's stable patch id of a change; `None` when there is no textual change.
    pub fn patch_id(&self, base: &str, head: &str) -> Result<Option<String>, RepoError> {
        let (base, head) = (self.treeish(base)?, self.treeish(head)?);
        let patch = self
            .objects()
            .args([
                "diff-tree",
                "-r",
                "-p",
                "--no-renames",
                "--full-index",
                "--no-color",
                "--no-ext-diff",
            ])
            .args([
                "--no-textconv",
                "--diff-algorithm=myers",
                "-U3",
                base.as_str(),
                head.as_str(),
            ])
            .output()?;
        let line = self
            .objects()
            .args(["patch-id", "--stable"])
            .input(patch)
            .line()?;
        Ok(line
            .split(' ')
            .next()
            .filter(|id| !id.is_empty())
            .map(str::to_owned))
    }

    /// Gives the raw, NUL-separated list of changes.
    pub(crate) fn raw_changes(
        &self,
        base: &str,
        head: &str,
        options: &[&str],
    ) -> Result<Vec<u8>, RepoError> {
        let (base, head) = (self.treeish(base)?, self.treeish(head)?);
        self.objects()
            .args([
                "diff-tree",
                "-r",
                "-z",
                "--raw",
                "--full-index",
                "--no-abbrev",
                "--no-color",
            ])
            .args(options)
            .args([base.as_str(), head.as_str()])
            .output()
    }
}

/// Reads `:mode mode name name status` and the one or two paths after it.
pub(crate) fn parse_change<'a>(
    header: &[u8],
    fields: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<Change, RepoError> {
    let strange = || RepoError::Unexpected {
        command: "diff-tree".to_owned(),
        detail: String::from_utf8_lossy(header).into_owned(),
    };
    let text = std::str::from_utf8(header).map_err(|_| strange())?;
    let [_, _, old, new, status] = *text.split(' ').collect::<Vec<_>>() else {
        return Err(strange());
    };
    let kind = match status.bytes().next() {
        Some(b'A') => ChangeKind::Added,
        Some(b'M') => ChangeKind::Modified,
        Some(b'D') => ChangeKind::Deleted,
        Some(b'R') => ChangeKind::Renamed,
        Some(b'T') => ChangeKind::TypeChanged,
        Some(_) | None => return Err(strange()),
    };
    let first = path::to_text(fields.next().ok_or_else(strange)?);
    let (path, old_path) = match kind {
        ChangeKind::Renamed => (
            path::to_text(fields.next().ok_or_else(strange)?),
            Some(first),
        ),
        ChangeKind::Added
        | ChangeKind::Modified
        | ChangeKind::Deleted
        | ChangeKind::TypeChanged => (first, None),
    };
    let present = |name: &str| oid("diff-tree", name).map(|name| (!name.is_null()).then_some(name));
    Ok(Change {
        path,
        old_path,
        kind,
        old_blob: present(old)?,
        new_blob: present(new)?,
    })
}
