//! What new tests are worth. Pure.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Coverage, Finding, Oracle};

use crate::mutation::Tried;
use crate::report::TestId;
use crate::row::Outcome;
use crate::verdict::{self, Judgment};

/// How far the new tests reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// No source at all.
    #[default]
    Nothing,
    /// Only what was reached before.
    Known,
    /// Nobody can say.
    Unmeasured,
    /// Lines that no test reached.
    New,
}

/// Everything the verdict rests on.
pub(super) struct Shown<'a> {
    pub outcomes: &'a [Outcome],
    pub findings: &'a [Finding],
    /// Whether more than tests changed.
    pub changes_product: bool,
    pub new: &'a BTreeSet<TestId>,
    /// New tests that did not run.
    pub skipped: &'a BTreeSet<TestId>,
    pub flaky: &'a BTreeSet<TestId>,
    /// New tests that look at the text of what they test.
    pub readers: &'a BTreeSet<TestId>,
    pub oracle: &'a Oracle,
    pub reach: Reach,
    pub coverage: Option<&'a Coverage>,
    /// What the policy asks for, in percent.
    pub min_coverage: Option<u8>,
    pub tried: Option<&'a Tried>,
}

/// Of the planted faults, at least so many in a hundred should be noticed.
const FAIR_SHARE: u64 = 60;

/// Judges new tests.
pub(super) fn judge(shown: &Shown<'_>) -> Judgment {
    let outcomes = shown.outcomes;
    let stops = verdict::infrastructure(outcomes)
        .or_else(|| verdict::refuted(outcomes, shown.findings))
        .or_else(|| verdict::new_red(outcomes))
        .or_else(|| no_tests(shown))
        .or_else(|| worthless(shown))
        .or_else(|| unreached(shown))
        .or_else(|| unnoticed(shown));
    if let Some(judgment) = stops {
        return judgment;
    }
    let mut gaps = verdict::gaps_of(outcomes, shown.findings);
    let mut add = |is_so: bool, code: &str| gaps.extend(is_so.then(|| code.to_owned()));
    add(!shown.skipped.is_empty(), "NEW_TEST_SKIPPED");
    add(!shown.readers.is_empty(), "TEST_READS_SOURCE");
    add(!shown.oracle.none.is_empty(), "TEST_WITHOUT_ASSERTION");
    add(shown.reach == Reach::Unmeasured, "COVERAGE_UNMEASURED");
    add(shown.reach == Reach::Known, "NO_NEW_COVERAGE");
    let Some(tried) = shown.tried else {
        return Judgment::unproven(
            "ZERO_MUTANTS",
            "no fault was planted, so nothing says that the tests notice one".to_owned(),
        );
    };
    let made = &tried.mutation;
    add(
        tried.noticed * 100 < made.viable * FAIR_SHARE,
        "MUTANTS_SURVIVE",
    );
    add(tried.by_assertion == 0, "CAUGHT_BY_CRASH_ONLY");
    let more = shown
        .coverage
        .and_then(|coverage| coverage.delta_vs_base)
        .filter(|lines| *lines > 0);
    let reached = more.map_or_else(String::new, |lines| format!(" reach {lines} new lines and"));
    verdict::shown(
        gaps,
        &format!(
            "{} new tests{reached} notice {} of {} planted faults that nothing noticed before",
            shown.new.len(),
            made.caught,
            made.viable
        ),
    )
}

fn no_tests(shown: &Shown<'_>) -> Option<Judgment> {
    if shown.changes_product {
        let fact = "the change touches source as well as tests; what it does to the source needs a proof of its own";
        return Some(Judgment::unproven("SOURCE_CHANGED", fact.to_owned()));
    }
    if shown.new.is_empty() {
        let fact = "no test is new: every test that runs ran before";
        return Some(Judgment::unproven("NO_NEW_TESTS", fact.to_owned()));
    }
    if shown.new.iter().all(|id| shown.skipped.contains(id)) {
        let first = shown.new.first()?;
        let fact = format!("{first} is new and skipped; a test that does not run shows nothing");
        return Some(Judgment::unproven("NEW_TESTS_SKIPPED", fact));
    }
    None
}

