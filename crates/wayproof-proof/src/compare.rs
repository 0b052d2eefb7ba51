//! Judges runs against each other: which tests went from red to green, which green ones were lost, which only flake.
//!
//! Pure. A test is evidence only when every run agrees; a skipped, vanished or unreported test never is.

use std::collections::{BTreeMap, BTreeSet};

use wayproof_receipt::predicate::{
    Ablation, AblationMode, FailToPass, Flake, PassToPass, RedReason as Reason, Tests,
    false_accept_bound,
};

use crate::report::{RedReason, Status, TestId};
use crate::run::{Red, Seen, SuiteRun};

/// How much a fail-to-pass test shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// It was there before, unchanged, and failed.
    A,
    /// It came with the change and fails without it, by an assertion or an exception.
    B,
    /// Without the change it does not even build, load or end.
    C,
}

/// A test that the change made green.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fixed {
    /// How much it shows.
    pub grade: Grade,
    /// As the receipt says it.
    pub entry: FailToPass,
}

/// The repeated runs of one suite, the first of each list being the whole suite.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// The base with its own tests.
    pub base: SuiteRun,
    /// The base with the head's tests.
    pub before: Vec<SuiteRun>,
    /// The head.
    pub head: Vec<SuiteRun>,
    /// The head without its source, chosen tests only.
    pub ablated: Vec<SuiteRun>,
}

/// What the repeated runs amount to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared {
    /// Tests the change made green, best first.
    pub fixed: Vec<Fixed>,
    /// Tests whose runs disagreed.
    pub flaky: BTreeSet<TestId>,
    /// Tests that are red with the head's tests alone, green at the head, and green again without the source.
    pub unneeded: BTreeSet<TestId>,
    /// Tests the change made green that show nothing.
    pub hollow: Vec<TestId>,
    /// Tests the change made green that show it in a band of numbers alone, with what there is to say about that.
    pub banded: Vec<(TestId, String)>,
}

/// The tests worth repeating: green at the head and red without it.
pub(crate) fn candidates(before: &SuiteRun, head: &SuiteRun) -> BTreeSet<TestId> {
    head.greens()
        .into_iter()
        .filter(|id| matches!(before.seen(id), Seen::Red(_)))
        .collect()
}

/// Whether a red shows the fault itself.
pub(crate) fn is_strong(reason: RedReason) -> bool {
    match reason {
        RedReason::Assertion | RedReason::Exception => true,
        RedReason::Timeout | RedReason::BuildError | RedReason::Missing | RedReason::Crash => false,
    }
}

fn reason_of(reason: RedReason) -> Reason {
    match reason {
        RedReason::Assertion => Reason::Assertion,
        RedReason::Exception => Reason::Exception,
        RedReason::Timeout => Reason::Timeout,
        RedReason::BuildError => Reason::BuildError,
        RedReason::Missing => Reason::Missing,
        RedReason::Crash => Reason::Crash,
    }
}

/// The reds of a test over several runs, and the weakest reason among them.
struct Reds {
    runs: u32,
    red: u32,
    reason: RedReason,
}

fn reds(runs: &[SuiteRun], id: &TestId) -> Reds {
    let mut seen = Reds {
        runs: 0,
        red: 0,
        reason: RedReason::Assertion,
    };
    for run in runs {
        seen.runs += 1;
        if let Seen::Red(Red { reason, .. }) = run.seen(id) {
            seen.red += 1;
            seen.reason = if is_strong(seen.reason) {
                reason
            } else {
                seen.reason
            };
        }
    }
    seen
}

/// Judges every candidate. `is_untouched` says whether a test was there before the work began, as it is now.
pub(crate) fn compare(
    observed: &Observed,
    candidates: &BTreeSet<TestId>,
    is_untouched: &dyn Fn(&TestId) -> bool,
) -> Compared {
    let mut compared = Compared::default();
    for id in candidates {
        let before = reds(&observed.before, id);
        let ablated = reds(&observed.ablated, id);
        let head_runs = u32::try_from(observed.head.len()).unwrap_or(u32::MAX);
        let greens = observed
            .head
            .iter()
            .filter(|run| run.seen(id) == Seen::Green)
            .count();
        let head_greens = u32::try_from(greens).unwrap_or(u32::MAX);
        if before.red < before.runs
            || head_greens < head_runs
            || ablated.red > 0 && ablated.red < ablated.runs
        {
            compared.flaky.insert(id.clone());
            continue;
        }
        if ablated.runs > 0 && ablated.red == 0 {
            compared.unneeded.insert(id.clone());
            continue;
        }
        let preexisting = is_untouched(id) && matches!(observed.base.seen(id), Seen::Red(_));
        let is_shown = is_strong(before.reason) || ablated.runs > 0 && is_strong(ablated.reason);
        let grade = match (is_shown, preexisting) {
            (true, true) => Grade::A,
            (true, false) => Grade::B,
            (false, _) => Grade::C,
        };
        let ablation = (ablated.runs > 0).then(|| Ablation {
            mode: AblationMode::Hunks,
            runs: ablated.runs,
            reds: ablated.red,
            red_reason: reason_of(ablated.reason),
        });
        let entry = FailToPass {
            test_id: id.to_string(),
            preexisting,
            base_runs: before.runs,
            base_reds: before.red,
            red_reason: reason_of(before.reason),
            head_runs,
            head_greens,
            ablation,
            false_accept_bound: Some(false_accept_bound(before.red, head_greens)),
        };
        compared.fixed.push(Fixed { grade, entry });
    }
    compared.fixed.sort_by_key(|fixed| fixed.grade);
    compared
}

