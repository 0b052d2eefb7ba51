//! Which commits of a branch took earlier ones back. It believes what git writes into a revert's message, and looks at no
//! content.

use crate::discover::Repo;
use crate::git::RepoError;
use crate::revision::{Commit, Oid, oid};

/// A commit that says that it takes another one back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// When it was made, in seconds since 1970.
    pub at_s: i64,
    /// What it takes back; a merge stands for all that it brought.
    pub reverted: Oid,
}

/// How git begins to say it.
const SAYS: &str = "This reverts commit ";

/// A longer history is looked at no further back.
const MOST_COMMITS: u32 = 200_000;

impl Repo {
    /// The commits of a branch with their trees, newest first.
    pub fn commits(&self, head: &Commit) -> Result<Vec<Commit>, RepoError> {
        let listed = self
            .objects()
            .args(["rev-list", "--no-commit-header", "--format=%H %T"])
            .arg(format!("--max-count={MOST_COMMITS}"))
            .arg(head.id.as_str())
            .output()?;
        let read = |line: &str| {
            let (id, tree) = line.split_once(' ').unwrap_or((line, ""));
            Ok(Commit {
                id: oid("rev-list", id)?,
                tree: oid("rev-list", tree)?,
            })
        };
        String::from_utf8_lossy(&listed).lines().map(read).collect()
    }

    /// What the commits of a branch took back, newest first.
    pub fn reverts(&self, head: &Commit) -> Result<Vec<Revert>, RepoError> {
        let listed = self
            .objects()
            .args(["rev-list", "--no-commit-header", "--fixed-strings"])
            .arg(format!("--grep={SAYS}"))
            .args(["--format=%ct%n%B%x00", head.id.as_str()])
            .output()?;
        let text = String::from_utf8_lossy(&listed);
        Ok(text.split('\0').flat_map(revert).collect())
    }

    /// What a commit brought to its first parent: itself, and where it is a merge, all that was merged.
    pub fn brought(&self, commit: &Oid) -> Result<Vec<Oid>, RepoError> {
        let listed = self
            .objects()
            .args(["rev-list", &format!("--max-count={MOST_COMMITS}")])
            .arg(format!("{commit}^1..{commit}"))
            .run()?;
        if !listed.is_success {
            // The first commit of all has no parent.
            return Ok(vec![commit.clone()]);
        }
        let text = String::from_utf8_lossy(&listed.stdout);
        text.lines().map(|line| oid("rev-list", line)).collect()
    }
}

/// What one message says that it takes back.
fn revert(record: &str) -> Vec<Revert> {
    let Some((at, message)) = record.trim_start().split_once('\n') else {
        return Vec::new();
    };
    let Ok(at_s) = at.parse() else {
        return Vec::new();
    };
    let said = message.lines().filter_map(|line| {
        let rest = line.strip_prefix(SAYS)?;
        let id = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        let reverted = Oid::parse(id)?;
        Some(Revert { at_s, reverted })
    });
    said.collect()
}