fn worthless(shown: &Shown<'_>) -> Option<Judgment> {
    if let Some(id) = shown.flaky.first() {
        let fact =
            format!("{id} does not give the same result every time, in every order and alone");
        return Some(Judgment::unproven("FLAKY", fact));
    }
    let none = &shown.oracle.none;
    if shown.oracle.tests > 0 && none.len() as u64 == shown.oracle.tests {
        let first = none.first()?;
        let fact = format!("{first} asserts nothing that could fail");
        return Some(Judgment::unproven("TEST_SHOWS_NOTHING", fact));
    }
    let runs = shown.new.iter().filter(|id| !shown.skipped.contains(*id));
    if shown.readers.len() >= runs.count()
        && let Some(id) = shown.readers.first()
    {
        let fact = format!(
            "{id} reads the source as text, so it tells that the source changed and not what it does"
        );
        return Some(Judgment::unproven("TEST_READS_SOURCE", fact));
    }
    None
}

fn unreached(shown: &Shown<'_>) -> Option<Judgment> {
    if shown.reach == Reach::Nothing {
        let fact = "the new tests run no line of the source";
        return Some(Judgment::unproven("NO_NEW_COVERAGE", fact.to_owned()));
    }
    let least = u64::from(shown.min_coverage?);
    let Some(coverage) = shown.coverage else {
        let fact = format!(
            "the policy asks for {least} % of the code that is tested, and coverage could not be measured"
        );
        return Some(Judgment::unproven("COVERAGE_UNMEASURED", fact));
    };
    let (covered, all) = (coverage.covered_lines, coverage.changed_lines);
    if covered * 100 < all * least {
        let fact = format!(
            "{covered} of {all} lines of the code that is tested are run, and the policy asks for {least} %"
        );
        return Some(Judgment::unproven("LOW_COVERAGE", fact));
    }
    None
}

