//! The branches of a repository, the ones that changed last first.

use crate::discover::Repo;
use crate::git::RepoError;
use crate::revision::{Commit, Oid};

/// A branch, here or as it was last seen at a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name, without `refs/heads/` or `refs/remotes/`.
    pub name: String,
    /// Where it is.
    pub tip: Commit,
    /// When its last commit was made, in seconds since 1970.
    pub at_s: i64,
    /// The first line of its last commit's message.
    pub subject: String,
}

impl Repo {
    /// Lists at most so many branches, the one with the youngest commit first.
    pub fn branches(&self, at_most: u32) -> Result<Vec<Branch>, RepoError> {
        let listing = self
            .git()
            .args(["for-each-ref", "--sort=-committerdate"])
            .arg(format!("--count={at_most}"))
            .arg("--format=%(objectname)%00%(tree)%00%(committerdate:unix)%00%(refname:lstrip=2)%00%(symref)%00%(contents:subject)")
            .args(["refs/heads", "refs/remotes"])
            .output()?;
        let lines = listing.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(branch).collect())
    }
}

/// Reads one line; what is no branch with a commit is left out, and so is a name for another one.
fn branch(line: &[u8]) -> Option<Branch> {
    let text = String::from_utf8_lossy(line);
    let mut fields = text.split('\0');
    let id = Oid::parse(fields.next()?)?;
    let tree = Oid::parse(fields.next()?)?;
    let at_s = fields.next()?.parse().ok()?;
    let name = fields.next()?.to_owned();
    let is_symbolic = !fields.next()?.is_empty();
    let subject = fields.next()?.to_owned();
    (!is_symbolic).then_some(Branch {
        name,
        tip: Commit { id, tree },
        at_s,
        subject,
    })
}
