//! Words and pairs of words that say what kind of work an ask is, with their weights.
//! The table is a text file beside this one; it is read once.

use std::sync::LazyLock;

use super::phrases::Phrases;
use crate::names::TaskName;

/// What the text classifier can say. The order breaks ties: the dearer mistake first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the tasks of the built-in matrix, by name")]
pub enum Label {
    SecurityReview,
    BugFix,
    Migration,
    TestGeneration,
    Documentation,
    SmallEdit,
    General,
}

/// What a phrase speaks for and how loudly.
pub(crate) type Weight = (Label, u8);

static LEXICON: LazyLock<Phrases<Weight>> = LazyLock::new(|| read(include_str!("lexicon.txt")));

/// The table.
pub(crate) fn lexicon() -> &'static Phrases<Weight> {
    &LEXICON
}

impl Label {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All of them, in the order of their index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::SecurityReview,
        Self::BugFix,
        Self::Migration,
        Self::TestGeneration,
        Self::Documentation,
        Self::SmallEdit,
        Self::General,
    ];

    /// Its place in [`Label::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The task it stands for.
    pub fn task(self) -> &'static str {
        match self {
            Self::SecurityReview => "security-review",
            Self::BugFix => "bug-fix",
            Self::Migration => "migration",
            Self::TestGeneration => "test-generation",
            Self::Documentation => "documentation",
            Self::SmallEdit => "small-edit",
            Self::General => TaskName::GENERAL,
        }
    }
}

/// Reads the table. A line that cannot be read is left out, and a test says so.
fn read(text: &'static str) -> Phrases<Weight> {
    Phrases::of(entries(text))
}

fn entries(text: &'static str) -> impl Iterator<Item = ([&'static str; 2], Weight)> {
    text.lines()
        .filter_map(line)
        .flat_map(|(label, weight, phrases)| {
            phrases.split(',').map(str::trim).map(move |phrase| {
                let (first, second) = phrase.split_once(' ').unwrap_or(("", phrase));
                ([first, second], (label, weight))
            })
        })
}

/// `bug-fix 8: bug, not working`.
fn line(line: &'static str) -> Option<(Label, u8, &'static str)> {
    let (head, phrases) = line.split_once(": ")?;
    let (task, weight) = head.split_once(' ')?;
    let label = Label::ALL.into_iter().find(|label| label.task() == task)?;
    Some((label, weight.parse().ok()?, phrases))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_no_phrase_speaks_twice() {
        let text = include_str!("lexicon.txt");
        for written in text
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            assert!(line(written).is_some(), "{written}");
        }
        let mut phrases: Vec<_> = entries(text).map(|(phrase, _)| phrase).collect();
        phrases.sort_unstable();
        assert!(phrases.windows(2).all(|two| two[0] != two[1]));
        assert_eq!(lexicon().len(), phrases.len());
        assert!(
            Label::ALL
                .iter()
                .enumerate()
                .all(|(index, label)| label.index() == index)
        );
    }
}
