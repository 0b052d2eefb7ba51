//! The rows of the policy's matrix: one way of proving a kind of work each, one file a row.
//!
//! What a task owes names its rows; this is the one place that says which. A row gathers evidence and judges it, and
//! what several rows say together is only as good as the worst of them.

pub(crate) mod bug_fix;
mod dependency_bump;
mod documentation;
mod feature;
mod human_review;
mod migration;
mod performance;
mod refactor;
mod small_edit;
mod test_generation;

use std::collections::{BTreeMap, BTreeSet};

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{Finding, Side};

use crate::checkout::{Sources, Trees, changes_source};
use crate::compare::{Compared, Lost, Observed};
use crate::hollow::Texts;
use crate::neighbours::Neighbours;
use crate::plan::{FileChange, Role, Suite};
use crate::prove::Evidence;
use crate::report::TestId;
use crate::request::{Progress, ProveRequest, Runs, Step};
use crate::run::{Host, Red, SuiteRun, Trouble};
use crate::runner;
use crate::verdict::Judgment;

/// A way of proving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// A failing test becomes green.
    BugFix,
    /// New tests fail without the change and pass with it.
    Feature,
    /// Nothing public changes, and every test passes as it was.
    Refactor,
    /// The benchmark is faster by more than chance explains.
    Performance,
    /// New tests run, hold still, and notice planted faults.
    TestGeneration,
    /// It builds from nothing, works as built, and leaves nothing of the old.
    Migration,
    /// What moved among the dependencies has its reasons.
    DependencyBump,
    /// It typechecks, or the nearest tests pass.
    SmallEdit,
    /// A person looks at it.
    HumanReview,
    /// Claims of documents have their sources.
    Documentation,
}

impl Row {
    /// The row that shows a requirement.
    fn of(requirement: ProofRequirement) -> Self {
        match requirement {
            ProofRequirement::FailingTestBecomesGreen => Self::BugFix,
            ProofRequirement::NewTestsFailAtBase => Self::Feature,
            ProofRequirement::ApiUnchanged => Self::Refactor,
            ProofRequirement::TestsRun => Self::TestGeneration,
            ProofRequirement::Faster => Self::Performance,
            ProofRequirement::Typecheck | ProofRequirement::FocusedTest => Self::SmallEdit,
            ProofRequirement::Build | ProofRequirement::Smoke => Self::Migration,
            ProofRequirement::DependenciesExplained => Self::DependencyBump,
            ProofRequirement::PrimarySources => Self::Documentation,
            ProofRequirement::HumanReview => Self::HumanReview,
        }
    }

    /// Whether it says nothing without a suite of tests.
    fn needs_suites(self) -> bool {
        match self {
            Self::BugFix
            | Self::Feature
            | Self::Refactor
            | Self::TestGeneration
            | Self::Migration
            | Self::DependencyBump => true,
            Self::Performance | Self::SmallEdit | Self::HumanReview | Self::Documentation => false,
        }
    }

    fn gather(self, work: &Work<'_>) -> Result<Evidence, Trouble> {
        match self {
            Self::BugFix => bug_fix::gather(work),
            Self::Feature => feature::gather(work),
            Self::Refactor => refactor::gather(work),
            Self::TestGeneration => test_generation::gather(work),
            Self::Performance => performance::gather(work),
            Self::Migration => migration::gather(work),
            Self::DependencyBump => dependency_bump::gather(work),
            Self::SmallEdit => small_edit::gather(work),
            Self::HumanReview => Ok(human_review::gather(work)),
            Self::Documentation => documentation::gather(work),
        }
    }
}

/// What a row works on.
pub(crate) struct Work<'a> {
    /// The change and where things run.
    pub case: Case<'a>,
    /// What is asked.
    pub request: &'a ProveRequest,
    /// The suites that judge the change.
    pub suites: &'a [Suite],
    /// Where the trees come from.
    pub sources: &'a Sources<'a>,
}

