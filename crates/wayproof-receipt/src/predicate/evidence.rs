//! What checks showed: test counts, fail-to-pass, flakes, coverage, mutants, oracles.
//! Holds counts as they were reported; `support` judges them.

use serde::{Deserialize, Serialize};

/// Counts of one run of the suite at the head, by test id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tests {
    /// Ids that were listed before the run.
    pub planned: u64,
    /// Ids that were run.
    pub ran: u64,
    /// Ids that passed.
    pub passed: u64,
    /// Ids that failed.
    pub failed: u64,
    /// Ids that failed at the base and fail at the head: not the change's doing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub still_failing: Vec<String>,
    /// Ids that were reported as skipped.
    pub skipped: u64,
    /// Ids that the base does not have.
    pub added: Vec<String>,
    /// Ids that only the base has.
    pub removed: Vec<String>,
    /// Ids that the base runs and the head skips.
    pub newly_skipped: Vec<String>,
    /// What became of the ids that passed at the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_to_pass: Option<PassToPass>,
}

impl Tests {
    /// Whether every planned id was reported exactly once; `ran` may or may not count skipped ids.
    pub fn is_whole(&self) -> bool {
        let reported = self
            .passed
            .checked_add(self.failed)
            .and_then(|ran| ran.checked_add(self.skipped));
        reported == Some(self.planned)
            && (self.ran == self.planned || self.ran == self.planned - self.skipped)
    }
}

/// Ids that passed at the base.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PassToPass {
    /// How many still pass.
    pub kept: u64,
    /// Those that do not, without a reason the obligation allowed.
    pub lost: Vec<String>,
}

/// Why a test was red before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RedReason {
    /// An assertion did not hold.
    Assertion,
    /// The code under test failed with an exception or a panic.
    Exception,
    /// It ran out of time.
    Timeout,
    /// It did not build.
    BuildError,
    /// It was not there.
    Missing,
    /// The process died.
    Crash,
    /// A reason this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl RedReason {
    /// Whether the red shows the fault itself rather than something any change would cure.
    pub fn is_strong(self) -> bool {
        match self {
            Self::Assertion | Self::Exception => true,
            Self::Timeout | Self::BuildError | Self::Missing | Self::Crash | Self::Unknown => false,
        }
    }
}

/// How much of the change was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AblationMode {
    /// Whole hunks outside tests.
    Hunks,
    /// Function bodies, keeping signatures.
    FunctionBody,
    /// A way this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The head run again without the change to the product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ablation {
    /// What was taken out.
    pub mode: AblationMode,
    /// How often it was run.
    pub runs: u32,
    /// How often it was red.
    pub reds: u32,
    /// Why it was red.
    pub red_reason: RedReason,
}

/// A test that was red before the change and is green after it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailToPass {
    /// The test.
    pub test_id: String,
    /// Whether the test was there, unchanged, before the work began.
    pub preexisting: bool,
    /// Runs before the change.
    pub base_runs: u32,
    /// Of those, red ones.
    pub base_reds: u32,
    /// Why they were red.
    pub red_reason: RedReason,
    /// Runs after the change.
    pub head_runs: u32,
    /// Of those, green ones.
    pub head_greens: u32,
    /// The same test with the change taken out again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ablation: Option<Ablation>,
    /// Greatest chance that a flaky test looks like this; see [`false_accept_bound`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_accept_bound: Option<f64>,
}

impl FailToPass {
    /// Whether every red run was red and every green run was green, with at least one of each.
    pub fn is_consistent(&self) -> bool {
        let ablation_reds = self.ablation.as_ref().map_or(0, |ablation| ablation.reds);
        let is_red = self.base_runs == self.base_reds && self.base_reds.max(ablation_reds) > 0;
        let is_ablated = self
            .ablation
            .as_ref()
            .is_none_or(|ablation| ablation.reds >= ablation.runs);
        is_red && is_ablated && self.head_runs == self.head_greens && self.head_greens > 0
    }

    /// Whether the red shows the fault itself, at the base or with the change taken out.
    pub fn is_strong(&self) -> bool {
        let at_base = self.base_reds > 0 && self.red_reason.is_strong();
        let ablated = self
            .ablation
            .as_ref()
            .is_some_and(|it| it.reds > 0 && it.red_reason.is_strong());
        at_base || ablated
    }

    /// The bound that the counts give; repeated runs of either red tree count.
    pub fn bound(&self) -> f64 {
        let ablated = self.ablation.as_ref().map_or(0, |ablation| ablation.reds);
        false_accept_bound(self.base_reds.saturating_add(ablated), self.head_greens)
    }
}

