//! What checks showed of the change, one kind of evidence after the other.
//! Holds no opinion: what lowers a verdict is said under what is missing.

use super::{Sentence, kind, names};
use crate::predicate::{
    Ablation, Benchmark, Check, CheckResult, FailToPass, Link, MovedPackage, PassToPass, Proof,
    PublicApi, RedReason, Reused, Side, Tests,
};
use crate::statement::ResourceDescriptor;

pub(super) fn shown(proof: &Proof) -> Vec<Sentence> {
    let mut items = vec![Sentence::default().ours(format!("Evidence: {}.", tier(proof)))];
    items.extend(proof.reused.as_ref().map(reused));
    items.extend(kind(proof.fail_to_pass.iter().map(fail_to_pass)));
    items.extend(proof.tests.as_ref().map(tests));
    items.extend(proof.public_api.as_ref().map(public_api));
    items.extend(proof.benchmark.as_ref().map(benchmark));
    items.extend(sources(proof));
    let moved = proof.dependencies.iter().flat_map(|said| &said.moved);
    items.extend(kind(moved.map(moved_package)));
    items.extend(kind(checks(proof).into_iter()));
    items.extend(scanned(&proof.sarif));
    items
}

fn reused(reused: &Reused) -> Sentence {
    let when = reused
        .from
        .as_ref()
        .map_or_else(|| "an unknown time".to_owned(), ToString::to_string);
    Sentence::default().ours(format!(
        "Nothing was run for this receipt: it takes over a proof of {when}, since when nothing it reads has changed."
    ))
}

fn moved_package(moved: &MovedPackage) -> Sentence {
    let versions = |versions: &[String]| {
        if versions.is_empty() {
            "nothing".to_owned()
        } else {
            versions.join(", ")
        }
    };
    Sentence::default()
        .ours("Package ")
        .theirs(&moved.name)
        .ours(" went from ")
        .theirs(versions(&moved.from))
        .ours(" to ")
        .theirs(versions(&moved.to))
        .ours(": ")
        .theirs(&moved.why)
}

fn tier(proof: &Proof) -> &'static str {
    use crate::predicate::Tier;
    match proof.tier {
        Tier::Human => "a person signed for this tree",
        Tier::Independent => "run again by an independent builder",
        Tier::Reexecuted => "run again on clean trees by the prover itself",
        Tier::Observed => "the agent's own run was watched, nothing was run again",
        Tier::Claimed => "only the agent's word",
    }
}

fn fail_to_pass(test: &FailToPass) -> Sentence {
    let why = match test.red_reason {
        RedReason::Assertion => "an assertion",
        RedReason::Exception => "an exception",
        RedReason::Timeout => "a timeout",
        RedReason::BuildError => "a build error",
        RedReason::Missing => "it was missing",
        RedReason::Crash => "a crash",
        RedReason::Unknown => "an unknown reason",
    };
    let words = format!(
        " was red in {} of {} runs before the change ({why}), green in {} of {} after it",
        test.base_reds, test.base_runs, test.head_greens, test.head_runs
    );
    let mut sentence = Sentence::default()
        .ours("Test ")
        .theirs(&test.test_id)
        .ours(words);
    if let Some(Ablation { runs, reds, .. }) = &test.ablation {
        sentence = sentence.ours(format!(
            ", red in {reds} of {runs} with the change taken out again"
        ));
    }
    let bound = percent(test.bound());
    sentence.ours(format!(
        "; chance of a flaky test looking like this: at most {bound}"
    ))
}

fn percent(share: f64) -> String {
    // Rounded up, as the figure is a bound.
    format!("{:.2} %", (share * 10_000.0).ceil() / 100.0)
}

fn tests(tests: &Tests) -> Sentence {
    let Tests {
        planned,
        passed,
        failed,
        skipped,
        ..
    } = tests;
    let counts = format!("{planned} planned, {passed} passed, {failed} failed, {skipped} skipped");
    let mut sentence = Sentence::default().ours("Tests: ").ours(counts);
    if !tests.still_failing.is_empty() {
        let still = tests.still_failing.len();
        sentence = sentence.ours(format!(" ({still} failed before the change as well)"));
    }
    let Some(PassToPass { kept, lost }) = &tests.pass_to_pass else {
        return sentence;
    };
    let words = format!(
        "; of those that passed before, {kept} still pass and {} do not",
        lost.len()
    );
    sentence.ours(words).such_as(names(lost))
}

