//! The procedure for refactoring: nothing public changes, every test passes as it was, and no test had to be edited.
//!
//! Tests that came with the change prove nothing here. Where tests were edited, those of the base decide.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Check, Finding, PublicApi, Side};

use super::{Case, Outcome, Work, bug_fix};
use crate::api;
use crate::checkout::changes_source;
use crate::compare;
use crate::coverage::{self, Lines};
use crate::gaming::added_lines;
use crate::plan::{FileChange, Role, Suite, inline};
use crate::prove::{Evidence, checks_of};
use crate::report::TestId;
use crate::run::{Red, Seen, Selection, SuiteRun, Trouble, run_suite};
use crate::verdict::{self, Judgment};

/// What the tests of the base say of the head's source, where tests were edited.
#[derive(Clone, Debug, Default)]
struct AsTheyWere {
    /// Tests that run and fail: the code does something else now.
    broken: Vec<(TestId, Red)>,
    /// Tests that can no longer be built, loaded or found as they were.
    unfit: Vec<TestId>,
    checks: Vec<Check>,
}

/// Everything the verdict rests on.
struct Shown<'a> {
    outcomes: &'a [Outcome],
    findings: &'a [Finding],
    api: &'a PublicApi,
    as_they_were: &'a AsTheyWere,
    /// Whether tests that were there before read otherwise now.
    edits_tests: bool,
    has_source_change: bool,
    /// Whether coverage was measured and no changed line was run.
    is_uncovered: bool,
}

/// Judges the change by every suite and by its public surface.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    let api = api::compare(&case.trees.base, &case.trees.head, case.changes);
    let (mut outcomes, mut checks) = (Vec::new(), Vec::new());
    let mut as_they_were = AsTheyWere::default();
    let (mut is_measured, mut is_covered) = (false, false);
    for suite in work.suites {
        let outcome = bug_fix::kept(case, suite)?;
        if outcome.lost.iter().all(|lost| lost.is_replaced) && outcome.has_tests() {
            let more = ask_as_they_were(case, suite, &outcome)?;
            as_they_were.broken.extend(more.broken);
            as_they_were.unfit.extend(more.unfit);
            checks.extend(more.checks);
            if let Some((lines, more)) =
                coverage::measure(case.host, suite, &case.trees.head, Selection::All)?
            {
                checks.extend(more);
                is_measured = true;
                is_covered |= runs_a_changed_line(case.changes, &lines);
            }
        }
        outcomes.push(outcome);
    }
    if outcomes.iter().any(Outcome::has_tests) {
        outcomes.retain(Outcome::has_tests);
    }
    checks.extend(outcomes.iter().flat_map(checks_of));
    let findings = bug_fix::findings(work, &outcomes);
    let judgment = judge(&Shown {
        outcomes: &outcomes,
        findings: &findings,
        api: &api,
        as_they_were: &as_they_were,
        edits_tests: case.changes.iter().any(edits_tests),
        has_source_change: case.has_source_change(),
        is_uncovered: is_measured && !is_covered && has_new_line(case.changes),
    });
    Ok(Evidence {
        checks,
        outcomes,
        findings,
        public_api: Some(api),
        ..Evidence::of(judgment)
    })
}

/// Runs the tests of the base on the head's source, where the change edits tests. What fails twice counts.
fn ask_as_they_were(
    case: &Case<'_>,
    suite: &Suite,
    outcome: &Outcome,
) -> Result<AsTheyWere, Trouble> {
    let mut said = AsTheyWere::default();
    let Some(tree) = &case.trees.head_with_base_tests else {
        return Ok(said);
    };
    let mut asked: BTreeSet<TestId> = outcome.observed.base.greens();
    for round in 0..2 {
        if asked.is_empty() {
            break;
        }
        case.tell(suite, Side::Head, "the tests as they were, with the change");
        let selection = if round == 0 {
            Selection::All
        } else {
            Selection::Only(&asked)
        };
        let run = run_suite(case.host, suite, tree, selection)?;
        (said.broken, said.unfit) = (Vec::new(), Vec::new());
        for id in &asked {
            match run.seen(id) {
                Seen::Green => {}
                Seen::Red(red) if compare::is_strong(red.reason) && !is_about_a_name(&red) => {
                    said.broken.push((id.clone(), red));
                }
                Seen::Red(_) | Seen::Skipped | Seen::Missing => said.unfit.push(id.clone()),
            }
        }
        asked = said
            .broken
            .iter()
            .map(|(id, _)| id)
            .chain(&said.unfit)
            .cloned()
            .collect();
        // These runs fail on purpose; they are evidence, and no check the head has to pass.
        said.checks
            .extend(run.checks.into_iter().map(|check| Check {
                side: Side::Other,
                ..check
            }));
    }
    Ok(said)
}

