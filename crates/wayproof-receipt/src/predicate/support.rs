//! How high a proof's own fields let its verdict go, whatever verdict it claims.
//! Only ever lowers: each rule that does not hold sets a ceiling and says why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    check::{Check, CheckKind, CheckResult, Side},
    evidence::{Benchmark, Dependencies, FailToPass, PublicApi},
    proof::{Link, Proof, Severity, Verdict},
};

/// The requirement that a review line answers and no check can.
const HUMAN_REVIEW: &str = "human-review";
const FAIL_TO_PASS: &str = "failing-test-becomes-green";
const NEW_TESTS: &str = "new-tests-fail-at-base";
const API_UNCHANGED: &str = "api-unchanged";
/// A printed bound may be rounded, but not to something better than the counts give.
const BOUND_TOLERANCE: f64 = 1e-6;

/// One rule that does not hold, and the verdict it allows at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The highest verdict it allows.
    pub to: Verdict,
    /// What does not hold, in words of our own.
    pub why: String,
    /// The tests, files or checks it is about, as the proof names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
}

impl Reason {
    pub(crate) fn new(to: Verdict, why: impl Into<String>) -> Self {
        Self {
            to,
            why: why.into(),
            about: Vec::new(),
        }
    }

    pub(crate) fn about(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.about = names.into_iter().map(Into::into).collect();
        self
    }
}

/// The highest verdict that the fields of a proof support, and everything that lowers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// The highest verdict.
    pub verdict: Verdict,
    /// Every rule that does not hold.
    pub reasons: Vec<Reason>,
}

impl Ceiling {
    fn of(reasons: Vec<Reason>) -> Self {
        let verdict = reasons
            .iter()
            .fold(Verdict::Proven, |verdict, reason| verdict.min(reason.to));
        Self { verdict, reasons }
    }
}

impl Proof {
    /// The highest verdict this proof's fields support. A prover asks this before it claims one;
    /// a verifier treats a higher claim as a forgery.
    ///
    /// The requirement `human-review` is left to the review lines of the receipt.
    pub fn ceiling(&self) -> Ceiling {
        self.ceiling_with(&[])
    }

    /// The same, with requirements that an obligation adds to the proof's own.
    pub fn ceiling_with(&self, obliged: &[Vec<String>]) -> Ceiling {
        let mut reasons = Vec::new();
        let groups = self.groups(obliged);
        self.judge_requirements(&groups, &mut reasons);
        self.judge_findings(&mut reasons);
        self.judge_checks(&mut reasons);
        self.judge_tests(&mut reasons);
        self.judge_fail_to_pass(&groups, &mut reasons);
        self.judge_mutation(&mut reasons);
        self.judge_api(&groups, &mut reasons);
        if !self.tier.is_executed() {
            reasons.push(Reason::new(
                Verdict::Unproven,
                "the checks were not run again by the prover",
            ));
        }
        if !self.gaps.is_empty() {
            reasons.push(
                Reason::new(Verdict::ProvenWithGaps, "the prover names gaps").about(&self.gaps),
            );
        }
        Ceiling::of(reasons)
    }

    /// Whether a requirement is left that only a review can show.
    pub fn awaits_review(&self, obliged: &[Vec<String>]) -> bool {
        let groups = self.groups(obliged);
        groups
            .into_iter()
            .any(|group| is_left_to_review(group) && !self.shows(group))
    }

    fn groups<'a>(&'a self, obliged: &'a [Vec<String>]) -> BTreeSet<&'a Vec<String>> {
        self.requirements.iter().chain(obliged).collect()
    }

    fn shows(&self, group: &[String]) -> bool {
        group.iter().any(|requirement| self.satisfies(requirement))
    }

    fn judge_requirements(&self, groups: &BTreeSet<&Vec<String>>, reasons: &mut Vec<Reason>) {
        if groups.is_empty() {
            let why = "nothing was required, so nothing was shown";
            reasons.push(Reason::new(Verdict::Unproven, why));
        }
        for group in groups {
            if !is_left_to_review(group) && !self.shows(group) {
                let why = "a requirement of the task was not shown";
                reasons.push(Reason::new(Verdict::Unproven, why).about(group.iter()));
            }
        }
    }

