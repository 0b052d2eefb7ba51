//! The bug-fix procedure: a test that is red without the change and green with it, every time, with nothing lost.
//!
//! It runs whole suites once a side and repeats only the tests that matter. It refuses to take a red for a fault
//! when taking the source back does not bring it back.

use std::collections::{BTreeMap, BTreeSet};

use wayproof_receipt::predicate::{Finding, Severity, Side};

use super::{Case, Outcome, Work};
use crate::compare::{self, Compared, Lost, Observed};
use crate::gaming;
use crate::hollow::{self, Texts};
use crate::neighbours;
use crate::plan::Suite;
use crate::prove::{Evidence, base_files, checks_of};
use crate::report::TestId;
use crate::run::{Red, Seen, Selection, SuiteRun, Tree, Trouble, run_suite};
use crate::test_text;
use crate::tree_tests;
use crate::verdict::{self, first_line};

/// Judges the change by every suite.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let mut outcomes = Vec::new();
    for suite in work.suites {
        outcomes.push(judge(&work.case, suite)?);
    }
    // Where one suite has tests, another that has none (a stray script of another language) says nothing.
    if outcomes.iter().any(Outcome::has_tests) {
        outcomes.retain(Outcome::has_tests);
    }
    let findings = findings(work, &outcomes);
    let judgment = verdict::bug_fix(&outcomes, &findings, work.case.has_source_change());
    Ok(Evidence {
        checks: outcomes.iter().flat_map(checks_of).collect(),
        outcomes,
        findings,
        ..Evidence::of(judgment)
    })
}

/// The whole suite on both sides and what was lost in between, without asking what was fixed.
pub(crate) fn kept(case: &Case<'_>, suite: &Suite) -> Result<Outcome, Trouble> {
    let (base, head) = first_runs(case, suite)?;
    let observed = Observed {
        base,
        before: Vec::new(),
        head: vec![head],
        ablated: Vec::new(),
    };
    let (lost, flaky) = confirm(case, suite, &observed, &case.trees.head)?;
    Ok(Outcome {
        observed,
        compared: Compared {
            flaky,
            ..Compared::default()
        },
        lost,
        ..Outcome::default()
    })
}

/// What the runs and the detectors found.
pub(crate) fn findings(work: &Work<'_>, outcomes: &[Outcome]) -> Vec<Finding> {
    let of_runs = outcomes.iter().flat_map(|outcome| &outcome.findings);
    let mut findings: Vec<Finding> = of_runs.cloned().collect();
    findings.extend(gaming::look(&gaming::Scene {
        changes: work.case.changes,
        outcomes,
        base_files: &base_files(work.sources),
        task: work.request.task.as_str(),
    }));
    findings
}

impl Outcome {
    fn is_good(&self) -> bool {
        !self.compared.fixed.is_empty()
            && self.lost.iter().all(|lost| lost.is_replaced)
            && self.head().is_some_and(|head| head.is_complete)
    }
}

/// Judges the change by one suite.
pub(crate) fn judge(case: &Case<'_>, suite: &Suite) -> Result<Outcome, Trouble> {
    let trees = case.trees;
    let (base, head) = first_runs(case, suite)?;
    let sides = Sides {
        before: &trees.base_with_tests,
        head: &trees.head,
        ablated: trees.ablated.as_ref(),
    };
    let mut outcome = repeat(case, suite, base, head, sides)?;
    if let Some((as_is, without_source)) = &trees.as_is
        && !outcome.is_good()
    {
        case.tell(suite, Side::Head, "with the change's own control surface");
        let own = run_suite(case.host, suite, as_is, Selection::All)?;
        let sides = Sides {
            before: without_source,
            head: as_is,
            ablated: None,
        };
        outcome = compare_surfaces(case, suite, outcome, own, sides)?;
    }
    if outcome.is_good()
        && let Some(tree) = &trees.head_with_base_tests
    {
        outcome.contradicted = contradicted(case, suite, &outcome, tree)?;
    }
    Ok(outcome)
}