/// A red that only says that something is called otherwise now.
fn is_about_a_name(red: &Red) -> bool {
    const WORDS: &[&str] = &[
        "has no attribute",
        "cannot import name",
        "is not defined",
        "is not a function",
        "No module named",
    ];
    WORDS.iter().any(|words| red.message.contains(words))
}

/// Whether tests or recordings that were there before read otherwise now; what was only added is no edit.
pub(crate) fn edits_tests(change: &FileChange) -> bool {
    let gone = |before: &str, after: &str| {
        let mut kept: Vec<&str> = after.lines().map(str::trim).collect();
        before
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .any(|line| {
                let place = kept.iter().position(|other| *other == line);
                place.map(|at| kept.swap_remove(at)).is_none()
            })
    };
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    match change.role {
        Role::Test | Role::Golden => match (before, after) {
            (Some(before), Some(after)) => gone(before, after),
            _ => change.old_blob.is_some(),
        },
        Role::Source if crate::plan::extension(&change.path) == "rs" => {
            let tests = |text: Option<&str>| {
                text.and_then(inline::parse)
                    .map(|file| file.tests())
                    .unwrap_or_default()
            };
            gone(&tests(before), &tests(after))
        }
        Role::Source | Role::Control | Role::Manifest | Role::Pipeline => false,
    }
}

fn has_new_line(changes: &[FileChange]) -> bool {
    let mut sources = changes.iter().filter(|change| changes_source(change));
    sources.any(|change| !added_lines(change).is_empty())
}

fn runs_a_changed_line(changes: &[FileChange], lines: &Lines) -> bool {
    let mut sources = changes.iter().filter(|change| changes_source(change));
    sources.any(|change| {
        let hit = lines.hit.get(&change.path);
        hit.is_some_and(|hit| {
            added_lines(change)
                .iter()
                .any(|line| hit.contains(&line.number))
        })
    })
}

/// The verdict. Pure.
fn judge(shown: &Shown<'_>) -> Judgment {
    let outcomes = shown.outcomes;
    let stops = verdict::infrastructure(outcomes)
        .or_else(|| verdict::refuted(outcomes, shown.findings))
        .or_else(|| other_surface(shown.api))
        .or_else(|| other_behavior(shown.as_they_were))
        .or_else(|| verdict::new_red(outcomes));
    if let Some(judgment) = stops {
        return judgment;
    }
    if !shown.has_source_change {
        let fact = "the change touches no source, so there is nothing it makes over";
        return Judgment::unproven("NO_SOURCE_CHANGE", fact.to_owned());
    }
    let kept: usize = outcomes.iter().map(kept_of).sum();
    if kept == 0 {
        let fact = "no test of the base runs, so nothing says that the code does what it did";
        return Judgment::unproven("NO_TESTS_RAN", fact.to_owned());
    }
    if let Some(first) = shown.as_they_were.unfit.first() {
        let fact = format!(
            "{first} does not run as it was; whether the code does what it did cannot be told by tests that had to be edited"
        );
        return Judgment::unproven("TEST_EDITS_NEEDED", fact);
    }
    let mut gaps = verdict::gaps_of(outcomes, shown.findings);
    let mut add = |is_so: bool, code: &str| gaps.extend(is_so.then(|| code.to_owned()));
    add(shown.edits_tests, "TESTS_EDITED");
    add(!shown.api.added.is_empty(), "API_ADDED");
    add(!shown.api.unread.is_empty(), "API_UNREAD");
    add(shown.is_uncovered, "NO_COVERING_TEST");
    let items = shown.api.items;
    verdict::shown(
        gaps,
        &format!(
            "{kept} tests pass as before, and {items} public items of the changed code are as they were"
        ),
    )
}

/// How many tests passed before and pass now.
pub(crate) fn kept_of(outcome: &Outcome) -> usize {
    let head = outcome.head().map(SuiteRun::greens).unwrap_or_default();
    outcome.observed.base.greens().intersection(&head).count()
}

