//! Names of objects and what revisions resolve to. It refuses a name that is an option in disguise.

use std::fmt;

use crate::discover::Repo;
use crate::git::RepoError;

/// The name of a git object: 40 or 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    /// Takes a full object name.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_hex && matches!(text.len(), 40 | 64)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether this is the name git gives to "no object".
    pub(crate) fn is_null(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'0')
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A commit and the tree it records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The commit.
    pub id: Oid,
    /// Its tree.
    pub tree: Oid,
}

impl Repo {
    /// Finds the commit a revision names.
    pub fn resolve(&self, revision: &str) -> Result<Commit, RepoError> {
        if revision.is_empty() || revision.contains(['\0', '\n']) {
            return Err(RepoError::UnknownRevision(revision.to_owned()));
        }
        let answer = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .arg(format!("{revision}^{{commit}}"))
            .run()?;
        if !answer.is_success {
            return Err(self.unknown(revision)?);
        }
        let id = oid("rev-parse", &answer.line()?)?;
        let tree = self.tree_of(&id)?;
        Ok(Commit { id, tree })
    }

    /// Finds the commit that is checked out.
    pub fn head(&self) -> Result<Commit, RepoError> {
        self.resolve("HEAD")
    }

    /// Finds the best common ancestor of two revisions.
    pub fn merge_base(&self, base: &str, head: &str) -> Result<Commit, RepoError> {
        let (one, other) = (self.resolve(base)?, self.resolve(head)?);
        let answer = self
            .objects()
            .args(["merge-base", one.id.as_str(), other.id.as_str()])
            .run()?;
        if !answer.is_success && answer.stderr.is_empty() {
            return Err(RepoError::NoMergeBase {
                base: base.to_owned(),
                head: head.to_owned(),
                hint: if self.is_shallow()? {
                    "; this clone is shallow, so it may be missing only here: git fetch --unshallow"
                } else {
                    ""
                },
            });
        }
        let id = oid("merge-base", &answer.line()?)?;
        let tree = self.tree_of(&id)?;
        Ok(Commit { id, tree })
    }

    /// Finds the tree of a commit.
    pub(crate) fn tree_of(&self, commit: &Oid) -> Result<Oid, RepoError> {
        let name = format!("{commit}^{{tree}}");
        oid(
            "rev-parse",
            &self
                .objects()
                .args(["rev-parse", "--verify", "--quiet", &name])
                .line()?,
        )
    }

    /// Tells an unborn branch from a name that does not exist.
    fn unknown(&self, revision: &str) -> Result<RepoError, RepoError> {
        let head = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .run()?;
        if self.is_shallow()? {
            return Ok(RepoError::UnknownInShallow(revision.to_owned()));
        }
        if head.is_success {
            return Ok(RepoError::UnknownRevision(revision.to_owned()));
        }
        let any = self
            .git()
            .args(["rev-list", "--all", "--max-count=1"])
            .run()?;
        if any.is_success && any.stdout.is_empty() {
            return Ok(RepoError::NoCommits(self.root().to_owned()));
        }
        Ok(RepoError::UnknownRevision(revision.to_owned()))
    }
}

impl Repo {
    /// Whether older commits were left out when it was cloned.
    fn is_shallow(&self) -> Result<bool, RepoError> {
        let answer = self
            .git()
            .args(["rev-parse", "--is-shallow-repository"])
            .line()?;
        Ok(answer == "true")
    }
}

/// Takes an object name out of git's answer.
pub(crate) fn oid(command: &str, text: &str) -> Result<Oid, RepoError> {
    Oid::parse(text).ok_or_else(|| RepoError::Unexpected {
        command: command.to_owned(),
        detail: format!("{text:?} is not an object name"),
    })
}
