//! The projections made again from the events.
//!
//! Sessions, jobs and spend are held in memory. Exchanges are too many: an exchange leaves memory when it is settled
//! and adds a fingerprint to its bucket's sum, which the stored rows must add up to as well.

use sqlx::AnyConnection;

use super::chunk::Digested;
use super::stored::{Reader, Sums, compare_rows, fingerprint};
use super::{Problem, Stop};
use crate::event::EventBody;
use crate::project::{EXCHANGES, MILESTONES, Projection};
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::table::{Cell, Row, Table};

/// The projections as the events make them.
pub(crate) struct Projections {
    live: Projection,
    exchanges: Sums,
    milestones: Sums,
}

impl Projections {
    /// Of no event at all.
    pub(super) fn new() -> Self {
        Self {
            live: Projection::new(),
            exchanges: Sums::default(),
            milestones: Sums::default(),
        }
    }

    /// As they were after the events that were pruned.
    pub(super) fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Problem> {
        let broken = |why: String| Problem::new(format!("what was kept of pruned events {why}"));
        let (live, exchanges, milestones) = snapshot.projections().map_err(broken)?;
        Ok(Self {
            live,
            exchanges,
            milestones,
        })
    }

    /// For a prune: the state itself.
    pub(super) fn into_parts(self) -> (Projection, Sums, Sums) {
        (self.live, self.exchanges, self.milestones)
    }

    /// Takes in a chunk.
    pub(super) fn absorb(&mut self, chunk: &Digested) {
        for (seq, event) in (chunk.first..).zip(&chunk.events) {
            let Some(event) = event else { continue };
            self.live.absorb(seq, event);
            let is_over = matches!(
                event.body,
                EventBody::ExchangeSettled(_) | EventBody::ExchangeImported(_)
            );
            if let Some(id) = event.exchange.as_ref().filter(|_| is_over)
                && let Some(row) = self.live.exchanges.rows.remove(id)
            {
                add_row(&mut self.exchanges, &EXCHANGES, &row);
            }
        }
        for row in std::mem::take(&mut self.live.milestones.rows).values() {
            add_row(&mut self.milestones, &MILESTONES, row);
        }
    }

    /// Compares with what is stored.
    pub(super) async fn finish(
        mut self,
        connection: &mut AnyConnection,
        stored: &[Reader; 2],
        store: &Store,
    ) -> Result<(), Stop> {
        for row in std::mem::take(&mut self.live.exchanges.rows).values() {
            add_row(&mut self.exchanges, &EXCHANGES, row);
        }
        let [exchanges, milestones] = stored;
        exchanges.compare(&self.exchanges)?;
        milestones.compare(&self.milestones)?;
        let Projection {
            sessions,
            jobs,
            usage,
            activity,
            import_files,
            ..
        } = self.live;
        for collapsed in [sessions, jobs, import_files, usage, activity] {
            compare_rows(connection, collapsed, store).await?;
        }
        Ok(())
    }
}

/// The readers of the tables that are compared by sums.
pub(super) fn readers(store: &Store) -> [Reader; 2] {
    [
        Reader::new(&EXCHANGES, store),
        Reader::new(&MILESTONES, store),
    ]
}

fn add_row(sums: &mut Sums, table: &Table, row: &Row) {
    if let Some(Cell::Int(seq)) = row.first() {
        sums.add(*seq, &fingerprint(table, row));
    }
}