fn other_surface(api: &PublicApi) -> Option<Judgment> {
    let gone = api
        .removed
        .first()
        .map(|item| format!("{item} was public and is gone"));
    let first = gone.or_else(|| {
        api.changed
            .first()
            .map(|item| format!("{item}, which is public"))
    })?;
    let more = match api.removed.len() + api.changed.len() {
        0 | 1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    Some(Judgment::wrong("API_CHANGED", format!("{first}{more}")))
}

fn other_behavior(as_they_were: &AsTheyWere) -> Option<Judgment> {
    let (id, red) = as_they_were.broken.first()?;
    let fact = format!(
        "as it was, {id} fails with the change: {}",
        verdict::red_fact(red)
    );
    Some(Judgment::wrong("BEHAVIOR_CHANGED", fact))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use wayproof_receipt::Verdict;
    use wayproof_receipt::predicate::PublicApi;

    use super::{AsTheyWere, Shown, edits_tests, judge};
    use crate::plan::FileChange;
    use crate::plan::role::role_of;
    use crate::report::{RedReason, Status, TestId};
    use crate::row::Outcome;
    use crate::run::{Red, SuiteRun, plain};

    fn change(path: &str, before: &str, after: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            role: role_of(path),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            old_blob: Some("1".to_owned()),
            new_blob: Some("2".to_owned()),
        }
    }

    /// A row of the table: what is odd about an honest refactoring.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Odd {
        Nothing,
        Removed,
        Added,
        Unread,
        Edited,
        Broken,
        Unfit,
        NoTests,
        NoSource,
        Uncovered,
    }

    #[rstest]
    #[case(Odd::Nothing, Verdict::Proven, None)]
    #[case(Odd::Removed, Verdict::Refuted, Some("API_CHANGED"))]
    #[case(Odd::Added, Verdict::ProvenWithGaps, Some("API_ADDED"))]
    #[case(Odd::Unread, Verdict::ProvenWithGaps, Some("API_UNREAD"))]
    #[case(Odd::Edited, Verdict::ProvenWithGaps, Some("TESTS_EDITED"))]
    #[case(Odd::Broken, Verdict::Refuted, Some("BEHAVIOR_CHANGED"))]
    #[case(Odd::Unfit, Verdict::Unproven, Some("TEST_EDITS_NEEDED"))]
    #[case(Odd::NoTests, Verdict::Unproven, Some("NO_TESTS_RAN"))]
    #[case(Odd::NoSource, Verdict::Unproven, Some("NO_SOURCE_CHANGE"))]
    #[case(Odd::Uncovered, Verdict::ProvenWithGaps, Some("NO_COVERING_TEST"))]
    fn verdicts(#[case] odd: Odd, #[case] verdict: Verdict, #[case] gap: Option<&str>) {
        let mut outcome = Outcome::default();
        let mut run = SuiteRun::empty();
        if odd != Odd::NoTests {
            run.results.insert(TestId::new("a"), plain(Status::Passed));
        }
        outcome.observed.base = run.clone();
        outcome.observed.head = vec![run];
        let name = |is_so: bool| Vec::from_iter(is_so.then(|| "shop.total".to_owned()));
        let api = PublicApi {
            items: 3,
            removed: name(odd == Odd::Removed),
            added: name(odd == Odd::Added),
            unread: name(odd == Odd::Unread),
            ..PublicApi::default()
        };
        let red = Red {
            reason: RedReason::Assertion,
            message: "1 != 2".to_owned(),
            place: None,
        };
        let as_they_were = AsTheyWere {
            broken: Vec::from_iter((odd == Odd::Broken).then(|| (TestId::new("a"), red))),
            unfit: Vec::from_iter((odd == Odd::Unfit).then(|| TestId::new("a"))),
            checks: Vec::new(),
        };
        let judged = judge(&Shown {
            outcomes: &[outcome],
            findings: &[],
            api: &api,
            as_they_were: &as_they_were,
            edits_tests: odd == Odd::Edited,
            has_source_change: odd != Odd::NoSource,
            is_uncovered: odd == Odd::Uncovered,
        });
        assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
        assert_eq!(judged.gaps.first().map(String::as_str), gap);
    }

    #[test]
    fn added_tests_are_no_edits() {
        let test = "def test_a():\n    assert f() == 1\n";
        assert!(!edits_tests(&change(
            "tests/test_a.py",
            test,
            &format!("{test}\ndef test_b():\n    assert f() == 2\n")
        )));
        assert!(edits_tests(&change(
            "tests/test_a.py",
            test,
            &test.replace('1', "2")
        )));
        let inline = "pub fn f() -> u8 { 1 }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() { assert_eq!(super::f(), 1); }\n}\n";
        assert!(!edits_tests(&change(
            "src/lib.rs",
            inline,
            &inline.replacen("{ 1 }", "{ 2 - 1 }", 1)
        )));
        assert!(edits_tests(&change(
            "src/lib.rs",
            inline,
            &inline.replace("f(), 1", "f(), 2")
        )));
    }
}