/// Runs the base's text of edited tests that passed then, and pass now, against the head's source. What fails twice
/// was a promise that the change breaks. A test that failed then and is what it was is asked as well: what makes it
/// pass must be the source.
fn contradicted(
    case: &Case<'_>,
    suite: &Suite,
    outcome: &Outcome,
    tree: &Tree,
) -> Result<BTreeMap<TestId, Red>, Trouble> {
    let greens = outcome.head().map(SuiteRun::greens).unwrap_or_default();
    let mut asked: BTreeSet<TestId> = outcome.observed.base.greens();
    asked.extend(unchanged_reds(outcome));
    asked.retain(|id| greens.contains(id) && !case.is_untouched(suite, id));
    let mut broken = BTreeMap::new();
    for _ in 0..2 {
        if asked.is_empty() {
            break;
        }
        case.tell(suite, Side::Head, "the tests as they were, with the change");
        let run = run_suite(case.host, suite, tree, Selection::Only(&asked))?;
        broken = asked
            .iter()
            .filter_map(|id| match run.seen(id) {
                Seen::Red(red) if compare::is_strong(red.reason) => Some((id.clone(), red)),
                Seen::Red(_) | Seen::Green | Seen::Skipped | Seen::Missing => None,
            })
            .collect();
        asked = broken.keys().cloned().collect();
    }
    Ok(broken)
}

/// The tests that the change made green, were red before, and read as they did.
fn unchanged_reds(outcome: &Outcome) -> impl Iterator<Item = TestId> {
    let body = |text: &Option<String>| text.as_deref().and_then(test_text::body_of);
    let texts = outcome.texts.iter().filter(move |(_, texts)| {
        body(&texts.base).is_some() && body(&texts.base) == body(&texts.head)
    });
    let was_red = |id: &&TestId| matches!(outcome.observed.base.seen(id), Seen::Red(_));
    let ids: Vec<TestId> = texts.map(|(id, _)| id).filter(was_red).cloned().collect();
    ids.into_iter()
}

/// The whole suite at the base and at the head. What compiles goes one after the other, because every tree starts
/// from what the base's build left; the others go side by side.
fn first_runs(case: &Case<'_>, suite: &Suite) -> Result<(SuiteRun, SuiteRun), Trouble> {
    let whole = |tree: &Tree| run_suite(case.host, suite, tree, Selection::All);
    case.tell(suite, Side::Base, "the whole suite");
    if suite.ecosystem.is_compiled() {
        let base = whole(&case.trees.base)?;
        case.tell(suite, Side::Head, "the whole suite");
        return Ok((base, whole(&case.trees.head)?));
    }
    case.tell(suite, Side::Head, "the whole suite");
    let (base, head) = std::thread::scope(|scope| {
        let base = scope.spawn(|| whole(&case.trees.base));
        let head = whole(&case.trees.head);
        (base.join(), head)
    });
    let base = base.map_err(|_| Trouble::Infra("a thread of the prover died".to_owned()))?;
    Ok((base?, head?))
}

/// The three trees a fix is told by: without it, with it, and with everything but its source.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a Tree,
    head: &'a Tree,
    ablated: Option<&'a Tree>,
}

