//! Receipts outside of the ledger that name a person: files in the data directory, which go, and notes of repositories,
//! which are named. Notes are part of a repository's history, and whoever has a clone has them, so taking them off is
//! for whoever owns the repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::ForgetSubject;
use wayproof_repo::Repo;

use crate::{
    proving::repo_mistake,
    sealing::NOTES_REF,
    settings,
    terminal::{plain, print, tell},
};

/// Notes of one repository that name the person.
#[derive(Debug)]
pub(super) struct Noted {
    repo: PathBuf,
    objects: Vec<String>,
}

impl Noted {
    pub(super) fn value(&self) -> Value {
        json!({"repo": self.repo.to_string_lossy(), "reference": NOTES_REF, "objects": self.objects})
    }
}

/// Notes that name the person, in the repositories that were named, else in the one around the working directory.
pub(super) fn noted(named: &[PathBuf], subject: &ForgetSubject) -> Result<Vec<Noted>> {
    let repos = if named.is_empty() {
        let here = std::env::current_dir().context("finding the working directory")?;
        Repo::discover(&here).ok().into_iter().collect()
    } else {
        let opened = named.iter().map(|folder| Repo::discover(folder));
        opened
            .collect::<Result<Vec<_>, _>>()
            .map_err(repo_mistake)?
    };
    let mut found = Vec::new();
    for repo in repos {
        let mut objects = Vec::new();
        for object in repo.noted(NOTES_REF).context("reading the notes")? {
            let note = repo
                .read_note(NOTES_REF, &object)
                .context("reading a note")?;
            let note = note.unwrap_or_default();
            if subject.is_in_receipt(&String::from_utf8_lossy(&note)) {
                objects.push(object.as_str().to_owned());
            }
        }
        if !objects.is_empty() {
            found.push(Noted {
                repo: repo.root().to_owned(),
                objects,
            });
        }
    }
    Ok(found)
}

/// Receipts in the data directory that name the person.
pub(super) fn files(data: Option<&Path>, subject: &ForgetSubject) -> Result<Vec<PathBuf>> {
    let folder = settings::data_path(data)?.join("receipts");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let reading = || format!("reading {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let bytes = fs::read(&path).with_context(reading)?;
        if subject.is_in_receipt(&String::from_utf8_lossy(&bytes)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn remove(files: &[PathBuf]) -> Result<()> {
    for file in files {
        fs::remove_file(file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(())
}

pub(super) fn told(files: &[PathBuf], noted: &[Noted], is_dry: bool) -> Result<()> {
    if !files.is_empty() {
        let verb = if is_dry { "would take" } else { "took" };
        print(&format!(
            "{verb} {} receipt(s) of the data directory away",
            files.len()
        ))?;
    }
    for noted in noted {
        tell(&format!(
            "{} receipt(s) in notes of {} name them and stay: `git notes --ref {NOTES_REF} remove {}` takes them off; \
             the history of that reference, and every clone, has them until it is written anew",
            noted.objects.len(),
            plain(&noted.repo.to_string_lossy()),
            noted.objects.join(" ")
        ));
    }
    Ok(())
}
