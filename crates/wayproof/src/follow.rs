//! Follows the ledger and tells somebody else what happens: receivers of OpenTelemetry, webhooks.
//!
//! It runs beside the gateway and never in a request's way. What was told is written down after it was taken, so a
//! crash tells a few events twice and none never.

pub(crate) mod otlp;
mod position;
pub(crate) mod webhook;

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{sync::oneshot, task::JoinHandle, time};
use wayproof_ledger::{Ledger, StoredEvent};

pub(crate) use self::position::Position;
use crate::exit::Broken;

/// Events read at once.
const PAGE: u32 = 500;
/// How often the ledger is looked at while nothing happens.
const LOOK: Duration = Duration::from_millis(500);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// How long a receiver that does not answer is waited for when the program ends.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// How often one batch is tried when nobody will come back for it.
const TRIES_ONCE: u32 = 5;
/// The most of a receiver's words that are repeated.
const MOST_WORDS: usize = 200;

/// Why a batch was not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It may be taken later; the receiver may say when.
    Later(String, Option<Duration>),
    /// It will never be taken.
    Never(String),
}

/// Somebody who is told.
pub(crate) trait Receiver: Send {
    /// Takes in what was told before.
    fn recall(&mut self, stored: &StoredEvent);
    /// Takes in what is to be told.
    fn observe(&mut self, stored: &StoredEvent);
    /// Looks at what no event tells of.
    fn watch(&mut self, _ledger: &Ledger) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }
    /// The place of the oldest event that is still needed.
    fn oldest_open(&self) -> Option<i64>;
    /// Whether there is enough to tell for one batch.
    fn is_full(&self) -> bool;
    /// Makes one batch of what waits; false when nothing does.
    fn pack(&mut self, now_us: i64) -> bool;
    /// Sends the batch; it is kept until it is taken.
    fn send(&mut self) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// Gives the batch up.
    fn drop_batch(&mut self);
    /// Who it is, without secrets.
    fn name(&self) -> &str;
}

/// A receiver, how far it was told, and the ledger it is told of.
#[derive(Debug)]
pub(crate) struct Follow<R> {
    pub(crate) ledger: Ledger,
    pub(crate) receiver: R,
    pub(crate) position: Position,
}

/// What was told in one go.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub(crate) struct Told {
    /// Events gone through.
    pub(crate) events: u64,
    /// Batches taken by the receiver.
    pub(crate) batches: u64,
}

impl<R: Receiver> Follow<R> {
    /// Tells everything up to now. What is refused is an error.
    pub(crate) async fn once(mut self) -> Result<Told> {
        self.ledger.flush().await.context("reading the ledger")?;
        self.remember().await?;
        let mut told = Told::default();
        loop {
            let page = self.page().await?;
            told.events += page.len() as u64;
            let is_last = page.is_empty();
            if (is_last || self.receiver.is_full()) && self.pack() {
                self.send_once().await?;
                told.batches += 1;
            }
            if is_last {
                self.save();
                return Ok(told);
            }
        }
    }