/// A test that passed at the base and does not at the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The test.
    pub id: TestId,
    /// What it is now.
    pub now: Seen,
    /// Whether other cases of the same test take its place.
    pub is_replaced: bool,
}

/// The tests that passed at the base and do not at the head.
pub(crate) fn lost(base: &SuiteRun, head: &SuiteRun) -> Vec<Lost> {
    let greens = head.greens();
    let stem = |id: &TestId| id.as_str().split_once('[').map(|(stem, _)| stem.to_owned());
    let mut by_stem: BTreeMap<String, usize> = BTreeMap::new();
    for stem in greens.iter().filter_map(stem) {
        *by_stem.entry(stem).or_default() += 1;
    }
    let was = base.greens();
    let mut were: BTreeMap<String, usize> = BTreeMap::new();
    for stem in was.iter().filter_map(stem) {
        *were.entry(stem).or_default() += 1;
    }
    let is_replaced = |id: &TestId| {
        let Some(stem) = stem(id) else { return false };
        by_stem.get(&stem) >= were.get(&stem) && by_stem.contains_key(&stem)
    };
    let gone = was.iter().filter(|id| !greens.contains(*id));
    gone.map(|id| {
        let now = head.seen(id);
        Lost {
            id: id.clone(),
            is_replaced: now == Seen::Missing && is_replaced(id),
            now,
        }
    })
    .collect()
}

/// The counts of the head's run and the sets of ids, as the receipt says them.
pub(crate) fn counts(base: &SuiteRun, head: &SuiteRun, lost: &[Lost]) -> Tests {
    let planned: BTreeSet<&TestId> = head.planned.iter().chain(head.results.keys()).collect();
    // A file that did not load or a target that did not build counts as one failed test of its own name.
    let stopped = head.stopped.len() as u64;
    let count = |wanted: &[Status]| {
        head.results
            .values()
            .filter(|result| wanted.contains(&result.status))
            .count() as u64
    };
    let ran_at_base = base
        .results
        .iter()
        .filter(|(_, result)| !matches!(result.status, Status::Skipped | Status::XFail));
    let ran_at_base: BTreeSet<&TestId> = ran_at_base.map(|(id, _)| id).collect();
    let known: BTreeSet<&TestId> = base.results.keys().collect();
    let now: BTreeSet<&TestId> = head.results.keys().collect();
    let names = |ids: Vec<&&TestId>| ids.into_iter().map(ToString::to_string).collect();
    let confirmed: Vec<&Lost> = lost.iter().filter(|lost| !lost.is_replaced).collect();
    let passed = count(&[Status::Passed]);
    let failed = count(&[Status::Failed, Status::Error]) + stopped;
    let skipped = count(&[Status::Skipped, Status::XFail]);
    let still_red = head.results.iter().filter(|(id, result)| {
        matches!(result.status, Status::Failed | Status::Error)
            && matches!(base.seen(id), Seen::Red(_))
    });
    let both_stopped = head.stopped.keys();
    let both_stopped = both_stopped.filter(|scope| base.stopped.contains_key(*scope));
    Tests {
        planned: planned.len() as u64 + stopped,
        ran: passed + failed + skipped,
        passed,
        failed,
        still_failing: still_red
            .map(|(id, _)| id.to_string())
            .chain(both_stopped.map(ToString::to_string))
            .collect(),
        skipped,
        added: names(now.difference(&known).collect()),
        removed: names(
            ran_at_base
                .difference(&now)
                .filter(|id| head.seen(id) == Seen::Missing)
                .collect(),
        ),
        newly_skipped: lost
            .iter()
            .filter(|lost| lost.now == Seen::Skipped)
            .map(|lost| lost.id.to_string())
            .collect(),
        pass_to_pass: Some(PassToPass {
            kept: base.greens().len().saturating_sub(lost.len()) as u64,
            lost: confirmed.iter().map(|lost| lost.id.to_string()).collect(),
        }),
    }
}

