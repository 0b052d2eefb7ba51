//! What the ledger's log shows of a receipt, worked out while the page is made, and the proof of it to take along.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use wayproof_ledger::{Logged, ReceiptRow, Standing};

use super::receipt::{Step, find};
use crate::desk::Desk;
use crate::problem::Problem;
use crate::show::text::{abbreviated, count, counted, cut};

/// What was looked at, in its order.
pub(super) fn steps(receipt: &ReceiptRow, standing: &Standing) -> Vec<Step> {
    let seq = receipt.seq;
    let lacks = |words: String| {
        vec![Step {
            is_good: false,
            words,
        }]
    };
    match standing {
        Standing::Uncovered => lacks(format!(
            "no signed checkpoint of the ledger covers event {seq} yet"
        )),
        Standing::Gone => lacks(format!(
            "event {seq} of the ledger was pruned or its words were forgotten, so its place in the log cannot be worked out here"
        )),
        Standing::Broken(why) => lacks(format!("event {seq} of the ledger: {}", cut(why, 300))),
        Standing::Logged(logged) if !logged.event.text.contains(&receipt.digest) => lacks(format!(
            "event {seq} of the ledger is in its log, but does not name this receipt"
        )),
        Standing::Logged(logged) => holds(logged),
    }
}

fn holds(logged: &Logged) -> Vec<Step> {
    let hashes = i64::try_from(logged.proof.hashes.len()).unwrap_or(i64::MAX);
    let size = i64::try_from(logged.size).unwrap_or(i64::MAX);
    let included = format!(
        "event {} of the ledger names this receipt; its hash leads by {} to the root of a checkpoint over {} events",
        logged.event.seq,
        counted(hashes, "other", "others"),
        count(size)
    );
    let (is_good, signed) = match &logged.key {
        Some(key) => (
            true,
            format!(
                "that checkpoint is signed by the ledger's key, {}",
                cut(&key.to_string(), 200)
            ),
        ),
        None => (
            false,
            "this gateway does not hold the ledger's key, so the checkpoint's signature was not checked".to_owned(),
        ),
    };
    vec![
        Step {
            is_good: true,
            words: included,
        },
        Step {
            is_good,
            words: signed,
        },
    ]
}

/// The proof as c2sp.org/tlog-proof says it, with the event it is about.
pub(crate) async fn download(
    State(desk): State<Desk>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&desk, &digest).await?;
    let Standing::Logged(logged) = desk.ledger().standing(row.seq).await? else {
        return Err(Problem::not_found("log proof of receipt", &row.digest));
    };
    let name = format!(
        "attachment; filename=\"{}.tlog-proof\"",
        abbreviated(&row.digest)
    );
    Ok((
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        logged.proof.to_string(),
    )
        .into_response())
}
