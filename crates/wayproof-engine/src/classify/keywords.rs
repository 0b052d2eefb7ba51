//! A first text classifier: weighted words and pairs of words, integer arithmetic, no model.
//! Its interface is all that the rest of the engine sees: text and paths in, a share for every task out. A trained
//! classifier takes its place by keeping that interface.

use super::{
    lexicon::{Label, Weight, lexicon},
    phrases::Word,
    words::{fold, words},
};

/// The most words that are read.
const MAX_WORDS: usize = 200;

/// Words at the start of an ask, where people say what they want, count double.
const HEAD_WORDS: usize = 12;

/// Evidence against every task before the first word is read; it keeps one stray word from deciding.
const DOUBT: u32 = 4;

/// The tasks that the text classifier can tell apart.
pub const KNOWN_TASKS: [&str; 6] = [
    "small-edit",
    "test-generation",
    "bug-fix",
    "migration",
    "security-review",
    "documentation",
];

/// The text classifier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Classifier;

/// What the classifier makes of an ask: a share in per mille for every task, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores {
    shares: Vec<(&'static str, u16)>,
}

impl Classifier {
    /// Scores an ask.
    pub fn scores(&self, text: &str, paths: &[String]) -> Scores {
        scores_of(&fold(text), paths)
    }
}

/// Scores an ask that is folded already.
pub(super) fn scores_of(folded: &str, paths: &[String]) -> Scores {
    let mut sums = [0_u32; Label::COUNT];
    add_words(folded, &mut sums);
    add_paths(paths, &mut sums);
    Scores::from_sums(&sums)
}

impl Scores {
    fn from_sums(sums: &[u32; Label::COUNT]) -> Self {
        let mut ranked: Vec<(Label, u32)> = Label::ALL.into_iter().zip(*sums).collect();
        ranked.sort_by_key(|(label, sum)| (std::cmp::Reverse(*sum), *label));
        let [(_, first), (_, second)] =
            [0, 1].map(|rank| ranked.get(rank).copied().unwrap_or((Label::General, 0)));
        let whole = first + second + DOUBT;
        let shares = ranked
            .into_iter()
            .map(|(label, sum)| {
                (
                    label.task(),
                    u16::try_from(1000 * sum / whole).unwrap_or(1000),
                )
            })
            .collect();
        Self { shares }
    }

    /// The best task and its share.
    pub fn best(&self) -> (&'static str, u16) {
        self.shares
            .first()
            .copied()
            .unwrap_or((Label::General.task(), 0))
    }

    /// The next best task and its share.
    pub fn runner_up(&self) -> (&'static str, u16) {
        self.shares
            .get(1)
            .copied()
            .unwrap_or((Label::General.task(), 0))
    }

    /// Every task with its share, best first.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u16)> + '_ {
        self.shares.iter().copied()
    }
}

fn add_words(folded: &str, sums: &mut [u32; Label::COUNT]) {
    let lexicon = lexicon();
    let mut seen = vec![false; lexicon.len()];
    let mut previous = Word::NONE;
    for (place, word) in words(folded).take(MAX_WORDS).map(Word::new).enumerate() {
        let factor = if place < HEAD_WORDS { 2 } else { 1 };
        let alone = lexicon.find(Word::NONE, word);
        for found in [alone, lexicon.find(previous, word)].into_iter().flatten() {
            count(found, factor, &mut seen, sums);
        }
        previous = word;
    }
}

/// Adds a phrase once, however often it occurs.
fn count(
    (number, (label, weight)): (usize, Weight),
    factor: u32,
    seen: &mut [bool],
    sums: &mut [u32; Label::COUNT],
) {
    if let Some(seen) = seen.get_mut(number)
        && !std::mem::replace(seen, true)
    {
        add(label, factor * u32::from(weight), sums);
    }
}

/// Files that are all of one kind say something about the work.
fn add_paths(paths: &[String], sums: &mut [u32; Label::COUNT]) {
    if paths.is_empty() {
        return;
    }
    let all = |is_kind: fn(&str) -> bool| paths.iter().all(|path| is_kind(path));
    if all(is_document) {
        add(Label::Documentation, 6, sums);
    }
    if all(is_test) {
        add(Label::TestGeneration, 3, sums);
    }
}

fn add(label: Label, weight: u32, sums: &mut [u32; Label::COUNT]) {
    if let Some(sum) = sums.get_mut(label.index()) {
        *sum += weight;
    }
}

fn is_document(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".md", ".mdx", ".rst", ".adoc"]
        .iter()
        .any(|extension| path.ends_with(extension))
        || path.starts_with("docs/")
}

/// Whether a path is a test, by the customs of the languages.
pub(crate) fn is_test(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let stem = name.split('.').next().unwrap_or(name);
    path.split('/').rev().skip(1).any(|folder| {
        matches!(
            folder,
            "test" | "tests" | "__tests__" | "spec" | "specs" | "testing" | "e2e"
        )
    }) || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || matches!(stem, "test" | "tests" | "conftest")
        || name.contains(".test.")
        || name.contains(".spec.")
}
