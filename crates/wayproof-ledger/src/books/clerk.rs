//! The thread that keeps the books: it takes what waits, does all of it in one transaction, and answers.
//!
//! Its commits are synced, so that no power cut gives money back. A settlement that the database refuses waits and is
//! tried again; a hold that it refuses is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sqlx::{AnyConnection, Connection as _, Executor as _};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;
use wayproof_engine::{Budget, Subject};

use super::turn::{Settlement, Suspects, Turn};
use super::work::{AccountId, Edit, Held, Hold, HoldError, Ledgered};
use super::{Account, Register, Shared, rows};
use crate::clock::Clock;
use crate::error::LedgerError;
use crate::store::{Location, Store};

/// How many commands go into one transaction.
const MOST_AT_ONCE: usize = 256;

/// How often a gateway that holds something gives a sign of life, and settlements that failed are tried again.
const BEAT: Duration = Duration::from_secs(5);

/// A database that does not answer within this is taken for unreachable.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where an answer goes.
type Reply<T, E = LedgerError> = oneshot::Sender<Result<T, E>>;

pub(super) enum Command {
    Look(Reply<()>),
    Hold(Hold, Reply<(), HoldError>),
    Settle(String, Option<i64>),
    Edit(Edit, Reply<()>),
    Accounts(Asked, Reply<Vec<Account>>),
}

/// Which accounts are meant.
pub(super) struct Asked {
    pub(super) subject: Subject,
    /// Only those of this span.
    pub(super) span: Option<String>,
    pub(super) at_most: u32,
}

pub(super) struct Clerk {
    store: Store,
    clock: Clock,
    holder: String,
    shared: Arc<Shared>,
    runtime: Runtime,
    commands: Receiver<Command>,
    connection: Option<AnyConnection>,
    /// What this process holds.
    held: BTreeMap<String, Held>,
    /// What is to be settled.
    due: Vec<Settlement>,
    /// Whether some transaction may or may not have counted.
    is_doubtful: bool,
    searched_us: Option<i64>,
    suspects: Suspects,
    is_failing: bool,
}

/// What waits, sorted by what it needs.
#[derive(Default)]
struct Waiting {
    looks: Vec<Reply<()>>,
    holds: Vec<(Hold, Reply<(), HoldError>)>,
    edits: Vec<(Edit, Reply<()>)>,
    accounts: Vec<(Asked, Reply<Vec<Account>>)>,
}

impl Clerk {
    pub(super) fn start(
        store: Store,
        clock: Clock,
        holder: &str,
        shared: Arc<Shared>,
    ) -> Result<(Sender<Command>, JoinHandle<()>), std::io::Error> {
        let (sender, commands) = channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let clerk = Self {
            store,
            clock,
            holder: holder.to_owned(),
            shared,
            runtime,
            commands,
            connection: None,
            held: BTreeMap::new(),
            due: Vec::new(),
            is_doubtful: false,
            searched_us: None,
            suspects: Suspects::new(),
            is_failing: false,
        };
        let thread = thread::Builder::new()
            .name("wayproof-books".to_owned())
            .spawn(move || clerk.run())?;
        Ok((sender, thread))
    }

    fn run(mut self) {
        loop {
            let is_busy = !self.held.is_empty() || !self.due.is_empty();
            let first = if is_busy {
                match self.commands.recv_timeout(BEAT) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            } else {
                match self.commands.recv() {
                    Ok(command) => Some(command),
                    Err(_) => break,
                }
            };
            let mut waiting = Waiting::default();
            let more = std::iter::from_fn(|| self.commands.try_recv().ok());
            let all: Vec<_> = first.into_iter().chain(more.take(MOST_AT_ONCE)).collect();
            for command in all {
                self.sort(command, &mut waiting);
            }
            self.serve(waiting);
        }
        self.end();
    }

