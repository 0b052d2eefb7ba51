//! One receipt as a person reads it, verified while the page is made.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use wayproof_ledger::{ReceiptRow, Standing};
use wayproof_receipt::{
    ResourceDescriptor, Verification, VerifyOutcome, html, html_sections, markdown, verify,
};

use super::diff::{self, Claim, File};
use super::{Badge, badge, claims, logged};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::text::{abbreviated, counted, cut};

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    frame: Frame,
    digest: String,
    short: String,
    seq: i64,
    job: Option<String>,
    verified: Option<Verified>,
    change: Change,
}

/// What the receipt is about, as its repository shows it, with what is claimed.
#[derive(Default)]
struct Change {
    claims: Vec<Claim>,
    files: Vec<File>,
    is_cut: bool,
    /// Why there are no lines to show.
    absent: Option<String>,
}

/// What verifying showed.
struct Verified {
    state: Badge,
    task: String,
    outcome: Badge,
    claimed: String,
    steps: Vec<Step>,
    sections: String,
    markdown: String,
    /// What the ledger's log shows of it.
    logged: Vec<Step>,
    has_log_proof: bool,
}

/// One thing that was looked at.
pub(super) struct Step {
    pub(super) is_good: bool,
    pub(super) words: String,
}

/// The receipt by its digest.
pub(super) async fn find(desk: &Desk, digest: &str) -> Result<ReceiptRow, Problem> {
    let unknown = || Problem::not_found("receipt", digest);
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        return Err(unknown());
    }
    let digest = digest.to_ascii_lowercase();
    if let Some(row) = desk.ledger().receipt(&digest).await? {
        return Ok(row);
    }
    desk.ledger().flush().await?;
    desk.ledger().receipt(&digest).await?.ok_or_else(unknown)
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    Path(digest): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let row = find(&desk, &digest).await?;
    let standing = desk.ledger().standing(row.seq).await?;
    let trust = desk.parts().trust.as_ref();
    let verification = row
        .content
        .as_ref()
        .map(|content| verify(content.as_bytes(), trust));
    let change = match &verification {
        Some(verification) => change(&desk, verification).await,
        None => Change::default(),
    };
    let verified = verification.map(|verification| Verified {
        logged: logged::steps(&row, &standing),
        has_log_proof: matches!(standing, Standing::Logged(_)),
        ..verified(&verification)
    });
    page(&ReceiptPage {
        short: abbreviated(&row.digest),
        digest: row.digest,
        seq: row.seq,
        job: row.job,
        verified,
        change,
        frame,
    })
}

/// The change's lines with what is claimed of each file.
async fn change(desk: &Desk, verification: &Verification) -> Change {
    let claims = claims::of_change(verification);
    let absent = |why: &str| Change {
        absent: Some(why.to_owned()),
        ..Change::default()
    };
    let ends = verification.proofs().last().and_then(|proof| {
        let tree = |end: &ResourceDescriptor| {
            let digest = end.digest.get("gitTree").or(end.digest.get("gitCommit"));
            digest.filter(|digest| is_object(digest)).cloned()
        };
        Some((tree(&proof.base)?, tree(&proof.head)?))
    });
    let seen = match (ends, desk.parts().reviews.as_deref()) {
        (Some((base, head)), Some(reviews)) => reviews.between(base, head).await,
        (None, _) => {
            return Change {
                claims,
                ..absent("The receipt names no trees.")
            };
        }
        (_, None) => {
            let why = "This gateway was started without a repository; start it inside one, or name it by --repo, to see the lines here.";
            return Change {
                claims,
                ..absent(why)
            };
        }
    };
    match seen {
        Ok(Some(seen)) => Change {
            files: diff::files(seen.files, |path| claims::of_file(verification, path)),
            is_cut: seen.is_cut,
            absent: None,
            claims,
        },
        Ok(None) => Change {
            claims,
            ..absent("No repository of this gateway has both trees.")
        },
        Err(sentence) => Change {
            claims,
            ..absent(&sentence)
        },
    }
}

