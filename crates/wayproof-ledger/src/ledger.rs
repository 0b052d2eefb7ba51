//! The ledger: open it, record events, bring it up to date, close it.
//!
//! With SQLite an event is written to this process's journal, synced, and reaches the database a moment later; with
//! PostgreSQL it is recorded once its group's transaction is. Reading is in `query`, checking in `verify`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use sqlx::AnyPool;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;
use wayproof_receipt::{PublicKey, SigningKey};

use crate::books::Books;
use crate::clock::{Clock, Ids};
use crate::direct;
use crate::error::{AppendError, LedgerError};
use crate::event::{Event, EventBody};
use crate::fold::{Batch, Folder, Position, Sign};
use crate::fold_thread::{BATCH_BYTES, FoldThread, Nudge, journal_name, whole_frames};
use crate::journal::{HEADER_BYTES, Journal, find_orphans};
use crate::journal_thread;
use crate::log_row::Log;
use crate::queue::{Durable, Queue};
use crate::signer::{Claim, is_signer, refused};
use crate::store::{Location, Store};

/// Bytes of events that may wait for the disk before new ones have to wait for room.
const QUEUE_BYTES: usize = 1024 * 1024;

/// Bytes of one journal file.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

/// What an event belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The agent's conversation.
    pub session: Option<String>,
    /// The piece of work.
    pub job: Option<String>,
    /// The client request.
    pub exchange: Option<String>,
}

/// An open ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) readers: AnyPool,
    pub(crate) log_key: Option<PublicKey>,
    clock: Clock,
    ids: Ids,
    books: Books,
    queue: Arc<Queue>,
    /// Only with a journal: the thread that carries events over.
    nudge: Option<Nudge>,
    writer: Mutex<Option<Writer>>,
}

enum Writer {
    Journaled {
        journal: JoinHandle<Journal>,
        folding: JoinHandle<Result<(), LedgerError>>,
    },
    Direct(JoinHandle<Result<(), LedgerError>>),
}

impl Ledger {
    /// Opens a ledger, makes it if it is new, and takes over the journals of processes that died.
    ///
    /// The key is the log's from then on; a ledger with another one is refused.
    pub async fn open(
        location: Location,
        clock: Clock,
        signing: Option<SigningKey>,
    ) -> Result<Self, LedgerError> {
        Box::pin(Self::open_as(location, clock, signing, Entry::Keeper)).await
    }

    /// The same for somebody who comes by: with another key than the log's, events are recorded and signed by those
    /// who have it. A log on a server that nobody signs yet is left for a gateway to claim.
    pub async fn visit(
        location: Location,
        clock: Clock,
        signing: Option<SigningKey>,
    ) -> Result<Self, LedgerError> {
        Box::pin(Self::open_as(location, clock, signing, Entry::Visitor)).await
    }

    async fn open_as(
        location: Location,
        clock: Clock,
        signing: Option<SigningKey>,
        entry: Entry,
    ) -> Result<Self, LedgerError> {
        let store = Store::new(&location)?;
        store.migrate().await?;
        let ids = Ids::new(clock.clone());
        let given = signing.as_ref().map(SigningKey::public);
        let mut folder = Folder::new(store.clone(), clock.clone(), signing);
        let origin = format!("wayproof.dev/ledger/{}", ids.next());
        Log::create(folder.connection().await?, &origin)
            .await
            .map_err(store.failed("set up"))?;
        let log_key = enter(&mut folder, &store, given, entry).await?;
        folder.rebuild().await?;
        folder.seal_rows().await?;
        let queue = Queue::new(QUEUE_BYTES);
        let (nudge, writer) = match &location {
            Location::Sqlite(directory) => {
                let directory = directory.join("journal");
                start_journaled(&directory, folder, &ids, &queue).await?
            }
            Location::Postgres(_) => {
                // The connection belongs to this runtime; the writer makes its own.
                let folder = folder.without_connection().await?;
                let writer = direct::start(folder, new_runtime()?, Arc::clone(&queue), ids.next());
                (
                    None,
                    Writer::Direct(writer.map_err(|error| thread_failed(&error))?),
                )
            }
        };
        let readers = store.readers();
        let books = Books::open(store.clone(), clock.clone(), &ids.next().to_string());
        let books = books.map_err(|error| thread_failed(&error))?;
        let writer = Mutex::new(Some(writer));
        Ok(Self(Arc::new(Inner {
            store,
            readers,
            log_key,
            clock,
            ids,
            books,
            queue,
            nudge,
            writer,
        })))
    }

    /// Whether other gateways may write to it, too.
    pub fn is_shared(&self) -> bool {
        matches!(self.location(), Location::Postgres(_))
    }

    /// Where this ledger is.
    pub fn location(&self) -> &Location {
        self.0.store.location()
    }

    /// The clock this ledger goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Identifiers for sessions, jobs, exchanges and events.
    pub fn ids(&self) -> &Ids {
        &self.0.ids
    }

    /// Keys, people, budgets, and what each budget has left.
    pub fn books(&self) -> &Books {
        &self.0.books
    }

    /// An event that happens now.
    pub fn event(&self, about: About, body: EventBody) -> Event {
        let About {
            session,
            job,
            exchange,
        } = about;
        Event {
            id: self.0.ids.next(),
            at_us: self.0.clock.now_us(),
            session,
            job,
            exchange,
            body,
        }
    }

    /// Records an event. The future resolves once the event is on the disk; the work goes on meanwhile.
    pub fn append(&self, event: &Event) -> Durable {
        match event.to_text() {
            Ok(text) => self.0.queue.append(text),
            Err(error) => Durable::refused(error.into()),
        }
    }

