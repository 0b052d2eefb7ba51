//! How much it says that tests pass: repeated runs, lines they reach, planted faults they notice, what they assert.

use super::{Sentence, names};
use crate::predicate::{Coverage, Flake, Mutation, MutationScope, Oracle, Proof};

pub(super) fn of(proof: &Proof) -> Vec<Sentence> {
    let mut items = Vec::new();
    items.extend(proof.flake.as_ref().map(flake));
    items.extend(proof.coverage.as_ref().map(coverage));
    items.extend(proof.mutation.as_ref().map(mutation));
    items.extend(proof.oracle.as_ref().map(oracle));
    items
}

fn flake(flake: &Flake) -> Sentence {
    let rate = flake
        .upper_bound_95
        .map(|bound| format!(", flaky in at most {} of runs", percent(bound)));
    let words = format!(
        "Repeated runs: {} of each test{}",
        flake.runs,
        rate.unwrap_or_default()
    );
    let disagreed = flake.disagreements.len();
    let sentence = Sentence::default().ours(words);
    if disagreed == 0 {
        return sentence.ours("; all agreed");
    }
    sentence
        .ours(format!(
            "; those of {disagreed} tests disagreed, which prove nothing"
        ))
        .such_as(names(&flake.disagreements))
}

/// Rounded up, as the figure is a bound.
fn percent(share: f64) -> String {
    format!(
        "{:.1} %",
        (share * 1_000.0).ceil().clamp(0.0, 1_000.0) / 10.0
    )
}

fn coverage(coverage: &Coverage) -> Sentence {
    let mut sentence = Sentence::default().ours(format!(
        "Coverage: tests ran {} of {} changed lines",
        coverage.covered_lines, coverage.changed_lines
    ));
    if coverage.unmapped_lines > 0 {
        let words = format!("; the report is silent on {} more", coverage.unmapped_lines);
        sentence = sentence.ours(words);
    }
    match coverage.delta_vs_base {
        Some(more @ 0..) => sentence = sentence.ours(format!("; {more} more covered than before")),
        Some(fewer) => {
            let fewer = fewer.unsigned_abs();
            sentence = sentence.ours(format!("; {fewer} fewer covered than before"));
        }
        None => {}
    }
    sentence.by(&coverage.format)
}

fn mutation(mutation: &Mutation) -> Sentence {
    let lines = match mutation.scope {
        MutationScope::Diff => "in the lines of the change",
        MutationScope::CoverageDelta => "in lines that only the new tests reach",
        MutationScope::Reached => "in lines that the new tests reach",
        MutationScope::Unknown => "in lines of an unknown choice",
    };
    let Mutation {
        generated,
        viable,
        caught,
        timeouts,
        ..
    } = mutation;
    let words = format!(
        "Planted faults {lines}: tests noticed {caught} of {viable}; {generated} made, {timeouts} ran out of time"
    );
    let sentence = Sentence::default().ours(words).by(&mutation.tool);
    if mutation.missed.is_empty() {
        return sentence;
    }
    sentence
        .ours("; not noticed")
        .such_as(names(&mutation.missed))
}

fn oracle(oracle: &Oracle) -> Sentence {
    let Oracle {
        tests,
        weak,
        none,
        assertions_removed,
        assertions_weakened,
    } = oracle;
    let words = format!(
        "Assertions: of {tests} tests {} assert little and {} nothing; the change removes {assertions_removed} assertions and weakens {assertions_weakened}",
        weak.len(),
        none.len()
    );
    Sentence::default()
        .ours(words)
        .such_as(names(none).chain(names(weak)))
}
