//! Checks that a ledger is what it says: every event, the tree over them, the signed checkpoints, the projections,
//! what is kept beside the log, and the database's own structure.
//!
//! Everything is recomputed from the stored texts, in one pass over one snapshot, so a ledger can be verified while it
//! is written to. Memory grows with the number of jobs and sessions, not with the number of events. A broken ledger
//! is a result, not an error; nothing is repaired.

mod chunk;
mod contents;
mod projections;
mod tree;

use serde::Serialize;
use sqlx::{AnyConnection, Connection};
use wayproof_receipt::PublicKey;
use wayproof_receipt::log::{Hash, NoteKey};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::log_row::Log;
use crate::store::Store;
use chunk::{Digested, Texts};
use contents::Contents;
use projections::Projections;
use tree::Tree;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log's identity.
    pub origin: String,
    /// Events checked.
    pub events: u64,
    /// The root over them, in base64; as far as they are good.
    pub root: String,
    /// Checkpoints whose root was recomputed.
    pub checkpoints: u64,
    /// Whether the checkpoints' signatures were checked, which needs the ledger's key.
    pub is_signed: bool,
    /// The first thing that is broken.
    pub problem: Option<Problem>,
}

impl Report {
    /// Whether nothing is broken.
    pub fn is_whole(&self) -> bool {
        self.problem.is_none()
    }
}

/// The first thing that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    /// A sentence.
    pub what: String,
    /// The place of the event it is about.
    pub seq: Option<i64>,
    /// That event's identifier, where it can be read.
    pub id: Option<String>,
}

impl Problem {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            seq: None,
            id: None,
        }
    }

    fn at(seq: i64, id: Option<String>, what: &str) -> Self {
        let name = id
            .as_deref()
            .map_or_else(String::new, |id| format!(" ({id})"));
        Self {
            what: format!("event {seq}{name} {what}"),
            seq: Some(seq),
            id,
        }
    }
}

/// Why a verification stops: something is broken, or the ledger cannot be read at all.
enum Stop {
    Broken(Problem),
    Failed(LedgerError),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Broken(problem)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        match error {
            // What the database itself finds broken is a finding, too.
            LedgerError::Corrupt { .. } | LedgerError::Inconsistent(_) => {
                Self::Broken(Problem::new(error.to_string()))
            }
            error => Self::Failed(error),
        }
    }
}

impl Ledger {
    /// Verifies the whole ledger as it is now, with the key it was opened with.
    pub async fn verify(&self) -> Result<Report, LedgerError> {
        self.verify_with(self.0.log_key.as_ref()).await
    }

    /// Verifies the whole ledger, and its checkpoints against this key.
    pub async fn verify_with(&self, key: Option<&PublicKey>) -> Result<Report, LedgerError> {
        verify(&self.0.store, key).await
    }
}

/// Verifies the ledger in a database, and its checkpoints against a key.
pub(crate) async fn verify(store: &Store, key: Option<&PublicKey>) -> Result<Report, LedgerError> {
    let mut connection = store.connect().await?;
    let begun = connection.begin_with(store.begin_snapshot()).await;
    let mut snapshot = begun.map_err(store.failed("read"))?;
    let mut report = Report {
        origin: String::new(),
        events: 0,
        root: String::new(),
        checkpoints: 0,
        is_signed: key.is_some(),
        problem: None,
    };
    let outcome = check(store, &mut snapshot, key, &mut report).await;
    snapshot.rollback().await.map_err(store.failed("read"))?;
    connection.close().await.map_err(store.failed("close"))?;
    match outcome {
        Ok(()) => {}
        Err(Stop::Broken(problem)) => report.problem = Some(problem),
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(report)
}

async fn check(
    store: &Store,
    snapshot: &mut AnyConnection,
    key: Option<&PublicKey>,
    report: &mut Report,
) -> Result<(), Stop> {
    let log = Log::load(snapshot, store).await?;
    report.origin.clone_from(&log.origin);
    let log_key = key.map(|key| NoteKey::new(&log.origin, *key));
    let log_key = log_key
        .transpose()
        .map_err(|error| Problem::new(error.to_string()))?;
    let mut tree = Tree::new(log_key);
    let mut projections = Projections::new();
    let mut contents = Contents::new();
    let checks = (&mut tree, &mut projections, &mut contents);
    let outcome = walk(store, snapshot, &log, checks).await;
    report.events = tree.frontier().size();
    report.root = tree.frontier().root().to_string();
    report.checkpoints = tree.checkpoints();
    outcome?;
    tree.finish(snapshot, &log, store).await?;
    projections.finish(snapshot, store).await?;
    contents.finish(snapshot, store).await?;
    match store.own_finding(snapshot).await? {
        None => Ok(()),
        Some(finding) => Err(Problem::new(format!("the database is damaged: {finding}")).into()),
    }
}

/// Reads one chunk while the one before is hashed and parsed.
async fn walk(
    store: &Store,
    snapshot: &mut AnyConnection,
    log: &Log,
    (tree, projections, contents): (&mut Tree, &mut Projections, &mut Contents),
) -> Result<(), Stop> {
    let size = log.size();
    let mut at = 0;
    let mut next = Texts::read(snapshot, at, size, store).await?;
    while !next.is_empty() {
        at += next.len();
        let digesting = tokio::task::spawn_blocking(move || Digested::new(&next));
        let read = Texts::read(snapshot, at, size, store).await;
        let digested = digesting
            .await
            .map_err(|_| Problem::new("the verification itself failed"))?;
        tree.check_chunk(snapshot, &digested, store).await?;
        projections.absorb(&digested);
        contents.absorb(&digested);
        next = read?;
    }
    if at < size {
        return Err(Problem::at(at, None, "is missing").into());
    }
    if Texts::read(snapshot, size, i64::MAX, store)
        .await?
        .is_empty()
    {
        Ok(())
    } else {
        Err(Problem::at(size, None, "is stored beyond the end of the log").into())
    }
}

/// A hash as a problem would show it.
fn short(hash: &Hash) -> String {
    hash.to_string().chars().take(12).collect()
}
