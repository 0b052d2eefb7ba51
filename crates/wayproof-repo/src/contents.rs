//! Contents that a tree only points to: files that Git LFS keeps, and commits of submodules. It takes what lies on
//! this machine, fetches nothing, and runs no filter.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::changes::ChangeKind;
use crate::discover::Repo;
use crate::git::RepoError;
use crate::path;
use crate::tree::{EntryKind, TreeEntry};

/// The first line of a pointer.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1";
/// No pointer is longer.
const LONGEST_POINTER: usize = 1024;
/// How deep submodules in submodules are followed.
const DEEPEST: usize = 8;

/// Something a tree points to that this machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// The content of a file, which Git LFS keeps.
    Lfs(String),
    /// The commit of a submodule.
    Submodule(String),
}

/// What a pointer points to.
struct Pointer {
    oid: String,
    size: u64,
}

impl Repo {
    /// Fills in what a tree, written out by [`Repo::checkout`], only points to, and says what is not here.
    pub fn fill(&self, revision: &str, destination: &Path) -> Result<Vec<Missing>, RepoError> {
        self.fill_to(revision, destination, DEEPEST)
    }

    fn fill_to(
        &self,
        revision: &str,
        destination: &Path,
        depth: usize,
    ) -> Result<Vec<Missing>, RepoError> {
        let entries = self.ls_tree(revision)?;
        let mut missing = self.fill_pointers(revision, &entries, destination)?;
        let submodules = entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Submodule);
        for entry in submodules {
            let Some(inner) = self.submodule(entry).filter(|_| depth > 0) else {
                missing.push(Missing::Submodule(entry.path.clone()));
                continue;
            };
            let place = destination.join(path::to_path(&entry.path));
            inner.checkout(entry.blob.as_str(), &place)?;
            let more = inner.fill_to(entry.blob.as_str(), &place, depth - 1)?;
            missing.extend(more.into_iter().map(|one| one.inside(&entry.path)));
        }
        missing.sort();
        Ok(missing)
    }

    /// The submodule's own repository, where it is checked out here and has the commit.
    fn submodule(&self, entry: &TreeEntry) -> Option<Self> {
        let inside = path::to_path(&entry.path);
        let mut place = self.root().to_path_buf();
        for part in inside.components() {
            place.push(part);
            // A link could lead to somebody else's repository.
            fs::symlink_metadata(&place)
                .ok()
                .filter(fs::Metadata::is_dir)?;
        }
        let inner = Self::discover(&place).ok()?;
        let is_own = inner.root().canonicalize().ok()? == place.canonicalize().ok()?;
        (is_own && inner.resolve(entry.blob.as_str()).is_ok()).then_some(inner)
    }

    fn fill_pointers(
        &self,
        revision: &str,
        entries: &[TreeEntry],
        destination: &Path,
    ) -> Result<Vec<Missing>, RepoError> {
        if !self.has_filter(revision, entries)? {
            return Ok(Vec::new());
        }
        let store = self.git();
        let store = store.args(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let store = PathBuf::from(store.line()?).join("lfs/objects");
        let mut missing = Vec::new();
        let files = entries
            .iter()
            .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
        for entry in files {
            let place = destination.join(path::to_path(&entry.path));
            let Some(pointer) = pointer_at(&place) else {
                continue;
            };
            if !fill_in(&pointer, &store, &place)? {
                missing.push(Missing::Lfs(entry.path.clone()));
            }
        }
        Ok(missing)
    }

    /// Records for an index, with the pointers that the checked-out commit has for files of the working tree whose
    /// content they name. Git would put them there by a filter of Git LFS, which does not run.
    pub(crate) fn pointers_again(&self, tree: &str) -> Result<Vec<u8>, RepoError> {
        let entries = self.ls_tree(tree)?;
        let mut records = Vec::new();
        if !self.has_filter(tree, &entries)? {
            return Ok(records);
        }
        let head = self.head()?;
        let changes = self.changes(head.tree.as_str(), tree)?;
        let edited = changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Modified);
        for change in edited {
            let Some(blob) = &change.old_blob else {
                continue;
            };
            let old = self.read_blobs(&[blob], LONGEST_POINTER)?;
            let old = old.into_iter().next().flatten();
            let text = old.and_then(|bytes| String::from_utf8(bytes).ok());
            let place = self.root().join(path::to_path(&change.path));
            let is_same = match text.as_deref().and_then(pointer) {
                Some(pointer) => is_content(&pointer, &place)?,
                None => false,
            };
            let entry = entries.iter().find(|entry| entry.path == change.path);
            let mode = match entry.map(|entry| entry.kind) {
                Some(EntryKind::File) => "100644",
                Some(EntryKind::Executable) => "100755",
                Some(EntryKind::Symlink | EntryKind::Submodule) | None => continue,
            };
            if is_same {
                records.extend(format!("{mode} {blob}\t").into_bytes());
                records.extend(path::to_bytes(&change.path));
                records.push(0);
            }
        }
        Ok(records)
    }

    /// Whether the attributes of a tree speak of Git LFS.
    fn has_filter(&self, revision: &str, entries: &[TreeEntry]) -> Result<bool, RepoError> {
        let attributes = entries
            .iter()
            .filter(|entry| entry.path.rsplit('/').next() == Some(".gitattributes"));
        for entry in attributes {
            let text = self.read(revision, &entry.path)?.unwrap_or_default();
            if String::from_utf8_lossy(&text).contains("filter=lfs") {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Missing {
    /// The same, seen from the repository around a submodule.
    fn inside(self, folder: &str) -> Self {
        match self {
            Self::Lfs(path) => Self::Lfs(format!("{folder}/{path}")),
            Self::Submodule(path) => Self::Submodule(format!("{folder}/{path}")),
        }
    }
}

/// Reads a file that may be a pointer.
fn pointer_at(place: &Path) -> Option<Pointer> {
    let metadata = fs::symlink_metadata(place).ok()?;
    if !metadata.is_file()
        || usize::try_from(metadata.len()).is_ok_and(|length| length > LONGEST_POINTER)
    {
        return None;
    }
    pointer(&fs::read_to_string(place).ok()?)
}

fn pointer(text: &str) -> Option<Pointer> {
    let mut lines = text.lines();
    lines.next().filter(|line| *line == POINTER)?;
    let value = |name: &str| lines.clone().find_map(|line| line.strip_prefix(name));
    let oid = value("oid sha256:")?;
    let is_digest = oid.len() == 64 && oid.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Pointer {
        oid: is_digest.then(|| oid.to_ascii_lowercase())?,
        size: value("size ")?.parse().ok()?,
    })
}

/// Puts the content that a pointer names in its place; false where it is not here, or is another.
fn fill_in(pointer: &Pointer, store: &Path, place: &Path) -> Result<bool, RepoError> {
    let (Some(one), Some(two)) = (pointer.oid.get(..2), pointer.oid.get(2..4)) else {
        return Ok(false);
    };
    let object = store.join(one).join(two).join(&pointer.oid);
    if !is_content(pointer, &object)? {
        return Ok(false);
    }
    let doing = || format!("write {}", place.display());
    let mut from = fs::File::open(&object).map_err(RepoError::io(doing()))?;
    let mut to = fs::File::create(place).map_err(RepoError::io(doing()))?;
    std::io::copy(&mut from, &mut to).map_err(RepoError::io(doing()))?;
    Ok(true)
}

/// Whether a file is what a pointer names.
fn is_content(pointer: &Pointer, file: &Path) -> Result<bool, RepoError> {
    let is_alike = fs::symlink_metadata(file)
        .is_ok_and(|found| found.is_file() && found.len() == pointer.size);
    Ok(is_alike && digest_of(file)? == pointer.oid)
}

fn digest_of(file: &Path) -> Result<String, RepoError> {
    let doing = || format!("read {}", file.display());
    let mut file_read = fs::File::open(file).map_err(RepoError::io(doing()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file_read
            .read(&mut buffer)
            .map_err(RepoError::io(doing()))?;
        if count == 0 {
            return Ok(format!("{:x}", digest.finalize()));
        }
        digest.update(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{POINTER, pointer};

    #[test]
    fn pointers_are_told_from_texts() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let read = pointer(&format!("{POINTER}\noid sha256:{oid}\nsize 12345\n")).unwrap();
        assert_eq!((read.oid.as_str(), read.size), (oid, 12345));
        for text in [
            String::new(),
            format!("{POINTER}\n"),
            format!("{POINTER}\noid sha256:../../../etc/passwd\nsize 1\n"),
            format!("{POINTER}\noid sha256:{oid}\n"),
            format!("words\n{POINTER}\noid sha256:{oid}\nsize 1\n"),
        ] {
            assert!(pointer(&text).is_none(), "{text}");
        }
    }
}
