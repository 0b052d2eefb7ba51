//! Every changed line of a change in one call of git, with as much around it as is asked for. It refuses to guess
//! paths from the text of a patch: they come from git's own list, in the same order.

use crate::changes::{ChangeKind, parse_change};
use crate::discover::Repo;
use crate::git::RepoError;
use crate::hunks::{LineKind, parse_header};

/// A line of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchLine {
    /// Whether it was added or removed; nothing for a line that stayed.
    pub kind: Option<LineKind>,
    /// Its number: at the base for a removed line, else at the head.
    pub number: u32,
    /// The line without its line feed; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// What changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// The path. A file that moved is one that went and one that came.
    pub path: String,
    /// How it changed.
    pub kind: ChangeKind,
    /// Its lines, in runs that belong together; none where the content is binary.
    pub runs: Vec<Vec<PatchLine>>,
}

impl Repo {
    /// Gives every file that changed with its changed lines and `context` lines around them.
    pub fn patches(
        &self,
        base: &str,
        head: &str,
        context: u32,
    ) -> Result<Vec<FilePatch>, RepoError> {
        let raw = self.raw_changes(base, head, &["--no-renames"])?;
        let (base, head) = (self.treeish(base)?, self.treeish(head)?);
        let patch = self
            .objects()
            .args(["diff-tree", "-r", "-p", "--no-renames", "--no-color"])
            .args([
                "--no-ext-diff",
                "--no-textconv",
                "--diff-algorithm=histogram",
            ])
            .arg(format!("-U{context}"))
            .args([base.as_str(), head.as_str()])
            .output()?;
        let mut sections = sections(&patch)?.into_iter();
        let mut fields = raw
            .split(|byte| *byte == 0)
            .filter(|field| !field.is_empty());
        let mut files = Vec::new();
        while let Some(header) = fields.next() {
            let change = parse_change(header, &mut fields)?;
            let mut runs = sections.next().ok_or_else(missing)?;
            if change.kind == ChangeKind::TypeChanged {
                // Git takes a file that became a link, or the other way round, for one that went and one that came.
                runs.extend(sections.next().ok_or_else(missing)?);
            }
            files.push(FilePatch {
                path: change.path,
                kind: change.kind,
                runs,
            });
        }
        Ok(files)
    }
}

fn missing() -> RepoError {
    RepoError::Unexpected {
        command: "diff-tree".to_owned(),
        detail: "its patch has fewer files than its list".to_owned(),
    }
}

/// The runs of lines of each file of a patch.
fn sections(patch: &[u8]) -> Result<Vec<Vec<Vec<PatchLine>>>, RepoError> {
    let mut files: Vec<Vec<Vec<PatchLine>>> = Vec::new();
    // How many lines of each side the open run still owes; only they are content, so content cannot pose as a header.
    let (mut old_left, mut new_left) = (0_u32, 0_u32);
    let (mut old, mut new) = (0_u32, 0_u32);
    for line in patch.split(|byte| *byte == b'\n') {
        if old_left + new_left == 0 {
            if line.starts_with(b"diff --git ") {
                files.push(Vec::new());
            } else if line.starts_with(b"@@ ") {
                let hunk = parse_header(line)?;
                (old_left, new_left) = (hunk.old_lines, hunk.new_lines);
                (old, new) = (hunk.old_start, hunk.new_start);
                if let Some(runs) = files.last_mut() {
                    runs.push(Vec::new());
                }
            }
            continue;
        }
        let Some(run) = files.last_mut().and_then(|runs| runs.last_mut()) else {
            continue;
        };
        let (kind, number) = match line.first() {
            Some(b'-') => {
                old_left = old_left.saturating_sub(1);
                old += 1;
                (Some(LineKind::Removed), old - 1)
            }
            Some(b'+') => {
                new_left = new_left.saturating_sub(1);
                new += 1;
                (Some(LineKind::Added), new - 1)
            }
            // `\ No newline at end of file` is a remark.
            Some(b'\\') => continue,
            _ => {
                old_left = old_left.saturating_sub(1);
                new_left = new_left.saturating_sub(1);
                (old, new) = (old + 1, new + 1);
                (None, new - 1)
            }
        };
        let text = line.get(1..).unwrap_or_default();
        run.push(PatchLine {
            kind,
            number,
            text: String::from_utf8_lossy(text).into_owned(),
        });
    }
    Ok(files)
}
