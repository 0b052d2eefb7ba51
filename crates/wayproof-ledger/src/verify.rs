//! Checks that a ledger is what it says: every event, the tree over them, the signed checkpoints, the projections,
//! what is kept beside the log, and the database's own structure.
//!
//! Everything is recomputed from the stored texts, in one pass over one snapshot, so a ledger can be verified while it
//! is written to. Memory grows with the number of jobs and sessions, not with the number of events. A broken ledger
//! is a result, not an error; nothing is repaired.

mod chunk;
mod contents;
mod kept;
mod projections;
mod pruned;
mod schema;
mod stored;
mod tree;
mod walk;

use serde::Serialize;
use sqlx::{AnyConnection, Connection};
use wayproof_receipt::PublicKey;
use wayproof_receipt::log::{Hash, NoteKey};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::log_row::Log;
use crate::snapshot::Snapshot;
use crate::store::{Location, Store};
pub use pruned::Pruned;
pub(crate) use pruned::read as read_pruned;
pub(crate) use stored::Sums;
use walk::{Checks, Walk};

/// Hears how many events are read, of how many.
pub type Tell<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log's identity.
    pub origin: String,
    /// Events checked.
    pub events: u64,
    /// The root over them, in base64; as far as they are good.
    pub root: String,
    /// Checkpoints whose root was recomputed.
    pub checkpoints: u64,
    /// Whether the checkpoints' signatures were checked against a key that the verifier has.
    pub is_signed: bool,
    /// The key that signs the log, as its own row names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Up to where events were pruned, if they were. What is said about them rests on what was kept instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Pruned>,
    /// The first thing that is broken.
    pub problem: Option<Problem>,
}

impl Report {
    /// The same with something that is broken, found elsewhere.
    #[must_use]
    pub fn broken(self, what: &str) -> Self {
        Self {
            problem: Some(Problem::new(what)),
            ..self
        }
    }

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

/// What signatures of checkpoints are checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Against<'a> {
    /// A key that the verifier has.
    Key(&'a PublicKey),
    /// The key that the log's own row names: that shows damage, and not who signed.
    Record,
    /// They are not checked.
    Nothing,
}

impl<'a> From<Option<&'a PublicKey>> for Against<'a> {
    fn from(key: Option<&'a PublicKey>) -> Self {
        key.map_or(Self::Record, Self::Key)
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
            LedgerError::Database { source, .. } if is_unreadable(&source) => {
                Self::Broken(Problem::new(format!(
                    "a value in the database cannot be read as what it is: {source}"
                )))
            }
            error => Self::Failed(error),
        }
    }
}

/// The database gave a value that is not of the kind that is kept there.
fn is_unreadable(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    )
}

impl Ledger {
    /// Verifies the whole ledger as it is now, with the key it was opened with.
    pub async fn verify(&self) -> Result<Report, LedgerError> {
        self.verify_with(self.0.log_key.as_ref()).await
    }

    /// Verifies the whole ledger, and its checkpoints against this key.
    pub async fn verify_with(&self, key: Option<&PublicKey>) -> Result<Report, LedgerError> {
        verify(&self.0.store, key.into(), &|_, _| {}).await
    }

    /// The same as [`Ledger::verify_with`], and tells how many events are read, of how many. Without a key it is the
    /// one the ledger was opened with.
    pub async fn verify_telling(
        &self,
        key: Option<&PublicKey>,
        tell: Tell<'_>,
    ) -> Result<Report, LedgerError> {
        let key = key.or(self.0.log_key.as_ref());
        verify(&self.0.store, key.into(), tell).await
    }
}

impl Ledger {
    /// Verifies a ledger that cannot be opened, or should not be: nothing is written, and what a process that died
    /// left in its journal is not looked at.
    pub async fn verify_unopened(
        location: &Location,
        key: Option<&PublicKey>,
    ) -> Result<Report, LedgerError> {
        verify(&Store::new(location)?.read_only()?, key.into(), &|_, _| {}).await
    }
}

/// What verification needs instead of the events before a place. They are verified on the way.
pub(crate) async fn snapshot_before(
    store: &Store,
    connection: &mut AnyConnection,
    before: i64,
) -> Result<Snapshot, LedgerError> {
    let taken = async {
        let log = Log::load(connection, store).await?;
        let pruned = pruned::load(connection, store).await?;
        walk::snapshot_before(store, connection, &log, (pruned.as_ref(), before)).await
    };
    taken.await.map_err(|stop| match stop {
        Stop::Broken(problem) => LedgerError::Inconsistent(problem.to_string()),
        Stop::Failed(error) => error,
    })
}

