//! The procedure for performance: the policy's benchmark runs in turn without and with the change, and takes less time
//! with it by more than chance explains. Every test passes as before, and the benchmark is the one that was there.
//!
//! Pairs that run one after the other share the weather of the machine. The interval is that of the sign test: it
//! assumes nothing about how times are spread, and needs no chance of its own.

use std::time::Duration;

use wayproof_receipt::predicate::{Benchmark, Check, CheckKind, Finding, Severity};

use super::refactor::{edits_tests, kept_of};
use super::{Case, Outcome, Work, bug_fix};
use crate::gaming::finding;
use crate::plan::FileChange;
use crate::prove::{Evidence, checks_of};
use crate::request::Step;
use crate::run::{Command, Tree, Trouble};
use crate::stopwatch::Stopwatch;
use crate::verdict::{self, Judgment};

/// How many pairs, where time allows, and how few say nothing.
const PAIRS: usize = 20;
const FEWEST: usize = 6;
/// What all pairs may take.
const BUDGET: Duration = Duration::from_mins(5);

/// What running the benchmark showed.
#[derive(Clone, Debug, PartialEq)]
enum Measured {
    /// The policy names none.
    Unknown,
    /// It does not end well at the base.
    FailsAtBase(String),
    /// It ends well at the base and not at the head.
    FailsAtHead(String),
    /// Too few pairs fit into the time.
    TooFew(usize),
    /// An interval.
    Ratio(Benchmark),
}

/// Runs the tests and the benchmark, and judges both.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    let mut outcomes = Vec::new();
    for suite in work.suites {
        outcomes.push(bug_fix::kept(case, suite)?);
    }
    if outcomes.iter().any(Outcome::has_tests) {
        outcomes.retain(Outcome::has_tests);
    }
    let mut checks: Vec<Check> = outcomes.iter().flat_map(checks_of).collect();
    let mut findings = bug_fix::findings(work, &outcomes);
    let argv = work.request.commands.bench.as_deref();
    findings.extend(
        case.changes
            .iter()
            .filter_map(|change| bent(change, argv.unwrap_or_default())),
    );
    let is_refuted = findings
        .iter()
        .any(|found| found.severity == Severity::High)
        || outcomes
            .iter()
            .any(|outcome| outcome.lost.iter().any(|lost| !lost.is_replaced));
    let measured = match argv {
        Some(argv) if !is_refuted => measure(case, argv, &mut checks)?,
        Some(_) => Measured::TooFew(0),
        None => Measured::Unknown,
    };
    let judgment = judge(&Shown {
        outcomes: &outcomes,
        findings: &findings,
        measured: &measured,
        has_source_change: case.has_source_change(),
        edits_tests: case.changes.iter().any(edits_tests),
    });
    Ok(Evidence {
        checks,
        outcomes,
        findings,
        benchmark: match measured {
            Measured::Ratio(benchmark) => Some(benchmark),
            _ => None,
        },
        ..Evidence::of(judgment)
    })
}

/// A benchmark that the change edits measures something else.
fn bent(change: &FileChange, argv: &[String]) -> Option<Finding> {
    let is_named = argv
        .iter()
        .any(|word| word.trim_start_matches("./") == change.path);
    let mut parts = change.path.split('/');
    let is_bench = parts.any(|part| {
        let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
        matches!(
            stem.as_str(),
            "bench" | "benches" | "benchmark" | "benchmarks" | "bench_test"
        ) || stem.starts_with("bench_")
            || stem.ends_with("_bench")
            || stem.ends_with("_bench_test")
    });
    let is_edited = change.old_blob.is_some() && (is_named || is_bench);
    is_edited.then(|| {
        finding(
            "G4",
            Severity::High,
            &change.path,
            None,
            "the change edits the benchmark it is measured by",
        )
    })
}