    fn satisfies(&self, requirement: &str) -> bool {
        let passed = |kind| {
            self.checks
                .iter()
                .any(|check| check.kind == kind && check.is_passed())
        };
        match requirement {
            // Whatever builds also typechecks.
            "typecheck" => passed(CheckKind::Typecheck) || passed(CheckKind::Build),
            "build" => passed(CheckKind::Build),
            "smoke" => passed(CheckKind::Smoke),
            "focused-test" | "tests-run" => self.has_run_tests(),
            FAIL_TO_PASS => self.has_run_tests() && !self.fixed().is_empty(),
            NEW_TESTS => self.has_run_tests() && self.fixed().iter().any(|test| !test.preexisting),
            API_UNCHANGED => {
                self.has_run_tests() && self.public_api.as_ref().is_some_and(PublicApi::is_kept)
            }
            "dependencies-explained" => {
                let is_explained = |moved: &Dependencies| moved.unexplained.is_empty();
                passed(CheckKind::Build)
                    && self.has_run_tests()
                    && self.dependencies.as_ref().is_some_and(is_explained)
            }
            "faster" => self.benchmark.as_ref().is_some_and(Benchmark::is_faster),
            "primary-sources" => {
                // Documents that claim nothing owe no source, but somebody has to have looked.
                let has_looked = self.claims == Some(0) && passed(CheckKind::Link);
                (has_looked || !self.links.is_empty()) && self.links.iter().all(Link::is_good)
            }
            // No check shows a review, and a requirement of a later version is not shown to this one.
            _ => false,
        }
    }

    fn has_run_tests(&self) -> bool {
        let has_completed = |check: &Check| {
            check.kind == CheckKind::Test && check.side == Side::Head && check.is_complete
        };
        self.checks.iter().any(has_completed)
            && self.tests.as_ref().is_some_and(|tests| tests.passed > 0)
    }

    /// Tests that went from red to green in every run.
    fn fixed(&self) -> Vec<&FailToPass> {
        let disagreements = self.flake.iter().flat_map(|flake| &flake.disagreements);
        let flaky: BTreeSet<&String> = disagreements.collect();
        let tests = self.fail_to_pass.iter();
        tests
            .filter(|test| test.is_consistent() && !flaky.contains(&test.test_id))
            .collect()
    }

    fn judge_findings(&self, reasons: &mut Vec<Reason>) {
        let severe = |severity| {
            self.findings
                .iter()
                .filter(move |finding| finding.severity == severity)
        };
        let codes = |severity| severe(severity).map(|finding| finding.code.clone());
        if severe(Severity::High).next().is_some() {
            reasons.push(
                Reason::new(Verdict::Refuted, "an attempt to cheat was found")
                    .about(codes(Severity::High)),
            );
        }
        if severe(Severity::Medium).next().is_some() {
            let reason = Reason::new(
                Verdict::ProvenWithGaps,
                "something that looks like cheating was found",
            );
            reasons.push(reason.about(codes(Severity::Medium)));
        }
    }

    fn judge_checks(&self, reasons: &mut Vec<Reason>) {
        for check in self.checks.iter().filter(|check| check.side == Side::Head) {
            let verdict = match check.kind {
                CheckKind::Typecheck | CheckKind::Build | CheckKind::Smoke | CheckKind::Test => {
                    Verdict::Unproven
                }
                CheckKind::Mutation
                | CheckKind::Coverage
                | CheckKind::Lint
                | CheckKind::Link
                | CheckKind::Sarif
                | CheckKind::Ablation
                | CheckKind::Other => Verdict::ProvenWithGaps,
            };
            if let Some(why) = self.objection(check) {
                reasons.push(Reason::new(verdict, why).about([check.id.as_str()]));
            }
        }
    }

