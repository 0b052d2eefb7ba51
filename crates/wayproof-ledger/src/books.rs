//! The books: keys, people and budgets that operators set, and what each budget has left.
//!
//! An exchange that costs money is held for before it is sent, for the most it can cost, and settled for what it did
//! cost. One thread does all of it, many at a time in one transaction, and processes that share a ledger take turns, so
//! nothing is ever held or spent beyond a limit. What a process that died had held is charged in full, unless the
//! ledger knows what it cost.

mod clerk;
mod register;
mod rows;
mod turn;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use serde::Serialize;
use tokio::sync::oneshot;
use wayproof_engine::{Budget, Subject, Window};

pub use register::{FormerDigest, Key, Person, Register, Role};
pub use work::{Hold, HoldError, Holder, Overdrawn};

use crate::clock::Clock;
use crate::error::LedgerError;
use clerk::{Asked, Clerk, Command};
use work::Edit;

/// What one budget has left in one span, as far as this process knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Held back for exchanges under way.
    pub held_nano_usd: i64,
    /// Spent.
    pub spent_nano_usd: i64,
}

impl Balance {
    /// Both together.
    pub const fn used(self) -> i64 {
        self.held_nano_usd.saturating_add(self.spent_nano_usd)
    }
}

/// An account as it is kept: whose, in which span, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Whose budget.
    pub subject: String,
    /// Which span of its window.
    pub span: String,
    /// How it stands.
    #[serde(flatten)]
    pub balance: Balance,
}

/// The books of an open ledger. Clones share them.
#[derive(Clone)]
pub struct Books(Arc<Inner>);

struct Inner {
    commands: Mutex<Option<Sender<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
    clock: Clock,
}

/// What the thread lets others see.
#[derive(Default)]
struct Shared {
    register: RwLock<Arc<Register>>,
    looked_us: AtomicI64,
    /// Balances of budgets with a soft limit, by subject and span.
    balances: Mutex<BTreeMap<(String, String), Balance>>,
}

impl Books {
    /// Opens the books over a database that is set up.
    pub(crate) fn open(
        store: crate::store::Store,
        clock: Clock,
        holder: &str,
    ) -> Result<Self, std::io::Error> {
        let shared = Arc::new(Shared::default());
        let (sender, thread) = Clerk::start(store, clock.clone(), holder, Arc::clone(&shared))?;
        Ok(Self(Arc::new(Inner {
            commands: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            shared,
            clock,
        })))
    }

    /// Keys, people and budgets as of the last look.
    pub fn register(&self) -> Arc<Register> {
        let register = self.0.shared.register.read();
        Arc::clone(&register.unwrap_or_else(PoisonError::into_inner))
    }

    /// Keys, people and budgets as they were at most so many microseconds ago, on any gateway of the ledger.
    ///
    /// # Errors
    /// When the database does not answer; the last look stays what it was.
    pub async fn fresh(&self, at_most_us: i64) -> Result<Arc<Register>, LedgerError> {
        let age = self.age_us();
        // A clock that was set back makes the look seem to be in the future.
        if (0..=at_most_us).contains(&age) {
            return Ok(self.register());
        }
        self.ask(Command::Look).await??;
        Ok(self.register())
    }

    /// Has the books looked at, without waiting for it, if the last look is longer ago.
    pub fn freshen(&self, at_most_us: i64) {
        if (0..=at_most_us).contains(&self.age_us()) {
            return;
        }
        self.0
            .shared
            .looked_us
            .store(self.0.clock.now_us(), Ordering::Relaxed);
        let (reply, _nobody) = oneshot::channel();
        self.send(Command::Look(reply));
    }

    fn age_us(&self) -> i64 {
        let looked = self.0.shared.looked_us.load(Ordering::Relaxed);
        self.0.clock.now_us().saturating_sub(looked)
    }

    /// Holds the most an exchange can cost on every budget it draws on, or on none.
    ///
    /// # Errors
    /// When some budget has not so much left, or the database does not answer: either way nothing is held.
    pub async fn hold(&self, hold: Hold) -> Result<(), HoldError> {
        let held = self.ask(|reply| Command::Hold(hold, reply)).await;
        held.map_err(HoldError::Ledger)?
    }

