//! The procedure for small edits: the type checker accepts the head, or the tests nearest to the change pass.
//!
//! What was broken before does not speak against the change, but then it does not speak for it either.

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{Check, Finding};

use super::{Case, Outcome, Row, Work, bug_fix};
use crate::checkout::changes_source;
use crate::compare::{self, Compared, Observed};
use crate::plan::{Ecosystem, Role, Suite, join};
use crate::prove::{Evidence, checks_of};
use crate::request::Step;
use crate::run::{Selection, SuiteRun, Trouble, run_suite};
use crate::typecheck::{self, Typechecked};
use crate::verdict::{self, Judgment};

/// What the checks of a small edit showed.
struct Shown {
    typechecked: Vec<Typechecked>,
    outcomes: Vec<Outcome>,
    has_tested: bool,
}

/// Runs what the requirements ask for and judges it.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    let asks = |wanted: &[ProofRequirement]| {
        let mut required = work.groups(Row::SmallEdit).flatten();
        required.any(|required| wanted.contains(required))
    };
    let mut shown = Shown {
        typechecked: Vec::new(),
        outcomes: Vec::new(),
        has_tested: false,
    };
    for suite in work.suites {
        if asks(&[ProofRequirement::Typecheck]) {
            case.progress.step(&Step::Checking { what: "typecheck" });
            shown
                .typechecked
                .extend(typecheck::check(case, suite, &work.request.commands)?);
        }
        if asks(&[ProofRequirement::FocusedTest]) {
            let outcome = focused(case, suite)?;
            shown.has_tested |= outcome.head().is_some_and(|head| !head.greens().is_empty());
            shown.outcomes.push(outcome);
        }
    }
    shown.outcomes.retain(|outcome| {
        outcome
            .head()
            .is_some_and(|head| !head.results.is_empty() || !head.stopped.is_empty())
    });
    let findings = bug_fix::findings(work, &shown.outcomes);
    let judgment = judge(work, &shown, &findings);
    let mut checks: Vec<Check> = shown
        .typechecked
        .into_iter()
        .flat_map(|checked| checked.checks)
        .collect();
    checks.extend(shown.outcomes.iter().flat_map(checks_of));
    Ok(Evidence {
        outcomes: shown.outcomes,
        findings,
        checks,
        ..Evidence::of(judgment)
    })
}

/// The tests nearest to the change, at the base and at the head; all of them where none is near.
fn focused(case: &Case<'_>, suite: &Suite) -> Result<Outcome, Trouble> {
    let files = near(case, suite);
    let selection = if files.is_empty() {
        Selection::All
    } else {
        Selection::Files(&files)
    };
    case.progress.step(&Step::Checking {
        what: "the tests nearest to the change",
    });
    let head = run_suite(case.host, suite, &case.trees.head, selection)?;
    let base = run_suite(case.host, suite, &case.trees.base, selection)?;
    let lost = compare::lost(&base, &head);
    let observed = Observed {
        base,
        before: Vec::new(),
        head: vec![head],
        ablated: Vec::new(),
    };
    Ok(Outcome {
        observed,
        compared: Compared::default(),
        lost,
        ..Outcome::default()
    })
}

/// Test files that changed, bear the name of a changed file, or mention its module.
fn near(case: &Case<'_>, suite: &Suite) -> Vec<String> {
    if !matches!(
        suite.ecosystem,
        Ecosystem::Python | Ecosystem::JavaScript | Ecosystem::Ruby
    ) {
        return Vec::new();
    }
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.')
            .next()
            .unwrap_or(name)
            .trim_start_matches("test_")
            .trim_end_matches("_test")
            .trim_end_matches("_spec")
            .to_owned()
    };
    let changed: Vec<String> = case
        .changes
        .iter()
        .filter(|change| changes_source(change))
        .map(|change| stem(&change.path))
        .collect();
    let root = case.trees.head.path.join(&suite.dir);
    let mut files = Vec::new();
    for path in crate::runner::node_files::walk(&root) {
        let whole = join(&suite.dir, &path);
        let is_runnable = matches!(
            path.rsplit_once('.').map(|(_, end)| end),
            Some("py" | "rb" | "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx")
        );
        if !is_runnable || crate::plan::role::role_of(&whole) != Role::Test {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
        let mentions = |name: &String| {
            name.len() > 2 && name != "index" && name != "__init__" && text.contains(name.as_str())
        };
        let has_changed = case.changes.iter().any(|change| change.path == whole);
        if has_changed || changed.contains(&stem(&path)) || changed.iter().any(mentions) {
            files.push(path);
        }
    }
    files
}