    /// What speaks against a check on the head.
    fn objection(&self, check: &Check) -> Option<&'static str> {
        // Tests that were red before as well do not speak against the change; `judge_tests` counts them.
        let explains_failure = check.kind == CheckKind::Test
            && self.tests.as_ref().is_some_and(|tests| tests.failed > 0);
        match check.result {
            _ if !check.is_complete => Some("a check did not reach its end"),
            CheckResult::Passed if check.is_passed() => None,
            CheckResult::Passed => Some("a check is called passed but its exit says otherwise"),
            CheckResult::Failed if explains_failure => None,
            CheckResult::Failed => Some("a check failed"),
            CheckResult::TimedOut => Some("a check ran out of time"),
            CheckResult::Infrastructure => Some("a check was stopped by the machine"),
            CheckResult::Unknown => Some("a check has no result"),
        }
    }

    fn judge_tests(&self, reasons: &mut Vec<Reason>) {
        let Some(tests) = &self.tests else { return };
        let mut lower = |to, why| reasons.push(Reason::new(to, why));
        if tests.passed == 0 && tests.failed == 0 {
            lower(Verdict::Unproven, "no test ran");
        }
        if !tests.is_whole() {
            lower(
                Verdict::Unproven,
                "the tests that were reported are not the tests that were planned",
            );
        }
        match &tests.pass_to_pass {
            Some(kept) if !kept.lost.is_empty() => {
                let reason = Reason::new(
                    Verdict::Refuted,
                    "tests that passed before the change no longer do",
                );
                reasons.push(reason.about(&kept.lost));
            }
            Some(_) if tests.failed > tests.still_failing.len() as u64 => lower(
                Verdict::ProvenWithGaps,
                "tests fail of which nothing says that they failed before",
            ),
            Some(_) => {}
            None if tests.failed > 0 => lower(Verdict::Unproven, "tests fail"),
            None => lower(
                Verdict::ProvenWithGaps,
                "nothing says that tests which passed before still pass",
            ),
        }
        if !tests.newly_skipped.is_empty() {
            let reason = Reason::new(Verdict::ProvenWithGaps, "the change makes tests be skipped");
            reasons.push(reason.about(&tests.newly_skipped));
        }
        if !tests.removed.is_empty() {
            reasons.push(
                Reason::new(Verdict::ProvenWithGaps, "the change removes tests")
                    .about(&tests.removed),
            );
        }
    }

    fn judge_fail_to_pass(&self, groups: &BTreeSet<&Vec<String>>, reasons: &mut Vec<Reason>) {
        let ids = |tests: Vec<&FailToPass>| {
            tests
                .into_iter()
                .map(|test| test.test_id.clone())
                .collect::<Vec<_>>()
        };
        let impossible: Vec<_> = self
            .fail_to_pass
            .iter()
            .filter(|test| is_impossible(test))
            .collect();
        if !impossible.is_empty() {
            let reason = Reason::new(
                Verdict::Unproven,
                "the counts of a fail-to-pass test contradict each other",
            );
            reasons.push(reason.about(ids(impossible)));
        }
        let fixed = self.fixed();
        // A feature brings names of its own, so its tests may fail for the want of them; then mutants show the rest.
        let is_caught = self.mutation.as_ref().is_some_and(|made| made.caught > 0);
        let is_required =
            is_required(groups, FAIL_TO_PASS) || is_required(groups, NEW_TESTS) && !is_caught;
        if is_required && !fixed.is_empty() && !fixed.iter().any(|test| test.is_strong()) {
            let reason = Reason::new(
                Verdict::ProvenWithGaps,
                "no red test shows the fault itself",
            );
            reasons.push(reason.about(ids(fixed)));
        }
    }

    fn judge_mutation(&self, reasons: &mut Vec<Reason>) {
        let Some(mutation) = &self.mutation else {
            return;
        };
        if mutation.caught > mutation.viable || mutation.viable > mutation.generated {
            reasons.push(Reason::new(
                Verdict::Unproven,
                "the counts of mutants contradict each other",
            ));
        }
        // Tests are the whole product here, so tests that were never put to the test show nothing.
        let to = if self.task == "test-generation" {
            Verdict::Unproven
        } else {
            Verdict::ProvenWithGaps
        };
        if mutation.viable == 0 {
            let why = "no viable mutant was made, which is no evidence";
            reasons.push(Reason::new(to, why));
        } else if mutation.caught == 0 {
            reasons.push(Reason::new(to, "no planted fault was noticed"));
        }
    }

    fn judge_api(&self, groups: &BTreeSet<&Vec<String>>, reasons: &mut Vec<Reason>) {
        let Some(api) = &self.public_api else { return };
        if is_required(groups, API_UNCHANGED) && !api.is_kept() {
            let reason = Reason::new(Verdict::Refuted, "public items are gone or changed");
            reasons.push(reason.about(api.removed.iter().chain(&api.changed)));
        }
    }
}

fn is_required(groups: &BTreeSet<&Vec<String>>, requirement: &str) -> bool {
    let mut names = groups.iter().flat_map(|group| group.iter());
    names.any(|name| name == requirement)
}

fn is_left_to_review(group: &[String]) -> bool {
    group.iter().any(|requirement| requirement == HUMAN_REVIEW)
}

fn is_impossible(test: &FailToPass) -> bool {
    let ablation = test.ablation.as_ref();
    test.base_reds > test.base_runs
        || test.head_greens > test.head_runs
        || ablation.is_some_and(|ablation| ablation.reds > ablation.runs)
        || test
            .false_accept_bound
            .is_some_and(|bound| bound.is_nan() || bound < test.bound() - BOUND_TOLERANCE)
}