impl Work<'_> {
    /// What decides which faults are planted: something that was fixed before the work began.
    pub(crate) fn seed(&self) -> String {
        let obligation = self.request.obligation.clone();
        obligation.unwrap_or_else(|| self.sources.base.to_owned())
    }

    /// The groups of requirements that a row has to show: those with a member that is its own.
    pub(crate) fn groups(&self, row: Row) -> impl Iterator<Item = &Vec<ProofRequirement>> {
        let groups = self.request.requirements.iter();
        groups.filter(move |group| group.iter().any(|one| Row::of(*one) == row))
    }
}

/// A change to judge and the means to do it.
pub(crate) struct Case<'a> {
    /// Where things run.
    pub host: &'a Host<'a>,
    /// The trees.
    pub trees: &'a Trees,
    /// What changed.
    pub changes: &'a [FileChange],
    /// How often.
    pub runs: Runs,
    /// Who is told.
    pub progress: &'a dyn Progress,
}

impl Case<'_> {
    /// Says that a suite runs.
    pub(crate) fn tell(&self, suite: &Suite, side: Side, what: &'static str) {
        self.progress.step(&Step::Running {
            suite: suite.ecosystem.name().to_owned(),
            side,
            what,
        });
    }

    /// Whether the change touches source.
    pub(crate) fn has_source_change(&self) -> bool {
        self.changes.iter().any(changes_source)
    }

    /// Whether a test was there, as it is now, before the work began.
    pub(crate) fn is_untouched(&self, suite: &Suite, id: &TestId) -> bool {
        let touched = |role: Role| matches!(role, Role::Test | Role::Golden | Role::Control);
        let has_touched_tests = self.trees.base.path != self.trees.base_with_tests.path;
        if !suite.ecosystem.names_files() {
            return !has_touched_tests;
        }
        let file = crate::plan::join(&suite.dir, runner::file_of(id));
        let mut changes = self.changes.iter();
        !changes.any(|change| touched(change.role) && change.path == file)
    }
}

/// What one suite says about the change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Every run.
    pub observed: Observed,
    /// The candidates, judged.
    pub compared: Compared,
    /// Tests that passed at the base and do not at the head.
    pub lost: Vec<Lost>,
    /// Tests of the base whose text of then fails on the head's source, though their edited text passes.
    pub contradicted: BTreeMap<TestId, Red>,
    /// The text of the tests the change made green.
    pub texts: BTreeMap<TestId, Texts>,
    /// What those tests say of other values.
    pub neighbours: Neighbours,
    /// Whether the head's own control surface was needed to judge at all.
    pub needs_own_control: bool,
    /// What the comparison of control surfaces showed.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// The head's whole run.
    pub(crate) fn head(&self) -> Option<&SuiteRun> {
        self.observed.head.first()
    }

    /// Whether it has anything to say: a test, or something that kept the tests from running.
    pub(crate) fn has_tests(&self) -> bool {
        let is_heard = |run: &SuiteRun| !run.results.is_empty() || !run.stopped.is_empty();
        is_heard(&self.observed.base) || self.observed.head.iter().any(is_heard)
    }
}

/// Whether a row that is owed says nothing without a suite of tests.
pub(crate) fn needs_suites(request: &ProveRequest) -> bool {
    owed(&request.requirements)
        .iter()
        .flatten()
        .any(|row| row.needs_suites())
}

/// Gathers the evidence of every row that is owed.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let groups = owed(&work.request.requirements);
    let rows: BTreeSet<Row> = groups.iter().flatten().copied().collect();
    let mut gathered = BTreeMap::new();
    for row in rows {
        gathered.insert(row, row.gather(work)?);
    }
    let judgments: BTreeMap<Row, Judgment> = gathered
        .iter()
        .map(|(row, evidence)| (*row, evidence.judgment.clone()))
        .collect();
    let judgment = together(&groups, &judgments);
    let mut all = gathered.into_values();
    let first = all.next().unwrap_or_else(|| Evidence::of(judgment.clone()));
    let evidence = all.fold(first, Evidence::and);
    Ok(Evidence {
        judgment,
        ..evidence
    })
}

