//! A difference as pages show it, each file with what is claimed of it.

use crate::reviews::FileSeen;
use crate::show::text::short;

/// One changed file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) runs: Vec<Vec<Line>>,
    pub(super) claims: Vec<Claim>,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) class: &'static str,
    pub(super) mark: char,
    pub(super) number: u32,
    pub(super) text: String,
}

/// What is claimed of a change or of one of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) tone: &'static str,
    pub(super) mark: &'static str,
    pub(super) words: String,
}

impl Claim {
    /// Something that speaks for the change.
    pub(super) fn good(words: String) -> Self {
        Self {
            tone: "good",
            mark: "✓",
            words,
        }
    }

    /// Something that speaks against it, or that is missing.
    pub(super) fn bad(words: String) -> Self {
        Self {
            tone: "bad",
            mark: "✕",
            words,
        }
    }
}

/// Files with their lines, and with what is claimed of each by its path.
pub(super) fn files(files: Vec<FileSeen>, claims: impl Fn(&str) -> Vec<Claim>) -> Vec<File> {
    let shown = files.into_iter().map(|file| File {
        claims: claims(&file.path),
        path: short(&file.path),
        kind: file.kind,
        runs: file
            .runs
            .into_iter()
            .map(|run| {
                let lines = run.into_iter().map(|line| Line {
                    class: match line.mark {
                        '+' => "added",
                        '-' => "removed",
                        _ => "same",
                    },
                    mark: line.mark,
                    number: line.number,
                    text: line.text,
                });
                lines.collect()
            })
            .collect(),
    });
    shown.collect()
}
