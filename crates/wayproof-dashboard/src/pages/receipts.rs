//! Receipts that were issued.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_ledger::Page;

use super::{Badge, badge};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::show::text::{abbreviated, or_none, repo};
use crate::show::time::{ago, at, stamp};

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "receipts.html")]
struct ReceiptsPage {
    frame: Frame,
    words: String,
    receipts: Vec<Line>,
    next: Option<String>,
    is_later: bool,
}

struct Line {
    digest: String,
    short: String,
    state: Badge,
    task: String,
    repo: String,
    commit: String,
    job: Option<String>,
    at: String,
    stamp: String,
    ago: String,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let words = params.get("q").unwrap_or_default().to_ascii_lowercase();
    let before = params.int("before");
    let wanted = Page {
        limit: ROWS + 1,
        before,
    };
    let digest = (!words.is_empty()).then_some(words.as_str());
    let mut rows = desk.ledger().receipts_issued(digest, wanted).await?;
    let is_full = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let last = rows
        .last()
        .filter(|_| is_full)
        .map(|row| row.seq.to_string());
    let next = last.map(|seq| address("/receipts", &[("q", digest), ("before", Some(&seq))]));
    let now_us = desk.now_us();
    let receipts = rows.iter().map(|row| Line {
        digest: super::story::plain_digest(&row.issued.receipt_digest),
        short: abbreviated(&row.issued.receipt_digest),
        state: badge(row.issued.verdict.name()),
        task: or_none(row.task.as_deref()),
        repo: row.repo.as_deref().map_or_else(|| "–".to_owned(), repo),
        commit: row
            .issued
            .commit
            .as_deref()
            .map_or_else(|| "–".to_owned(), abbreviated),
        job: row.job.clone(),
        at: at(row.at_us),
        stamp: stamp(row.at_us),
        ago: ago(now_us, row.at_us),
    });
    page(&ReceiptsPage {
        receipts: receipts.collect(),
        is_later: before.is_some(),
        words,
        next,
        frame,
    })
}
