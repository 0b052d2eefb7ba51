//! What a receipt shows, in the few lines that a person reads before merging: tests, how strong they are, who worked on
//! it for how much, what is missing.
//!
//! Names in them come from the receipt; whoever writes the lines into a document makes them harmless.

use std::fmt::Write as _;

use wayproof_receipt::{
    Predicate,
    predicate::{Finding, Proof, Severity, Spend},
};

use super::Found;
use crate::terminal::exact_dollars;

/// Findings and names in one line; the receipt has all of them.
const MOST: usize = 10;

/// The lines about one receipt.
pub(super) fn lines(found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    for proof in found.verification.proofs() {
        lines.extend(ran(proof));
        lines.extend(strength(proof));
        lines.extend(named("gaps", proof.gaps.iter().map(String::as_str)));
        lines.extend(proof.findings.iter().take(MOST).map(finding));
        if proof.findings.len() > MOST {
            lines.push(format!("and {} more findings", proof.findings.len() - MOST));
        }
    }
    for line in &found.verification.statements {
        if let Predicate::Spend(spend) = &line.statement.predicate {
            lines.extend(worked(spend));
            lines.push(cost(spend));
        }
    }
    lines
}

fn ran(proof: &Proof) -> Option<String> {
    let tests = proof.tests.as_ref()?;
    let mut line = format!(
        "tests: {} of {} passed, {} failed, {} skipped",
        tests.passed, tests.planned, tests.failed, tests.skipped
    );
    if !proof.fail_to_pass.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(
            line,
            "; {} went from red to green",
            proof.fail_to_pass.len()
        );
    }
    if let Some(kept) = &tests.pass_to_pass {
        let _ = write!(
            line,
            "; of those that passed before, {} still pass and {} do not",
            kept.kept,
            kept.lost.len()
        );
    }
    Some(line)
}

fn strength(proof: &Proof) -> Option<String> {
    let coverage = proof.coverage.as_ref().map(|coverage| {
        format!(
            "{} of {} changed lines run by tests",
            coverage.covered_lines, coverage.changed_lines
        )
    });
    let mutation = proof
        .mutation
        .as_ref()
        .map(|made| format!("{} of {} planted faults noticed", made.caught, made.viable));
    let links = (!proof.links.is_empty()).then(|| {
        let good = proof.links.iter().filter(|link| link.is_good()).count();
        format!("{good} of {} sources good", proof.links.len())
    });
    let parts: Vec<String> = [coverage, mutation, links].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A list with its name; nothing where it is empty.
fn named<'n>(name: &str, words: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut words: Vec<&str> = words.collect();
    let more = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!words.is_empty()).then(|| format!("{name}: {}{rest}", words.join(", ")))
}

fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    };
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!(" at {path}:{line}"),
        (Some(path), None) => format!(" in {path}"),
        (None, _) => String::new(),
    };
    format!(
        "finding {} ({severity}){place}: {}",
        finding.code, finding.explanation
    )
}

fn worked(spend: &Spend) -> Option<String> {
    let mut who: Vec<String> = Vec::new();
    for session in &spend.sessions {
        for model in &session.models {
            let served = model.served.as_deref().unwrap_or(&model.requested);
            let name = format!("{} with {}/{served}", session.agent, model.provider);
            if !who.contains(&name) {
                who.push(name);
            }
        }
    }
    let moves = spend.escalations.iter();
    let moves =
        moves.map(|step| format!("moved from {} to {} on {}", step.from, step.to, step.cause));
    named(
        "worked on it",
        who.into_iter()
            .chain(moves)
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str),
    )
}

fn cost(spend: &Spend) -> String {
    let total = spend.total();
    let known = total
        .cost_nano_usd
        .and_then(|cost| i64::try_from(cost).ok());
    let cost = match (known, total.is_whole) {
        (Some(cost), true) => exact_dollars(cost),
        (Some(cost), false) => format!("{} and an unknown rest", exact_dollars(cost)),
        (None, _) => "unknown".to_owned(),
    };
    format!("cost in all: {cost}, over {} calls", total.calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayproof_receipt::predicate::{
        AgentSession, Coverage, Escalation, FailToPass, ModelSpend, Mutation, PassToPass, Tests,
    };

    #[test]
    fn what_was_proven_is_in_a_few_lines() {
        let proof = Proof {
            tests: Some(Tests {
                planned: 412,
                passed: 410,
                failed: 2,
                pass_to_pass: Some(PassToPass {
                    kept: 409,
                    lost: vec!["a".to_owned()],
                }),
                ..Tests::default()
            }),
            fail_to_pass: vec![FailToPass::default()],
            coverage: Some(Coverage {
                changed_lines: 42,
                covered_lines: 40,
                ..Coverage::default()
            }),
            mutation: Some(Mutation {
                viable: 9,
                caught: 7,
                ..Mutation::default()
            }),
            ..Proof::default()
        };
        assert_eq!(
            ran(&proof).as_deref(),
            Some(
                "tests: 410 of 412 passed, 2 failed, 0 skipped; 1 went from red to green; of those that passed before, 409 still pass and 1 do not"
            )
        );
        assert_eq!(
            strength(&proof).as_deref(),
            Some("40 of 42 changed lines run by tests; 7 of 9 planted faults noticed")
        );
        assert_eq!(named("gaps", std::iter::empty()), None);
        let many: Vec<String> = (0..12).map(|gap| gap.to_string()).collect();
        let many = named("gaps", many.iter().map(String::as_str)).unwrap();
        assert!(many.ends_with("8, 9 and 2 more"), "{many}");
    }

    #[test]
    fn who_worked_on_it_and_for_how_much_is_in_two_lines() {
        let spend = Spend {
            sessions: vec![AgentSession {
                agent: "codex".to_owned(),
                models: vec![ModelSpend {
                    requested: "m".to_owned(),
                    provider: "p".to_owned(),
                    calls: 3,
                    calls_with_usage: 3,
                    cost_nano_usd: Some(1_250_000_000),
                    ..ModelSpend::default()
                }],
                ..AgentSession::default()
            }],
            escalations: vec![Escalation {
                from: "fast".to_owned(),
                to: "strong".to_owned(),
                cause: "proof-refuted".to_owned(),
                at_index: None,
            }],
            ..Spend::default()
        };
        assert_eq!(
            worked(&spend).as_deref(),
            Some("worked on it: codex with p/m, moved from fast to strong on proof-refuted")
        );
        assert!(cost(&spend).ends_with(", over 3 calls"), "{}", cost(&spend));
    }
}
