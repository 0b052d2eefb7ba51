//! Build caches, one a tree: what one tree's code wrote is never read by another's, but every tree may start from
//! what the base, whose code is trusted, left behind.
//!
//! Workspace members are never taken over: cargo tells trees apart by modification times, which lie here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::Side;

use crate::run::{Host, Tree, Trouble};

/// The folder in which a tree's builds keep things, seeded from the base's when it is new.
pub(crate) fn folder(
    host: &Host<'_>,
    tree: &Tree,
    kind: &str,
    own: &BTreeSet<String>,
) -> Result<PathBuf, Trouble> {
    let place = host.scratch.join(kind).join(name_of(&tree.path));
    if place.exists() {
        return Ok(place);
    }
    fs::create_dir_all(&place).map_err(Trouble::io("make a cache folder"))?;
    let base = host.scratch.join(kind).join("base");
    if tree.side != Side::Base && base.is_dir() {
        copy(&base, &place, own).map_err(Trouble::io("copy the base's cache"))?;
    }
    Ok(place)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Copies a cache with its modification times, without what belongs to the packages in `own`.
fn copy(from: &Path, to: &Path, own: &BTreeSet<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = to.join(&name);
        let kind = entry.file_type()?;
        if is_of(&name, own) || name == "incremental" || name == "nextest" {
            continue;
        }
        if kind.is_dir() {
            fs::create_dir_all(&place)?;
            copy(&entry.path(), &place, own)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &place)?;
            fs::File::options()
                .write(true)
                .open(&place)?
                .set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}

/// Whether a file of a target folder (`libname-0123456789abcdef.rlib`, `name-0123456789abcdef`) is one of theirs.
fn is_of(file: &str, own: &BTreeSet<String>) -> bool {
    let stem = file.split('.').next().unwrap_or(file);
    let Some((stem, hash)) = stem.rsplit_once('-') else {
        return false;
    };
    let is_hash = hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
    let plain = |name: &str| name.replace('-', "_");
    let stem = plain(stem);
    is_hash
        && own
            .iter()
            .any(|name| plain(name) == stem || format!("lib{}", plain(name)) == stem)
}

/// A cargo home of the tree's own that reads the machine's registry: cargo may unpack into it, and sees no
/// credentials.
pub(crate) fn cargo_home(host: &Host<'_>, tree: &Tree) -> Result<PathBuf, Trouble> {
    let real = host.machine.folder("CARGO_HOME", ".cargo");
    let home = host.scratch.join("cargo-home").join(name_of(&tree.path));
    let sources = home.join("registry/src");
    if sources.exists() {
        return Ok(home);
    }
    let doing = || Trouble::io("prepare cargo's home");
    fs::create_dir_all(&sources).map_err(doing())?;
    for name in ["index", "cache"] {
        link(
            &real.join("registry").join(name),
            &home.join("registry").join(name),
        )?;
    }
    link(&real.join("git"), &home.join("git"))?;
    for name in ["config.toml", "config"] {
        if real.join(name).is_file() {
            fs::copy(real.join(name), home.join(name)).map_err(doing())?;
        }
    }
    for registry in entries(&real.join("registry/src")) {
        let ours = sources.join(registry.file_name().unwrap_or_default());
        fs::create_dir_all(&ours).map_err(doing())?;
        for package in entries(&registry) {
            link(
                &package,
                &ours.join(package.file_name().unwrap_or_default()),
            )?;
        }
    }
    Ok(home)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn link(from: &Path, to: &Path) -> Result<(), Trouble> {
    if from.exists() && !to.exists() {
        std::os::unix::fs::symlink(from, to).map_err(Trouble::io("link a cache"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn own_artifacts_are_told_from_dependencies() {
        let own = ["my-crate".to_owned(), "it".to_owned()].into();
        for file in [
            "my-crate-0123456789abcdef",
            "libmy_crate-0123456789abcdef.rlib",
            "it-0123456789abcdef.d",
            "my_crate-0123456789abcdef",
        ] {
            assert!(is_of(file, &own), "{file}");
        }
        for file in [
            "my-crate-extra-0123456789abcdef",
            "libserde-0123456789abcdef.rlib",
            "deps",
            "CACHEDIR.TAG",
        ] {
            assert!(!is_of(file, &own), "{file}");
        }
    }
}
