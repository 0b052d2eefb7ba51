//! Notes on commits: the one thing this crate writes where others can see it. It refuses any reference that is
//! not a notes reference.

use crate::discover::Repo;
use crate::git::RepoError;
use crate::revision::{Oid, oid};
use crate::snapshot::with_identity;

impl Repo {
    /// Attaches bytes to a commit under a notes reference, in place of what was there.
    pub fn write_note(&self, reference: &str, commit: &Oid, bytes: &[u8]) -> Result<(), RepoError> {
        let reference = notes_ref(reference)?;
        let blob =
            self.objects()
                .args(["hash-object", "-w", "-t", "blob", "--stdin", "--no-filters"]);
        let blob = oid("hash-object", &blob.input(bytes.to_vec()).line()?)?;
        with_identity(self.git(), "")
            .args([
                "notes",
                "--ref",
                reference,
                "add",
                "--force",
                "-C",
                blob.as_str(),
                commit.as_str(),
            ])
            .output()
            .map(drop)
    }

    /// Reads the bytes attached to a commit under a notes reference.
    pub fn read_note(&self, reference: &str, commit: &Oid) -> Result<Option<Vec<u8>>, RepoError> {
        let reference = notes_ref(reference)?;
        let found = self
            .git()
            .args(["notes", "--ref", reference, "list", commit.as_str()])
            .run()?;
        if !found.is_success {
            // Git fails both for "no note" and for real faults; only the first names the object and nothing else.
            if found.stderr.contains("no note found") {
                return Ok(None);
            }
            return found.output().map(Some);
        }
        let blob = oid("notes", &found.line()?)?;
        self.read_blob(&blob).map(Some)
    }
}

impl Repo {
    /// The objects that have something attached under a notes reference, in git's order; none if there is no such
    /// reference.
    pub fn noted(&self, reference: &str) -> Result<Vec<Oid>, RepoError> {
        let reference = notes_ref(reference)?;
        let listed = self
            .git()
            .args(["notes", "--ref", reference, "list"])
            .output()?;
        String::from_utf8_lossy(&listed)
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(_, object)| oid("notes", object))
            .collect()
    }
}

/// Accepts full names of notes references only.
fn notes_ref(reference: &str) -> Result<&str, RepoError> {
    let name = reference.strip_prefix("refs/notes/").unwrap_or_default();
    let is_plain = !name.is_empty()
        && !name.contains("..")
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if is_plain {
        Ok(reference)
    } else {
        Err(RepoError::BadNotesRef(reference.to_owned()))
    }
}
