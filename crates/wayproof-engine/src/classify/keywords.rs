//! What the lexicon's phrases in an ask add up to, as one voice of the trained classifier, and the shares that come
//! out of it.

use super::{
    kinds::WorkKind,
    lexicon::{Label, Weight, lexicon},
    paths::is_document,
    phrases::Word,
    words::{fold, words},
};

/// The most words that are read.
const MAX_WORDS: usize = 200;

/// Words at the start of an ask, where people say what they want, count double.
const HEAD_WORDS: usize = 12;

/// The tasks that the text classifier can tell apart.
pub const KNOWN_TASKS: [&str; 6] = [
    "small-edit",
    "test-generation",
    "bug-fix",
    "migration",
    "security-review",
    "documentation",
];

/// What the classifier makes of an ask: a share in per mille for every task, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores {
    shares: Vec<(&'static str, u16)>,
}

/// Evidence against every task before the first word is read; it keeps one stray word from deciding.
const DOUBT: u32 = 4;

/// What the phrases of an ask add up to for every task. They are looked up once and used twice: to decide alone where
/// they are sure, and as one voice among the trained weights where they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phrased([u32; Label::COUNT]);

impl Phrased {
    /// Looks up the phrases of a folded text.
    pub(super) fn of(folded: &str) -> Self {
        let mut sums = [0; Label::COUNT];
        add_words(folded, &mut sums);
        Self(sums)
    }

    /// What the phrases and the paths of an ask say by themselves.
    pub(super) fn scores(&self, paths: &[String]) -> Scores {
        let Self(mut sums) = *self;
        add_paths(paths, &mut sums);
        Scores::from_sums(&sums)
    }

    /// What the trained classifier takes in of it: between nought and two.
    pub(super) fn values(&self) -> [f32; Label::COUNT] {
        const ENOUGH: u16 = 32;
        self.0
            .map(|sum| f32::from(u16::try_from(sum).unwrap_or(ENOUGH).min(ENOUGH)) / 16.0)
    }
}

impl Scores {
    /// What phrases alone add up to.
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

    /// Adds kinds up to tasks; without shares nothing is known.
    pub(super) fn from_kinds(kinds: Option<&[f32; WorkKind::COUNT]>) -> Self {
        let mut sums = [0.0_f32; Label::COUNT];
        for (kind, share) in WorkKind::ALL.into_iter().zip(kinds.into_iter().flatten()) {
            if let Some(sum) = sums.get_mut(kind.label().index()) {
                *sum += share;
            }
        }
        let mut ranked: Vec<(Label, u16)> =
            Label::ALL.into_iter().zip(sums.map(per_mille)).collect();
        ranked.sort_by_key(|(label, share)| (std::cmp::Reverse(*share), *label));
        let shares = ranked
            .into_iter()
            .map(|(label, share)| (label.task(), share));
        Self {
            shares: shares.collect(),
        }
    }

    /// The best task as a label.
    pub(super) fn best_label(&self) -> Label {
        let (best, _) = self.best();
        let found = Label::ALL.into_iter().find(|label| label.task() == best);
        found.unwrap_or(Label::General)
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

/// What the phrases of an ask add up to for every task, as the trained classifier takes it in: between nought and two.
pub fn lexicon_values(text: &str) -> [f32; Label::COUNT] {
    Phrased::of(&fold(text)).values()
}

fn add_words(folded: &str, sums: &mut [u32; Label::COUNT]) {
    let lexicon = lexicon();
    let mut seen = vec![false; lexicon.len()];
    let mut previous = Word::NONE;
    for (place, word) in words(folded).take(MAX_WORDS).enumerate() {
        let word = Word::new(word);
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

/// Words never make certain, as an instruction does.
const MOST_PM: f32 = 990.0;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between nought and one"
)]
fn per_mille(share: f32) -> u16 {
    (share * 1000.0).floor().min(MOST_PM) as u16
}

fn add(label: Label, weight: u32, sums: &mut [u32; Label::COUNT]) {
    if let Some(sum) = sums.get_mut(label.index()) {
        *sum += weight;
    }
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
