//! The proof that comes with a change, in a few lines for whoever decides on it, with the way to the receipt, to the job
//! that did the work and to what it cost.

use wayproof_ledger::{JobRow, Page};
use wayproof_receipt::predicate::Proof;
use wayproof_receipt::{Predicate, Verification};

use super::diff::Claim;
use super::{Badge, badge, claims};
use crate::desk::Desk;
use crate::problem::Problem;
use crate::reviews::ReceiptSeen;
use crate::show::money::{listed, usd};
use crate::show::text::{counted, cut, short};

/// Receipts that are shown; those that count come first.
const MOST: usize = 5;
/// Reasons why one does not count.
const MOST_OBJECTIONS: usize = 6;
/// The last receipts of the ledger in which one is looked for whose lines were added to since.
const LATELY: u32 = 300;

/// One receipt.
pub(super) struct ProofLine {
    pub(super) state: Badge,
    pub(super) task: String,
    pub(super) counts: bool,
    pub(super) signers: String,
    pub(super) claims: Vec<Claim>,
    pub(super) objections: Vec<String>,
    /// What did the work.
    pub(super) models: String,
    pub(super) cost: String,
    /// The receipt's own page, if the ledger has it.
    pub(super) receipt: Option<String>,
    pub(super) job: Option<String>,
}

/// The receipts in short.
pub(super) async fn lines(
    desk: &Desk,
    receipts: &[ReceiptSeen],
    head: &str,
) -> Result<Vec<ProofLine>, Problem> {
    let mut lines = Vec::new();
    for seen in receipts.iter().take(MOST) {
        let (receipt, job) = kept(desk, seen, head).await?;
        let verification = &seen.verification;
        lines.push(ProofLine {
            state: badge(
                verification
                    .verdict
                    .map_or("INVALID", |verdict| verdict.name()),
            ),
            task: verification.task.as_deref().map(short).unwrap_or_default(),
            counts: seen.objections.is_empty(),
            signers: cut(&seen.signers.join(", "), 200),
            claims: told(verification),
            objections: objections(seen),
            models: models(verification),
            cost: cost(verification, job.as_ref()),
            receipt,
            job: job.map(|job| job.id),
        });
    }
    Ok(lines)
}

/// What the receipts that count claim of one file; where none counts, what the first one claims.
pub(super) fn claims(receipts: &[ReceiptSeen], path: &str) -> Vec<Claim> {
    let counting = receipts.iter().filter(|seen| seen.objections.is_empty());
    let mut all: Vec<Claim> = counting
        .chain(receipts.iter().take(1))
        .flat_map(|seen| claims::of_file(&seen.verification, path))
        .collect();
    let mut known: Vec<Claim> = Vec::new();
    all.retain(|claim| {
        let is_new = !known.contains(claim);
        if is_new {
            known.push(claim.clone());
        }
        is_new
    });
    all
}

/// The receipt's page and its job, as the ledger knows them. Where reviews were added to its lines its digest is
/// another one; then it is the last receipt about the same commit.
async fn kept(
    desk: &Desk,
    seen: &ReceiptSeen,
    head: &str,
) -> Result<(Option<String>, Option<JobRow>), Problem> {
    let ledger = desk.ledger();
    let found = if let Some(row) = ledger.receipt(&seen.digest).await? {
        Some((row.digest, row.job))
    } else {
        let page = Page {
            limit: LATELY,
            before: None,
        };
        let issued = ledger.receipts_issued(None, page).await?;
        let same = issued.into_iter().find(|row| {
            row.issued.commit.as_deref() == Some(head)
                && Some(row.issued.verdict) == seen.verification.claimed
        });
        same.map(|row| (row.issued.receipt_digest, row.job))
    };
    let Some((digest, job)) = found else {
        return Ok((None, None));
    };
    let job = match job {
        Some(id) => ledger.job_short(&id).await?,
        None => None,
    };
    Ok((Some(digest), job))
}

/// What it claims as a whole, with how many tests ran.
fn told(verification: &Verification) -> Vec<Claim> {
    let ran = verification.proofs().filter_map(ran);
    ran.chain(claims::of_change(verification)).collect()
}

fn ran(proof: &Proof) -> Option<Claim> {
    let tests = proof.tests.as_ref()?;
    let words = format!(
        "{} of {} passed, {} failed, {} skipped",
        tests.passed,
        counted(
            i64::try_from(tests.planned).unwrap_or(i64::MAX),
            "test",
            "tests"
        ),
        tests.failed,
        tests.skipped
    );
    Some(if tests.failed == 0 && tests.passed > 0 {
        Claim::good(words)
    } else {
        Claim::bad(words)
    })
}

fn objections(seen: &ReceiptSeen) -> Vec<String> {
    let mut said: Vec<String> = seen
        .objections
        .iter()
        .take(MOST_OBJECTIONS)
        .map(|objection| cut(objection, 400))
        .collect();
    if seen.objections.len() > MOST_OBJECTIONS {
        said.push(format!(
            "and {} more",
            seen.objections.len() - MOST_OBJECTIONS
        ));
    }
    said
}

fn models(verification: &Verification) -> String {
    let mut names: Vec<String> = Vec::new();
    for spend in spends(verification) {
        for session in &spend.sessions {
            for model in &session.models {
                let served = model.served.as_deref().unwrap_or(&model.requested);
                let name = format!("{}/{served} by {}", model.provider, session.agent);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    cut(&names.join(", "), 300)
}

/// What the job cost by the ledger, else what the receipt says.
fn cost(verification: &Verification, job: Option<&JobRow>) -> String {
    if let Some(job) = job {
        return listed(&job.money);
    }
    let mut spends = spends(verification);
    let Some(first) = spends.next() else {
        return "not told".to_owned();
    };
    let total = first.total();
    let rest = if total.is_whole {
        ""
    } else {
        " and an unknown rest"
    };
    total
        .cost_nano_usd
        .and_then(|cost| i64::try_from(cost).ok())
        .map_or_else(|| "unknown".to_owned(), |cost| usd(cost) + rest)
}

fn spends(
    verification: &Verification,
) -> impl Iterator<Item = &wayproof_receipt::predicate::Spend> {
    let lines = verification.statements.iter();
    lines.filter_map(|line| match &line.statement.predicate {
        Predicate::Spend(spend) => Some(spend.as_ref()),
        _ => None,
    })
}
