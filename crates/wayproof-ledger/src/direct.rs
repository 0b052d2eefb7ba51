//! The thread that makes groups of events durable straight in a database server.
//!
//! There is no journal: a group is acknowledged when its transaction is committed. When the connection breaks during
//! a commit nobody knows whether it counted; the position kept in the same transaction tells afterwards, so that
//! nothing is recorded twice.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;
use uuid::Uuid;

use crate::error::LedgerError;
use crate::fold::{Batch, Folder, Position, Sign};
use crate::frame;
use crate::ledger::direct_name;
use crate::queue::{Queue, Taken, Turn};

/// A server that does not answer within this is taken for unreachable.
const PATIENCE: Duration = Duration::from_secs(10);

/// A last checkpoint is signed when nothing happened for so long.
const PAUSE: Duration = Duration::from_secs(1);

struct Direct {
    folder: Folder,
    runtime: Runtime,
    queue: Arc<Queue>,
    name: String,
    committed: u64,
    /// A group whose commit may or may not have counted.
    doubtful: Option<Taken>,
}

/// Starts the thread.
pub(crate) fn start(
    folder: Folder,
    runtime: Runtime,
    queue: Arc<Queue>,
    writer: Uuid,
) -> Result<JoinHandle<Result<(), LedgerError>>, std::io::Error> {
    let name = direct_name(writer);
    let this = Direct {
        folder,
        runtime,
        queue,
        name,
        committed: 0,
        doubtful: None,
    };
    thread::Builder::new()
        .name("wayproof-ledger".to_owned())
        .spawn(move || this.run())
}

async fn in_time<T>(work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    let silent = || LedgerError::Unreachable {
        place: "its server".to_owned(),
        detail: format!("no answer within {} seconds", PATIENCE.as_secs()),
    };
    timeout(PATIENCE, work).await.map_err(|_| silent())?
}

impl Direct {
    fn run(mut self) -> Result<(), LedgerError> {
        let mut is_failing = false;
        loop {
            let outcome = match self.queue.take(self.folder.is_unsigned().then_some(PAUSE)) {
                Turn::Group(taken) => self.record(taken),
                Turn::Idle => self.sign(Sign::WhenDue),
                Turn::Closed => return self.close(),
            };
            if let Err(error) = &outcome
                && !is_failing
            {
                tracing::error!(%error, "events cannot be recorded");
            }
            is_failing = outcome.is_err();
        }
    }

    fn record(&mut self, taken: Taken) -> Result<(), LedgerError> {
        if let Err(error) = self.settle_doubt() {
            self.queue.put_back(&taken);
            taken.group.settle(Err(error.clone()));
            return Err(error);
        }
        let texts = frame::texts(&taken.frames)
            .filter_map(|text| str::from_utf8(text).ok())
            .collect();
        let position = Position {
            journal: &self.name,
            from: self.committed,
            to: self.committed + 1,
        };
        let batch = Batch {
            texts,
            position: Some(position),
        };
        let sign = if taken.is_flush {
            Sign::Now
        } else {
            Sign::WhenDue
        };
        let outcome = self
            .runtime
            .block_on(in_time(self.folder.fold(&batch, sign)));
        taken.group.settle(outcome.clone());
        match outcome {
            Ok(()) => {
                self.committed += 1;
                self.queue.recycle(taken);
                Ok(())
            }
            Err(error) => {
                self.doubtful = Some(taken);
                Err(error)
            }
        }
    }

    /// Finds out what became of a group whose commit failed; what nobody waits for goes back into the queue.
    fn settle_doubt(&mut self) -> Result<(), LedgerError> {
        let Some(taken) = self.doubtful.take() else {
            return Ok(());
        };
        match self
            .runtime
            .block_on(in_time(self.folder.position_of(&self.name)))
        {
            Ok(position) if position == Some(self.committed + 1) => self.committed += 1,
            Ok(_) => self.queue.put_back(&taken),
            Err(error) => {
                self.doubtful = Some(taken);
                return Err(error);
            }
        }
        Ok(())
    }

    fn sign(&mut self, sign: Sign) -> Result<(), LedgerError> {
        let nothing = Batch {
            texts: Vec::new(),
            position: None,
        };
        self.runtime
            .block_on(in_time(self.folder.fold(&nothing, sign)))
    }

    fn close(mut self) -> Result<(), LedgerError> {
        self.settle_doubt()?;
        // One more try for what went back into the queue.
        if let Turn::Group(taken) = self.queue.take(None) {
            self.record(taken)?;
        }
        self.sign(Sign::Now)?;
        self.runtime
            .block_on(self.folder.forget(std::slice::from_ref(&self.name)))?;
        self.runtime.block_on(self.folder.close())
    }
}