fn public_api(api: &PublicApi) -> Sentence {
    let PublicApi {
        items,
        removed,
        changed,
        added,
        unread,
    } = api;
    let sentence = Sentence::default()
        .ours(format!(
            "Public surface, {items} items before: {} new, {} changed, {} gone",
            added.len(),
            changed.len(),
            removed.len()
        ))
        .such_as(names(removed).chain(names(changed)));
    if unread.is_empty() {
        return sentence;
    }
    let files = unread.len();
    sentence
        .ours(format!("; {files} changed files could not be read"))
        .such_as(names(unread))
}

fn benchmark(benchmark: &Benchmark) -> Sentence {
    let Benchmark {
        pairs,
        ratio,
        low,
        high,
        method,
    } = benchmark;
    let share = |ratio: f64| format!("{:.1} %", (ratio * 100.0).clamp(-1e6, 1e6));
    Sentence::default()
        .ours(format!(
            "Benchmark, {pairs} runs in turn: takes {} of the time before, with 95 % confidence {} to {}",
            share(*ratio),
            share(*low),
            share(*high)
        ))
        .by(method)
}

/// The sources of documents: how many are good, and each one, those that are not good first.
fn sources(proof: &Proof) -> Vec<Sentence> {
    let (good, bad): (Vec<&Link>, Vec<&Link>) = proof.links.iter().partition(|link| link.is_good());
    let mut words = Vec::new();
    words.extend(
        proof.claims.map(|claims| {
            format!("the documents make {claims} claims about interfaces and versions")
        }),
    );
    if !proof.links.is_empty() {
        let (good, all) = (good.len(), proof.links.len());
        words.push(format!(
            "{good} of {all} sources are primary ones that say it"
        ));
    }
    if words.is_empty() {
        return Vec::new();
    }
    let mut items = vec![Sentence::default().ours(format!("Sources: {}", words.join("; ")))];
    items.extend(kind(bad.into_iter().chain(good).map(source)));
    items
}

fn source(link: &Link) -> Sentence {
    let mut words = vec![if link.is_primary {
        "a primary source".to_owned()
    } else {
        "not a primary source".to_owned()
    }];
    if !link.is_found {
        words.push("what is claimed was not found in it".to_owned());
    }
    words.push(link.status.map_or_else(
        || "no answer".to_owned(),
        |status| format!("answered {status}"),
    ));
    words.extend(link.fetched_at.map(|at| format!("read at {at}")));
    let mut sentence = Sentence::default().ours("Source ").theirs(&link.url);
    if let Some(end) = link.final_url.as_ref().filter(|end| **end != link.url) {
        sentence = sentence.ours(" at ").theirs(end);
    }
    sentence.ours(format!(": {}", words.join(", ")))
}

/// Reports of scanners, by what they are pinned to.
fn scanned(reports: &[ResourceDescriptor]) -> Option<Sentence> {
    let named = reports.iter().map(|report| {
        let digest = report.digest.values().next();
        let name = report.name.as_ref().or(report.uri.as_ref()).or(digest);
        name.map_or("no name", String::as_str)
    });
    let words = format!("Reports of scanners, {} in all", reports.len());
    (!reports.is_empty()).then(|| Sentence::default().ours(words).such_as(named))
}

/// What ran on the changed tree; what held all of it in is said once.
fn checks(proof: &Proof) -> Vec<Sentence> {
    let checks = proof.checks.iter();
    let checks: Vec<&Check> = checks.filter(|check| check.side == Side::Head).collect();
    match checks.as_slice() {
        [first, others @ ..]
            if !others.is_empty() && others.iter().all(|one| one.isolation == first.isolation) =>
        {
            let all = Sentence::default().ours(format!("All {} checks ran", checks.len()));
            let results = checks.iter().map(|check| result(check));
            results.chain([isolated(all, first)]).collect()
        }
        _ => {
            let each = checks.iter();
            each.map(|check| isolated(result(check).ours(","), check))
                .collect()
        }
    }
}

fn result(check: &Check) -> Sentence {
    let result = match check.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::TimedOut => "ran out of time",
        CheckResult::Infrastructure => "stopped by the machine",
        CheckResult::Unknown => "without a result",
    };
    Sentence::default()
        .theirs(check.argv.join(" "))
        .ours(format!(": {result}"))
}

/// A sentence that ends with what held a check in.
fn isolated(sentence: Sentence, check: &Check) -> Sentence {
    if check.isolation.is_empty() {
        sentence.ours(" not isolated")
    } else {
        sentence
            .ours(" isolated by ")
            .list(check.isolation.iter().map(String::as_str))
    }
}
