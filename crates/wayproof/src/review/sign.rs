//! Signs what a person decided. It refuses to sign what would not count, and says why.

use std::path::Path;

use anyhow::{Context, Result};
use wayproof_receipt::{
    Envelope, PAYLOAD_TYPE, Predicate, PublicKey, ResourceDescriptor, SealError, SigningKey,
    SshSignature, Statement, Time, Trust, pae,
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
    /// What the reviewer is called; the key says it for sure.
    pub(crate) reviewer: &'a str,
    /// When.
    pub(crate) at_us: i64,
}

/// The key of this machine, if it has one already.
pub(crate) fn machine_key(data: &Path) -> Option<PublicKey> {
    let key = SigningKey::from_ssh(&data.join("keys").join("receipt"), None);
    key.ok().map(|key| key.public())
}

/// What the base calls whoever has a key.
pub(crate) fn name_of(trust: Option<&Trust>, key: &PublicKey) -> String {
    let name = trust.and_then(|trust| trust.name(key));
    name.map_or_else(|| key.fingerprint(), str::to_owned)
}

/// Signs a decision about a change.
pub(crate) fn sign(
    asked: &Asked<'_>,
    rule: &wayproof_engine::Review,
    decided: &Decided<'_>,
    (key, data): (&SigningKey, &Path),
) -> Result<Envelope> {
    let statement = statement(asked, decided, data)?;
    let envelope = seal(&statement, key).context("signing the review")?;
    counted(asked, rule, envelope)
}

/// The bytes that a reviewer signs elsewhere: what [`accept`] wants a signature over.
pub(crate) fn to_sign(asked: &Asked<'_>, decided: &Decided<'_>, data: &Path) -> Result<Vec<u8>> {
    Ok(pae(PAYLOAD_TYPE, &payload(asked, decided, data)?))
}

/// Takes a decision with the SSH signature that its reviewer made.
pub(crate) fn accept(
    asked: &Asked<'_>,
    rule: &wayproof_engine::Review,
    decided: &Decided<'_>,
    (signature, data): (SshSignature, &Path),
) -> Result<Envelope> {
    let payload = payload(asked, decided, data)?;
    let envelope = match Envelope::with_ssh_signature(PAYLOAD_TYPE, payload, signature) {
        Err(SealError::Signature) => {
            return Err(Mistake(
                "the signature covers something else than this decision: the command was changed, the base moved on, or models looked again meanwhile; begin anew and sign once more"
                    .to_owned(),
            )
            .into());
        }
        made => made.context("keeping the review")?,
    };
    counted(asked, rule, envelope)
}

fn payload(asked: &Asked<'_>, decided: &Decided<'_>, data: &Path) -> Result<Vec<u8>> {
    let statement = statement(asked, decided, data)?;
    serde_json::to_vec(&statement).context("writing the review")
}

/// A decision about a change as a statement. The same decision about the same things is the same bytes.
fn statement(asked: &Asked<'_>, decided: &Decided<'_>, data: &Path) -> Result<Statement> {
    let subject = asked.subject;
    let checklist = Checklist::at(asked.repo, &subject.into)?;
    let report = sarif::read(data, &subject.tree)?;
    let open = report.as_ref().map_or(&[][..], |(_, open)| open);
    let dispositions = dispositions(decided, open)?;
    let review = Review {
        reviewer: decided.reviewer.to_owned(),
        decision: decided.decision,
        reviewed_at: Some(Time(decided.at_us)),
        base: Some(subject.base()),
        report: report
            .as_ref()
            .map(|(bytes, _)| ResourceDescriptor::pinned("report", "sha256", &sha256_hex(bytes))),
        checklist: Some(checklist.descriptor()),
        dispositions,
        comment: decided.comment.map(str::to_owned),
    };
    Ok(Statement {
        // The tree alone: the commit may be amended, and the receipt beside it may measure from elsewhere.
        subject: vec![ResourceDescriptor::pinned(
            "tree",
            "gitTree",
            subject.tree.as_str(),
        )],
        predicate: Predicate::Review(Box::new(review)),
    })
}

/// The envelope, if it would count.
fn counted(
    asked: &Asked<'_>,
    rule: &wayproof_engine::Review,
    envelope: Envelope,
) -> Result<Envelope> {
    let objections = objections(asked, rule, &envelope)?;
    if objections.is_empty() {
        return Ok(envelope);
    }
    Err(Mistake(format!(
        "this review would not count, so it is not kept: {}",
        objections.join("; ")
    ))
    .into())
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