/// The rows that a task owes: every group, by any of its rows. A task that asks for nothing is looked through for cheats.
fn owed(requirements: &[Vec<ProofRequirement>]) -> Vec<BTreeSet<Row>> {
    let rows = |group: &Vec<ProofRequirement>| group.iter().map(|one| Row::of(*one)).collect();
    let groups: Vec<BTreeSet<Row>> = requirements.iter().map(rows).collect();
    if groups.iter().all(BTreeSet::is_empty) {
        return vec![BTreeSet::from([Row::SmallEdit])];
    }
    groups
}

/// What the rows say together: of a group the best, of all groups the worst, and a refutation before all.
fn together(groups: &[BTreeSet<Row>], judgments: &BTreeMap<Row, Judgment>) -> Judgment {
    let best = |group: &BTreeSet<Row>| {
        let of_group = group.iter().filter_map(|row| judgments.get(row));
        of_group.reduce(|best, other| {
            if other.verdict.is_above(best.verdict) {
                other
            } else {
                best
            }
        })
    };
    let refuted = judgments
        .values()
        .find(|judgment| judgment.verdict == Verdict::Refuted);
    if let Some(refuted) = refuted {
        return refuted.clone();
    }
    let bests: Vec<&Judgment> = groups.iter().filter_map(best).collect();
    let worst = bests.iter().copied().reduce(|worst, other| {
        if worst.verdict.is_above(other.verdict) {
            other
        } else {
            worst
        }
    });
    let Some(worst) = worst else {
        return Judgment::infra("nothing is asked of the change".to_owned());
    };
    let mut gaps: Vec<String> = bests.iter().flat_map(|one| one.gaps.clone()).collect();
    gaps.sort();
    gaps.dedup();
    Judgment {
        gaps,
        ..worst.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use wayproof_engine::ProofRequirement;
    use wayproof_receipt::Verdict;

    use super::{Row, owed, together};
    use crate::verdict::Judgment;

    fn judgment(verdict: Verdict, gap: &str) -> Judgment {
        Judgment {
            verdict,
            gaps: vec![gap.to_owned()],
            one_fact: gap.to_owned(),
        }
    }

    #[test]
    fn rows_come_from_requirements() {
        let groups = [
            vec![ProofRequirement::FailingTestBecomesGreen],
            vec![ProofRequirement::Typecheck, ProofRequirement::FocusedTest],
        ];
        assert_eq!(
            owed(&groups),
            [
                BTreeSet::from([Row::BugFix]),
                BTreeSet::from([Row::SmallEdit])
            ]
        );
        assert_eq!(owed(&[]), [BTreeSet::from([Row::SmallEdit])]);
    }

    #[test]
    fn all_groups_count_and_of_a_group_the_best() {
        let both = [
            BTreeSet::from([Row::BugFix]),
            BTreeSet::from([Row::SmallEdit]),
        ];
        let either = [BTreeSet::from([Row::BugFix, Row::SmallEdit])];
        let said = |fix: Verdict, edit: Verdict| {
            BTreeMap::from([
                (Row::BugFix, judgment(fix, "fix")),
                (Row::SmallEdit, judgment(edit, "edit")),
            ])
        };
        let cases = [
            (
                Verdict::Proven,
                Verdict::Unproven,
                Verdict::Unproven,
                Verdict::Proven,
            ),
            (
                Verdict::Proven,
                Verdict::Refuted,
                Verdict::Refuted,
                Verdict::Refuted,
            ),
            (
                Verdict::ProvenWithGaps,
                Verdict::Proven,
                Verdict::ProvenWithGaps,
                Verdict::Proven,
            ),
        ];
        for (fix, edit, of_both, of_either) in cases {
            let said = said(fix, edit);
            assert_eq!(together(&both, &said).verdict, of_both);
            assert_eq!(together(&either, &said).verdict, of_either);
        }
        let gaps = together(
            &both,
            &said(Verdict::ProvenWithGaps, Verdict::ProvenWithGaps),
        )
        .gaps;
        assert_eq!(gaps, ["edit", "fix"]);
    }
}