    async fn send_once(&mut self) -> Result<()> {
        let mut wait = FIRST_WAIT;
        for tries in 1.. {
            let (why, asked) = match self.receiver.send().await {
                Ok(()) => break,
                Err(Refusal::Never(why)) => return Err(self.refused(&why)),
                Err(Refusal::Later(why, asked)) => (why, asked),
            };
            if tries == TRIES_ONCE {
                return Err(self.refused(&why));
            }
            time::sleep(asked.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
        }
        self.save();
        Ok(())
    }

    fn refused(&self, why: &str) -> anyhow::Error {
        Broken(format!("{} took nothing more: {why}", self.receiver.name())).into()
    }

    /// Tells what happens until it is stopped.
    pub(crate) fn start(self) -> Following
    where
        R: 'static,
    {
        let (stop, stopped) = oneshot::channel();
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever holds the follower waits for it"
        )]
        let task = tokio::spawn(self.until(stopped));
        Following { stop, task }
    }

    async fn until(mut self, mut stopped: oneshot::Receiver<()>) {
        tokio::select! {
            () = self.forever() => return,
            // A dropped sender means the same as a message.
            _ = &mut stopped => {}
        }
        let name = self.receiver.name().to_owned();
        match time::timeout(LAST_WAIT, self.last()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(receiver = name, error = %format!("{error:#}"), "the last events were not told");
            }
            Err(_elapsed) => {
                tracing::warn!(receiver = name, "the last events were not told in time");
            }
        }
    }

    /// Tells what is left, trying once.
    async fn last(&mut self) -> Result<()> {
        self.ledger.flush().await?;
        loop {
            let page = self.page().await?;
            self.receiver.watch(&self.ledger).await?;
            if self.pack() && self.receiver.send().await.is_ok() {
                self.save();
            }
            if page.is_empty() {
                return Ok(());
            }
        }
    }

    async fn forever(&mut self) {
        let mut wait = FIRST_WAIT;
        while let Err(error) = self.remember().await {
            self.warn(&format!("{error:#}"));
            time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        loop {
            let is_idle = match self.page().await {
                Ok(page) => page.len() < PAGE as usize,
                Err(error) => {
                    self.warn(&format!("{error:#}"));
                    true
                }
            };
            if let Err(error) = self.receiver.watch(&self.ledger).await {
                self.warn(&format!("{error:#}"));
            }
            if (is_idle || self.receiver.is_full()) && self.pack() {
                self.deliver().await;
            }
            if is_idle {
                time::sleep(LOOK).await;
            }
        }
    }

    /// Tries one batch until it is taken or cannot be.
    async fn deliver(&mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let (why, asked) = match self.receiver.send().await {
                Ok(()) => break,
                Err(Refusal::Never(why)) => {
                    self.warn(&format!("it refuses a batch, which is left out: {why}"));
                    self.receiver.drop_batch();
                    break;
                }
                Err(Refusal::Later(why, asked)) => (why, asked),
            };
            if wait == FIRST_WAIT {
                self.warn(&format!("it takes nothing now and is asked again: {why}"));
            }
            time::sleep(asked.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        self.save();
    }

    fn pack(&mut self) -> bool {
        let now = self.ledger.clock().now_us();
        self.receiver.pack(now)
    }

    /// Goes through the next events.
    async fn page(&mut self) -> Result<Vec<StoredEvent>> {
        let page = self
            .ledger
            .events(self.position.from, PAGE)
            .await
            .context("reading events")?;
        for stored in &page {
            self.receiver.observe(stored);
            self.position.from = stored.seq + 1;
        }
        Ok(page)
    }

    /// Goes once more through what was told already and is needed for what comes.
    async fn remember(&mut self) -> Result<()> {
        let mut at = self.position.warm;
        while at < self.position.from {
            let left = u32::try_from(self.position.from - at).unwrap_or(PAGE);
            let page = self.ledger.events(at, PAGE.min(left)).await?;
            let Some(last) = page.last() else { break };
            at = last.seq + 1;
            for stored in page.iter().filter(|stored| stored.seq < self.position.from) {
                self.receiver.recall(stored);
            }
        }
        self.position.warm = self.position.from;
        Ok(())
    }

    /// Writes down what was told. Where that fails some of it is told again, which receivers can bear.
    fn save(&mut self) {
        let open = self.receiver.oldest_open().unwrap_or(self.position.from);
        self.position.warm = open.min(self.position.from);
        if let Err(error) = self.position.save() {
            self.warn(&format!(
                "how far it was told could not be written: {error:#}"
            ));
        }
    }

    fn warn(&self, why: &str) {
        tracing::warn!(receiver = self.receiver.name(), "{why}");
    }
}

/// A follower at work.
#[derive(Debug)]
pub(crate) struct Following {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Following {
    /// A task, and what stops it.
    pub(crate) const fn new(stop: oneshot::Sender<()>, task: JoinHandle<()>) -> Self {
        Self { stop, task }
    }

    /// Tells the last of it, within a few seconds.
    pub(crate) async fn finish(self) -> Result<()> {
        // A follower that has ended by itself is not there to be told.
        let _told = self.stop.send(());
        self.task
            .await
            .context("waiting for a follower of the ledger")
    }
}

/// What a receiver says, where it is text.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MOST_WORDS).collect()
}
