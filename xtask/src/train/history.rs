//! Labelled commits from the histories of repositories: where an author names the kind of a commit before a colon,
//! the rest of the line, the message and the changed files are an example of it.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};

use super::rows::{Row, Set, commit_kind, joined};
use crate::run::{command, read_until_it_fails};

/// How much of a history is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// The most commits of one kind that a repository gives, the newest ones.
    pub(crate) of_a_kind: usize,
    /// The most commits that are looked at.
    pub(crate) commits: usize,
}

/// The longest message below the first line, in bytes.
const MAX_BODY: usize = 300;

/// Reads a history, given as `OWNER/NAME=DIR`, as far back as the copy goes. Its licence is the caller's to know.
pub(crate) fn commits_of(history: &str, most: Most) -> Result<Vec<Row>> {
    let (name, folder) = history
        .split_once('=')
        .context("write --history OWNER/NAME=DIR")?;
    let folder = Path::new(folder)
        .canonicalize()
        .with_context(|| format!("looking for {folder}"))?;
    let place = folder.to_str().context("the folder's name is not text")?;
    let format = "--format=%x01%an%x02%s%x02%b%x03";
    let mut log = command(
        "git",
        &[
            "--git-dir",
            place,
            "log",
            "--no-merges",
            "--name-only",
            "-n",
            &most.commits.to_string(),
            format,
        ],
    );
    let text = read_until_it_fails(&mut log)?;
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in text.split('\u{1}').skip(1) {
        let Some(row) = row(entry, name) else {
            continue;
        };
        let count = counts.entry(row.kind.index()).or_default();
        if *count < most.of_a_kind {
            *count += 1;
            rows.push(row);
        }
    }
    Ok(rows)
}

fn row(entry: &str, repo: &str) -> Option<Row> {
    let (head, files) = entry.split_once('\u{3}')?;
    let mut parts = head.splitn(3, '\u{2}');
    let (author, subject, body) = (parts.next()?, parts.next()?, parts.next()?);
    let (prefix, subject) = subject.split_once(": ")?;
    let label = prefix.split('(').next()?.trim_end_matches('!');
    let paths: Vec<String> = files
        .lines()
        .filter(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    if author.to_ascii_lowercase().contains("bot") || paths.is_empty() {
        return None;
    }
    // A pull request's number at the end is no part of what was done.
    let subject = subject
        .rsplit_once(" (#")
        .map_or(subject, |(subject, _)| subject);
    let body: String = body.trim().chars().take(MAX_BODY).collect();
    Some(Row {
        set: Set::Commits,
        kind: commit_kind(label)?,
        repo: repo.to_owned(),
        text: joined(subject, Some(&body)),
        paths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayproof_engine::WorkKind;

    #[test]
    fn a_commit_with_a_kind_is_an_example() {
        let entry = "Ada\u{2}fix(parser)!: accept an empty file (#12)\u{2}It crashed.\n\u{3}\nsrc/a.rs\ntests/a.rs\n";
        let row = row(entry, "r").unwrap();
        assert_eq!(
            (row.kind, row.text.as_str()),
            (WorkKind::Fix, "accept an empty file\n\nIt crashed.")
        );
        assert_eq!(row.paths, ["src/a.rs", "tests/a.rs"]);
    }

    #[test]
    fn other_commits_are_none() {
        for entry in [
            "Ada\u{2}accept an empty file\u{2}\u{3}\nsrc/a.rs\n",
            "dependabot[bot]\u{2}chore: bump x\u{2}\u{3}\nCargo.lock\n",
            "Ada\u{2}wip: things\u{2}\u{3}\nsrc/a.rs\n",
            "Ada\u{2}fix: nothing changed\u{2}\u{3}\n",
            "",
        ] {
            assert!(row(entry, "r").is_none(), "{entry:?}");
        }
    }
}