fn unnoticed(shown: &Shown<'_>) -> Option<Judgment> {
    let made = &shown.tried?.mutation;
    if made.viable == 0 {
        let fact = "no fault that builds could be planted where the tests reach, so nothing says that they notice one";
        return Some(Judgment::unproven("ZERO_MUTANTS", fact.to_owned()));
    }
    if made.caught > 0 {
        return None;
    }
    let of = if shown.tried?.noticed > 0 {
        "that the tests of before did not notice as well".to_owned()
    } else {
        let first = made.missed.first().map_or("", String::as_str);
        format!("planted where they reach ({first})")
    };
    let fact = format!("the new tests notice none of {} faults {of}", made.viable);
    Some(Judgment::unproven("NO_MUTANT_CAUGHT", fact))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;
    use wayproof_receipt::Verdict;
    use wayproof_receipt::predicate::{Coverage, Mutation, Oracle};

    use super::{Reach, Shown, judge};
    use crate::mutation::Tried;
    use crate::report::{RedReason, Status, TestId};
    use crate::row::Outcome;
    use crate::run::{SuiteRun, plain, red};

    /// What is odd about honest new tests.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Odd {
        Nothing,
        Product,
        None,
        Red,
        Skipped,
        OneSkipped,
        Flaky,
        Reader,
        Bare,
        OneBare,
        Unreached,
        Known,
        Unmeasured,
        Low,
        Unmutated,
        Unviable,
        Uncaught,
        Survivors,
        Crashes,
    }

    #[rstest]
    #[case(Odd::Nothing, Verdict::Proven, None)]
    #[case(Odd::Product, Verdict::Unproven, Some("SOURCE_CHANGED"))]
    #[case(Odd::None, Verdict::Unproven, Some("NO_NEW_TESTS"))]
    #[case(Odd::Red, Verdict::Refuted, Some("NEW_TEST_FAILS"))]
    #[case(Odd::Skipped, Verdict::Unproven, Some("NEW_TESTS_SKIPPED"))]
    #[case(Odd::OneSkipped, Verdict::ProvenWithGaps, Some("NEW_TEST_SKIPPED"))]
    #[case(Odd::Flaky, Verdict::Unproven, Some("FLAKY"))]
    #[case(Odd::Reader, Verdict::Unproven, Some("TEST_READS_SOURCE"))]
    #[case(Odd::Bare, Verdict::Unproven, Some("TEST_SHOWS_NOTHING"))]
    #[case(Odd::OneBare, Verdict::ProvenWithGaps, Some("TEST_WITHOUT_ASSERTION"))]
    #[case(Odd::Unreached, Verdict::Unproven, Some("NO_NEW_COVERAGE"))]
    #[case(Odd::Known, Verdict::ProvenWithGaps, Some("NO_NEW_COVERAGE"))]
    #[case(Odd::Unmeasured, Verdict::ProvenWithGaps, Some("COVERAGE_UNMEASURED"))]
    #[case(Odd::Low, Verdict::Unproven, Some("LOW_COVERAGE"))]
    #[case(Odd::Unmutated, Verdict::Unproven, Some("ZERO_MUTANTS"))]
    #[case(Odd::Unviable, Verdict::Unproven, Some("ZERO_MUTANTS"))]
    #[case(Odd::Uncaught, Verdict::Unproven, Some("NO_MUTANT_CAUGHT"))]
    #[case(Odd::Survivors, Verdict::ProvenWithGaps, Some("MUTANTS_SURVIVE"))]
    #[case(Odd::Crashes, Verdict::ProvenWithGaps, Some("CAUGHT_BY_CRASH_ONLY"))]
    fn verdicts(#[case] odd: Odd, #[case] verdict: Verdict, #[case] gap: Option<&str>) {
        let ids = |of: &[&str]| {
            let ids = of.iter().map(|id| TestId::new(*id));
            ids.collect::<BTreeSet<_>>()
        };
        let (new, skipped) = match odd {
            Odd::None => (BTreeSet::new(), BTreeSet::new()),
            Odd::Skipped => (ids(&["n"]), ids(&["n"])),
            Odd::OneSkipped => (ids(&["n", "m"]), ids(&["m"])),
            _ => (ids(&["n"]), BTreeSet::new()),
        };
        let flaky = if odd == Odd::Flaky {
            ids(&["n"])
        } else {
            BTreeSet::new()
        };
        let none = match odd {
            Odd::Bare => vec!["n".to_owned(), "m".to_owned()],
            Odd::OneBare => vec!["n".to_owned()],
            _ => Vec::new(),
        };
        let readers = if odd == Odd::Reader {
            ids(&["n"])
        } else {
            BTreeSet::new()
        };
        let tried = tried(odd);
        let judged = judge(&Shown {
            outcomes: &[outcome(odd)],
            findings: &[],
            changes_product: odd == Odd::Product,
            new: &new,
            skipped: &skipped,
            flaky: &flaky,
            readers: &readers,
            oracle: &Oracle {
                tests: 2,
                none,
                ..Oracle::default()
            },
            reach: match odd {
                Odd::Unreached => Reach::Nothing,
                Odd::Known => Reach::Known,
                Odd::Unmeasured => Reach::Unmeasured,
                _ => Reach::New,
            },
            coverage: Some(&Coverage {
                changed_lines: 10,
                covered_lines: if odd == Odd::Low { 5 } else { 9 },
                delta_vs_base: Some(4),
                ..Coverage::default()
            }),
            min_coverage: Some(80),
            tried: (odd != Odd::Unmutated).then_some(&tried),
        });
        assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
        assert_eq!(judged.gaps.first().map(String::as_str), gap);
    }

    fn outcome(odd: Odd) -> Outcome {
        let mut head = SuiteRun::empty();
        let result = match odd {
            Odd::Red => red(RedReason::Assertion, "1 != 2".to_owned()),
            Odd::Skipped => plain(Status::Skipped),
            _ => plain(Status::Passed),
        };
        head.results.insert(TestId::new("n"), result);
        let mut outcome = Outcome::default();
        outcome.observed.head = vec![head];
        outcome.observed.base = SuiteRun::empty();
        outcome
    }

    fn tried(odd: Odd) -> Tried {
        let noticed = match odd {
            Odd::Uncaught | Odd::Unviable => 0,
            Odd::Survivors => 3,
            _ => 8,
        };
        Tried {
            mutation: Mutation {
                generated: 10,
                viable: if odd == Odd::Unviable { 0 } else { 10 },
                caught: noticed,
                ..Mutation::default()
            },
            noticed,
            by_assertion: if odd == Odd::Crashes { 0 } else { noticed },
            checks: Vec::new(),
        }
    }
}