impl Shown {
    fn has_typechecked(&self) -> bool {
        !self.typechecked.is_empty() && self.typechecked.iter().all(|checked| checked.has_passed)
    }

    fn is_all_green(&self) -> bool {
        let is_green = |run: &SuiteRun| {
            run.results.values().all(|result| result.red.is_none()) && run.stopped.is_empty()
        };
        self.has_tested && self.outcomes.iter().filter_map(Outcome::head).all(is_green)
    }
}

/// The first requirement that nothing showed.
fn unmet(work: &Work<'_>, shown: &Shown) -> Option<Judgment> {
    let is_met = |required: &ProofRequirement| match required {
        ProofRequirement::Typecheck => shown.has_typechecked(),
        ProofRequirement::FocusedTest => shown.is_all_green(),
        // A person's review is a line of its own on the receipt.
        ProofRequirement::HumanReview => true,
        ProofRequirement::FailingTestBecomesGreen
        | ProofRequirement::Build
        | ProofRequirement::Smoke
        | ProofRequirement::DependenciesExplained
        | ProofRequirement::PrimarySources
        | ProofRequirement::TestsRun
        | ProofRequirement::NewTestsFailAtBase
        | ProofRequirement::ApiUnchanged
        | ProofRequirement::Faster => false,
    };
    let group = work
        .groups(Row::SmallEdit)
        .find(|group| !group.iter().any(is_met))?;
    let names: Vec<String> = group.iter().map(ToString::to_string).collect();
    let mut objections = shown
        .typechecked
        .iter()
        .filter(|checked| !checked.has_passed);
    let why = objections
        .next()
        .map(|checked| format!(": {}", checked.first_error))
        .unwrap_or_default();
    let one_fact = format!("nothing showed {}{why}", names.join(" or "));
    Some(Judgment {
        verdict: Verdict::Unproven,
        gaps: vec!["REQUIREMENT_NOT_SHOWN".to_owned()],
        one_fact,
    })
}

fn judge(work: &Work<'_>, shown: &Shown, findings: &[Finding]) -> Judgment {
    if let Some(judgment) = verdict::refuted(&shown.outcomes, findings) {
        return judgment;
    }
    if let Some(broken) = shown
        .typechecked
        .iter()
        .find(|checked| checked.is_broken_by_change)
    {
        let one_fact = format!("the change does not typecheck: {}", broken.first_error);
        return Judgment {
            verdict: Verdict::Refuted,
            gaps: Vec::new(),
            one_fact,
        };
    }
    if let Some(judgment) = unmet(work, shown) {
        return judgment;
    }
    let mut gaps = verdict::gaps_of(&shown.outcomes, findings);
    if work.case.has_source_change() && !shown.has_tested {
        gaps.push("NO_COVERING_TEST".to_owned());
    }
    let verdict = if gaps.is_empty() {
        Verdict::Proven
    } else {
        Verdict::ProvenWithGaps
    };
    let what = match (shown.has_typechecked(), shown.has_tested) {
        (true, true) => "it typechecks and the nearest tests pass",
        (true, false) => "it typechecks",
        (false, _) => "the nearest tests pass",
    };
    Judgment {
        verdict,
        gaps,
        one_fact: what.to_owned(),
    }
}
