//! Events that are no requests, in words.

use form_urlencoded::byte_serialize;
use wayproof_engine::{Evidence, Grade, Outcome};
use wayproof_ledger::{
    BooksChanged, Escalated, EventBody, JobClosed, JobOpened, ObligationFrozen, ProofFinished,
    QuotaSampled, ReceiptIssued, ReviewRecorded, SessionStarted, StoredEvent,
};

use super::Entry;
use crate::pages::badge;
use crate::show::text::{abbreviated, cut, short};
use crate::show::time::{at, lasted, stamp};

/// Failures and findings shown of one run of a tool.
const SHOWN: usize = 8;
/// The longest sentence that is shown of a tool or a model.
const MAX_SENTENCE: usize = 600;

/// An event as a step.
pub(super) fn entry(stored: &StoredEvent) -> Entry {
    let mut entry = match &stored.event.body {
        EventBody::SessionStarted(started) => session(started),
        EventBody::JobOpened(opened) => job_opened(opened),
        EventBody::ObligationFrozen(frozen) => obligation(frozen),
        EventBody::EvidenceNoted(noted) => evidence(&noted.evidence),
        EventBody::Escalated(escalated) => moved(escalated),
        EventBody::ProofFinished(proof) => proven(proof),
        EventBody::ReceiptIssued(issued) => receipt(issued),
        EventBody::ReviewRecorded(review) => reviewed(review),
        EventBody::QuotaSampled(quota) => sampled(quota),
        EventBody::JobClosed(closed) => job_closed(closed),
        EventBody::BooksChanged(changed) => books_changed(changed),
        EventBody::ExchangeOpened(_) | EventBody::ExchangeSettled(_) => {
            plain("A request".to_owned())
        }
        EventBody::ExchangeImported(_) => plain("A request, from the agent's own log".to_owned()),
        EventBody::LogRead(_) => plain("An agent's log was read".to_owned()),
        EventBody::EventsPruned(pruned) => {
            plain(format!("{} older events were pruned", pruned.events))
        }
        EventBody::ContentCaptured(captured) => {
            let mut entry = plain(format!(
                "The {} was kept ({})",
                short(&captured.part),
                captured.capture.name()
            ));
            if let Some(exchange) = &stored.event.exchange {
                let name: String = byte_serialize(exchange.as_bytes()).collect();
                let page = format!("/exchanges/{name}#said");
                entry.links.push((page, "Read it".to_owned()));
            }
            entry
        }
        EventBody::SubjectForgotten(forgotten) => plain(format!(
            "The words of {} events were forgotten",
            forgotten.events
        )),
        EventBody::Unknown { kind } => plain(format!("{} (of a later version)", short(kind))),
    };
    entry.at = at(stored.event.at_us);
    entry.stamp = stamp(stored.event.at_us);
    entry
}

fn plain(title: String) -> Entry {
    Entry {
        tone: "plain",
        title,
        ..Entry::default()
    }
}

