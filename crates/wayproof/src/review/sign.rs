//! Signs what a person decided. It refuses to sign what would not count, and says why.

use std::path::Path;

use anyhow::{Context, Result};
use wayproof_ledger::Clock;
use wayproof_receipt::{
    Envelope, Predicate, PublicKey, ResourceDescriptor, SigningKey, Statement, Time, Trust,
    predicate::{Disposition, Review, ReviewDecision},
    seal, sha256_hex, verify,
};

use super::{
    checklist::Checklist,
    sarif,
    standing::{Asked, weigh_alone},
};
use crate::exit::Mistake;

/// What somebody decided.
#[derive(Debug)]
pub(crate) struct Decided<'a> {
    pub(crate) decision: ReviewDecision,
    pub(crate) comment: Option<&'a str>,
    /// Answers to findings, as `ID=ANSWER`.
    pub(crate) answers: &'a [String],
    pub(crate) key: &'a SigningKey,
}

/// The key of this machine, if it has one already.
pub(crate) fn machine_key(data: &Path) -> Option<PublicKey> {
    let key = SigningKey::from_ssh(&data.join("keys").join("receipt"), None);
    key.ok().map(|key| key.public())
}

/// Signs a decision about a change.
pub(crate) fn sign(
    asked: &Asked<'_>,
    rule: &wayproof_engine::Review,
    decided: &Decided<'_>,
    data: &Path,
) -> Result<(String, Envelope)> {
    let subject = asked.subject;
    let key = decided.key.public();
    let name = asked.trust.and_then(|trust| trust.name(&key));
    let name = name.map_or_else(|| key.fingerprint(), str::to_owned);
    let checklist = Checklist::at(asked.repo, &subject.into)?;
    let report = sarif::read(data, &subject.tree)?;
    let open = report.as_ref().map_or(&[][..], |(_, open)| open);
    let dispositions = dispositions(decided, open)?;
    let review = Review {
        reviewer: name.clone(),
        decision: decided.decision,
        reviewed_at: Some(Time(Clock::system().now_us())),
        base: Some(subject.base()),
        report: report
            .as_ref()
            .map(|(bytes, _)| ResourceDescriptor::pinned("report", "sha256", &sha256_hex(bytes))),
        checklist: Some(checklist.descriptor()),
        dispositions,
        comment: decided.comment.map(str::to_owned),
    };
    let statement = Statement {
        // The tree alone: the commit may be amended, and the receipt beside it may measure from elsewhere.
        subject: vec![ResourceDescriptor::pinned(
            "tree",
            "gitTree",
            subject.tree.as_str(),
        )],
        predicate: Predicate::Review(Box::new(review)),
    };
    let envelope = seal(&statement, decided.key).context("signing the review")?;
    let objections = objections(asked, rule, &envelope)?;
    if !objections.is_empty() {
        return Err(Mistake(format!(
            "this review would not count, so it is not signed: {}",
            objections.join("; ")
        ))
        .into());
    }
    Ok((name, envelope))
}

fn objections(
    asked: &Asked<'_>,
    rule: &wayproof_engine::Review,
    envelope: &Envelope,
) -> Result<Vec<String>> {
    let nobody = Trust::default();
    let trust = asked.trust.unwrap_or(&nobody);
    let verified = verify(envelope.to_line().as_bytes(), Some(trust));
    let line = verified
        .statements
        .first()
        .context("reading the review that was just signed")?;
    Ok(weigh_alone(asked, rule, line)?.objections)
}

/// Every finding that has to be answered is, and no other is.
fn dispositions(decided: &Decided<'_>, open: &[sarif::Open]) -> Result<Vec<Disposition>> {
    let mut answered = Vec::new();
    for answer in decided.answers {
        let (id, words) = answer
            .split_once('=')
            .filter(|(id, words)| !id.is_empty() && !words.trim().is_empty())
            .ok_or_else(|| Mistake(format!("--finding {answer}: it should read ID=ANSWER")))?;
        if !open.iter().any(|finding| finding.id == id) {
            let known: Vec<&str> = open.iter().map(|finding| finding.id.as_str()).collect();
            return Err(Mistake(format!(
                "--finding {id}: there is no such finding to answer; there are {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ))
            .into());
        }
        answered.push(Disposition {
            finding: id.to_owned(),
            decision: words.trim().to_owned(),
        });
    }
    if decided.decision == ReviewDecision::Approved {
        let left: Vec<String> = open
            .iter()
            .filter(|finding| !answered.iter().any(|answer| answer.finding == finding.id))
            .map(|finding| format!("{} {}: {}", finding.id, finding.place, finding.message))
            .collect();
        if !left.is_empty() {
            return Err(Mistake(format!(
                "the change has new findings of high severity; say by --finding ID=ANSWER what becomes of each: {}",
                left.join("; ")
            ))
            .into());
        }
    }
    Ok(answered)
}
