//! The text classifier: trained weights over what an ask consists of, shipped as a file beside this one.
//! It tells kinds of work apart and adds them up to tasks. It never looks at the conversation, the model or the price.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{
    features::{Group, Sink, features},
    keywords::{Phrased, Scores, lexicon_values},
    kinds::WorkKind,
    lexicon::Label,
    weights::{Weights, loudness},
    words::fold,
};

#[expect(
    clippy::expect_used,
    reason = "the file ships with the crate and every test reads it"
)]
static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    Weights::read(include_bytes!("weights.bin")).expect("the shipped weights are whole")
});

#[expect(
    clippy::expect_used,
    reason = "the file ships with the crate and every test reads it"
)]
static CHANGES: LazyLock<Weights> = LazyLock::new(|| {
    Weights::read(include_bytes!("changes.bin")).expect("the shipped weights are whole")
});

/// The weights for an ask: where its files are known it reads like a commit, else like a request.
fn weights(paths: &[String]) -> &'static Weights {
    if paths.is_empty() { &WEIGHTS } else { &CHANGES }
}

/// From this share on, in per mille, the phrases of an ask decide alone.
const SURE_PM: u16 = 550;

/// The text classifier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Classifier;

/// A part of an ask and how much it speaks for the task that was found; a hundred is a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A word, two neighboring words or what the ask looks like.
    pub text: String,
    /// In hundredths of a natural logarithm of odds.
    pub weight: i32,
}

impl Classifier {
    /// Scores an ask: by its phrases where these are sure, which people wrote down to be, else by the trained weights.
    pub fn scores(&self, text: &str, paths: &[String]) -> Scores {
        Self::scores_folded(text, &fold(text), paths)
    }

    /// The same for who has folded the text already.
    pub(super) fn scores_folded(text: &str, folded: &str, paths: &[String]) -> Scores {
        let phrases = Phrased::of(folded);
        let plain = phrases.scores(paths);
        if plain.best_label() != Label::General && plain.best().1 >= SURE_PM {
            return plain;
        }
        let shares = weights(paths).shares(text, paths, &phrases.values());
        Scores::from_kinds(shares.as_ref())
    }

    /// The weights it was shipped with, for asks alone.
    pub fn weights(&self) -> &'static Weights {
        &WEIGHTS
    }

    /// The weights it was shipped with, for asks whose changed files are known.
    pub fn changes(&self) -> &'static Weights {
        &CHANGES
    }

    /// What speaks most for the task that is found, loudest first.
    pub fn reasons(&self, text: &str, paths: &[String]) -> Vec<Reason> {
        const SHOWN: usize = 6;
        let lexicon = lexicon_values(text);
        let weights = weights(paths);
        let Some(shares) = weights.shares(text, paths, &lexicon) else {
            return Vec::new();
        };
        let best = self.scores(text, paths).best_label();
        let ranked = WorkKind::ALL.into_iter().zip(shares);
        let mine = ranked.filter(|(kind, _)| kind.label() == best);
        let Some((kind, _)) = mine.max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return Vec::new();
        };
        let mut heard = Heard::new(weights);
        features(text, paths, &mut heard);
        let mut said: BTreeMap<String, f32> = BTreeMap::new();
        for (group, hash, text) in &heard.found {
            let of = heard.counts.get(group.index()).copied().unwrap_or(0);
            if let Some(row) = weights.row(*hash) {
                let lift = lift(&row, kind) * loudness(*group, of) / weights.temperature;
                *said.entry(text.clone()).or_default() += lift;
            }
        }
        for ((label, value), row) in Label::ALL.into_iter().zip(lexicon).zip(&weights.lexicon) {
            if value > 0.0 {
                let name = format!("phrases of `{}`", label.task());
                said.insert(name, lift(row, kind) * value / weights.temperature);
            }
        }
        let mut reasons: Vec<Reason> = said.into_iter().map(reason).collect();
        reasons.retain(|reason| reason.weight > 0);
        reasons.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.text.cmp(&b.text)));
        reasons.truncate(SHOWN);
        reasons
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "logarithms of odds are small"
)]
fn reason((text, weight): (String, f32)) -> Reason {
    let weight = (weight * 100.0).round() as i32;
    Reason { text, weight }
}

/// How much more a row says for a kind than for the others.
#[expect(clippy::cast_precision_loss, reason = "there are a dozen kinds")]
fn lift(row: &[f32; WorkKind::COUNT], kind: WorkKind) -> f32 {
    let mine = row.get(kind.index()).copied().unwrap_or(0.0);
    mine - row.iter().sum::<f32>() / WorkKind::COUNT as f32
}

/// Keeps the features that have weights, with the words they stand for.
struct Heard {
    weights: &'static Weights,
    found: Vec<(Group, u64, String)>,
    counts: [u16; Group::COUNT],
}

