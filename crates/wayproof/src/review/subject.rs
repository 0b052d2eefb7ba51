//! What a review is about: the tree that merging a change makes, and the revision it goes into.
//!
//! A decision about a branch's tree says nothing about what comes out when its trunk has moved on, so it is the merged
//! tree that is signed.

use anyhow::Result;
use wayproof_engine::{ChangedFile, Touch, touches};
use wayproof_receipt::ResourceDescriptor;
use wayproof_repo::{Commit, FilePatch, Oid, Repo};

use crate::{commands::prove, exit::Mistake, proving::repo_mistake};

/// A change, as it is reviewed.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The revision it goes into.
    pub(crate) into: Commit,
    /// The revision that goes in.
    pub(crate) head: Commit,
    /// What merging makes.
    pub(crate) tree: Oid,
    /// Files that merging changes.
    pub(crate) paths: Vec<String>,
    /// SHA-256 of what merging changes.
    pub(crate) digest: String,
}

impl Subject {
    /// What merging a head into a revision makes; nothing where they contradict each other.
    pub(crate) fn of(repo: &Repo, into: &Commit, head: &Commit) -> Result<Option<Self>> {
        let Some(tree) = repo.merged_tree(into, head).map_err(repo_mistake)? else {
            return Ok(None);
        };
        let (before, after) = (into.tree.as_str(), tree.as_str());
        let changes = repo.changes(before, after).map_err(repo_mistake)?;
        let mut paths: Vec<String> = changes
            .iter()
            .flat_map(|change| change.old_path.iter().chain([&change.path]))
            .cloned()
            .collect();
        paths.sort();
        paths.dedup();
        Ok(Some(Self {
            into: into.clone(),
            head: head.clone(),
            digest: repo.change_digest(before, after).map_err(repo_mistake)?,
            tree,
            paths,
        }))
    }

    /// The change between two revisions that somebody named, or did not.
    pub(crate) fn named(repo: &Repo, base: Option<&str>, head: &str) -> Result<Self> {
        let head = repo.resolve(head).map_err(repo_mistake)?;
        let into = prove::into_of(repo, base, &head)?;
        let subject =
            Self::of(repo, &into, &head)?.ok_or_else(|| Mistake(conflict(&into, &head)))?;
        if subject.paths.is_empty() {
            return Err(Mistake(format!(
                "nothing differs between {} and {}; name the revision the change goes into by --base",
                into.id, head.id
            ))
            .into());
        }
        Ok(subject)
    }

    /// The changed lines, with some around them.
    pub(crate) fn patches(&self, repo: &Repo, context: u32) -> Result<Vec<FilePatch>> {
        repo.patches(self.into.tree.as_str(), self.tree.as_str(), context)
            .map_err(repo_mistake)
    }

    /// The sensitive surfaces it touches.
    pub(crate) fn touches(&self, repo: &Repo) -> Result<Vec<Touch>> {
        Ok(touches_of(&self.patches(repo, 0)?))
    }

    /// The revision it goes into, for a receipt.
    pub(crate) fn base(&self) -> ResourceDescriptor {
        ResourceDescriptor::revision(self.into.id.as_str(), self.into.tree.as_str())
    }
}

/// That there is nothing to review, in a sentence.
pub(crate) fn conflict(into: &Commit, head: &Commit) -> String {
    format!(
        "{} cannot be merged into {} without conflicts, so there is no tree to review; rebase it first",
        head.id, into.id
    )
}

/// The sensitive surfaces that changed lines touch.
pub(crate) fn touches_of(patches: &[FilePatch]) -> Vec<Touch> {
    let lines: Vec<Vec<&str>> = patches
        .iter()
        .map(|file| {
            let lines = file.runs.iter().flatten();
            lines
                .filter(|line| line.kind.is_some())
                .map(|line| line.text.as_str())
                .collect()
        })
        .collect();
    let files: Vec<ChangedFile<'_>> = patches
        .iter()
        .zip(&lines)
        .map(|(file, lines)| ChangedFile {
            path: &file.path,
            lines,
        })
        .collect();
    touches(&files)
}
