//! The procedure for dependency bumps: what moved in manifests and lock files is named with its reason, comes from where
//! it came from, builds from nothing as locked, and every test passes as before on what is locked.

use wayproof_receipt::predicate::{Dependencies, Finding};

use super::migration::{self, Build, Ground};
use super::{Outcome, Work, bug_fix};
use crate::artefact;
use crate::checkout::changes_source;
use crate::gaming::added_lines;
use crate::prove::{Evidence, checks_of};
use crate::request::Step;
use crate::run::Trouble;
use crate::verdict::{self, Judgment};

/// How many new lines of source go with a bump before it is something else as well.
const LINES: usize = 60;

/// Judges the change.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    let moves = migration::moves(work);
    let mut findings = migration::early(work, &moves);
    let evidence = |judgment, findings| Evidence {
        findings,
        dependencies: Some(moves.said.clone()),
        ..Evidence::of(judgment)
    };
    if let Some(judgment) = verdict::refuted(&[], &findings) {
        return Ok(evidence(judgment, findings));
    }
    if moves.said.moved.is_empty() {
        let fact = "no manifest or lock file names another package or version, so there is no bump to prove";
        return Ok(evidence(
            Judgment::unproven("NO_DEPENDENCY_CHANGE", fact.to_owned()),
            findings,
        ));
    }
    case.progress.step(&Step::Checking {
        what: "whether what is locked is installed",
    });
    for suite in work.suites {
        if let Some(sentence) = artefact::disagreement(case, suite, &moves.said.moved)? {
            return Ok(evidence(Judgment::infra(sentence), findings));
        }
    }
    let mut build = migration::build_all(work)?;
    let mut checks = std::mem::take(&mut build.checks);
    let mut outcomes = Vec::new();
    if build.error.is_none() {
        outcomes = migration::suites(work)?;
        checks.extend(outcomes.iter().flat_map(checks_of));
        findings = bug_fix::findings(work, &outcomes);
        findings.extend(moves.findings.iter().cloned());
    }
    let new_lines = case
        .changes
        .iter()
        .filter(|change| changes_source(change))
        .map(|change| added_lines(change).len())
        .sum();
    let judgment = judge(&Shown {
        outcomes: &outcomes,
        findings: &findings,
        build: &build,
        said: &moves.said,
        ground: Ground::of(work, &outcomes, &moves),
        new_lines,
    });
    Ok(Evidence {
        outcomes,
        checks,
        ..evidence(judgment, findings)
    })
}

/// Everything the verdict rests on.
struct Shown<'a> {
    outcomes: &'a [Outcome],
    findings: &'a [Finding],
    build: &'a Build,
    said: &'a Dependencies,
    ground: Ground,
    new_lines: usize,
}

/// The verdict. Pure.
fn judge(shown: &Shown<'_>) -> Judgment {
    if let Some(judgment) = verdict::infrastructure(shown.outcomes)
        .or_else(|| verdict::refuted(shown.outcomes, shown.findings))
    {
        return judgment;
    }
    if let Some(error) = &shown.build.error {
        return if shown.build.is_broken_by_change {
            Judgment::wrong(
                "BUILD_FAILS",
                format!("the change does not build from nothing: {error}"),
            )
        } else {
            Judgment::unproven(
                "BUILD_FAILS",
                format!("it does not build from nothing, and did not before: {error}"),
            )
        };
    }
    if let Some(judgment) = verdict::new_red(shown.outcomes) {
        return judgment;
    }
    let kept = match shown.ground.words() {
        Ok(words) => words,
        Err(judgment) => return judgment,
    };
    if let Some(name) = shown.said.unexplained.first() {
        let fact = format!("nothing asks for {name}, which is new in the lock file");
        return Judgment::unproven("DEPENDENCY_UNEXPLAINED", fact);
    }
    let mut gaps = verdict::gaps_of(shown.outcomes, shown.findings);
    gaps.extend(
        shown
            .build
            .gaps
            .iter()
            .filter(|gap| **gap != artefact::NOT_BUILT)
            .map(|gap| (*gap).to_owned()),
    );
    let mut add = |is_so: bool, code: &str| gaps.extend(is_so.then(|| code.to_owned()));
    add(shown.ground.is_blind, "BASE_ENVIRONMENT_UNKNOWN");
    add(shown.build.needs_own_control, "CONTROL_SURFACE_CHANGED");
    add(shown.new_lines > LINES, "CHANGES_MORE_THAN_DEPENDENCIES");
    verdict::shown(
        gaps,
        &format!("{}; it builds from nothing and {kept}", moved(shown.said)),
    )
}

