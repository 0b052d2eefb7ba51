//! Points an agent at the gateway in its own settings files, and takes exactly that back.
//!
//! `plan → read → edit → record → write`. Every file is read and edited before the first is written, so a broken one
//! changes nothing; the record is written before the files, so that what was begun can be taken back.
//! A file that nobody touched since is restored byte for byte; from any other only ours is removed.

pub(crate) mod agents;
mod document;
mod edit;
mod file;
mod limits;
mod margins;
mod record;

use std::path::{Path, PathBuf};

use anyhow::Result;
use similar::TextDiff;

use self::{
    agents::FilePlan,
    edit::{Edited, Undone, apply, undo},
    file::Found,
    record::FileRecord,
};
pub(crate) use self::{
    agents::{Agent, Plan, Point, Surroundings},
    limits::Limits,
    record::Record,
};
use crate::exit::Mistake;

/// What is about to happen to one file.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) path: PathBuf,
    found: Found,
    /// What it will say, or that it goes.
    after: Option<String>,
    /// What is remembered of it, where it is changed for a connection.
    record: Option<FileRecord>,
    /// Folders that go with it.
    folders: Vec<PathBuf>,
    /// Places that somebody changed since and that stay.
    pub(crate) left: Vec<String>,
}

/// How an agent's settings are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of ours is recorded.
    NotConnected,
    /// Everything is as it was left.
    Connected,
    /// These places of these files are not as they were left.
    Drifted(Vec<(PathBuf, Vec<String>)>),
}

impl Pending {
    /// Whether anything changes.
    pub(crate) fn is_change(&self) -> bool {
        self.found.text != self.after
    }

    /// The change as people read it.
    pub(crate) fn diff(&self) -> String {
        let (old, new) = (
            self.found.text.as_deref().unwrap_or_default(),
            self.after.as_deref().unwrap_or_default(),
        );
        let name = self.path.display().to_string();
        let (from, to) = (
            self.found.text.as_ref().map_or("/dev/null", |_| &name),
            self.after.as_ref().map_or("/dev/null", |_| &name),
        );
        TextDiff::from_lines(old, new)
            .unified_diff()
            .context_radius(3)
            .header(from, to)
            .to_string()
    }

    fn write(&self) -> Result<(), Mistake> {
        match &self.after {
            _ if !self.is_change() => Ok(()),
            Some(text) => file::write(&self.found.target, text),
            None => file::remove(&self.found.target),
        }
    }
}

/// What connecting would change. Nothing is written.
pub(crate) fn connecting(plan: &Plan, before: Option<&Record>) -> Result<Vec<Pending>> {
    let mut all = Vec::new();
    for wanted in &plan.files {
        let known = before.and_then(|record| record.files.iter().find(|it| it.path == wanted.path));
        all.push(connecting_file(wanted, known)?);
    }
    // A file that an earlier connection changed and this one does not is put back.
    let others = before.into_iter().flat_map(|record| &record.files);
    for known in others.filter(|known| plan.files.iter().all(|it| it.path != known.path)) {
        all.push(restoring(known)?);
    }
    Ok(all)
}

fn connecting_file(wanted: &FilePlan, known: Option<&FileRecord>) -> Result<Pending> {
    let found = file::read(&wanted.path)?;
    let refused = |error: edit::EditError| Mistake(format!("{} {error}", wanted.path.display()));
    let text = found.text.as_deref();
    // Where ours is in it already, we begin from what it would be without.
    let (base, folders) = match known {
        None => (text.map(str::to_owned), Vec::new()),
        Some(known) => {
            let all = wanted
                .format
                .read(text.unwrap_or_default())
                .map_err(|error| refused(error.into()))?;
            if text.is_some() && wanted.changes.iter().all(|change| change.holds_in(&all)) {
                return Ok(Pending {
                    path: wanted.path.clone(),
                    after: found.text.clone(),
                    record: Some(known.clone()),
                    folders: known.folders.clone(),
                    found,
                    left: Vec::new(),
                });
            }
            (without(known, &found)?.0, known.folders.clone())
        }
    };
    let Edited { text, made } = apply(
        base.as_deref().unwrap_or_default(),
        wanted.format,
        &wanted.changes,
    )
    .map_err(refused)?;
    let record = (!made.is_empty()).then(|| FileRecord {
        path: wanted.path.clone(),
        target: found.target.clone(),
        format: wanted.format,
        before: base.clone(),
        after: file::digest(&text),
        made: made.clone(),
        folders: folders.clone(),
    });
    let after = if made.is_empty() { base } else { Some(text) };
    Ok(Pending {
        path: wanted.path.clone(),
        found,
        after,
        record,
        folders,
        left: Vec::new(),
    })
}