/// Verifies the ledger in a database, with the signatures of its checkpoints.
pub(crate) async fn verify(
    store: &Store,
    against: Against<'_>,
    tell: Tell<'_>,
) -> Result<Report, LedgerError> {
    let structure = async {
        let mut connection = store.connect().await?;
        let finding = store.own_finding(&mut connection).await;
        connection.close().await.map_err(store.failed("close"))?;
        finding
    };
    // The database looks into its own pages meanwhile.
    let (contents, structure) = tokio::join!(verify_contents(store, against, tell), structure);
    let (mut report, outcome) = contents?;
    let outcome = outcome.and_then(|()| match structure? {
        None => Ok(()),
        Some(finding) => Err(Problem::new(format!("the database is damaged: {finding}")).into()),
    });
    match outcome {
        Ok(()) => {}
        Err(Stop::Broken(problem)) => report.problem = Some(problem),
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(report)
}

async fn verify_contents(
    store: &Store,
    against: Against<'_>,
    tell: Tell<'_>,
) -> Result<(Report, Result<(), Stop>), LedgerError> {
    let mut connection = store.connect().await?;
    let begun = connection.begin_with(store.begin_snapshot()).await;
    let mut snapshot = begun.map_err(store.failed("read"))?;
    let mut report = Report {
        origin: String::new(),
        events: 0,
        root: String::new(),
        checkpoints: 0,
        is_signed: matches!(against, Against::Key(_)),
        signer: None,
        pruned: None,
        problem: None,
    };
    let outcome = check(store, &mut snapshot, (against, tell), &mut report).await;
    snapshot.rollback().await.map_err(store.failed("read"))?;
    connection.close().await.map_err(store.failed("close"))?;
    Ok((report, outcome))
}

async fn check(
    store: &Store,
    snapshot: &mut AnyConnection,
    (against, tell): (Against<'_>, Tell<'_>),
    report: &mut Report,
) -> Result<(), Stop> {
    let log = Log::load(snapshot, store).await?;
    report.origin.clone_from(&log.origin);
    report.signer = log.signer.map(|signer| signer.to_string());
    let log_key = key_of(&log, against)?;
    schema::check(snapshot, store).await?;
    let pruned = pruned::load(snapshot, store).await?;
    report.pruned = pruned.as_ref().map(|pruned| pruned.told.clone());
    let checks = Checks::new(log_key, pruned.as_ref())?;
    let mut walk = Walk::new(store, &log, pruned.as_ref());
    let (checks, outcome) = walk.run(snapshot, checks, (log.size(), tell)).await?;
    report.events = checks.tree.frontier().size();
    report.root = checks.tree.frontier().root().to_string();
    report.checkpoints = checks.tree.checkpoints();
    outcome?;
    walk.check_ends(snapshot).await?;
    let Checks {
        tree,
        projections,
        mut contents,
    } = checks;
    contents.check_forgotten(&walk.take_replaced())?;
    tree.finish(snapshot, &log, store).await?;
    if let Some(pruned) = &pruned {
        contents.check_prune(pruned.told.before, &pruned.told.snapshot_digest)?;
    }
    projections.finish(snapshot, walk.readers(), store).await?;
    contents.finish(snapshot, store).await?;
    kept::check(snapshot, store).await
}

/// The key that every checkpoint has to be signed with.
fn key_of(log: &Log, against: Against<'_>) -> Result<Option<NoteKey>, Problem> {
    let key = match (against, log.signer) {
        (Against::Nothing, _) => None,
        (Against::Record, signer) => signer,
        (Against::Key(key), Some(signer)) if signer != *key => {
            let what = format!("it is signed with the key {signer}, and not with {key}");
            return Err(Problem::new(what));
        }
        (Against::Key(key), _) => Some(*key),
    };
    let key = key.map(|key| NoteKey::new(&log.origin, key)).transpose();
    key.map_err(|error| Problem::new(error.to_string()))
}

/// A hash as a problem would show it.
fn short(hash: &Hash) -> String {
    hash.to_string().chars().take(12).collect()
}