fn measure(case: &Case<'_>, argv: &[String], checks: &mut Vec<Check>) -> Result<Measured, Trouble> {
    let (base, head) = (&case.trees.base, &case.trees.head);
    let watch = Stopwatch::start();
    case.progress.step(&Step::Checking {
        what: "the benchmark, without and with the change in turn",
    });
    // The first run on each side builds and warms what the others find ready.
    let mut first = true;
    let mut pairs = Vec::new();
    while first || pairs.len() < PAIRS && watch.elapsed() < BUDGET {
        let is_base_first = pairs.len() % 2 == 0;
        let order = if is_base_first {
            [base, head]
        } else {
            [head, base]
        };
        let mut times = Vec::new();
        for tree in order {
            let (time, why, check) = once(case, argv, tree)?;
            // Of many runs alike the first and those that fail are worth naming.
            if first || why.is_some() {
                checks.push(check);
            }
            if let Some(why) = why {
                return Ok(if tree.path == base.path {
                    Measured::FailsAtBase(why)
                } else {
                    Measured::FailsAtHead(why)
                });
            }
            times.push(time.as_secs_f64());
        }
        if let ([one, other], false) = (times.as_slice(), first) {
            pairs.push(if is_base_first {
                other / one
            } else {
                one / other
            });
        }
        first = false;
    }
    Ok(match interval(&pairs) {
        Some((ratio, low, high)) => Measured::Ratio(Benchmark {
            pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            ratio,
            low,
            high,
            method: "median of paired wall times, sign-test interval".to_owned(),
        }),
        None => Measured::TooFew(pairs.len()),
    })
}

fn once(
    case: &Case<'_>,
    argv: &[String],
    tree: &Tree,
) -> Result<(Duration, Option<String>, Check), Trouble> {
    let mut argv = argv.to_vec();
    if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
        *first = case
            .host
            .program(first, "the policy's benchmark needs it")?;
    }
    let (ran, check) = case.host.run(Command {
        kind: CheckKind::Other,
        argv,
        cwd: tree.path.clone(),
        env: Vec::new(),
        writable: Vec::new(),
        readable: Vec::new(),
        tree,
    })?;
    let why = (ran.exit != Some(0)).then(|| {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it said nothing").trim().to_owned()
    });
    Ok((ran.wall, why, check))
}

/// The median of ratios and an interval that holds it with at least 95 % confidence; `None` of too few.
fn interval(ratios: &[f64]) -> Option<(f64, f64, f64)> {
    let mut sorted: Vec<f64> = ratios
        .iter()
        .copied()
        .filter(|ratio| ratio.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    if count < FEWEST {
        return None;
    }
    // The largest number of pairs that may be left out on each side: P(Bin(n, 1/2) < k) stays within 2.5 %.
    let (mut left_out, mut chance, mut below) =
        (0_usize, 0.5_f64.powi(i32::try_from(count).ok()?), 0.0);
    while left_out < count / 2 && below + chance <= 0.025 {
        below += chance;
        #[expect(clippy::cast_precision_loss, reason = "counts of pairs are small")]
        let step = (count - left_out) as f64 / (left_out + 1) as f64;
        chance *= step;
        left_out += 1;
    }
    let at = left_out.checked_sub(1)?;
    let middle = sorted.get(count / 2)?;
    let other = sorted.get((count - 1) / 2)?;
    Some((
        f64::midpoint(*middle, *other),
        *sorted.get(at)?,
        *sorted.get(count - 1 - at)?,
    ))
}

/// Everything the verdict rests on.
struct Shown<'a> {
    outcomes: &'a [Outcome],
    findings: &'a [Finding],
    measured: &'a Measured,
    has_source_change: bool,
    edits_tests: bool,
}

/// The verdict. Pure.
fn judge(shown: &Shown<'_>) -> Judgment {
    let outcomes = shown.outcomes;
    let stops = verdict::infrastructure(outcomes)
        .or_else(|| verdict::refuted(outcomes, shown.findings))
        .or_else(|| verdict::new_red(outcomes));
    if let Some(judgment) = stops {
        return judgment;
    }
    if !shown.has_source_change {
        let fact = "the change touches no source, so it cannot make anything faster";
        return Judgment::unproven("NO_SOURCE_CHANGE", fact.to_owned());
    }
    let benchmark = match shown.measured {
        Measured::Ratio(benchmark) => benchmark,
        other => return unmeasured(other),
    };
    let Benchmark {
        pairs,
        ratio,
        low,
        high,
        ..
    } = benchmark;
    let fact = format!(
        "the benchmark takes {ratio:.3} of the time it took ({low:.3} to {high:.3}, {pairs} pairs)"
    );
    if *low > 1.0 {
        return Judgment::wrong("SLOWER", fact);
    }
    if !benchmark.is_faster() {
        return Judgment::unproven("NOT_FASTER", format!("{fact}, which chance explains"));
    }
    let mut gaps = verdict::gaps_of(outcomes, shown.findings);
    if outcomes.iter().map(kept_of).sum::<usize>() == 0 {
        gaps.push("NO_TESTS_RAN".to_owned());
    }
    if shown.edits_tests {
        gaps.push("TESTS_EDITED".to_owned());
    }
    verdict::shown(gaps, &fact)
}