impl Heard {
    fn new(weights: &'static Weights) -> Self {
        Self {
            weights,
            found: Vec::new(),
            counts: [0; Group::COUNT],
        }
    }
}

impl Sink for Heard {
    fn take(&mut self, group: Group, hash: u64, first: &str, second: &str) {
        let is_new = self.found.iter().all(|(_, known, _)| *known != hash);
        if !is_new || self.weights.row(hash).is_none() {
            return;
        }
        if let Some(count) = self.counts.get_mut(group.index()) {
            *count += 1;
        }
        let text = format!("{first} {second}");
        self.found.push((group, hash, text.trim_end().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_asks_are_sure_and_say_why() {
        for (ask, task) in [
            (
                "the login page returns 500 when the token expired",
                "bug-fix",
            ),
            ("write unit tests for the date parser", "test-generation"),
            (
                "migrate the HTTP client from requests to httpx",
                "migration",
            ),
            (
                "do a security review of the session handling",
                "security-review",
            ),
            (
                "update the README with the new install steps",
                "documentation",
            ),
            ("add dark mode to the settings screen", "general"),
        ] {
            let (found, share) = Classifier.scores(ask, &[]).best();
            assert_eq!(found, task, "{ask}");
            assert!(share > 550, "{ask}: {share}");
            let reasons = Classifier.reasons(ask, &[]);
            assert!(!reasons.is_empty(), "{ask}");
            assert!(reasons.iter().all(|reason| reason.weight > 0));
        }
        let reasons = Classifier.reasons("write unit tests for the date parser", &[]);
        assert!(
            reasons.iter().any(|reason| reason.text.contains("test")),
            "{reasons:?}"
        );
    }

    #[test]
    fn what_has_no_known_word_has_no_task() {
        for ask in ["", "   ", "修复登录页面的错误", "🙂🙂🙂", "????", "\0\0\0"] {
            let scores = Classifier.scores(ask, &[]);
            assert_eq!(scores.best().1, 0, "{ask:?}");
            assert_eq!(Classifier.reasons(ask, &[]), []);
        }
    }

    #[test]
    fn equal_asks_have_equal_scores_and_shares_stay_below_the_whole() {
        let ask = "x".repeat(100) + "\n```\nfn main() {}\n```\nThe build fails <!-- hidden";
        let scores = Classifier.scores(&ask, &["src/lib.rs".to_owned()]);
        assert_eq!(scores, Classifier.scores(&ask, &["src/lib.rs".to_owned()]));
        let sum: u16 = scores.iter().map(|(_, share)| share).sum();
        // Phrases leave a share to doubt.
        assert!((500..=1000).contains(&sum), "{sum}");
    }

    #[test]
    fn weights_survive_their_file_and_damaged_ones_are_refused() {
        for weights in [Classifier.weights(), Classifier.changes()] {
            let bytes = weights.to_bytes();
            assert_eq!(&Weights::read(&bytes).unwrap(), weights);
            assert!(bytes.len() <= 500_000, "{}", bytes.len());
            for end in [0, 7, 8, 11, 100, bytes.len() - 1] {
                assert!(Weights::read(&bytes[..end]).is_err());
            }
            assert!(Weights::read(&[bytes.as_slice(), &[0]].concat()).is_err());
            let mut later = bytes;
            later[8] = 9;
            assert!(Weights::read(&later).is_err());
        }
    }

    #[test]
    fn an_ask_with_its_files_reads_like_a_commit() {
        let kind = |subject: &str, paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let shares = Classifier
                .changes()
                .shares(subject, &paths, &lexicon_values(subject))
                .unwrap();
            let ranked = WorkKind::ALL.into_iter().zip(shares);
            ranked.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
        };
        for (subject, paths, is) in [
            (
                "run the jobs on arm",
                &[".github/workflows/ci.yml"][..],
                WorkKind::Pipeline,
            ),
            (
                "explain how to install it",
                &["docs/install.md"],
                WorkKind::Docs,
            ),
            ("cover the empty file", &["tests/parser.rs"], WorkKind::Test),
            (
                "bump serde to 1.0.200",
                &["Cargo.toml", "Cargo.lock"],
                WorkKind::Chore,
            ),
            (
                "do not crash on an empty file",
                &["src/parser.rs"],
                WorkKind::Fix,
            ),
        ] {
            assert_eq!(kind(subject, paths), is, "{subject}");
        }
        // Which words beside which files spoke for it can be told.
        let paths = ["src/parser.rs".to_owned()];
        let reasons = Classifier.reasons("something odd happens here", &paths);
        assert!(reasons.iter().all(|reason| reason.weight > 0));
    }
}
