//! Words and pairs of words that say what kind of work an ask is, with their weights.
//! The table is a text file beside this one; it is read once.

use std::{ops::Range, sync::LazyLock};

use crate::names::TaskName;

/// What the text classifier can say. The order breaks ties: the dearer mistake first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    SecurityReview,
    BugFix,
    Migration,
    TestGeneration,
    Documentation,
    SmallEdit,
    General,
}

/// The table, ready to be searched.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// Words in lower case, sorted.
    words: Vec<(&'static str, Label, u8)>,
    /// Pairs of neighboring words in lower case, sorted.
    pairs: Vec<((&'static str, &'static str), Label, u8)>,
    /// Where the entries begin whose (first) word begins with a letter.
    word_starts: Starts,
    pair_starts: Starts,
}

/// For every byte, the number of entries that begin with a smaller one.
#[derive(Debug)]
struct Starts([usize; 257]);

/// A find in the table: its number, what it speaks for and how loudly.
pub(crate) type Found = (usize, Label, u8);

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(include_str!("lexicon.txt")));

/// The table.
pub(crate) fn lexicon() -> &'static Lexicon {
    &LEXICON
}

impl Label {
    /// How many there are.
    pub(crate) const COUNT: usize = 7;

    /// All of them, in the order of their index.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::SecurityReview,
        Self::BugFix,
        Self::Migration,
        Self::TestGeneration,
        Self::Documentation,
        Self::SmallEdit,
        Self::General,
    ];

    /// Its place in [`Label::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The task it stands for.
    pub(crate) fn task(self) -> &'static str {
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

impl Lexicon {
    /// Reads the table. A line that cannot be read is left out, and a test says so.
    fn read(text: &'static str) -> Self {
        let mut words = Vec::new();
        let mut pairs = Vec::new();
        for (label, weight, phrases) in text.lines().filter_map(line) {
            for phrase in phrases.split(',').map(str::trim) {
                match phrase.split_once(' ') {
                    Some(pair) => pairs.push((pair, label, weight)),
                    None => words.push((phrase, label, weight)),
                }
            }
        }
        words.sort_unstable();
        pairs.sort_unstable();
        let word_starts = Starts::of(words.iter().map(|(word, _, _)| *word));
        let pair_starts = Starts::of(pairs.iter().map(|((first, _), _, _)| *first));
        Self {
            words,
            pairs,
            word_starts,
            pair_starts,
        }
    }

    /// Looks up a word.
    pub(crate) fn word(&self, word: &str) -> Option<Found> {
        let range = self.word_starts.range(word);
        let start = range.start;
        let near = self.words.get(range)?;
        let index = near
            .binary_search_by(|(known, _, _)| (*known).cmp(word))
            .ok()?;
        near.get(index)
            .map(|(_, label, weight)| (start + index, *label, *weight))
    }

    /// Looks up two neighboring words; its numbers follow those of the words.
    pub(crate) fn pair(&self, first: &str, second: &str) -> Option<Found> {
        let range = self.pair_starts.range(first);
        let start = self.words.len() + range.start;
        let near = self.pairs.get(range)?;
        let wanted = (first, second);
        let index = near
            .binary_search_by(|(known, _, _)| (*known).cmp(&wanted))
            .ok()?;
        near.get(index)
            .map(|(_, label, weight)| (start + index, *label, *weight))
    }

    /// How many numbers [`Found`] can hold.
    pub(crate) fn len(&self) -> usize {
        self.words.len() + self.pairs.len()
    }
}

impl Starts {
    fn of<'t>(sorted: impl Iterator<Item = &'t str>) -> Self {
        let mut starts = [0; 257];
        for word in sorted {
            let after = word.bytes().next().map_or(0, |byte| usize::from(byte) + 1);
            for start in starts.iter_mut().skip(after) {
                *start += 1;
            }
        }
        Self(starts)
    }

    fn range(&self, word: &str) -> Range<usize> {
        let byte = word.bytes().next().map_or(0, usize::from);
        let at = |byte: usize| self.0.get(byte).copied().unwrap_or(0);
        at(byte)..at(byte + 1)
    }
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
        let lexicon = lexicon();
        assert!(lexicon.words.windows(2).all(|w| w[0].0 != w[1].0));
        assert!(lexicon.pairs.windows(2).all(|w| w[0].0 != w[1].0));
        assert!(
            Label::ALL
                .iter()
                .enumerate()
                .all(|(index, label)| label.index() == index)
        );
    }
}
