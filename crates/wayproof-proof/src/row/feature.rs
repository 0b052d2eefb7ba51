//! The procedure for features: tests that come with the change fail without it and pass with it, and nothing is lost.
//!
//! Tests that were there before are no proof of something new. New tests often fail only because a name is not there
//! yet; then faults are planted in the new source, and they must notice.

use std::collections::BTreeSet;
use std::time::Duration;

use wayproof_receipt::predicate::{Finding, Mutation, MutationScope};

use super::{Outcome, Work, bug_fix};
use crate::checkout::changes_source;
use crate::compare::{Fixed, Grade};
use crate::gaming::added_lines;
use crate::mutate::Field;
use crate::mutation::{self, Trial};
use crate::plan::{Suite, is_inside};
use crate::prove::{Evidence, checks_of};
use crate::report::TestId;
use crate::run::{Seen, Trouble};
use crate::verdict::{self, Judgment};

/// How many faults are planted, and for how long.
const MUTANTS: usize = 8;
const BUDGET: Duration = Duration::from_secs(90);

/// Judges the change by every suite.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let mut judged = Vec::new();
    for suite in work.suites {
        judged.push((suite, bug_fix::judge(&work.case, suite)?));
    }
    if judged.iter().any(|(_, outcome)| outcome.has_tests()) {
        judged.retain(|(_, outcome)| outcome.has_tests());
    }
    let mut checks = Vec::new();
    let mut mutation = None;
    for (suite, outcome) in &judged {
        checks.extend(checks_of(outcome));
        if mutation.is_none() && is_red_by_name_only(outcome) {
            let tried = plant(work, suite, outcome)?;
            checks.extend(tried.checks);
            mutation = Some(tried.mutation).filter(|made| made.viable > 0);
        }
    }
    let outcomes: Vec<Outcome> = judged.into_iter().map(|(_, outcome)| outcome).collect();
    let findings = bug_fix::findings(work, &outcomes);
    let has_source_change = work.case.has_source_change();
    let judgment = judge(&outcomes, &findings, has_source_change, mutation.as_ref());
    Ok(Evidence {
        outcomes,
        findings,
        checks,
        mutation,
        ..Evidence::of(judgment)
    })
}

/// Tests that the change made green and that the base does not have.
fn new_tests(outcome: &Outcome) -> impl Iterator<Item = &Fixed> {
    let base = &outcome.observed.base;
    outcome.compared.fixed.iter().filter(|fixed| {
        let id = TestId::new(fixed.entry.test_id.clone());
        !base.results.contains_key(&id) && !base.planned.contains(&id)
    })
}

fn is_red_by_name_only(outcome: &Outcome) -> bool {
    let best = new_tests(outcome).map(|fixed| fixed.grade).min();
    best == Some(Grade::C)
}

/// Plants faults in the new lines of the source and runs the new tests.
fn plant(work: &Work<'_>, suite: &Suite, outcome: &Outcome) -> Result<mutation::Tried, Trouble> {
    let changes = work.case.changes.iter();
    let changed =
        changes.filter(|change| changes_source(change) && is_inside(&change.path, &suite.dir));
    let fields = changed.filter_map(|change| {
        Some(Field {
            path: change.path.clone(),
            text: change.after.clone()?,
            lines: Some(added_lines(change).iter().map(|line| line.number).collect()),
        })
    });
    let fields: Vec<Field> = fields.collect();
    let killers: BTreeSet<TestId> = new_tests(outcome)
        .map(|fixed| TestId::new(fixed.entry.test_id.clone()))
        .collect();
    let trial = Trial {
        suite,
        tree: &work.case.trees.head,
        killers: &killers,
        others: &BTreeSet::new(),
        scope: MutationScope::Diff,
        budget: BUDGET,
    };
    mutation::run(&work.case, &trial, &fields, (&work.seed(), MUTANTS))
}

/// The verdict. Pure.
fn judge(
    outcomes: &[Outcome],
    findings: &[Finding],
    has_source_change: bool,
    mutation: Option<&Mutation>,
) -> Judgment {
    let stops = verdict::infrastructure(outcomes)
        .or_else(|| verdict::refuted(outcomes, findings))
        .or_else(|| verdict::new_red(outcomes));
    if let Some(judgment) = stops {
        return judgment;
    }
    let unproven = |gap: &str, fact: &str| Judgment::unproven(gap, fact.to_owned());
    if !has_source_change {
        return unproven(
            "NO_SOURCE_CHANGE",
            "the change touches no source, so it brings nothing new",
        );
    }
    let mut new: Vec<&Fixed> = outcomes.iter().flat_map(new_tests).collect();
    new.sort_by_key(|fixed| fixed.grade);
    let edited = outcomes
        .iter()
        .flat_map(|outcome| &outcome.compared.fixed)
        .find(|fixed| !fixed.entry.preexisting);
    let Some(best) = new.first().copied().or(edited) else {
        return unshown(outcomes);
    };
    let mut gaps = verdict::gaps_of(outcomes, findings);
    if new.is_empty() {
        gaps.push("ONLY_EDITED_TESTS".to_owned());
    }
    let is_noticed = mutation.is_some_and(|made| made.caught > 0);
    if best.grade == Grade::C && !is_noticed {
        gaps.push("RED_BY_BUILD_ONLY".to_owned());
    }
    let entry = &best.entry;
    let noticed = mutation.map_or_else(String::new, |made| {
        format!(
            ", and notices {} of {} planted faults",
            made.caught, made.viable
        )
    });
    verdict::shown(
        gaps,
        &format!(
            "{} fails without the change ({}/{}) and passes with it ({}/{}){noticed}",
            entry.test_id, entry.base_reds, entry.base_runs, entry.head_greens, entry.head_runs
        ),
    )
}

