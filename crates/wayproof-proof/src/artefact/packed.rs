//! Packing where the build itself packs nothing: a gem, a copy of what an autoloader names, a jar, an installed prefix.
//!
//! A packing that fails speaks against the change only where it works at the base; elsewhere it is the gap that
//! nothing was packed.

use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::{Check, CheckKind, Side};

use super::{
    Artefact, Built, NOT_BUILT, Needs, checked, cmake, copy, error_of, java, php, ruby, step,
};
use crate::plan::{Ecosystem, Suite};
use crate::row::Case;
use crate::run::{Host, Tree, Trouble};

/// How packing ended.
pub(super) enum Packed {
    /// There is nothing that says what to pack.
    Unknown,
    /// It was packed.
    Made(Artefact),
    /// It could not be.
    Failed(String),
}

/// Packing at work: where it runs, and what ran.
pub(super) struct Packing<'a> {
    pub host: &'a Host<'a>,
    pub tree: &'a Tree,
    /// The suite's folder in the tree.
    pub cwd: PathBuf,
    /// A folder outside of every tree for what is made.
    pub out: PathBuf,
    pub checks: Vec<Check>,
}

/// Builds by what typechecks, then packs.
pub(super) fn build(case: &Case<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    if suite.ecosystem == Ecosystem::Java {
        java::forget_built(&tree.path.join(&suite.dir))?;
    }
    let mut built = checked(case, suite, tree)?;
    if built.error.is_some() {
        return Ok(built);
    }
    let (packed, checks) = pack(case.host, suite, tree)?;
    match packed {
        Packed::Made(artefact) => {
            built.checks.extend(checks);
            built.gaps.remove(NOT_BUILT);
            built.artefact = Some(artefact);
        }
        Packed::Unknown => built.checks.extend(set_aside(checks)),
        Packed::Failed(why) if tree.side == Side::Base || packs_at_base(case, suite)? => {
            built.checks.extend(checks);
            built.error = Some(why);
        }
        Packed::Failed(_) => built.checks.extend(set_aside(checks)),
    }
    Ok(built)
}

fn packs_at_base(case: &Case<'_>, suite: &Suite) -> Result<bool, Trouble> {
    let name = format!("packed-base-{}", case.host.next_check());
    let base = copy(&case.trees.base, &name, case.host)?;
    let built = checked(case, suite, &base)?;
    Ok(built.error.is_none() && matches!(pack(case.host, suite, &base)?.0, Packed::Made(_)))
}

/// What did not work out says nothing about the head.
fn set_aside(checks: Vec<Check>) -> impl Iterator<Item = Check> {
    checks.into_iter().map(|check| Check {
        kind: CheckKind::Other,
        ..check
    })
}

fn pack(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<(Packed, Vec<Check>), Trouble> {
    let mut packing = Packing {
        host,
        tree,
        cwd: tree.path.join(&suite.dir),
        out: host.fresh("packed")?,
        checks: Vec::new(),
    };
    let packed = match suite.ecosystem {
        Ecosystem::Ruby => ruby::pack(&mut packing),
        Ecosystem::Php => php::pack(&mut packing),
        Ecosystem::Java => java::pack(&mut packing),
        Ecosystem::C => cmake::pack(&mut packing),
        Ecosystem::Rust | Ecosystem::Python | Ecosystem::JavaScript | Ecosystem::Go => {
            Ok(Packed::Unknown)
        }
    }?;
    Ok((packed, packing.checks))
}

impl Packing<'_> {
    /// Runs one command in the suite's folder; what it said where it failed.
    pub(super) fn run(
        &mut self,
        argv: Vec<String>,
        needs: &Needs,
    ) -> Result<Option<String>, Trouble> {
        let mut needs = needs.clone();
        needs.writable.push(self.out.clone());
        let (ran, check) = step(
            self.host,
            self.tree,
            &self.cwd,
            CheckKind::Build,
            argv,
            &needs,
        )?;
        self.checks.push(check);
        Ok(error_of(&ran, None))
    }

    /// Writes a file of ours beside what is made.
    pub(super) fn put(&self, name: &str, text: &str) -> Result<PathBuf, Trouble> {
        let place = self.out.join(name);
        std::fs::write(&place, text).map_err(Trouble::io("write what tries the built package"))?;
        Ok(place)
    }

    /// A program of this machine, which is no fault of the change when it is missing.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        let found = self.host.machine.find(name)?;
        Some(text(&found))
    }

    /// What was made, with what it needs to be tried in a folder of its own.
    pub(super) fn artefact(&self, place: PathBuf, mut needs: Needs) -> Result<Artefact, Trouble> {
        // Tried where the source is not.
        let away = self.away();
        std::fs::create_dir_all(&away).map_err(Trouble::io("make a folder to try it in"))?;
        needs.writable.push(self.out.clone());
        Ok(Artefact {
            place,
            needs,
            tries: Vec::new(),
        })
    }

    /// The folder in which it is tried.
    pub(super) fn away(&self) -> PathBuf {
        self.out.join("away")
    }
}

pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The regular files of a folder, sorted.
pub(super) fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
