//! Turns outcomes and findings into one verdict, the gaps that lower it, and the one fact an agent must know.
//!
//! Pure. It can only lower: a verdict starts at what the evidence shows and nothing here raises it.

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{Finding, Severity};

use crate::compare::{Grade, Lost};
use crate::report::{RedReason, Status, TestId};
use crate::row::Outcome;
use crate::run::{Red, Seen};

/// A verdict with what lowered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgment {
    /// What it amounts to.
    pub verdict: Verdict,
    /// Stable codes of what is missing.
    pub gaps: Vec<String>,
    /// The one thing to know.
    pub one_fact: String,
}

impl Judgment {
    fn new(verdict: Verdict, gap: Option<&str>, one_fact: String) -> Self {
        Self {
            verdict,
            gaps: gap.map(str::to_owned).into_iter().collect(),
            one_fact,
        }
    }

    /// Nothing can be said about the change.
    pub(crate) fn infra(sentence: String) -> Self {
        Self::new(Verdict::InvalidInfra, None, sentence)
    }

    /// Not shown, for a reason with a stable code.
    pub(crate) fn unproven(gap: &str, one_fact: String) -> Self {
        Self::new(Verdict::Unproven, Some(gap), one_fact)
    }

    /// Shown to be wrong, for a reason with a stable code.
    pub(crate) fn wrong(gap: &str, one_fact: String) -> Self {
        Self::new(Verdict::Refuted, Some(gap), one_fact)
    }

    /// There is no change to say anything about.
    pub(crate) fn unchanged() -> Self {
        let fact = "nothing differs from the base, so there is nothing to prove";
        Self::new(Verdict::Unproven, Some("NO_CHANGE"), fact.to_owned())
    }
}

/// Judges a bug fix by its suites.
pub(crate) fn bug_fix(
    outcomes: &[Outcome],
    findings: &[Finding],
    has_source_change: bool,
) -> Judgment {
    if let Some(judgment) = infrastructure(outcomes).or_else(|| refuted(outcomes, findings)) {
        return judgment;
    }
    let mut fixed: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.compared.fixed)
        .collect();
    fixed.sort_by_key(|fixed| fixed.grade);
    let Some(best) = fixed.first() else {
        return unshown(outcomes, has_source_change);
    };
    let mut gaps = gaps_of(outcomes, findings);
    if best.grade == Grade::C {
        gaps.push("RED_BY_BUILD_ONLY".to_owned());
    }
    gaps.sort();
    gaps.dedup();
    let verdict = if gaps.is_empty() {
        Verdict::Proven
    } else {
        Verdict::ProvenWithGaps
    };
    let more = if fixed.len() > 1 {
        format!(" and {} more", fixed.len() - 1)
    } else {
        String::new()
    };
    let missing = if gaps.is_empty() {
        String::new()
    } else {
        format!("; gaps: {}", gaps.join(", "))
    };
    let entry = &best.entry;
    let counts = format!(
        "red {}/{} without the change, green {}/{} with it",
        entry.base_reds, entry.base_runs, entry.head_greens, entry.head_runs
    );
    Judgment {
        verdict,
        gaps,
        one_fact: format!("{}{more}: {counts}{missing}", entry.test_id),
    }
}

/// A suite that starts on neither side says nothing about the change.
pub(crate) fn infrastructure(outcomes: &[Outcome]) -> Option<Judgment> {
    let mut said = None;
    for outcome in outcomes {
        let (base, head) = (&outcome.observed.base, outcome.head()?);
        let stop = base
            .stopped
            .values()
            .next()
            .filter(|_| base.results.is_empty() && head.results.is_empty());
        match stop {
            Some(stop) if !head.stopped.is_empty() => said = Some(stop.message.clone()),
            Some(_) | None => return None,
        }
    }
    said.map(|message| {
        Judgment::infra(format!(
            "the tests do not start at the base either: {}",
            first_line(&message)
        ))
    })
}

/// What refutes a change of any kind: a cheat, a lost test, a head that does not build.
pub(crate) fn refuted(outcomes: &[Outcome], findings: &[Finding]) -> Option<Judgment> {
    if let Some(finding) = findings
        .iter()
        .find(|finding| finding.severity == Severity::High)
    {
        return Some(Judgment::new(Verdict::Refuted, None, told(finding)));
    }
    for outcome in outcomes {
        let head = outcome.head()?;
        if let Some(stop) = head
            .stopped
            .get("")
            .filter(|_| !outcome.observed.base.results.is_empty())
            .filter(|_| !outcome.observed.base.stopped.contains_key(""))
        {
            let place = stop
                .place
                .as_deref()
                .map(|place| format!(" ({place})"))
                .unwrap_or_default();
            return Some(Judgment::new(
                Verdict::Refuted,
                None,
                format!(
                    "the change does not build: {}{place}",
                    first_line(&stop.message)
                ),
            ));
        }
        let mut lost = outcome.lost.iter().filter(|lost| !lost.is_replaced);
        if let Some(first) = lost.next() {
            let more = match lost.count() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            return Some(Judgment::new(
                Verdict::Refuted,
                None,
                format!("{}{more}", lost_fact(first)),
            ));
        }
    }
    None
}