    /// Puts what an exchange really cost in the place of what was held for it; unknown is what was held.
    ///
    /// It is done in a moment and tried again until it is.
    pub fn settle(&self, exchange: &str, cost_nano_usd: Option<i64>) {
        self.send(Command::Settle(exchange.to_owned(), cost_nano_usd));
    }

    /// How a budget stands in the span of a moment, as far as this process knows; nothing is known of budgets without a
    /// soft limit.
    pub fn balance(&self, subject: &Subject, window: Window, at_us: i64) -> Balance {
        let key = (subject.to_string(), window.span(at_us));
        let balances = self.0.shared.balances.lock();
        let balances = balances.unwrap_or_else(PoisonError::into_inner);
        balances.get(&key).copied().unwrap_or_default()
    }

    /// Keeps a key, a new one or in the place of one with the same id.
    ///
    /// # Errors
    /// When another key has the name, or the database does not answer.
    pub async fn put_key(&self, key: Key) -> Result<(), LedgerError> {
        self.edit(Edit::PutKey(Box::new(key))).await
    }

    /// Takes a key off the list, as if it had never been given out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_key(&self, id: &str) -> Result<(), LedgerError> {
        self.edit(Edit::RemoveKey(id.to_owned())).await
    }

    /// Keeps a person in the place of one with the same name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn put_person(&self, person: Person) -> Result<(), LedgerError> {
        self.edit(Edit::PutPerson(person)).await
    }

    /// Forgets a person.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_person(&self, name: &str) -> Result<(), LedgerError> {
        self.edit(Edit::RemovePerson(name.to_owned())).await
    }

    /// Sets a budget in the place of one for the same subject and window.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn put_budget(&self, budget: Budget) -> Result<(), LedgerError> {
        self.edit(Edit::PutBudget(budget)).await
    }

    /// Lifts a budget. What was spent on its account stays known.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_budget(
        &self,
        subject: &Subject,
        window: Window,
    ) -> Result<(), LedgerError> {
        self.edit(Edit::RemoveBudget(subject.clone(), window)).await
    }

    /// Every account that was ever drawn on, by subject and span, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn accounts(
        &self,
        subject: &Subject,
        at_most: u32,
    ) -> Result<Vec<Account>, LedgerError> {
        self.accounts_of(subject, None, at_most).await
    }

    /// The accounts of a subject in one span, at most so many; of a `*` those that spent most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn accounts_in(
        &self,
        subject: &Subject,
        span: &str,
        at_most: u32,
    ) -> Result<Vec<Account>, LedgerError> {
        self.accounts_of(subject, Some(span), at_most).await
    }

    async fn accounts_of(
        &self,
        subject: &Subject,
        span: Option<&str>,
        at_most: u32,
    ) -> Result<Vec<Account>, LedgerError> {
        let asked = Asked {
            subject: subject.clone(),
            span: span.map(str::to_owned),
            at_most,
        };
        self.ask(|reply| Command::Accounts(asked, reply)).await?
    }

    async fn edit(&self, edit: Edit) -> Result<(), LedgerError> {
        self.ask(|reply| Command::Edit(edit, reply)).await?
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply));
        answer.await.map_err(|_| LedgerError::Closed)
    }

    fn send(&self, command: Command) {
        let commands = self.0.commands.lock();
        let commands = commands.unwrap_or_else(PoisonError::into_inner);
        // Once the books are closed nobody answers, which is what the one who asks is told.
        if let Some(commands) = commands.as_ref()
            && commands.send(command).is_err()
        {
            tracing::debug!("the thread of the books has ended");
        }
    }

    /// Settles what waits to be settled and lets go of the database.
    pub(crate) fn close(&self) -> Result<(), LedgerError> {
        let take = |commands: &Mutex<Option<Sender<Command>>>| {
            commands
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        };
        drop(take(&self.0.commands));
        let thread = self.0.thread.lock();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), |thread| {
            thread.join().map_err(|_| {
                LedgerError::Inconsistent("the thread of the books panicked".to_owned())
            })
        })
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").finish_non_exhaustive()
    }
}

impl Shared {
    fn show(&self, register: Register) -> Arc<Register> {
        let register = Arc::new(register);
        let mut shown = self
            .register
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *shown = Arc::clone(&register);
        register
    }

    fn show_balances(&self, shown: impl IntoIterator<Item = ((String, String), Balance)>) {
        let mut balances = self.balances.lock().unwrap_or_else(PoisonError::into_inner);
        balances.extend(shown);
    }
}
