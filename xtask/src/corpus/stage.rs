//! Turns a case into a git repository: the base is tagged `base`, the change lies committed on top.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::case::{Case, Tree};
use crate::run::{command, succeeds};

/// Writes the repository of a case below a folder and returns its path.
pub(super) fn write(case: &Case, below: &Path) -> Result<PathBuf> {
    let place = below.join(case.id());
    fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    git(&place, &["init", "--quiet", "--initial-branch=main"])?;
    lay(&place, &case.base)?;
    commit(&place, "base")?;
    git(&place, &["tag", "base"])?;
    lay(&place, &case.change)?;
    commit(&place, "change")?;
    Ok(place)
}

/// Puts the files of a tree in their places.
pub(super) fn lay(place: &Path, tree: &Tree) -> Result<()> {
    for (path, text) in tree {
        let file = place.join(path);
        let Some(text) = text else {
            fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
            continue;
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// Commits everything that is there.
pub(super) fn commit(place: &Path, message: &str) -> Result<()> {
    git(place, &["add", "--all", "--force"])?;
    let author = [
        "-c",
        "user.name=Corpus",
        "-c",
        "user.email=corpus@example.org",
        "-c",
        "commit.gpgsign=false",
    ];
    let words = [&author[..], &["commit", "--quiet", "--message", message]].concat();
    git(place, &words)
}

/// Runs git in a repository.
pub(super) fn git(place: &Path, args: &[&str]) -> Result<()> {
    let mut git = command("git", args);
    git.current_dir(place);
    anyhow::ensure!(
        succeeds(&mut git),
        "git {} failed in {}",
        args.join(" "),
        place.display()
    );
    Ok(())
}