/// A finding in a sentence with its place.
fn told(finding: &Finding) -> String {
    let line = finding
        .line
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let place = finding
        .path
        .as_deref()
        .map(|path| format!(" ({path}{line})"))
        .unwrap_or_default();
    format!("{}: {}{place}", finding.code, finding.explanation)
}

fn lost_fact(lost: &Lost) -> String {
    match &lost.now {
        Seen::Red(red) => format!(
            "{} passed before the change and fails now: {}",
            lost.id,
            red_fact(red)
        ),
        Seen::Skipped => format!("{} passed before the change and is skipped now", lost.id),
        Seen::Missing | Seen::Green => {
            format!("{} passed before the change and is gone now", lost.id)
        }
    }
}

pub(crate) fn red_fact(red: &Red) -> String {
    let place = red
        .place
        .as_deref()
        .map(|place| format!(" ({place})"))
        .unwrap_or_default();
    format!("{}{place}", first_line(&red.message))
}

/// Why nothing was shown.
fn unshown(outcomes: &[Outcome], has_source_change: bool) -> Judgment {
    if let Some((id, red)) = still_red(outcomes, Which::New) {
        let fact = format!("{id} fails with the change: {}", red_fact(&red));
        return hindered(&id, &red).unwrap_or_else(|| Judgment::wrong("NO_FAIL_TO_PASS", fact));
    }
    if !has_source_change {
        let fact = "the change touches no source, so it cannot fix anything".to_owned();
        return Judgment::new(Verdict::Unproven, Some("NO_SOURCE_CHANGE"), fact);
    }
    if let Some(judgment) = flawed(outcomes) {
        return judgment;
    }
    if let Some((id, red)) = still_red(outcomes, Which::Old) {
        let fact = format!(
            "{id} failed before the change and still fails: {}",
            red_fact(&red)
        );
        return hindered(&id, &red).unwrap_or_else(|| Judgment::wrong("NO_FAIL_TO_PASS", fact));
    }
    if outcomes
        .iter()
        .all(|outcome| outcome.head().is_none_or(|head| head.results.is_empty()))
    {
        return Judgment::new(
            Verdict::Unproven,
            Some("NO_TESTS_RAN"),
            "no test ran".to_owned(),
        );
    }
    let fact = "no test fails without the change and passes with it; add one that does".to_owned();
    Judgment::new(Verdict::Unproven, Some("NO_FAIL_TO_PASS"), fact)
}

/// A test that turned green and yet shows nothing.
pub(crate) fn flawed(outcomes: &[Outcome]) -> Option<Judgment> {
    let compared = || outcomes.iter().map(|outcome| &outcome.compared);
    let (gap, fact) = if let Some(id) = compared().flat_map(|compared| &compared.hollow).next() {
        let why = "it asserts nothing about what the change does, or passed before as it is";
        ("TEST_SHOWS_NOTHING", format!("{id} shows nothing: {why}"))
    } else if let Some((id, band)) = compared().flat_map(|compared| &compared.banded).next() {
        let what = "ask for numbers at its edges as well";
        (
            "EDGES_UNTESTED",
            format!("{id} shows the change in a band alone, since {band}; {what}"),
        )
    } else if let Some(id) = compared().flat_map(|compared| &compared.unneeded).next() {
        let why = "turns green without the change to the source as well; a manifest or lock file made it pass";
        ("SOURCE_NOT_NECESSARY", format!("{id} {why}"))
    } else {
        let id = compared().flat_map(|compared| &compared.flaky).next()?;
        (
            "FLAKY",
            format!("{id} does not give the same result every time"),
        )
    };
    Some(Judgment::new(Verdict::Unproven, Some(gap), fact))
}

/// A test that came with the change and fails with it.
pub(crate) fn new_red(outcomes: &[Outcome]) -> Option<Judgment> {
    let (id, red) = still_red(outcomes, Which::New)?;
    let fact = format!("{id} fails with the change: {}", red_fact(&red));
    Some(hindered(&id, &red).unwrap_or_else(|| Judgment::wrong("NEW_TEST_FAILS", fact)))
}

