//! The thread that carries events from the journal into the database.
//!
//! It reads back what the journal has made durable, so the memory it needs does not grow with the backlog, and what it
//! does after a crash is what it does every day. It lags about a second behind; nobody waits for it but
//! those who ask for a flush.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::error::LedgerError;
use crate::fold::{Batch, Folder, Position, Sign};
use crate::frame;
use crate::journal::{HEADER_BYTES, Progress, Written};
use crate::queue::Queue;

/// How long events gather before they are carried over: the longer, the fewer times one page of an index is written,
/// and the fewer requests find the processor at work on it.
const GATHER: Duration = Duration::from_secs(1);

/// How long after a failure it is tried again, and after which a last checkpoint is signed.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of events carried over in one transaction.
pub(crate) const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// With more than this waiting in the journal, a database that cannot be written to stops new work.
const BACKLOG_BYTES: u64 = 64 * 1024 * 1024;

enum Command {
    Work,
    Full,
    Flush(oneshot::Sender<Result<(), LedgerError>>),
    Close,
}

/// Tells the thread that there is something to do.
#[derive(Clone)]
pub(crate) struct Nudge {
    commands: Sender<Command>,
    is_pending: Arc<AtomicBool>,
    gathered: Arc<AtomicUsize>,
}

impl Nudge {
    /// So many more bytes are durable in the journal.
    pub(crate) fn more(&self, bytes: usize) {
        let gathered = self.gathered.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let is_first = !self.is_pending.swap(true, Ordering::AcqRel);
        let is_full = gathered >= BATCH_BYTES;
        if is_full {
            self.gathered.store(0, Ordering::Relaxed);
        }
        if is_first || is_full {
            // A thread that is gone has left its word in the log; the journal keeps the events.
            let command = if is_full {
                Command::Full
            } else {
                Command::Work
            };
            self.send(command);
        }
    }

    /// Carries everything over and signs a checkpoint.
    pub(crate) async fn flush(&self) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Flush(reply));
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    /// Ends the thread once everything is carried over.
    pub(crate) fn close(&self) {
        self.send(Command::Close);
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("the ledger's folding thread has ended");
        }
    }
}

/// Carries events over; owned by its thread.
pub(crate) struct FoldThread {
    folder: Folder,
    runtime: Runtime,
    progress: Progress,
    queue: Arc<Queue>,
    commands: Receiver<Command>,
    is_pending: Arc<AtomicBool>,
    gathered: Arc<AtomicUsize>,
    /// How far the oldest segments are carried over, in their order.
    cursors: Vec<(PathBuf, u64)>,
    buffer: Vec<u8>,
    is_failing: bool,
}

impl FoldThread {
    /// Starts the thread.
    pub(crate) fn start(
        folder: Folder,
        runtime: Runtime,
        progress: Progress,
        queue: Arc<Queue>,
    ) -> Result<(Nudge, JoinHandle<Result<(), LedgerError>>), std::io::Error> {
        let (sender, commands) = channel();
        let is_pending = Arc::new(AtomicBool::new(false));
        let gathered = Arc::new(AtomicUsize::new(0));
        let nudge = Nudge {
            commands: sender,
            is_pending: Arc::clone(&is_pending),
            gathered: Arc::clone(&gathered),
        };
        let this = Self {
            folder,
            runtime,
            progress,
            queue,
            commands,
            is_pending,
            gathered,
            cursors: Vec::new(),
            buffer: Vec::new(),
            is_failing: false,
        };
        let thread = thread::Builder::new()
            .name("wayproof-fold".to_owned())
            .spawn(move || this.run())?;
        Ok((nudge, thread))
    }

    fn run(mut self) -> Result<(), LedgerError> {
        loop {
            let patience = (self.is_failing || self.folder.is_unsigned()).then_some(PAUSE);
            let command = match self.receive(patience) {
                // More will follow; whatever it is, or a moment without it, ends the gathering.
                Some(Command::Work) => self.receive(Some(GATHER)),
                command => command,
            };
            match command {
                Some(Command::Work | Command::Full) | None => self.carry_on(),
                Some(Command::Flush(reply)) => {
                    let outcome = self.carry(Sign::Now);
                    // Whoever asked may have stopped waiting.
                    drop(reply.send(outcome));
                }
                Some(Command::Close) => return self.close(),
            }
        }
    }

