//! What a change moves in manifests and lock files, and why each package moved.
//!
//! Pure. A package has a reason when the project asks for it, or when something that moved needs it. Where nothing
//! says why, it is named; where it comes from another place than before, that is a finding.

mod judge;
mod lock;
mod manifest;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use wayproof_receipt::predicate::{Dependencies, Finding, MovedPackage};

use crate::plan::FileChange;

pub(crate) use lock::{Locked, read as read_lock};
pub(crate) use manifest::{Asked, read as read_manifest};

/// What the manifests and lock files of a change say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// For the receipt.
    pub said: Dependencies,
    /// What is odd about it.
    pub findings: Vec<Finding>,
    /// Packages that the project no longer asks for, with the manifest that asked.
    pub dropped: BTreeSet<(String, String)>,
    /// Whether versions moved that nothing asks for: a lock file that was refreshed by the way.
    pub is_refreshed: bool,
}

/// Whether a file is one of those that say what a project depends on.
pub(crate) fn is_about_dependencies(path: &str) -> bool {
    lock::is_lock(path) || manifest::is_manifest(path) || judge::is_registry(path)
}

/// Reads the change. `machine_script` says whether a package of cargo's runs a program when it is built.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(crate) fn moves(
    changes: &[FileChange],
    at_head: &dyn Fn(&str) -> Option<String>,
    machine_script: &dyn Fn(&str, &str) -> bool,
) -> Moves {
    let mut moves = Moves::default();
    let mut manifests: BTreeMap<&str, (Asked, Asked)> = BTreeMap::new();
    for change in changes {
        let folder = folder_of(&change.path);
        if manifest::is_manifest(&change.path) {
            moves.said.files.push(change.path.clone());
            let read = |text: &Option<String>| {
                read_manifest(&change.path, text.as_deref().unwrap_or_default())
            };
            let (before, after) = (read(&change.before), read(&change.after));
            let (mut gone, kept) = (before.names(), after.names());
            gone.retain(|name| !kept.contains(name));
            moves
                .dropped
                .extend(gone.into_iter().map(|name| (name, change.path.clone())));
            let known = manifests.entry(folder).or_default();
            known.0.merge(before);
            known.1.merge(after);
        }
        moves.findings.extend(judge::registries(change));
    }
    let mut has_lock = BTreeSet::new();
    for change in changes.iter().filter(|change| lock::is_lock(&change.path)) {
        let folder = folder_of(&change.path);
        has_lock.insert(folder);
        moves.said.files.push(change.path.clone());
        let read = |text: &Option<String>| {
            let text = text.as_deref()?;
            Some(read_lock(&change.path, text))
        };
        let (before, after) = (read(&change.before), read(&change.after));
        if change.after.is_some() && after.as_ref().is_none_or(Option::is_none) {
            moves.findings.push(judge::unread(&change.path));
            continue;
        }
        let before = before.flatten().unwrap_or_default();
        let after = after.flatten().unwrap_or_default();
        // The manifests of a workspace lie below its lock file.
        let mut asked = (Asked::default(), Asked::default());
        for (place, (old, new)) in &manifests {
            if folder.is_empty() || *place == folder || place.starts_with(&format!("{folder}/")) {
                asked.0.merge(old.clone());
                asked.1.merge(new.clone());
            }
        }
        let now = lock::manifests_of(&change.path)
            .iter()
            .filter_map(|name| {
                let path = crate::plan::join(folder, name);
                Some(read_manifest(&path, &at_head(&path)?))
            })
            .fold(asked.1.clone(), |mut all, one| {
                all.merge(one);
                all
            });
        let scene = judge::Scene {
            path: &change.path,
            before: &before,
            after: &after,
            asked_before: &asked.0,
            asked_after: &asked.1,
            asked_now: &now,
            machine_script,
        };
        judge::lock(&scene, &mut moves);
    }
    for (folder, (before, after)) in &manifests {
        if !has_lock.contains(folder) {
            judge::manifest_only(folder, before, after, changes, &mut moves);
        }
    }
    moves.findings.sort_by(|one, other| {
        (&one.path, &one.explanation).cmp(&(&other.path, &other.explanation))
    });
    moves.findings.dedup();
    moves
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Moves {
    fn add(&mut self, moved: MovedPackage) {
        self.said.moved.push(moved);
    }
}

#[cfg(test)]
mod tests;
