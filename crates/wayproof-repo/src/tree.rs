//! What a tree holds and what its files say. It refuses to follow links and submodules: both are entries, not
//! places to go.

use std::ffi::OsString;

use crate::discover::Repo;
use crate::git::RepoError;
use crate::path;
use crate::revision::{Oid, oid};

/// How many bytes of blobs are asked for in one turn.
const MOST_A_TURN: usize = 64 << 20;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is where it points.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// One file-like entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Where it is, relative to the root.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its content, or the commit of a submodule.
    pub blob: Oid,
}

impl Repo {
    /// Lists every file of a revision or tree, in git's order.
    pub fn ls_tree(&self, revision: &str) -> Result<Vec<TreeEntry>, RepoError> {
        let tree = self.treeish(revision)?;
        let listing = self
            .objects()
            .args(["ls-tree", "-r", "-z", "--full-tree", tree.as_str()])
            .output()?;
        listing
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
            .map(parse_entry)
            .collect()
    }

    /// Reads a file of a revision or tree; `None` when there is no such file.
    pub fn read(&self, revision: &str, path: &str) -> Result<Option<Vec<u8>>, RepoError> {
        let tree = self.treeish(revision)?;
        let mut name = tree.as_str().as_bytes().to_vec();
        name.push(b':');
        name.extend(path::to_bytes(path));
        let name = os_string(name);
        let kind = self.objects().args(["cat-file", "-t"]).arg(&name).run()?;
        if !kind.is_success || kind.stdout != b"blob\n" {
            return Ok(None);
        }
        self.objects()
            .args(["cat-file", "blob"])
            .arg(&name)
            .output()
            .map(Some)
    }

    /// Reads a blob by its name.
    pub fn read_blob(&self, blob: &Oid) -> Result<Vec<u8>, RepoError> {
        self.objects()
            .args(["cat-file", "blob", blob.as_str()])
            .output()
    }

    /// Reads many blobs at once, in their order; nothing for one that is not there, is no blob, or is larger than
    /// `largest`.
    pub fn read_blobs(
        &self,
        blobs: &[&Oid],
        largest: usize,
    ) -> Result<Vec<Option<Vec<u8>>>, RepoError> {
        let mut all = Vec::with_capacity(blobs.len());
        let sizes = self.batch("--batch-check", blobs)?;
        let sizes: Vec<Option<usize>> = String::from_utf8_lossy(&sizes)
            .lines()
            .map(|line| size_of(line.as_bytes()).filter(|size| *size <= largest))
            .collect();
        let mut rest = blobs.iter().zip(&sizes).peekable();
        while rest.peek().is_some() {
            // One answer of git is bounded, so they are asked for in turns.
            let (mut turn, mut bytes): (Vec<(&Oid, Option<usize>)>, usize) = (Vec::new(), 0);
            while let Some((blob, size)) = rest
                .next_if(|(_, size)| bytes == 0 || bytes + size.unwrap_or_default() <= MOST_A_TURN)
            {
                bytes += size.unwrap_or_default();
                turn.push((blob, *size));
            }
            self.read_turn(&turn, &mut all)?;
        }
        if all.len() != blobs.len() {
            return Err(strange("it answers for fewer objects than were asked for"));
        }
        Ok(all)
    }

    fn read_turn(
        &self,
        turn: &[(&Oid, Option<usize>)],
        all: &mut Vec<Option<Vec<u8>>>,
    ) -> Result<(), RepoError> {
        let wanted: Vec<&Oid> = turn
            .iter()
            .filter(|(_, size)| size.is_some())
            .map(|(blob, _)| *blob)
            .collect();
        let answer = self.batch("--batch", &wanted)?;
        let mut rest = answer.as_slice();
        for (_, size) in turn {
            let Some(size) = size else {
                all.push(None);
                continue;
            };
            let short = || strange("an object ends too early");
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (head, body) = rest.split_at(end.ok_or_else(short)?);
            if size_of(head) != Some(*size) {
                return Err(strange("an object is not what it was a moment ago"));
            }
            let content = body.get(1..=*size).ok_or_else(short)?;
            all.push(Some(content.to_vec()));
            rest = body.get(size + 2..).unwrap_or_default();
        }
        Ok(())
    }

    fn batch(&self, how: &str, blobs: &[&Oid]) -> Result<Vec<u8>, RepoError> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let asked: String = blobs
            .iter()
            .flat_map(|blob| [blob.as_str(), "\n"])
            .collect();
        let call = self.objects().args(["cat-file", how]);
        call.input(asked.into_bytes()).output()
    }

    /// Finds the tree behind a tree name, commit name or revision.
    pub(crate) fn treeish(&self, revision: &str) -> Result<Oid, RepoError> {
        if let Some(name) = Oid::parse(revision) {
            let answer = self
                .objects()
                .args([
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    &format!("{name}^{{tree}}"),
                ])
                .run()?;
            if answer.is_success {
                return oid("rev-parse", &answer.line()?);
            }
        }
        Ok(self.resolve(revision)?.tree)
    }
}

/// Reads `mode type name<TAB>path`.
fn parse_entry(record: &[u8]) -> Result<TreeEntry, RepoError> {
    let strange = || RepoError::Unexpected {
        command: "ls-tree".to_owned(),
        detail: String::from_utf8_lossy(record).into_owned(),
    };
    let tab = record
        .iter()
        .position(|byte| *byte == b'\t')
        .ok_or_else(strange)?;
    let (head, name) = record.split_at(tab);
    let head = std::str::from_utf8(head).map_err(|_| strange())?;
    let [mode, _, blob] = *head.split(' ').collect::<Vec<_>>() else {
        return Err(strange());
    };
    let kind = match mode {
        "100644" | "100664" => EntryKind::File,
        "100755" => EntryKind::Executable,
        "120000" => EntryKind::Symlink,
        "160000" => EntryKind::Submodule,
        _ => return Err(strange()),
    };
    Ok(TreeEntry {
        path: path::to_text(name.get(1..).unwrap_or_default()),
        kind,
        blob: oid("ls-tree", blob)?,
    })
}

/// Makes an argument of path bytes.
#[cfg(unix)]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes)
}

/// Makes an argument of path bytes; git speaks UTF-8 where names are not bytes.
#[cfg(not(unix))]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The size that git tells of a blob: `<name> blob <size>`.
fn size_of(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?;
    let (rest, size) = line.rsplit_once(' ')?;
    rest.ends_with(" blob").then(|| size.parse().ok())?
}

fn strange(detail: &str) -> RepoError {
    RepoError::Unexpected {
        command: "cat-file".to_owned(),
        detail: detail.to_owned(),
    }
}
