//! What is kept beside the log: every text fits the digest it is kept under, and every issued receipt is there.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::sha256_hex;

use super::chunk::Digested;
use super::{Problem, Stop};
use crate::event::EventBody;
use crate::forgotten::Replaced;
use crate::store::Store;

/// Texts read at a time.
const PAGE: i64 = 64;

/// The digests that the log says are kept.
pub(super) struct Contents {
    promised: BTreeSet<String>,
    /// The prunes that the log tells of: up to where, and what is kept instead.
    prunes: BTreeSet<(i64, String)>,
}

impl Contents {
    /// Beginning with what pruned events promised.
    pub(super) fn new(promised: BTreeSet<String>) -> Self {
        Self {
            promised,
            prunes: BTreeSet::new(),
        }
    }

    /// For a prune: what is promised so far.
    pub(super) fn into_promised(self) -> BTreeSet<String> {
        self.promised
    }

    /// Takes in a chunk.
    pub(super) fn absorb(&mut self, chunk: &Digested) {
        for event in chunk.events.iter().flatten() {
            if let EventBody::ReceiptIssued(issued) = &event.body {
                self.promised.insert(issued.receipt_digest.clone());
            }
            if let EventBody::SubjectForgotten(forgotten) = &event.body {
                self.promised.insert(forgotten.list_digest.clone());
            }
            if let EventBody::EventsPruned(pruned) = &event.body {
                self.prunes
                    .insert((pruned.before, pruned.snapshot_digest.clone()));
            }
        }
    }

    /// What was pruned is what the log says was.
    pub(super) fn check_prune(&self, before: i64, snapshot: &str) -> Result<(), Problem> {
        if self.prunes.contains(&(before, snapshot.to_owned())) {
            return Ok(());
        }
        let what = format!(
            "events before {before} are gone, and no event of the log says that they were pruned"
        );
        Err(Problem::new(what))
    }

    /// What was forgotten is what the log says was, and what went with it is not promised any more.
    pub(super) fn check_forgotten(&mut self, replaced: &Replaced) -> Result<(), Problem> {
        if let Some(list) = replaced.lists.difference(&self.promised).next() {
            let what =
                format!("texts were replaced by the list {list}, which no event of the log names");
            return Err(Problem::new(what));
        }
        self.promised
            .retain(|digest| !replaced.contents.contains(digest));
        Ok(())
    }

    /// Compares with what is stored.
    pub(super) async fn finish(
        mut self,
        connection: &mut AnyConnection,
        store: &Store,
    ) -> Result<(), Stop> {
        const SQL: &str =
            "SELECT digest, content FROM contents WHERE digest > $1 ORDER BY digest LIMIT $2";
        let mut last = String::new();
        loop {
            let rows = sqlx::query(SQL)
                .bind(last.clone())
                .bind(PAGE)
                .fetch_all(&mut *connection)
                .await
                .map_err(store.failed("read"))?;
            for row in &rows {
                last = row.try_get(0).map_err(store.failed("read"))?;
                let content: String = row.try_get(1).map_err(store.failed("read"))?;
                if sha256_hex(content.as_bytes()) != last {
                    let what = format!("the content kept under {last} is not what it was");
                    return Err(Problem::new(what).into());
                }
                self.promised.remove(&last);
            }
            if rows.is_empty() {
                break;
            }
        }
        match self.promised.first() {
            None => Ok(()),
            Some(digest) => {
                let what = format!("the content {digest} is promised by the log and is not kept");
                Err(Problem::new(what).into())
            }
        }
    }
}