fn fact(facts: &mut Vec<(&'static str, String)>, name: &'static str, value: Option<&String>) {
    facts.extend(value.map(|value| (name, cut(value, 200))));
}

fn session(started: &SessionStarted) -> Entry {
    let mut entry = plain(format!("Conversation with {}", short(&started.agent)));
    fact(&mut entry.facts, "version", started.agent_version.as_ref());
    fact(&mut entry.facts, "folder", started.cwd.as_ref());
    fact(&mut entry.facts, "repository", started.repo.as_ref());
    fact(&mut entry.facts, "branch", started.branch.as_ref());
    entry
}

fn books_changed(changed: &BooksChanged) -> Entry {
    let mut entry = plain(format!(
        "{}: {}",
        changed.change.replace('-', " "),
        short(&changed.subject)
    ));
    fact(&mut entry.facts, "detail", changed.detail.as_ref());
    fact(&mut entry.facts, "by", changed.by.as_ref());
    entry
}

fn job_opened(opened: &JobOpened) -> Entry {
    let class = opened.class.as_ref();
    let class = class.map_or_else(String::new, |class| format!(" in class {}", short(class)));
    let mut entry = plain(format!("Opened as {}{class}", short(&opened.task)));
    entry
        .notes
        .extend(opened.rule.iter().map(|rule| cut(rule, MAX_SENTENCE)));
    fact(&mut entry.facts, "base", opened.base.as_ref());
    fact(
        &mut entry.facts,
        "ask (digest)",
        opened
            .ask_digest
            .as_ref()
            .map(|digest| abbreviated(digest))
            .as_ref(),
    );
    entry
}

fn obligation(frozen: &ObligationFrozen) -> Entry {
    let groups: Vec<String> = frozen
        .requirements
        .iter()
        .map(|any| any.join(" or "))
        .collect();
    let owed = if groups.is_empty() {
        "nothing".to_owned()
    } else {
        groups.join(" and ")
    };
    let mut entry = plain("Proof owed, fixed before the first answer".to_owned());
    entry.notes.push(cut(&owed, MAX_SENTENCE));
    entry
        .facts
        .push(("policy", abbreviated(&frozen.policy_digest)));
    entry
}

fn evidence(evidence: &Evidence) -> Entry {
    let grade = match evidence.grade {
        Grade::Narrated => "narrated",
        Grade::Observed => "observed",
        Grade::Executed => "executed",
        Grade::Attested => "attested",
    };
    let (tone, outcome) = match evidence.outcome {
        Outcome::Passed => ("turn", "passed"),
        Outcome::Failed => ("refuted", "failed"),
        Outcome::Unknown => ("plain", "says nothing certain"),
    };
    let mut entry = Entry {
        tone,
        title: format!("{} {outcome}", short(&evidence.tool)),
        facts: vec![("evidence", grade.to_owned())],
        ..Entry::default()
    };
    if let Some(counts) = evidence.counts {
        entry.facts.push((
            "tests",
            format!(
                "{} run, {} passed, {} failed, {} skipped",
                counts.run, counts.passed, counts.failed, counts.skipped
            ),
        ));
    }
    let failures = evidence.failures.iter().map(|failure| {
        if failure.message.is_empty() {
            cut(&failure.name, MAX_SENTENCE)
        } else {
            cut(
                &format!("{}: {}", failure.name, failure.message),
                MAX_SENTENCE,
            )
        }
    });
    let findings = evidence.diagnostics.iter().map(|found| {
        let place = found.location.as_ref().map_or_else(String::new, |place| {
            let line = place
                .line
                .map_or_else(String::new, |line| format!(":{line}"));
            format!("{}{line}: ", place.file)
        });
        cut(&format!("{place}{}", found.message), MAX_SENTENCE)
    });
    entry.notes.extend(failures.chain(findings).take(SHOWN));
    let all = evidence.failures.len() + evidence.diagnostics.len();
    if all > SHOWN {
        entry.notes.push(format!("and {} more", all - SHOWN));
    }
    entry
}

fn moved(escalated: &Escalated) -> Entry {
    Entry {
        tone: "moved",
        title: format!(
            "Moved from {} to {} on {}",
            short(&escalated.from),
            short(&escalated.to),
            escalated.cause.as_str()
        ),
        notes: vec![cut(&escalated.why, MAX_SENTENCE)],
        ..Entry::default()
    }
}

fn proven(proof: &ProofFinished) -> Entry {
    let badge = badge(proof.verdict.name());
    let mut entry = Entry {
        tone: badge.tone,
        title: "Proof".to_owned(),
        badge: Some(badge),
        ..Entry::default()
    };
    entry
        .notes
        .extend(proof.one_fact.iter().map(|fact| cut(fact, MAX_SENTENCE)));
    fact(&mut entry.facts, "tree", proof.head_tree.as_ref());
    entry
        .facts
        .extend(proof.wall_us.map(|us| ("took", lasted(us))));
    entry
}

fn receipt(issued: &ReceiptIssued) -> Entry {
    let badge = badge(issued.verdict.name());
    let mut entry = Entry {
        tone: badge.tone,
        title: "Receipt".to_owned(),
        badge: Some(badge),
        ..Entry::default()
    };
    let href = crate::params::address(
        &format!("/receipts/{}", plain_digest(&issued.receipt_digest)),
        &[],
    );
    entry.links.push((
        href,
        format!("receipt {}", abbreviated(&issued.receipt_digest)),
    ));
    fact(&mut entry.facts, "commit", issued.commit.as_ref());
    fact(&mut entry.facts, "tree", issued.tree.as_ref());
    fact(&mut entry.facts, "key", issued.key_id.as_ref());
    entry
}

/// A digest as it may stand in an address.
pub(crate) fn plain_digest(digest: &str) -> String {
    digest
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(128)
        .collect()
}

fn reviewed(review: &ReviewRecorded) -> Entry {
    let tone = if review.decision == "approved" {
        "proven"
    } else {
        "refuted"
    };
    let mut entry = Entry {
        tone,
        title: format!(
            "Review of {}: {}",
            short(&review.reviewer),
            short(&review.decision)
        ),
        ..Entry::default()
    };
    fact(&mut entry.facts, "tree", review.tree.as_ref());
    fact(
        &mut entry.facts,
        "statement",
        review.statement_digest.as_ref(),
    );
    entry
}

fn sampled(quota: &QuotaSampled) -> Entry {
    let used = quota
        .used_ppm
        .map_or_else(|| "unknown".to_owned(), |ppm| format!("{} %", ppm / 10_000));
    let mut entry = plain(format!("Quota of {}", short(&quota.provider)));
    entry.facts.push(("window", short(&quota.window)));
    entry.facts.push(("used", used));
    entry
}

fn job_closed(closed: &JobClosed) -> Entry {
    let badge = closed.verdict.map(|verdict| badge(verdict.name()));
    let mut entry = Entry {
        tone: badge.as_ref().map_or("plain", |badge| badge.tone),
        title: "Closed".to_owned(),
        badge,
        ..Entry::default()
    };
    if closed.verdict.is_none() {
        entry
            .notes
            .push("no proof was owed, or none ran".to_owned());
    }
    entry
        .notes
        .extend(closed.why.iter().map(|why| cut(why, MAX_SENTENCE)));
    entry
}
