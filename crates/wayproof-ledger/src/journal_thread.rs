//! The thread that makes groups of events durable in the journal.
//!
//! It does one thing at a time: take all that waits, write it, sync, tell. It never waits for the database.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::fold_thread::Nudge;
use crate::journal::Journal;
use crate::queue::{Queue, Turn};

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
        let outcome = if taken.frames.is_empty() {
            Ok(())
        } else {
            journal.write(&mut taken.frames)
        };
        let is_last = queue.is_closed();
        match &outcome {
            Ok(()) => nudge.more(taken.frames.len()),
            Err(error) => {
                if !is_failing || is_last {
                    tracing::error!(%error, events = taken.marks.len(), "events cannot be recorded");
                }
                if !is_last {
                    queue.put_back(&taken);
                }
            }
        }
        is_failing = outcome.is_err();
        taken.group.settle(outcome);
        queue.recycle(taken);
    }
    journal.seal();
    journal
}