/// A red that says more of where checks run than of the change: what a test needs is not there, or not as much of it.
fn hindered(id: &TestId, red: &Red) -> Option<Judgment> {
    let (gap, what) = if asks_for_a_service(red) {
        (
            "NEEDS_SERVICE",
            "needs a service, and checks have no network",
        )
    } else if red.reason == RedReason::Timeout {
        ("TEST_TIMES_OUT", "runs longer than a check may")
    } else if asks_for_more(red) {
        (
            "LIMIT_REACHED",
            "takes more processes, memory or space than a check may",
        )
    } else {
        return None;
    };
    let fact = format!("{id} {what}: {}", red_fact(red));
    Some(Judgment::unproven(gap, fact))
}

/// What was shown, with what is missing to it.
pub(crate) fn shown(mut gaps: Vec<String>, fact: &str) -> Judgment {
    gaps.sort();
    gaps.dedup();
    let (verdict, missing) = if gaps.is_empty() {
        (Verdict::Proven, String::new())
    } else {
        let missing = format!("; gaps: {}", gaps.join(", "));
        (Verdict::ProvenWithGaps, missing)
    };
    Judgment {
        verdict,
        gaps,
        one_fact: format!("{fact}{missing}"),
    }
}

/// A test that is red at the head and was not green before.
fn still_red(outcomes: &[Outcome], which: Which) -> Option<(TestId, Red)> {
    for outcome in outcomes {
        let Some(head) = outcome.head() else { continue };
        let base = &outcome.observed.base;
        let failed = head
            .results
            .iter()
            .filter(|(_, result)| matches!(result.status, Status::Failed | Status::Error));
        for (id, _) in failed {
            let is_wanted = match which {
                Which::New => base.seen(id) == Seen::Missing,
                Which::Old => matches!(base.seen(id), Seen::Red(_)),
            };
            if let Seen::Red(red) = head.seen(id)
                && is_wanted
            {
                return Some((id.clone(), red));
            }
        }
        let mut stops = head
            .stopped
            .iter()
            .filter(|(scope, _)| which == Which::New && !base.stopped.contains_key(*scope));
        if let Some((scope, stop)) = stops.next() {
            let red = Red {
                reason: stop.reason,
                message: stop.message.clone(),
                place: stop.place.clone(),
            };
            return Some((TestId::new(scope.clone()), red));
        }
    }
    None
}

/// Which red tests of the head are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those the base does not have.
    New,
    /// Those that are red at the base as well.
    Old,
}

/// Everything that lowers a proven change.
pub(crate) fn gaps_of(outcomes: &[Outcome], findings: &[Finding]) -> Vec<String> {
    let mut gaps: Vec<String> = Vec::new();
    let mut add = |is_so: bool, code: &str| {
        if is_so {
            gaps.push(code.to_owned());
        }
    };
    for outcome in outcomes {
        let Some(head) = outcome.head() else { continue };
        add(!head.is_structured, "NO_STRUCTURED_REPORT");
        add(!head.is_complete, "RUN_INCOMPLETE");
        add(!head.problems.is_empty(), "REPORT_INCONSISTENT");
        add(outcome.needs_own_control, "CONTROL_SURFACE_CHANGED");
        add(
            outcome.lost.iter().any(|lost| lost.is_replaced),
            "TESTS_REPLACED",
        );
    }
    let new_red = still_red(outcomes, Which::New);
    add(new_red.is_some(), "NEW_TEST_FAILS");
    let new_red = new_red.map(|(_, red)| red);
    let has = |is_so: fn(&Red) -> bool| new_red.as_ref().is_some_and(is_so);
    add(has(asks_for_a_service), "NEEDS_SERVICE");
    add(
        has(|red| red.reason == RedReason::Timeout),
        "TEST_TIMES_OUT",
    );
    for finding in findings
        .iter()
        .filter(|finding| finding.severity == Severity::Medium)
    {
        add(true, &finding.code);
    }
    gaps.sort();
    gaps.dedup();
    gaps
}

/// Whether a test failed because something that it connects to is not there. Checks have no network.
fn asks_for_a_service(red: &Red) -> bool {
    const WORDS: &[&str] = &[
        "onnection refused",
        "ConnectionRefused",
        "ECONNREFUSED",
        "etwork is unreachable",
        "ENETUNREACH",
        "name resolution",
        "EAI_AGAIN",
        "ENOTFOUND",
        "dial tcp",
        "UnknownHostException",
    ];
    WORDS.iter().any(|words| red.message.contains(words))
}

/// Whether a test failed because a limit of the sandbox was reached.
fn asks_for_more(red: &Red) -> bool {
    const WORDS: &[&str] = &[
        "at a limit of the sandbox",
        "esource temporarily unavailable",
        "EAGAIN",
        "annot allocate memory",
        "ENOMEM",
        "o space left on device",
        "ENOSPC",
        "isk quota exceeded",
    ];
    WORDS.iter().any(|words| red.message.contains(words))
}

/// The first line that says something.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("no message")
}