/// What moved, in a few words.
fn moved(said: &Dependencies) -> String {
    let mut direct = said.moved.iter().filter(|one| one.is_direct);
    let first = direct.next().or_else(|| said.moved.first());
    let Some(first) = first else {
        return "nothing moved".to_owned();
    };
    let list = |versions: &[String]| {
        if versions.is_empty() {
            "nothing".to_owned()
        } else {
            versions.join(" and ")
        }
    };
    let new = said.moved.iter().filter(|one| one.from.is_empty()).count();
    let others = said.moved.len() - 1;
    let more = match (others, new) {
        (0, _) => String::new(),
        (others, 0) => format!(" with {others} others"),
        (others, new) => format!(" with {others} others, {new} of them new"),
    };
    format!(
        "{} goes from {} to {}{more}",
        first.name,
        list(&first.from),
        list(&first.to)
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use wayproof_receipt::Verdict;
    use wayproof_receipt::predicate::{Dependencies, MovedPackage, Severity};

    use super::{Build, Ground, Shown, judge};
    use crate::gaming::finding;
    use crate::report::{Status, TestId};
    use crate::row::Outcome;
    use crate::run::{SuiteRun, plain};

    #[rstest]
    #[case::honest("", Verdict::Proven, "")]
    #[case::red("red", Verdict::Unproven, "BASE_ENVIRONMENT_UNKNOWN")]
    #[case::orphan("orphan", Verdict::Unproven, "DEPENDENCY_UNEXPLAINED")]
    #[case::script("G24", Verdict::ProvenWithGaps, "G24")]
    #[case::source("G23", Verdict::Refuted, "")]
    #[case::code("code", Verdict::ProvenWithGaps, "CHANGES_MORE_THAN_DEPENDENCIES")]
    #[case::build("build", Verdict::Refuted, "BUILD_FAILS")]
    fn verdicts(#[case] odd: &str, #[case] verdict: Verdict, #[case] gap: &str) {
        let mut outcome = Outcome::default();
        let mut run = SuiteRun::empty();
        run.results.insert(TestId::new("a"), plain(Status::Passed));
        outcome.observed.base = run.clone();
        outcome.observed.head = vec![run];
        let severity = if odd == "G23" {
            Severity::High
        } else {
            Severity::Medium
        };
        let found = finding(odd, severity, "x.lock", None, "z");
        let findings = Vec::from_iter(odd.starts_with('G').then_some(found));
        let one = MovedPackage {
            name: "b".to_owned(),
            from: vec!["1".to_owned()],
            to: vec!["2".to_owned()],
            ..MovedPackage::default()
        };
        let judged = judge(&Shown {
            outcomes: &[outcome],
            findings: &findings,
            build: &Build {
                error: (odd == "build").then(|| "no".to_owned()),
                is_broken_by_change: true,
                ..Build::default()
            },
            said: &Dependencies {
                moved: vec![one],
                unexplained: Vec::from_iter((odd == "orphan").then(|| "z".to_owned())),
                ..Dependencies::default()
            },
            ground: Ground {
                red: (odd == "red").then(|| "a: no".to_owned()),
                kept: 1,
                ..Ground::default()
            },
            new_lines: if odd == "code" { 100 } else { 0 },
        });
        assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
        assert!(
            gap.is_empty() && judged.gaps.is_empty()
                || judged.gaps.iter().any(|found| found == gap),
            "{:?}",
            judged.gaps
        );
    }
}