    fn sort(&mut self, command: Command, waiting: &mut Waiting) {
        match command {
            Command::Look(reply) => waiting.looks.push(reply),
            Command::Hold(hold, reply) => waiting.holds.push((hold, reply)),
            Command::Edit(edit, reply) => waiting.edits.push((edit, reply)),
            Command::Accounts(asked, reply) => waiting.accounts.push((asked, reply)),
            Command::Settle(exchange, cost) => match self.held.remove(&exchange) {
                Some(held) => self.due.push((exchange, held, cost)),
                // Whoever wanted it went away before anything was held. What holds nothing has nothing to settle.
                None => waiting.holds.retain(|(hold, _)| hold.exchange != exchange),
            },
        }
    }

    fn serve(&mut self, waiting: Waiting) {
        let Waiting {
            looks,
            holds,
            edits,
            accounts,
        } = waiting;
        let is_quiet =
            holds.is_empty() && edits.is_empty() && self.due.is_empty() && self.held.is_empty();
        let looked = if is_quiet {
            self.look()
        } else {
            self.write(holds, edits)
        };
        for (asked, reply) in accounts {
            let read = self.accounts(asked);
            // Whoever asked may have stopped waiting; so for every reply.
            drop(reply.send(read));
        }
        for reply in looks {
            drop(reply.send(looked.clone()));
        }
        self.tell(&looked);
    }

    /// A failure is told once, and its end.
    fn tell(&mut self, outcome: &Result<(), LedgerError>) {
        match outcome {
            Err(error) if !self.is_failing => tracing::error!(%error, "the books cannot be kept"),
            Ok(()) if self.is_failing => tracing::info!("the books are kept again"),
            Ok(()) | Err(_) => {}
        }
        self.is_failing = outcome.is_err();
    }

    /// Reads what operators set, if it changed.
    fn look(&mut self) -> Result<(), LedgerError> {
        let known = self.shared_version();
        let store = self.store.clone();
        let read = self.with_connection(async move |connection| {
            let version = rows::version(connection)
                .await
                .map_err(store.failed("read"))?;
            if Some(version) == known {
                return Ok(None);
            }
            let register = rows::register(connection, version).await;
            register.map(Some).map_err(store.failed("read"))
        })?;
        self.show(read);
        Ok(())
    }

    fn accounts(&mut self, asked: Asked) -> Result<Vec<Account>, LedgerError> {
        let store = self.store.clone();
        let Asked {
            subject,
            span,
            at_most,
        } = asked;
        self.with_connection(async move |connection| {
            let read = match &span {
                None => rows::accounts(connection, &subject.to_string(), at_most).await,
                Some(span) => rows::accounts_in(connection, &subject, span, at_most).await,
            };
            read.map_err(store.failed("read"))
        })
    }

    /// The version that others see; none before the first look.
    fn shared_version(&self) -> Option<i64> {
        let has_looked = self
            .shared
            .looked_us
            .load(std::sync::atomic::Ordering::Relaxed)
            != 0;
        let register = self.shared.register.read();
        let register = register.unwrap_or_else(std::sync::PoisonError::into_inner);
        has_looked.then_some(register.version)
    }