    fn receive(&self, patience: Option<Duration>) -> Option<Command> {
        match patience {
            None => Some(self.commands.recv().unwrap_or(Command::Close)),
            Some(patience) => match self.commands.recv_timeout(patience) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
            },
        }
    }

    /// Carries over what there is; a failure is told once and tried again later.
    fn carry_on(&mut self) {
        match self.carry(Sign::WhenDue) {
            Ok(()) => {
                if self.is_failing {
                    tracing::info!("the ledger's database is written to again");
                    self.queue.accept();
                }
                self.is_failing = false;
            }
            Err(error) => {
                if !self.is_failing {
                    tracing::error!(%error, "events stay in the journal for now");
                }
                self.is_failing = true;
                let is_broken = matches!(
                    error,
                    LedgerError::Corrupt { .. } | LedgerError::JournalDamaged { .. }
                );
                if is_broken || self.backlog() > BACKLOG_BYTES {
                    self.queue.refuse(error);
                }
            }
        }
    }

    fn backlog(&self) -> u64 {
        let written = self.progress.written();
        written
            .iter()
            .map(|written| written.end.saturating_sub(self.cursor(&written.path)))
            .sum()
    }

    fn cursor(&self, path: &Path) -> u64 {
        let known = self.cursors.iter().find(|(known, _)| known == path);
        known.map_or(HEADER_BYTES, |(_, offset)| *offset)
    }

    fn carry(&mut self, sign: Sign) -> Result<(), LedgerError> {
        self.is_pending.store(false, Ordering::Release);
        self.gathered.store(0, Ordering::Relaxed);
        let mut finished = Vec::new();
        for written in self.progress.written() {
            self.carry_segment(&written)?;
            if written.is_sealed {
                finished.push(written.path);
            }
        }
        if sign == Sign::Now || self.folder.is_unsigned() {
            let nothing = Batch {
                texts: Vec::new(),
                position: None,
            };
            self.runtime.block_on(self.folder.fold(&nothing, sign))?;
        }
        if finished.is_empty() {
            Ok(())
        } else {
            self.retire(&finished)
        }
    }

    fn carry_segment(&mut self, written: &Written) -> Result<(), LedgerError> {
        let mut from = self.cursor(&written.path);
        if from >= written.end {
            return Ok(());
        }
        let failed = |error| LedgerError::file("read", &written.path, error);
        let file = File::open(&written.path).map_err(failed)?;
        let name = journal_name(&written.path);
        while from < written.end {
            let bytes = usize::try_from(written.end - from)
                .unwrap_or(BATCH_BYTES)
                .min(BATCH_BYTES);
            self.buffer.resize(bytes, 0);
            file.read_exact_at(&mut self.buffer, from).map_err(failed)?;
            let damaged = LedgerError::JournalDamaged {
                path: written.path.clone(),
                offset: from,
            };
            let (texts, taken) = whole_frames(&self.buffer, written.nonce, from);
            let to = from + taken as u64;
            if taken == 0 || (to < written.end && from + bytes as u64 == written.end) {
                return Err(damaged);
            }
            let batch = Batch {
                texts,
                position: Some(Position {
                    journal: &name,
                    from,
                    to,
                }),
            };
            self.runtime
                .block_on(self.folder.fold(&batch, Sign::WhenDue))?;
            from = to;
            self.cursors.retain(|(path, _)| *path != written.path);
            self.cursors.push((written.path.clone(), to));
        }
        Ok(())
    }

    /// Lets go of segments once the database itself has their content durably.
    fn retire(&mut self, finished: &[PathBuf]) -> Result<(), LedgerError> {
        if !self.runtime.block_on(self.folder.make_durable())? {
            // Somebody is reading an old state; the next round tries again.
            return Ok(());
        }
        self.progress.retire(finished)?;
        self.cursors.retain(|(path, _)| !finished.contains(path));
        let names: Vec<_> = finished.iter().map(|path| journal_name(path)).collect();
        self.runtime.block_on(self.folder.forget(&names))
    }

    fn close(mut self) -> Result<(), LedgerError> {
        let carried = self.carry(Sign::Now);
        let closed = self.runtime.block_on(self.folder.close());
        carried.and(closed)
    }
}

/// The name a journal's position is kept under.
pub(crate) fn journal_name(path: &Path) -> String {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned()
}

/// The texts of the whole frames that `bytes` begins with, and how many bytes they take.
pub(crate) fn whole_frames(bytes: &[u8], nonce: u64, offset: u64) -> (Vec<&str>, usize) {
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(frame) = frame::read(bytes, at, nonce, offset) {
        // Texts are written by serde_json, so this only fails for a frame that is none.
        let Ok(text) = str::from_utf8(frame.text) else {
            break;
        };
        texts.push(text);
        at += frame.bytes;
    }
    (texts, at)
}
