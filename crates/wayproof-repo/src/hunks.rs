//! The lines that changed in one file. It refuses binary content: such a file has no hunks.

use crate::discover::Repo;
use crate::git::RepoError;
use crate::path;
use crate::revision::Oid;
use crate::tree::os_string;

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Only the head has it.
    Added,
    /// Only the base has it.
    Removed,
}

/// One changed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HunkLine {
    /// What happened to it.
    pub kind: LineKind,
    /// The line without its line feed; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// A run of changed lines, without context. Line numbers count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The first removed line, or the line after which lines were added.
    pub old_start: u32,
    /// How many lines were removed.
    pub old_lines: u32,
    /// The first added line, or the line after which lines were removed.
    pub new_start: u32,
    /// How many lines were added.
    pub new_lines: u32,
    /// The removed lines, then the added ones.
    pub lines: Vec<HunkLine>,
}

const PLAIN: [&str; 7] = [
    "-p",
    "-U0",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--diff-algorithm=histogram",
];

impl Repo {
    /// Gives the changed lines of one path between two revisions or trees.
    pub fn diff(&self, base: &str, head: &str, path: &str) -> Result<Vec<Hunk>, RepoError> {
        let (base, head) = (self.treeish(base)?, self.treeish(head)?);
        let patch = self
            .objects()
            .args(["diff-tree", "-r"])
            .args(PLAIN)
            .args([base.as_str(), head.as_str(), "--"])
            .arg(os_string(path::to_bytes(path)))
            .output()?;
        parse(&patch)
    }

    /// Gives the changed lines between two contents, as for a file that moved.
    pub fn diff_blobs(&self, old: &Oid, new: &Oid) -> Result<Vec<Hunk>, RepoError> {
        let patch = self
            .objects()
            .arg("diff")
            .args(PLAIN)
            .args([old.as_str(), new.as_str()])
            .output()?;
        parse(&patch)
    }
}

/// Reads a patch without context.
fn parse(patch: &[u8]) -> Result<Vec<Hunk>, RepoError> {
    let mut hunks: Vec<Hunk> = Vec::new();
    // How many lines the open hunk still owes; only they are content, so content cannot pose as a header.
    let (mut removed_left, mut added_left) = (0_u32, 0_u32);
    for line in patch.split(|byte| *byte == b'\n') {
        match (line.split_first(), hunks.last_mut()) {
            (Some((b'-', text)), Some(hunk)) if removed_left > 0 => {
                removed_left -= 1;
                hunk.lines.push(hunk_line(LineKind::Removed, text));
            }
            (Some((b'+', text)), Some(hunk)) if added_left > 0 => {
                added_left -= 1;
                hunk.lines.push(hunk_line(LineKind::Added, text));
            }
            _ if line.starts_with(b"@@ ") => {
                let hunk = parse_header(line)?;
                (removed_left, added_left) = (hunk.old_lines, hunk.new_lines);
                hunks.push(hunk);
            }
            _ => {}
        }
    }
    Ok(hunks)
}

/// Makes a line of its bytes.
fn hunk_line(kind: LineKind, text: &[u8]) -> HunkLine {
    HunkLine {
        kind,
        text: String::from_utf8_lossy(text).into_owned(),
    }
}

/// Reads `@@ -start[,lines] +start[,lines] @@`.
pub(crate) fn parse_header(line: &[u8]) -> Result<Hunk, RepoError> {
    let text = String::from_utf8_lossy(line);
    let mut words = text.split(' ').skip(1);
    let old = words.next().and_then(|word| range(word.strip_prefix('-')?));
    let new = words.next().and_then(|word| range(word.strip_prefix('+')?));
    match (old, new) {
        (Some((old_start, old_lines)), Some((new_start, new_lines))) => Ok(Hunk {
            old_start,
            old_lines,
            new_start,
            new_lines,
            lines: Vec::new(),
        }),
        (_, _) => Err(RepoError::Unexpected {
            command: "diff".to_owned(),
            detail: text.into_owned(),
        }),
    }
}

/// Reads `start` or `start,lines`.
fn range(text: &str) -> Option<(u32, u32)> {
    match text.split_once(',') {
        Some((start, lines)) => Some((start.parse().ok()?, lines.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}