    fn show(&self, register: Option<Register>) {
        if let Some(register) = register {
            self.shared.show(register);
        }
        self.shared
            .looked_us
            .store(self.clock.now_us(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Everything that changes something, in one transaction.
    fn write(
        &mut self,
        holds: Vec<(Hold, Reply<(), HoldError>)>,
        edits: Vec<(Edit, Reply<()>)>,
    ) -> Result<(), LedgerError> {
        let (asked, hold_replies): (Vec<_>, Vec<_>) = holds.into_iter().unzip();
        let (edits, edit_replies): (Vec<_>, Vec<_>) = edits.into_iter().unzip();
        let turn = self.turn(!asked.is_empty());
        let due = std::mem::take(&mut self.due);
        let done = self.with_connection(async |connection| {
            turn.transact(connection, &due, &asked, &edits).await
        });
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                self.due = due;
                self.is_doubtful = true;
                for reply in hold_replies {
                    drop(reply.send(Err(HoldError::Ledger(error.clone()))));
                }
                for reply in edit_replies {
                    drop(reply.send(Err(error.clone())));
                }
                return Err(error);
            }
        };
        self.is_doubtful = false;
        self.searched_us = done.searched_us.or(self.searched_us);
        self.suspects = done.suspects;
        self.show(done.register);
        self.show_balances(&done.ledgered);
        for ((hold, reply), outcome) in asked.into_iter().zip(hold_replies).zip(done.holds) {
            let told = match outcome {
                Ok(held) => {
                    self.held.insert(hold.exchange.clone(), held);
                    reply.send(Ok(()))
                }
                Err(overdrawn) => reply.send(Err(HoldError::Overdrawn(Box::new(overdrawn)))),
            };
            // Nobody waits for it any more, so nothing is sent on it.
            if told.is_err()
                && let Some(held) = self.held.remove(&hold.exchange)
            {
                self.due.push((hold.exchange, held, Some(0)));
            }
        }
        for reply in edit_replies {
            drop(reply.send(Ok(())));
        }
        Ok(())
    }

    /// What a transaction needs to know.
    fn turn(&self, asks_for_holds: bool) -> Turn {
        let known = self.shared_version();
        Turn {
            store: self.store.clone(),
            clock: self.clock.clone(),
            holder: self.holder.clone(),
            known: self.shared.register.read().map_or_else(
                |poisoned| Arc::clone(&poisoned.into_inner()),
                |register| Arc::clone(&register),
            ),
            is_known: known.is_some(),
            ours: self.is_doubtful.then(|| {
                let due = self.due.iter().map(|(exchange, ..)| exchange.clone());
                self.held.keys().cloned().chain(due).collect()
            }),
            holds_something: !self.held.is_empty() || asks_for_holds,
            searched_us: self.searched_us,
            suspects: self.suspects.clone(),
        }
    }

    fn show_balances(&self, ledgered: &Ledgered) {
        let register = self.shared.register.read();
        let register = register.unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_soft = |budget: &&Budget| budget.soft_nano_usd.is_some();
        let soft: Vec<&Budget> = register.budgets.iter().filter(is_soft).collect();
        let kinds: BTreeSet<&str> = soft
            .iter()
            .map(|budget| budget.subject.kind.as_str())
            .collect();
        let is_watched = |(subject, _): &AccountId| {
            let kind = subject.split(':').next().unwrap_or_default();
            kinds.contains(kind)
        };
        let shown = ledgered
            .balances
            .iter()
            .filter(|(account, _)| is_watched(account));
        self.shared
            .show_balances(shown.map(|(account, balance)| (account.clone(), *balance)));
    }

    fn with_connection<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let known = self.connection.take();
        let store = self.store.clone();
        let silent = || LedgerError::Unreachable {
            place: store.place(),
            detail: format!("no answer within {} seconds", PATIENCE.as_secs()),
        };
        let outcome = self.runtime.block_on(async {
            let all = async {
                let mut connection = match known {
                    Some(connection) => connection,
                    None => connect(&store).await?,
                };
                let done = work(&mut connection).await?;
                Ok::<_, LedgerError>((connection, done))
            };
            timeout(PATIENCE, all).await.map_err(|_| silent())?
        });
        let (connection, done) = outcome?;
        self.connection = Some(connection);
        Ok(done)
    }

    /// What is still to be settled gets its last chance; what is held by then is charged by whoever finds it.
    fn end(mut self) {
        if !self.due.is_empty()
            && let Err(error) = self.write(Vec::new(), Vec::new())
        {
            tracing::error!(%error, exchanges = self.due.len(), "exchanges stay charged with the most they can cost");
        }
        let Some(connection) = self.connection.take() else {
            return;
        };
        if let Err(error) = self.runtime.block_on(connection.close()) {
            tracing::debug!(%error, "the books' connection did not close");
        }
    }
}

/// A connection whose commits are synced.
async fn connect(store: &Store) -> Result<AnyConnection, LedgerError> {
    let mut connection = store.connect().await?;
    if let Location::Sqlite(_) = store.location() {
        connection
            .execute("PRAGMA synchronous = FULL")
            .await
            .map_err(store.failed("open"))?;
    }
    Ok(connection)
}