/// Runs the suite on the base with the head's tests, repeats the candidates, and compares.
fn repeat(
    case: &Case<'_>,
    suite: &Suite,
    base: SuiteRun,
    head: SuiteRun,
    sides: Sides<'_>,
) -> Result<Outcome, Trouble> {
    let before = if sides.before.path == case.trees.base.path {
        base.clone()
    } else {
        case.tell(
            suite,
            sides.before.side,
            "the tests of the change without the change",
        );
        run_suite(case.host, suite, sides.before, Selection::All)?
    };
    let candidates = if case.has_source_change() {
        compare::candidates(&before, &head)
    } else {
        BTreeSet::new()
    };
    let mut observed = Observed {
        base,
        before: vec![before],
        head: vec![head],
        ablated: Vec::new(),
    };
    let (lost, flaky) = confirm(case, suite, &observed, sides.head)?;
    // Whatever it fixes, a change that loses a test is refuted, and nothing more has to be run to know it.
    let is_refuted = lost.iter().any(|lost| !lost.is_replaced);
    if !candidates.is_empty() && !is_refuted {
        run_again(case, suite, sides, &candidates, &mut observed)?;
    }
    let compared = compare::compare(&observed, &candidates, &|id| case.is_untouched(suite, id));
    let mut outcome = Outcome {
        compared,
        lost,
        ..Outcome::default()
    };
    outcome.texts = texts_of_fixed(case, suite, &outcome.compared, sides.head);
    hollow::set_aside(
        &mut outcome.compared,
        &observed,
        &outcome.texts,
        case.changes,
    );
    outcome.compared.flaky.extend(flaky);
    if !is_refuted {
        // Last, because what runs in a tree that was bent once is not kept.
        outcome.neighbours =
            neighbours::ask(case, suite, (sides.before, sides.head), &outcome.compared)?;
    }
    hollow::set_toothless_aside(&mut outcome.compared, &observed, &outcome.neighbours);
    hollow::set_banded_aside(&mut outcome.compared, &outcome.neighbours);
    outcome.observed = observed;
    Ok(outcome)
}

/// The text of the tests that the change made green, on both sides.
fn texts_of_fixed(
    case: &Case<'_>,
    suite: &Suite,
    compared: &Compared,
    head: &Tree,
) -> BTreeMap<TestId, Texts> {
    let fixed = compared.fixed.iter();
    let ids: BTreeSet<TestId> = fixed
        .map(|fixed| TestId::new(fixed.entry.test_id.clone()))
        .collect();
    let mut base = tree_tests::texts(&case.trees.base.path, suite, &ids);
    let mut head = tree_tests::texts(&head.path, suite, &ids);
    ids.into_iter()
        .map(|id| {
            let texts = Texts {
                base: base.remove(&id),
                head: head.remove(&id),
            };
            (id, texts)
        })
        .collect()
}

/// Runs the candidates in turn without and with the change, then once with everything but its source.
fn run_again(
    case: &Case<'_>,
    suite: &Suite,
    sides: Sides<'_>,
    candidates: &BTreeSet<TestId>,
    observed: &mut Observed,
) -> Result<(), Trouble> {
    let again = |tree: &Tree, what: &'static str| {
        case.tell(suite, tree.side, what);
        run_suite(case.host, suite, tree, Selection::Only(candidates))
    };
    for round in 1..case.runs.base.max(case.runs.head) {
        if round < case.runs.base {
            observed
                .before
                .push(again(sides.before, "again, the tests that turned green")?);
        }
        if round < case.runs.head {
            observed
                .head
                .push(again(sides.head, "again, the tests that turned green")?);
        }
    }
    if let Some(tree) = sides.ablated {
        observed.ablated.push(again(
            tree,
            "the tests that turned green, without the source",
        )?);
    }
    Ok(())
}

