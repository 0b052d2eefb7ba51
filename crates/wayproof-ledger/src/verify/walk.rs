//! One pass over the log, in three steps that overlap: the database reads a run of events, a thread hashes and parses
//! the one before, another takes in the one before that.

use std::collections::{BTreeSet, VecDeque};

use sqlx::{AnyConnection, Row as _};
use tokio::task::{JoinHandle, spawn_blocking};
use wayproof_receipt::log::NoteKey;

use super::chunk::{CHUNK, Digested, Texts};
use super::contents::Contents;
use super::projections::{Projections, readers};
use super::pruned::Kept;
use super::stored::{BUCKET, Reader};
use super::tree::{Beside, Tree};
use super::{Problem, Stop, Tell};
use crate::forgotten::Replaced;
use crate::log_row::Log;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// Runs that are hashed at the same time or wait for it.
const IN_FLIGHT: usize = 3;

/// What grows with the log.
pub(super) struct Checks {
    pub(super) tree: Tree,
    pub(super) projections: Projections,
    pub(super) contents: Contents,
}

impl Checks {
    /// Before the first event, or before the first one that was not pruned.
    pub(super) fn new(log_key: Option<NoteKey>, pruned: Option<&Kept>) -> Result<Self, Problem> {
        let (projections, promised) = match pruned {
            None => (Projections::new(), BTreeSet::new()),
            Some(kept) => (
                Projections::from_snapshot(&kept.snapshot)?,
                kept.snapshot.promised.clone(),
            ),
        };
        Ok(Self {
            tree: Tree::new(log_key),
            projections,
            contents: Contents::new(promised),
        })
    }

    fn take_in(&mut self, chunk: &Digested, beside: &Beside) -> Result<(), Problem> {
        self.tree.check_chunk(chunk, beside)?;
        self.projections.absorb(chunk);
        self.contents.absorb(chunk);
        Ok(())
    }
}

/// What a prune puts in the place of the events before a place: verifies them on the way.
pub(super) async fn snapshot_before(
    store: &Store,
    connection: &mut AnyConnection,
    log: &Log,
    (pruned, before): (Option<&Kept>, i64),
) -> Result<Snapshot, Stop> {
    let checks = Checks::new(None, pruned)?;
    let mut walk = Walk::new(store, log, pruned);
    let (checks, outcome) = walk.run(connection, checks, (before, &|_, _| {})).await?;
    outcome?;
    let promised = checks.contents.into_promised();
    let (live, exchanges, milestones) = checks.projections.into_parts();
    let sums = [&exchanges, &milestones];
    Ok(Snapshot::new(before, &live, sums, promised))
}

/// A run that is being hashed, with what is kept beside it.
type Hashing = JoinHandle<(Digested, Beside)>;