    /// Records an event. The future resolves once the event outlives this process, however that ends; it is on the
    /// disk some 20 ms later, so only a machine that stops in between can lose it.
    ///
    /// With PostgreSQL there is no difference to [`Ledger::append`].
    pub fn append_written(&self, event: &Event) -> Durable {
        match event.to_text() {
            Ok(text) => self.0.queue.append_written(text),
            Err(error) => Durable::refused(error.into()),
        }
    }

    /// Records an event that nobody waits for: it becomes durable with the next ones, within about 20 ms.
    pub fn note(&self, event: &Event) -> Result<(), AppendError> {
        self.0.queue.note(&event.to_text()?)
    }

    /// Makes everything recorded until now durable, readable and covered by a signed checkpoint.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        self.0.queue.flush().await?;
        match &self.0.nudge {
            Some(nudge) => nudge.flush().await,
            None => Ok(()),
        }
    }

    /// Writes what is left, signs a last checkpoint and lets go of every file. Events recorded later are refused.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let writer = self
            .0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.0.queue.close();
        let (nudge, books) = (self.0.nudge.clone(), self.0.books.clone());
        let ended = tokio::task::spawn_blocking(move || {
            let books = books.close();
            writer.map_or(Ok(()), |writer| writer.end(nudge)).and(books)
        })
        .await;
        self.0.readers.close().await;
        ended
            .map_err(|_| LedgerError::Inconsistent("a thread of the ledger panicked".to_owned()))?
    }
}

/// In which part a ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Keeper,
    Visitor,
}

/// The key that was given, if it is the log's.
async fn enter(
    folder: &mut Folder,
    store: &Store,
    given: Option<PublicKey>,
    entry: Entry,
) -> Result<Option<PublicKey>, LedgerError> {
    let Some(key) = given else { return Ok(None) };
    let connection = folder.connection().await?;
    let is_shared = matches!(store.location(), Location::Postgres(_));
    let claim = match entry {
        Entry::Visitor if is_shared => Claim::No,
        Entry::Keeper | Entry::Visitor => Claim::Yes,
    };
    if is_signer(connection, store, &key, claim).await? {
        return Ok(given);
    }
    match entry {
        Entry::Keeper => Err(refused(connection, store, &key).await),
        Entry::Visitor => Ok(None),
    }
}

impl Writer {
    fn end(self, nudge: Option<Nudge>) -> Result<(), LedgerError> {
        let panicked = |_| LedgerError::Inconsistent("a thread of the ledger panicked".to_owned());
        match self {
            Self::Direct(writer) => writer.join().map_err(panicked)?,
            Self::Journaled { journal, folding } => {
                let journal = journal.join().map_err(panicked)?;
                if let Some(nudge) = nudge {
                    nudge.close();
                }
                let folded = folding.join().map_err(panicked)?;
                folded.and(journal.close())
            }
        }
    }
}

impl Drop for Inner {
    /// What was acknowledged is safe in the journal; the next open carries it over.
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.0.store.place())
    }
}

async fn start_journaled(
    directory: &Path,
    mut folder: Folder,
    ids: &Ids,
    queue: &Arc<Queue>,
) -> Result<(Option<Nudge>, Writer), LedgerError> {
    let journal = Journal::open(directory, ids.next(), SEGMENT_BYTES)?;
    take_over(directory, &mut folder).await?;
    let progress = journal.progress();
    let folding = FoldThread::start(folder, new_runtime()?, progress, Arc::clone(queue));
    let (nudge, folding) = folding.map_err(|error| thread_failed(&error))?;
    let journal = journal_thread::start(journal, Arc::clone(queue), nudge.clone());
    let journal = journal.map_err(|error| thread_failed(&error))?;
    Ok((Some(nudge), Writer::Journaled { journal, folding }))
}

/// Carries over what processes that died had acknowledged.
async fn take_over(directory: &Path, folder: &mut Folder) -> Result<(), LedgerError> {
    let mut removed: Vec<PathBuf> = Vec::new();
    for orphan in find_orphans(directory)? {
        for recovered in orphan.recovered() {
            let recovered = recovered?;
            let name = journal_name(&recovered.path);
            let mut from = folder.position_of(&name).await?.unwrap_or(HEADER_BYTES);
            let end = recovered.bytes.len() as u64;
            while from < end {
                let start = usize::try_from(from).unwrap_or(usize::MAX);
                let stop = recovered.bytes.len().min(start + BATCH_BYTES);
                let bytes = recovered.bytes.get(start..stop).unwrap_or_default();
                let (texts, taken) = whole_frames(bytes, recovered.nonce, from);
                if taken == 0 {
                    return Err(LedgerError::JournalDamaged {
                        path: recovered.path,
                        offset: from,
                    });
                }
                let to = from + taken as u64;
                let batch = Batch {
                    texts,
                    position: Some(Position {
                        journal: &name,
                        from,
                        to,
                    }),
                };
                folder.fold(&batch, Sign::WhenDue).await?;
                from = to;
            }
        }
        if folder.make_durable().await? {
            removed.extend(orphan.remove()?);
        }
    }
    let mut names: Vec<_> = removed.iter().map(|path| journal_name(path)).collect();
    // A process killed between deleting a file and forgetting it leaves a name without a file.
    let known = folder.journals().await?;
    names.extend(
        known
            .into_iter()
            .filter(|name| !directory.join(name).exists()),
    );
    folder.forget(&names).await
}

fn new_runtime() -> Result<Runtime, LedgerError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| thread_failed(&error))
}

fn thread_failed(error: &std::io::Error) -> LedgerError {
    LedgerError::Inconsistent(format!("cannot start a thread: {error}"))
}

/// A process's name in the table of journal positions where it has no journal.
pub(crate) fn direct_name(writer: Uuid) -> String {
    format!("direct-{}", writer.simple())
}