/// What a file says without ours, and what of ours stays because somebody changed it since.
fn without(known: &FileRecord, found: &Found) -> Result<(Option<String>, Vec<String>)> {
    let Some(text) = &found.text else {
        return Ok((None, Vec::new()));
    };
    if file::digest(text) == known.after {
        return Ok((known.before.clone(), Vec::new()));
    }
    if found.text == known.before {
        return Ok((known.before.clone(), Vec::new()));
    }
    let refused = |error: edit::EditError| Mistake(format!("{} {error}", known.path.display()));
    let Undone { text, left } = undo(text, known.format, &known.made).map_err(refused)?;
    // A file of ours that has nothing in it any more was not there before either.
    let is_bare = known.before.is_none()
        && known
            .format
            .read(&text)
            .is_ok_and(|all| all.as_object().is_some_and(serde_json::Map::is_empty))
        && !text.contains("//")
        && !text.contains('#');
    Ok(((!is_bare).then_some(text), left))
}

fn restoring(known: &FileRecord) -> Result<Pending> {
    let found = file::read(&known.path)?;
    let (after, left) = without(known, &found)?;
    Ok(Pending {
        path: known.path.clone(),
        found,
        after,
        record: None,
        folders: known.folders.clone(),
        left,
    })
}

/// What disconnecting would change. Nothing is written.
pub(crate) fn disconnecting(record: &Record) -> Result<Vec<Pending>> {
    record.files.iter().map(restoring).collect()
}

/// Writes what connecting changes, and remembers it first.
pub(crate) fn connect(mut record: Record, mut pending: Vec<Pending>, data: &Path) -> Result<()> {
    for one in &mut pending {
        if one.after.is_some() && one.is_change() {
            let made = file::make_folders(&one.found.target)?;
            if let Some(kept) = &mut one.record {
                kept.folders.extend(made);
            }
        }
    }
    record.files = pending
        .iter()
        .filter_map(|one| one.record.clone())
        .collect();
    record.save(data)?;
    write(&pending)
}

/// Writes every file; folders that were made for files that are gone go last.
fn write(pending: &[Pending]) -> Result<()> {
    for one in pending {
        one.write()?;
    }
    for one in pending.iter().filter(|one| one.after.is_none()) {
        file::remove_folders(&one.folders);
    }
    Ok(())
}

/// Writes what disconnecting changes, and forgets.
pub(crate) fn disconnect(record: &Record, pending: &[Pending], data: &Path) -> Result<()> {
    write(pending)?;
    record.forget(data)
}

/// How an agent's settings are, compared with what they should say.
pub(crate) fn state(plan: &Plan, record: Option<&Record>) -> Result<State> {
    if record.is_none() {
        return Ok(State::NotConnected);
    }
    let mut drifted = Vec::new();
    for wanted in &plan.files {
        let found = file::read(&wanted.path)?;
        let text = found.text.unwrap_or_default();
        let all = wanted
            .format
            .read(&text)
            .map_err(|error| Mistake(format!("{} {error}", wanted.path.display())))?;
        let missing: Vec<String> = wanted
            .changes
            .iter()
            .filter(|change| !change.holds_in(&all))
            .map(edit::Change::place)
            .collect();
        if !missing.is_empty() {
            drifted.push((wanted.path.clone(), missing));
        }
    }
    Ok(if drifted.is_empty() {
        State::Connected
    } else {
        State::Drifted(drifted)
    })
}
