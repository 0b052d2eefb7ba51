//! Receipts that were issued, newest first.

use serde::Serialize;
use sqlx::Row as _;

use super::page::Page;
use crate::error::LedgerError;
use crate::event::{Event, EventBody, ReceiptIssued};
use crate::ledger::Ledger;

/// A receipt as the list of them shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceiptIssuedRow {
    /// Place of the event; a page goes on `before` it.
    pub seq: i64,
    /// When it was sealed.
    pub at_us: i64,
    /// The job it is about.
    pub job: Option<String>,
    /// The policy's row of that job.
    pub task: Option<String>,
    /// The repository of that job.
    pub repo: Option<String>,
    /// What was recorded.
    pub issued: ReceiptIssued,
}

impl Ledger {
    /// Receipts, newest first; `digest` takes those whose digest begins so.
    pub async fn receipts_issued(
        &self,
        digest: Option<&str>,
        page: Page,
    ) -> Result<Vec<ReceiptIssuedRow>, LedgerError> {
        const SQL: &str = "SELECT milestones.seq, milestones.at_us, milestones.job, jobs.task, jobs.repo, events.body
            FROM milestones JOIN events ON events.seq = milestones.seq LEFT JOIN jobs ON jobs.id = milestones.job
            WHERE milestones.digest IS NOT NULL AND milestones.seq < $1
                AND milestones.digest >= $2 AND milestones.digest < $3
            ORDER BY milestones.seq DESC LIMIT $4";
        let failed = || self.0.store.failed("read");
        // Digests are hexadecimal, so `g` is beyond every one that begins so.
        let prefix = digest.unwrap_or_default();
        if !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(SQL)
            .bind(page.before.unwrap_or(i64::MAX))
            .bind(prefix.to_owned())
            .bind(format!("{prefix}g"))
            .bind(i64::from(page.limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let body: String = row.try_get(5).map_err(failed())?;
            let EventBody::ReceiptIssued(issued) = Event::parse(&body)?.body else {
                continue;
            };
            found.push(ReceiptIssuedRow {
                seq: row.try_get(0).map_err(failed())?,
                at_us: row.try_get(1).map_err(failed())?,
                job: row.try_get(2).map_err(failed())?,
                task: row.try_get(3).map_err(failed())?,
                repo: row.try_get(4).map_err(failed())?,
                issued,
            });
        }
        Ok(found)
    }
}
