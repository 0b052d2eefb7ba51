//! The thread that makes groups of events durable in the journal.
//!
//! It does one thing at a time: take all that waits, sync what is written, write and sync the rest, tell. It never
//! waits for the database.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::LedgerError;
use crate::fold_thread::Nudge;
use crate::journal::Journal;
use crate::queue::{Queue, Taken, Turn, Written};

/// Starts the thread; it gives the journal back when the queue is closed and empty.
pub(crate) fn start(
    journal: Journal,
    queue: Arc<Queue>,
    nudge: Nudge,
) -> Result<JoinHandle<Journal>, std::io::Error> {
    thread::Builder::new()
        .name("wayproof-journal".to_owned())
        .spawn(move || run(journal, &queue, &nudge))
}

fn run(mut journal: Journal, queue: &Queue, nudge: &Nudge) -> Journal {
    let mut is_failing = false;
    loop {
        let mut taken = match queue.take(None) {
            Turn::Group(taken) => taken,
            Turn::Idle => continue,
            Turn::Closed => break,
        };
        let synced = match taken.written.take() {
            Some(written) => sync(&journal, queue, nudge, &written),
            None => Ok(()),
        };
        let begun = if taken.frames.is_empty() {
            Ok(())
        } else {
            begin(&mut journal, queue, nudge, &mut taken)
        };
        let outcome = synced.and(begun);
        if let Err(error) = &outcome
            && (!is_failing || queue.is_closed())
        {
            tracing::error!(%error, events = taken.marks.len(), "events cannot be recorded");
        }
        is_failing = outcome.is_err();
        taken.group.settle(outcome);
        queue.recycle(taken);
    }
    if let Some(segment) = queue.take_segment() {
        journal.seal(&segment);
    }
    journal
}

/// Makes durable what is written to the segment beside the queue.
fn sync(
    journal: &Journal,
    queue: &Queue,
    nudge: &Nudge,
    written: &Written,
) -> Result<(), LedgerError> {
    let unsynced = &written.unsynced;
    // What the disk refuses can still be read, until it is cut off.
    let frames = unsynced.frames();
    let outcome = journal.sync(unsynced, written.full.is_some());
    match &outcome {
        Ok(()) => {
            let bytes = usize::try_from(unsynced.to - unsynced.from).unwrap_or(usize::MAX);
            nudge.more(bytes);
            if queue.synced(unsynced) {
                journal.make_spare();
            }
        }
        Err(_) => queue.put_back_written(&frames?, written),
    }
    for group in &written.groups {
        group.settle(outcome.clone());
    }
    outcome
}

/// Goes on in another segment, with what the last one had no room for.
fn begin(
    journal: &mut Journal,
    queue: &Queue,
    nudge: &Nudge,
    taken: &mut Taken,
) -> Result<(), LedgerError> {
    match journal.begin(&mut taken.frames) {
        Ok(segment) => {
            nudge.more(taken.frames.len());
            queue.open(segment);
            Ok(())
        }
        Err(error) => {
            if !queue.is_closed() {
                queue.put_back(taken);
            }
            Err(error)
        }
    }
}