/// The pass.
pub(super) struct Walk<'a> {
    store: &'a Store,
    readers: [Reader; 2],
    /// Events before this place are pruned.
    pruned: i64,
    size: i64,
    /// Up to where the tables of projections are read.
    compared: i64,
    /// Texts that stand for forgotten ones, once they are read.
    replaced: Option<Replaced>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(store: &'a Store, log: &Log, pruned: Option<&Kept>) -> Self {
        Self {
            store,
            readers: readers(store),
            pruned: pruned.map_or(0, |kept| kept.told.before),
            size: log.size(),
            compared: 0,
            replaced: None,
        }
    }

    /// What the texts that stand for others were read from.
    pub(super) fn take_replaced(&mut self) -> Replaced {
        self.replaced.take().unwrap_or_default()
    }

    pub(super) fn readers(&self) -> &[Reader; 2] {
        &self.readers
    }

    /// Takes in the events before `end`. What is wrong with an earlier run counts before what is wrong with a later one.
    pub(super) async fn run(
        &mut self,
        snapshot: &mut AnyConnection,
        checks: Checks,
        (end, tell): (i64, Tell<'_>),
    ) -> Result<(Checks, Result<(), Stop>), Stop> {
        let mut hashing = VecDeque::<Hashing>::new();
        let mut taking_in = Taking::Idle(Box::new(checks), Ok(()));
        let mut at = 0;
        let mut read = Ok(());
        while at < end && read.is_ok() {
            match self.read(snapshot, at, end).await {
                Ok((next, work)) => {
                    at = next;
                    tell(at.unsigned_abs(), end.unsigned_abs());
                    hashing.push_back(work);
                }
                Err(stop) => read = Err(stop),
            }
            if hashing.len() >= IN_FLIGHT
                && let Some(work) = hashing.pop_front()
            {
                taking_in = taking_in.next(work).await?;
                if matches!(&taking_in, Taking::Idle(_, Err(_))) {
                    break;
                }
            }
        }
        for work in hashing {
            taking_in = taking_in.next(work).await?;
        }
        let (checks, outcome) = taking_in.end().await?;
        Ok((checks, outcome.map_err(Stop::from).and(read)))
    }

    /// Reads a run and sets a thread to work on it; gives the place where the next one begins.
    async fn read(
        &mut self,
        snapshot: &mut AnyConnection,
        at: i64,
        end: i64,
    ) -> Result<(i64, Hashing), Stop> {
        self.compare_tables(snapshot, at).await?;
        if at < self.pruned {
            let until = self.pruned.min(end).min(at - at % CHUNK + CHUNK);
            let beside = Beside::read(snapshot, (at, until), self.store).await?;
            let digested = Digested::pruned(at, beside.leaves.clone());
            if digested.end() != until {
                let what = "was pruned, and its hash is missing";
                return Err(Problem::at(digested.end(), None, what).into());
            }
            return Ok((until, spawn_blocking(move || (digested, beside))));
        }
        let until = end.min(at - at % CHUNK + CHUNK);
        let texts = Texts::read(snapshot, at, until, self.store).await?;
        if texts.is_empty() {
            return Err(Problem::at(at, None, "is missing").into());
        }
        let next = at + texts.len();
        let replaced = match &self.replaced {
            Some(replaced) => replaced,
            None => self.replaced.insert(
                Replaced::read(snapshot)
                    .await
                    .map_err(self.store.failed("read"))?,
            ),
        };
        let replaced = texts.replaced(replaced);
        let beside = Beside::read(snapshot, (at, next), self.store).await?;
        Ok((
            next,
            spawn_blocking(move || {
                let digested = Digested::new(&texts).with_leaves(&replaced, &beside.leaves);
                (digested, beside)
            }),
        ))
    }

    /// Reads the rows of projections whose first event is in the bucket that begins here.
    async fn compare_tables(&mut self, snapshot: &mut AnyConnection, at: i64) -> Result<(), Stop> {
        if at < self.compared {
            return Ok(());
        }
        let from = self.compared;
        let to = from + BUCKET - 1;
        let bounds = (if from == 0 { i64::MIN } else { from }, to);
        for reader in &mut self.readers {
            reader.read(snapshot, bounds, self.store).await?;
        }
        self.compared = to + 1;
        Ok(())
    }

    /// Nothing may stand before the first event or behind the last one.
    pub(super) async fn check_ends(&mut self, snapshot: &mut AnyConnection) -> Result<(), Stop> {
        const SQL: &str = "SELECT MIN(seq), MAX(seq) FROM events";
        let row = sqlx::query(SQL)
            .fetch_one(&mut *snapshot)
            .await
            .map_err(self.store.failed("read"))?;
        let first: Option<i64> = row.try_get(0).map_err(self.store.failed("read"))?;
        let last: Option<i64> = row.try_get(1).map_err(self.store.failed("read"))?;
        if let Some(last) = last.filter(|last| *last >= self.size) {
            return Err(Problem::at(last, None, "is stored beyond the end of the log").into());
        }
        if let Some(first) = first.filter(|first| *first < self.pruned) {
            return Err(Problem::at(first, None, "is stored although it was pruned").into());
        }
        let rest = (self.compared, i64::MAX);
        for reader in &mut self.readers {
            reader.read(snapshot, rest, self.store).await?;
        }
        Ok(())
    }
}

/// The step that takes in one run after the other.
enum Taking {
    Idle(Box<Checks>, Result<(), Problem>),
    Busy(JoinHandle<(Box<Checks>, Result<(), Problem>)>),
}

impl Taking {
    /// Takes in one more run, once the one before is; after a problem nothing more is taken in.
    async fn next(self, work: Hashing) -> Result<Self, Stop> {
        let failed = |_| Problem::new("the verification itself failed");
        let (chunk, beside) = work.await.map_err(failed)?;
        let (mut checks, outcome) = self.wait().await?;
        if outcome.is_err() {
            return Ok(Self::Idle(checks, outcome));
        }
        Ok(Self::Busy(spawn_blocking(move || {
            let outcome = checks.take_in(&chunk, &beside);
            (checks, outcome)
        })))
    }

    async fn wait(self) -> Result<(Box<Checks>, Result<(), Problem>), Stop> {
        match self {
            Self::Idle(checks, outcome) => Ok((checks, outcome)),
            Self::Busy(work) => work
                .await
                .map_err(|_| Problem::new("the verification itself failed").into()),
        }
    }

    async fn end(self) -> Result<(Checks, Result<(), Problem>), Stop> {
        let (checks, outcome) = self.wait().await?;
        Ok((*checks, outcome))
    }
}