/// The greatest probability that a test with any fixed pass rate is red in all of `reds` runs and
/// green in all of `greens` runs by chance: `n^n k^k / (n+k)^(n+k)`, and 1 without runs.
///
/// ```
/// use wayproof_receipt::predicate::false_accept_bound;
/// assert_eq!(false_accept_bound(1, 1), 0.25);
/// assert_eq!(false_accept_bound(3, 3), 1.0 / 64.0);
/// ```
pub fn false_accept_bound(reds: u32, greens: u32) -> f64 {
    if reds == 0 || greens == 0 {
        return 1.0;
    }
    let (reds, greens) = (f64::from(reds), f64::from(greens));
    let rate = greens / (reds + greens);
    rate.powf(greens) * (1.0 - rate).powf(reds)
}

/// What repeated runs say about flakiness.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Flake {
    /// Repetitions of each test.
    pub runs: u32,
    /// Tests whose runs disagreed; they prove nothing.
    pub disagreements: Vec<String>,
    /// Upper bound of the flake rate at 95 % confidence.
    #[serde(rename = "upperBound95", skip_serializing_if = "Option::is_none")]
    pub upper_bound_95: Option<f64>,
}

/// Which changed lines the tests reach.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Coverage {
    /// The report's format.
    pub format: String,
    /// Changed lines that can be run.
    pub changed_lines: u64,
    /// Of those, lines that were run.
    pub covered_lines: u64,
    /// Changed lines the report says nothing about.
    pub unmapped_lines: u64,
    /// Covered lines more (or fewer) than at the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_vs_base: Option<i64>,
}

/// Which lines were mutated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MutationScope {
    /// Lines of the change.
    Diff,
    /// Lines that only the new tests reach.
    CoverageDelta,
    /// Lines that the new tests reach, or seem to, and others may as well.
    Reached,
    /// A scope this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// Whether the tests notice planted faults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mutation {
    /// Which lines were mutated.
    pub scope: MutationScope,
    /// Mutants made.
    pub generated: u64,
    /// Mutants that build and differ.
    pub viable: u64,
    /// Viable mutants that the tests noticed.
    pub caught: u64,
    /// Viable mutants that nobody noticed.
    pub missed: Vec<String>,
    /// Mutants that ran out of time.
    pub timeouts: u64,
    /// What made them.
    pub tool: String,
}

/// How strongly the tests assert anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Oracle {
    /// Tests that were looked at.
    pub tests: u64,
    /// Tests with weak assertions only.
    pub weak: Vec<String>,
    /// Tests without assertions.
    pub none: Vec<String>,
    /// Assertions that the change removes.
    pub assertions_removed: u64,
    /// Assertions that the change weakens.
    pub assertions_weakened: u64,
}

/// What became of the public surface of the code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PublicApi {
    /// Public items of the base that were read.
    pub items: u64,
    /// Items that are gone.
    pub removed: Vec<String>,
    /// Items that are called or written in another way.
    pub changed: Vec<String>,
    /// Items that are new.
    pub added: Vec<String>,
    /// Changed files whose surface could not be read.
    pub unread: Vec<String>,
}

impl PublicApi {
    /// Whether everything that could be used before can be used as before.
    pub fn is_kept(&self) -> bool {
        self.removed.is_empty() && self.changed.is_empty()
    }
}

/// What moved in manifests and lock files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Dependencies {
    /// Manifests and lock files of the change that were read.
    pub files: Vec<String>,
    /// Packages that are other ones now.
    pub moved: Vec<MovedPackage>,
    /// Packages of those for whose being there nothing speaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexplained: Vec<String>,
}

/// A package that is new, gone, or of another version or source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MovedPackage {
    /// Its name.
    pub name: String,
    /// The lock file or manifest that says so.
    pub file: String,
    /// Its versions before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Its versions now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Whether the project itself asks for it.
    #[serde(rename = "direct")]
    pub is_direct: bool,
    /// Why it moved, in words.
    pub why: String,
}

/// An earlier run that was taken over because nothing it reads has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reused {
    /// When it was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<crate::time::Time>,
    /// What it was found by: everything the checks read.
    pub key: String,
}

/// A benchmark, run in turn without and with the change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Benchmark {
    /// How often it ran on each side.
    pub pairs: u32,
    /// Time at the head over time at the base, in the middle of the pairs.
    pub ratio: f64,
    /// The lower end of the interval that holds the ratio with 95 % confidence.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How the interval was found.
    pub method: String,
}

/// Fewer pairs than this show nothing, whatever their interval.
const FEWEST_PAIRS: u32 = 6;

impl Benchmark {
    /// Whether the change makes it faster by more than chance explains.
    pub fn is_faster(&self) -> bool {
        self.pairs >= FEWEST_PAIRS
            && self.low > 0.0
            && self.low <= self.ratio
            && self.ratio <= self.high
            && self.high < 1.0
    }
}