fn is_object(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The bundle as it was sealed.
pub(crate) async fn download(
    State(desk): State<Desk>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&desk, &digest).await?;
    let content = kept(row)?;
    let name = format!(
        "attachment; filename=\"{}.intoto.jsonl\"",
        abbreviated(&digest)
    );
    Ok((
        [
            (header::CONTENT_TYPE, "application/jsonl".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        content,
    )
        .into_response())
}

/// The receipt as a document of its own, to keep or to send.
pub(crate) async fn standalone(
    State(desk): State<Desk>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&desk, &digest).await?;
    let content = kept(row)?;
    let verification = verify(content.as_bytes(), desk.parts().trust.as_ref());
    let name = format!("attachment; filename=\"{}.html\"", abbreviated(&digest));
    Ok((
        [(header::CONTENT_DISPOSITION, name)],
        Html(html(&verification)),
    )
        .into_response())
}

fn kept(row: ReceiptRow) -> Result<String, Problem> {
    let digest = row.digest;
    row.content
        .ok_or_else(|| Problem::not_found("content of receipt", &digest))
}

fn verified(verification: &Verification) -> Verified {
    let verdict = verification
        .verdict
        .map_or("INVALID", |verdict| verdict.name());
    let (tone, mark, name) = match verification.outcome {
        VerifyOutcome::Good => ("proven", "✓", "good"),
        VerifyOutcome::SignerNotPinned => ("gaps", "◐", "authentic, signer not pinned"),
        VerifyOutcome::Invalid => ("refuted", "✕", "invalid"),
    };
    Verified {
        state: badge(verdict),
        task: verification
            .task
            .as_deref()
            .map_or_else(|| "–".to_owned(), |task| cut(task, 80)),
        outcome: Badge {
            tone,
            mark,
            name: name.to_owned(),
        },
        claimed: verification
            .claimed
            .map_or_else(|| "nothing".to_owned(), |verdict| verdict.name().to_owned()),
        steps: steps(verification),
        sections: html_sections(verification),
        markdown: markdown(verification),
        logged: Vec::new(),
        has_log_proof: false,
    }
}

fn many(number: usize, one: &str, more: &str) -> String {
    counted(i64::try_from(number).unwrap_or(i64::MAX), one, more)
}

/// Signatures by pinned signers, and by others.
fn signatures(verification: &Verification) -> (usize, usize) {
    let statements = verification.statements.iter();
    let signers = statements.flat_map(|line| &line.signers);
    signers.fold((0, 0), |(pinned, strange), signer| {
        if signer.name.is_some() {
            (pinned + 1, strange)
        } else {
            (pinned, strange + 1)
        }
    })
}

/// What was done to verify, in its order.
fn steps(verification: &Verification) -> Vec<Step> {
    let lines = verification.statements.len();
    let (pinned, strange) = signatures(verification);
    let mut steps = vec![Step {
        is_good: lines > 0,
        words: format!(
            "{} read, every signature checked against the key that made it",
            many(lines, "signed statement", "signed statements")
        ),
    }];
    steps.push(Step {
        is_good: verification.problems.is_empty(),
        words: if verification.problems.is_empty() {
            "the statements are about one change and do not contradict each other".to_owned()
        } else {
            format!(
                "{}, listed below",
                many(verification.problems.len(), "problem", "problems")
            )
        },
    });
    steps.push(Step {
        is_good: strange == 0 && pinned > 0,
        words: format!(
            "{} by pinned signers, {strange} by others",
            many(pinned, "signature", "signatures")
        ),
    });
    steps.push(Step {
        is_good: verification.lowered.is_empty(),
        words: if verification.lowered.is_empty() {
            "the verdict was worked out again and nothing lowers it".to_owned()
        } else {
            let reasons = verification.lowered.len();
            format!(
                "the verdict was worked out again; {} from being higher",
                many(reasons, "reason keeps it", "reasons keep it")
            )
        },
    });
    steps.push(Step {
        is_good: verification.missing.is_empty() && verification.unread.is_empty(),
        words: if verification.missing.is_empty() && verification.unread.is_empty() {
            "no kind of line is missing and none was passed over".to_owned()
        } else {
            format!(
                "{} missing, {} passed over",
                many(
                    verification.missing.len(),
                    "kind of line is",
                    "kinds of lines are"
                ),
                many(verification.unread.len(), "line was", "lines were")
            )
        },
    });
    steps
}