/// Runs tests that seem lost again on both sides; those that disagree with themselves only flake, and come second.
fn confirm(
    case: &Case<'_>,
    suite: &Suite,
    observed: &Observed,
    head_tree: &Tree,
) -> Result<(Vec<Lost>, BTreeSet<TestId>), Trouble> {
    let mut flaky = BTreeSet::new();
    let Some(head) = observed.head.first() else {
        return Ok((Vec::new(), flaky));
    };
    let mut lost = compare::lost(&observed.base, head);
    mark_renamed(case, suite, &mut lost, observed, head_tree);
    let red: BTreeSet<TestId> = lost
        .iter()
        .filter(|lost| matches!(lost.now, Seen::Red(_)))
        .map(|lost| lost.id.clone())
        .collect();
    if red.is_empty() {
        return Ok((lost, flaky));
    }
    case.tell(suite, head_tree.side, "again, the tests that turned red");
    for _ in 0..2 {
        let again = run_suite(case.host, suite, head_tree, Selection::Only(&red))?;
        flaky.extend(
            red.iter()
                .filter(|id| again.seen(id) == Seen::Green)
                .cloned(),
        );
    }
    let stable: BTreeSet<TestId> = red.difference(&flaky).cloned().collect();
    if !stable.is_empty() {
        let again = run_suite(case.host, suite, &case.trees.base, Selection::Only(&stable))?;
        flaky.extend(
            stable
                .iter()
                .filter(|id| again.seen(id) != Seen::Green)
                .cloned(),
        );
    }
    lost.retain(|lost| !flaky.contains(&lost.id));
    Ok((lost, flaky))
}

/// Marks tests that are gone and stand, word for word, under a new name that passes.
fn mark_renamed(
    case: &Case<'_>,
    suite: &Suite,
    lost: &mut [Lost],
    observed: &Observed,
    head_tree: &Tree,
) {
    let is_gone = |lost: &&mut Lost| lost.now == Seen::Missing && !lost.is_replaced;
    let gone: BTreeSet<TestId> = lost
        .iter_mut()
        .filter(is_gone)
        .map(|lost| lost.id.clone())
        .collect();
    if gone.is_empty() {
        return;
    }
    let greens = observed
        .head
        .first()
        .map(SuiteRun::greens)
        .unwrap_or_default();
    let new: BTreeSet<TestId> = greens
        .into_iter()
        .filter(|id| !observed.base.results.contains_key(id))
        .collect();
    let mut bodies: Vec<String> = tree_tests::texts(&head_tree.path, suite, &new)
        .values()
        .filter_map(|text| test_text::body_of(text))
        .collect();
    let old = tree_tests::texts(&case.trees.base.path, suite, &gone);
    for lost in lost.iter_mut().filter(is_gone) {
        let body = old.get(&lost.id).and_then(|text| test_text::body_of(text));
        let place = body.and_then(|body| bodies.iter().position(|other| *other == body));
        if let Some(place) = place {
            bodies.swap_remove(place);
            lost.is_replaced = true;
        }
    }
}

/// Decides what a control surface of the change's own is worth, after the base's did not give a good verdict.
fn compare_surfaces(
    case: &Case<'_>,
    suite: &Suite,
    overlaid: Outcome,
    own: SuiteRun,
    sides: Sides<'_>,
) -> Result<Outcome, Trouble> {
    let Some(head) = overlaid.head() else {
        return Ok(overlaid);
    };
    let mut strong = None;
    let mut weak = false;
    for id in own.greens() {
        match head.seen(&id) {
            Seen::Red(Red {
                reason, message, ..
            }) if compare::is_strong(reason) => strong = strong.or(Some((id, message))),
            Seen::Red(_) | Seen::Missing => weak = true,
            Seen::Green | Seen::Skipped => {}
        }
    }
    if let Some((id, message)) = strong {
        let surface = case.trees.control.join(", ");
        let explanation = format!(
            "{id} passes only with the change's own {surface}; with the base's it fails: {}",
            first_line(&message)
        );
        let finding = Finding {
            code: "G4".to_owned(),
            path: case.trees.control.first().cloned(),
            line: None,
            severity: Severity::High,
            explanation,
        };
        return Ok(Outcome {
            findings: vec![finding],
            ..overlaid
        });
    }
    if !weak {
        return Ok(overlaid);
    }
    let base = overlaid.observed.base.clone();
    let outcome = repeat(case, suite, base, own, sides)?;
    Ok(Outcome {
        needs_own_control: true,
        ..outcome
    })
}
