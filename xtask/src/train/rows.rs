//! Labelled asks from the data folder, as the classifier would meet them: one text, and paths where they are known.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;
use wayproof_engine::{
    WorkKind,
    classifier::{Group, Sink, features, lexicon_values},
};

use super::fit::Example;
use crate::{eval::data, run::root};

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// Issues of five repositories: bug, feature or question. Its licence allows no more than measuring.
    Reports,
    /// Issues that led to an agent's change, with the kind of that change. No licence is stated.
    Issues,
    /// Subjects of commits with the kinds of files; the licence is each row's.
    Commits,
    /// Statements of bugs, under the MIT licence.
    Statements,
    /// Asks in our own words.
    Own,
}

/// A labelled ask.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) set: Set,
    pub(crate) kind: WorkKind,
    pub(crate) repo: String,
    pub(crate) text: String,
    pub(crate) paths: Vec<String>,
}

impl Row {
    /// The row as fitting wants it, counted so often. With `own_words` the words count once more for their
    /// repository alone, so that fitting learns what is special about it.
    pub(crate) fn example(&self, weight: f32, own_words: bool) -> Example {
        let mut found = Found::default();
        features(&self.text, &self.paths, &mut found);
        let is_ask = matches!(self.set, Set::Reports | Set::Issues | Set::Own);
        let mut features: Vec<(u64, Group)> = found.0.into_iter().collect();
        // How a commit's message is laid out says nothing about how people ask.
        features.retain(|(_, group)| is_ask || *group != Group::Shape);
        if own_words {
            let repo = digest(&self.repo);
            let special = features
                .iter()
                .filter(|(_, group)| matches!(group, Group::Whole | Group::Shape));
            let special: Vec<_> = special
                .map(|(hash, group)| (blend(*hash ^ repo), *group))
                .collect();
            features.extend(special);
        }
        Example {
            kind: self.kind.index(),
            weight,
            features,
            lexicon: lexicon_values(&self.text),
        }
    }
}

#[derive(Default)]
struct Found(BTreeMap<u64, Group>);

impl Sink for Found {
    fn take(&mut self, group: Group, hash: u64, _: &str, _: &str) {
        self.0.entry(hash).or_insert(group);
    }
}

/// A hash of a repository's name, as the weights name what they were fitted on.
pub(crate) fn digest(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    blend(name.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

fn blend(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 29)
}

/// Issues of five repositories.
pub(crate) fn reports(folder: &Path) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct Line {
        repo: String,
        label: String,
        title: String,
        body: Option<String>,
    }
    let lines: Vec<Line> = data::lines(folder, "labels_nlbse24.jsonl.gz")?;
    let kind = |label: &str| match label {
        "bug" => Some(WorkKind::Fix),
        "feature" => Some(WorkKind::Feature),
        "question" => Some(WorkKind::Question),
        _ => None,
    };
    Ok(lines
        .into_iter()
        .filter_map(|line| {
            Some(Row {
                set: Set::Reports,
                kind: kind(&line.label)?,
                repo: line.repo,
                text: joined(&line.title, line.body.as_deref()),
                paths: Vec::new(),
            })
        })
        .collect())
}

/// Issues that led to an agent's change.
pub(crate) fn issues(folder: &Path) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct Line {
        issue_url: String,
        label: String,
        title: String,
        body: Option<String>,
    }
    let lines: Vec<Line> = data::lines(folder, "labels_aidev_issues.jsonl.gz")?;
    Ok(lines
        .into_iter()
        .filter_map(|line| {
            let parts: Vec<&str> = line.issue_url.split('/').skip(3).take(2).collect();
            Some(Row {
                set: Set::Issues,
                kind: commit_kind(&line.label)?,
                repo: parts.join("/"),
                text: joined(&line.title, line.body.as_deref()),
                paths: Vec::new(),
            })
        })
        .collect())
}

/// Commits whose licence allows weights to ship.
pub(crate) fn commits(folder: &Path) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct Line {
        repo: String,
        licence: String,
        label: String,
        subject: String,
        body: Option<String>,
        file_classes: BTreeMap<String, u32>,
    }
    let lines: Vec<Line> = data::lines(folder, "labels_conventional_commits.jsonl.gz")?;
    Ok(lines
        .into_iter()
        .filter(|line| matches!(line.licence.as_str(), "MIT" | "Apache-2.0" | "MPL-2.0"))
        .filter_map(|line| {
            Some(Row {
                set: Set::Commits,
                kind: commit_kind(&line.label)?,
                repo: line.repo,
                text: joined(&line.subject, line.body.as_deref()),
                paths: stand_ins(&line.file_classes),
            })
        })
        .collect())
}

/// Statements of bugs.
pub(crate) fn statements(folder: &Path) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct Line {
        repo: String,
        problem_statement: String,
    }
    let lines: Vec<Line> = data::lines(folder, "swebv_instances.jsonl.gz")?;
    Ok(lines
        .into_iter()
        .map(|line| Row {
            set: Set::Statements,
            kind: WorkKind::Fix,
            repo: line.repo,
            text: line.problem_statement,
            paths: Vec::new(),
        })
        .collect())
}

/// Asks in our own words, from the file in this repository.
pub(crate) fn own() -> Result<Vec<Row>> {
    let path = root().join("xtask/asks.txt");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (kind, ask) = line
                .split_once(": ")
                .with_context(|| format!("`{line}` has no kind"))?;
            let kind =
                WorkKind::named(kind).with_context(|| format!("`{kind}` is no kind of work"))?;
            Ok(Row {
                set: Set::Own,
                kind,
                repo: "our own words".to_owned(),
                text: ask.to_owned(),
                paths: Vec::new(),
            })
        })
        .collect()
}

/// The kind of a type of commit; some types are none.
pub(crate) fn commit_kind(label: &str) -> Option<WorkKind> {
    match label {
        "build" | "deps" => Some(WorkKind::Chore),
        "style" => Some(WorkKind::Edit),
        "fix" | "feat" | "docs" | "test" | "refactor" | "perf" | "ci" | "chore" => {
            WorkKind::named(label)
        }
        _ => None,
    }
}

pub(crate) fn joined(title: &str, body: Option<&str>) -> String {
    match body.filter(|body| !body.is_empty()) {
        Some(body) => format!("{title}\n\n{body}"),
        None => title.to_owned(),
    }
}

/// Paths that stand for the counted kinds of files, which is all that the set tells.
fn stand_ins(classes: &BTreeMap<String, u32>) -> Vec<String> {
    const MOST: u32 = 200;
    let name = |class: &str, at: u32| match class {
        "test" => format!("tests/a{at}.rs"),
        "docs" => format!("docs/a{at}.md"),
        "ci" => format!(".github/workflows/a{at}.yml"),
        "config" => format!("a{at}.json"),
        "lock" => format!("a{at}.lock"),
        _ => format!("src/a{at}.rs"),
    };
    let each = classes.iter();
    each.flat_map(|(class, count)| (0..(*count).min(MOST)).map(move |at| name(class, at)))
        .collect()
}