/// What repeated runs say about flakiness: with `runs` clean runs, a rate up to the bound stays possible.
pub(crate) fn flake(runs: u32, flaky: &BTreeSet<TestId>) -> Flake {
    Flake {
        runs,
        disagreements: flaky.iter().map(ToString::to_string).collect(),
        upper_bound_95: (runs > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / f64::from(runs))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{any, proptest};

    use super::{Grade, Observed, candidates, compare, lost};
    use crate::report::{RedReason, Status, TestId, TestResult};
    use crate::run::{Stop, SuiteRun};

    fn run(results: &[(&str, Option<RedReason>)]) -> SuiteRun {
        let one = |(id, red): &(&str, Option<RedReason>)| {
            let status = if red.is_some() {
                Status::Failed
            } else {
                Status::Passed
            };
            (
                TestId::new(*id),
                TestResult {
                    status,
                    red: *red,
                    message: String::new(),
                    location: None,
                },
            )
        };
        SuiteRun {
            results: results.iter().map(one).collect(),
            is_complete: true,
            ..SuiteRun::default()
        }
    }

    fn ids(names: &[&str]) -> BTreeSet<TestId> {
        names.iter().map(|name| TestId::new(*name)).collect()
    }

    #[test]
    fn red_then_green_every_time_is_fixed() {
        let before = vec![run(&[("a", Some(RedReason::Assertion))]); 3];
        let observed = Observed {
            base: run(&[]),
            before,
            head: vec![run(&[("a", None)]); 3],
            ablated: Vec::new(),
        };
        let found = compare(
            &observed,
            &candidates(&observed.before[0], &observed.head[0]),
            &|_| false,
        );
        assert_eq!(found.fixed[0].grade, Grade::B);
        assert_eq!(found.fixed[0].entry.false_accept_bound, Some(1.0 / 64.0));
    }

    #[test]
    fn one_disagreement_makes_a_flake_and_a_green_ablation_makes_it_unneeded() {
        let red = run(&[("a", Some(RedReason::Exception))]);
        let green = run(&[("a", None)]);
        let observed = Observed {
            base: red.clone(),
            before: vec![red.clone(), green.clone()],
            head: vec![green.clone(); 2],
            ablated: vec![],
        };
        assert_eq!(
            compare(&observed, &ids(&["a"]), &|_| true).flaky,
            ids(&["a"])
        );
        let observed = Observed {
            base: red.clone(),
            before: vec![red.clone(); 2],
            head: vec![green.clone(); 2],
            ablated: vec![green],
        };
        assert_eq!(
            compare(&observed, &ids(&["a"]), &|_| true).unneeded,
            ids(&["a"])
        );
    }

    #[test]
    fn a_build_error_alone_is_the_lowest_grade_and_absence_is_no_candidate() {
        let mut broken = run(&[]);
        broken.stopped.insert(
            "t".to_owned(),
            Stop {
                reason: RedReason::BuildError,
                message: String::new(),
                place: None,
            },
        );
        let head = run(&[("t::a", None), ("u::b", None)]);
        assert_eq!(candidates(&broken, &head), ids(&["t::a"]));
        let observed = Observed {
            base: run(&[]),
            before: vec![broken; 3],
            head: vec![head; 3],
            ablated: Vec::new(),
        };
        assert_eq!(
            compare(&observed, &ids(&["t::a"]), &|_| false).fixed[0].grade,
            Grade::C
        );
    }

    #[test]
    fn replaced_cases_are_told_from_lost_ones() {
        let base = run(&[("t[1]", None), ("t[2]", None), ("u", None)]);
        let head = run(&[("t[1]", None), ("t[3]", None)]);
        let gone = lost(&base, &head);
        assert_eq!(
            gone.iter()
                .map(|lost| (lost.id.as_str(), lost.is_replaced))
                .collect::<Vec<_>>(),
            [("t[2]", true), ("u", false)]
        );
    }

    proptest! {
        #[test]
        fn nothing_green_without_the_change_is_ever_fixed(reds in proptest::collection::vec(any::<bool>(), 1..6), greens in proptest::collection::vec(any::<bool>(), 1..6)) {
            let of = |is_red: &bool| run(&[("a", is_red.then_some(RedReason::Assertion))]);
            let observed = Observed {
                base: run(&[]),
                before: reds.iter().map(of).collect(),
                head: greens.iter().map(of).collect(),
                ablated: Vec::new(),
            };
            let found = compare(&observed, &ids(&["a"]), &|_| false);
            let is_clean = reds.iter().all(|red| *red) && greens.iter().all(|red| !*red);
            assert_eq!(found.fixed.len(), usize::from(is_clean));
        }
    }
}