/// Why nothing new was shown.
fn unshown(outcomes: &[Outcome]) -> Judgment {
    if let Some(judgment) = verdict::flawed(outcomes) {
        return judgment;
    }
    let is_new_and_green = |outcome: &Outcome| {
        let base = &outcome.observed.base;
        outcome.head().is_some_and(|head| {
            let mut greens = head.greens().into_iter();
            greens.any(|id| base.seen(&id) == Seen::Missing)
        })
    };
    if outcomes.iter().any(is_new_and_green) {
        let fact = "the new tests pass without the change as well, so they say nothing about it";
        return Judgment::unproven("NEW_TESTS_PASS_AT_BASE", fact.to_owned());
    }
    let fact = "no new test speaks for the change; tests that were there before do not prove something new";
    Judgment::unproven("NO_NEW_TESTS", fact.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use wayproof_receipt::Verdict;
    use wayproof_receipt::predicate::{FailToPass, Mutation};

    use super::judge;
    use crate::compare::{Fixed, Grade};
    use crate::report::{RedReason, Status, TestId};
    use crate::row::Outcome;
    use crate::run::{SuiteRun, plain, red};

    fn run(of: &[(&str, bool)]) -> SuiteRun {
        let mut run = SuiteRun::empty();
        for (id, is_green) in of {
            let result = if *is_green {
                plain(Status::Passed)
            } else {
                red(RedReason::Assertion, String::new())
            };
            run.results.insert(TestId::new(*id), result);
        }
        run
    }

    fn outcome(
        base: &[(&str, bool)],
        head: &[(&str, bool)],
        fixed: &[(&str, Grade, bool)],
    ) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.observed.base = run(base);
        outcome.observed.head = vec![run(head)];
        outcome.compared.fixed = fixed
            .iter()
            .map(|(id, grade, preexisting)| Fixed {
                grade: *grade,
                entry: FailToPass {
                    test_id: (*id).to_owned(),
                    preexisting: *preexisting,
                    ..FailToPass::default()
                },
            })
            .collect();
        outcome
    }

    #[rstest]
    #[case::new_and_red_before(outcome(&[("a", true)], &[("a", true), ("n", true)], &[("n", Grade::B, false)]), Verdict::Proven, None)]
    #[case::only_a_name_was_missing(outcome(&[], &[("n", true)], &[("n", Grade::C, false)]), Verdict::ProvenWithGaps, Some("RED_BY_BUILD_ONLY"))]
    #[case::old_tests_alone(outcome(&[("a", true)], &[("a", true)], &[]), Verdict::Unproven, Some("NO_NEW_TESTS"))]
    #[case::an_old_red_turned_green(outcome(&[("a", false)], &[("a", true)], &[("a", Grade::A, true)]), Verdict::Unproven, Some("NO_NEW_TESTS"))]
    #[case::edited_tests_alone(outcome(&[("a", true)], &[("a", true)], &[("a", Grade::B, false)]), Verdict::ProvenWithGaps, Some("ONLY_EDITED_TESTS"))]
    #[case::green_at_the_base_too(outcome(&[("a", true)], &[("a", true), ("n", true)], &[]), Verdict::Unproven, Some("NEW_TESTS_PASS_AT_BASE"))]
    #[case::red_at_the_head(outcome(&[("a", true)], &[("a", true), ("n", false)], &[]), Verdict::Refuted, Some("NEW_TEST_FAILS"))]
    fn verdicts(#[case] outcome: Outcome, #[case] verdict: Verdict, #[case] gap: Option<&str>) {
        let judged = judge(&[outcome], &[], true, None);
        assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
        assert_eq!(judged.gaps.first().map(String::as_str), gap);
    }

    #[test]
    fn planted_faults_stand_in_for_a_red_of_its_own() {
        let new = outcome(&[], &[("n", true)], &[("n", Grade::C, false)]);
        let made = Mutation {
            generated: 3,
            viable: 3,
            caught: 2,
            ..Mutation::default()
        };
        let judge = |made| judge(std::slice::from_ref(&new), &[], true, made).verdict;
        assert_eq!(judge(Some(&made)), Verdict::Proven);
        let missed = Mutation {
            caught: 0,
            ..made.clone()
        };
        assert_eq!(judge(Some(&missed)), Verdict::ProvenWithGaps);
    }
}