fn unmeasured(measured: &Measured) -> Judgment {
    match measured {
        Measured::FailsAtHead(why) => Judgment::wrong(
            "BENCHMARK_FAILS",
            format!("the benchmark fails with the change: {why}"),
        ),
        Measured::FailsAtBase(why) => Judgment::unproven(
            "BENCHMARK_FAILS_AT_BASE",
            format!("the benchmark fails without the change: {why}"),
        ),
        Measured::TooFew(pairs) => Judgment::unproven(
            "TOO_FEW_PAIRS",
            format!(
                "only {pairs} pairs of runs fit into the time; {FEWEST} are the least that say anything"
            ),
        ),
        Measured::Unknown | Measured::Ratio(_) => {
            let fact = "no benchmark is known; name its command as `bench` under `[checks]` in wayproof.toml";
            Judgment::unproven("NO_BENCHMARK", fact.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use wayproof_receipt::Verdict;
    use wayproof_receipt::predicate::Benchmark;

    use super::{Measured, Shown, bent, interval, judge};
    use crate::plan::FileChange;
    use crate::plan::role::role_of;
    use crate::report::{Status, TestId};
    use crate::row::Outcome;
    use crate::run::{SuiteRun, plain};

    #[test]
    fn the_interval_leaves_out_what_the_sign_test_allows() {
        assert_eq!(interval(&[0.5; 5]), None);
        let six: Vec<f64> = (1..=6).map(f64::from).collect();
        assert_eq!(interval(&six), Some((3.5, 1.0, 6.0)));
        // Of ten pairs one may be left out on each side, of twenty five.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(interval(&ten), Some((5.5, 2.0, 9.0)));
        let twenty: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(interval(&twenty), Some((10.5, 6.0, 15.0)));
        assert_eq!(interval(&[f64::NAN; 9]), None);
    }

    #[rstest]
    #[case::faster(&measured(0.5, 0.4, 0.6), Verdict::Proven, None)]
    #[case::by_chance(&measured(0.9, 0.7, 1.1), Verdict::Unproven, Some("NOT_FASTER"))]
    #[case::slower(&measured(1.5, 1.2, 1.9), Verdict::Refuted, Some("SLOWER"))]
    #[case::none(&Measured::Unknown, Verdict::Unproven, Some("NO_BENCHMARK"))]
    #[case::broken(
        &Measured::FailsAtHead(String::new()),
        Verdict::Refuted,
        Some("BENCHMARK_FAILS")
    )]
    #[case::broken_before(
        &Measured::FailsAtBase(String::new()),
        Verdict::Unproven,
        Some("BENCHMARK_FAILS_AT_BASE")
    )]
    #[case::slow(&Measured::TooFew(2), Verdict::Unproven, Some("TOO_FEW_PAIRS"))]
    fn verdicts(#[case] measured: &Measured, #[case] verdict: Verdict, #[case] gap: Option<&str>) {
        let mut outcome = Outcome::default();
        let mut run = SuiteRun::empty();
        run.results.insert(TestId::new("a"), plain(Status::Passed));
        outcome.observed.base = run.clone();
        outcome.observed.head = vec![run];
        let judged = judge(&Shown {
            outcomes: &[outcome],
            findings: &[],
            measured,
            has_source_change: true,
            edits_tests: false,
        });
        assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
        assert_eq!(judged.gaps.first().map(String::as_str), gap);
    }

    fn measured(ratio: f64, low: f64, high: f64) -> Measured {
        Measured::Ratio(Benchmark {
            pairs: 20,
            ratio,
            low,
            high,
            method: String::new(),
        })
    }

    #[test]
    fn an_edited_benchmark_is_seen_and_a_new_one_is_not() {
        let change = |path: &str, old: Option<&str>| FileChange {
            path: path.to_owned(),
            role: role_of(path),
            before: None,
            after: None,
            old_blob: old.map(str::to_owned),
            new_blob: Some("2".to_owned()),
        };
        let argv = ["python3", "./tools/speed.py"].map(str::to_owned);
        assert!(bent(&change("tools/speed.py", Some("1")), &argv).is_some());
        assert!(bent(&change("benches/parse.rs", Some("1")), &argv).is_some());
        assert!(bent(&change("benches/parse.rs", None), &argv).is_none());
        assert!(bent(&change("src/workbench.py", Some("1")), &argv).is_none());
    }
}
