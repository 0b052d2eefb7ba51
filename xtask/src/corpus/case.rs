//! Reads the corpus: plain text files, one a trick and ecosystem, that hold a base, a cheat and its honest twin.
//!
//! The format is described in `corpus/README.md`. A file that does not follow it is an error with its name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// Files by path; `None` removes one.
pub(super) type Tree = BTreeMap<String, Option<String>>;

/// One change to judge.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The ecosystem it is written for.
    pub ecosystem: String,
    /// The name of the trick.
    pub trick: String,
    /// Whether it is the cheat or its twin.
    pub variant: Variant,
    /// What the change claims to be.
    pub task: String,
    /// The files before it.
    pub base: Tree,
    /// What it changes.
    pub change: Tree,
}

/// The two sides of a trick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// Must not be accepted.
    Cheat,
    /// The closest honest change, which must be.
    Honest,
}

impl Variant {
    /// Its name in reports and folders.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cheat => "cheat",
            Self::Honest => "honest",
        }
    }
}

impl Case {
    /// `ecosystem/trick/variant`.
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.ecosystem, self.trick, self.variant.name())
    }
}

/// Every case below a folder, in the order of their names.
pub(super) fn read_all(root: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for folder in entries(root)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&folder)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            if name.starts_with("base-") {
                continue;
            }
            let what = || format!("reading the case {}", file.display());
            cases.extend(read(&folder, &file, &name).with_context(what)?);
        }
    }
    Ok(cases)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listing = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn read(folder: &Path, file: &Path, trick: &str) -> Result<[Case; 2]> {
    let text = fs::read_to_string(file)?;
    let mut parts = text.split("\n== ");
    let head = parts.next().unwrap_or_default();
    let setting = |key: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(name, value)| (name == key).then(|| value.trim().to_owned()))
    };
    let name = setting("base").context("it names no base")?;
    let mut base = read_base(folder, &name)?;
    let (mut cheat, mut honest) = (None, None);
    for part in parts {
        let (title, body) = part.split_once('\n').unwrap_or((part, ""));
        match title.trim() {
            "base" => base.extend(sections(body)?),
            "cheat" => cheat = Some(sections(body)?),
            "honest" => honest = Some(sections(body)?),
            other => bail!("it has a part `{other}`, which is neither base, cheat nor honest"),
        }
    }
    let ecosystem = folder.file_name().unwrap_or_default().to_string_lossy();
    let case = |variant, change: Option<Tree>| -> Result<Case> {
        Ok(Case {
            ecosystem: ecosystem.clone().into_owned(),
            trick: trick.to_owned(),
            variant,
            task: setting("task").unwrap_or_else(|| "bug-fix".to_owned()),
            base: base.clone(),
            change: change.context("it lacks a cheat or an honest twin")?,
        })
    };
    Ok([case(Variant::Cheat, cheat)?, case(Variant::Honest, honest)?])
}

fn read_base(folder: &Path, name: &str) -> Result<Tree> {
    let file = folder.join(format!("base-{name}.txt"));
    let text = fs::read_to_string(&file)
        .with_context(|| format!("reading the base {}", file.display()))?;
    sections(&text)
}

/// The files of a part: a line `-- path --` opens each, and `-- path removed --` stands for one that goes.
fn sections(text: &str) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let title = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match (title, &open) {
            (Some(title), _) => {
                let removed = title.strip_suffix(" removed");
                let path = removed.unwrap_or(title).to_owned();
                tree.insert(path.clone(), removed.is_none().then(String::new));
                open = removed.is_none().then_some(path);
            }
            (None, Some(path)) => {
                if let Some(Some(body)) = tree.get_mut(path) {
                    body.push_str(line);
                    body.push('\n');
                }
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => bail!("the line `{line}` belongs to no file"),
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn files_open_with_a_line_and_may_be_removed() {
        let tree = sections("-- a/b.py --\nx = 1\n\n-- old.py removed --\n").unwrap();
        assert_eq!(tree["a/b.py"].as_deref(), Some("x = 1\n\n"));
        assert_eq!(tree["old.py"], None);
        assert!(sections("stray\n").is_err());
    }
}
