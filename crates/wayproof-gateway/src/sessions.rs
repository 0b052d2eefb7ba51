//! What the gateway remembers of conversations: bounded, least recently used first out.
//!
//! A session is kept under its caller, so that nobody reaches another's by guessing its name.
//! Forgetting one costs routing its history, never the ledger anything.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wayproof_engine::SessionState;
use wayproof_wire::{Loss, Request};

use crate::envelope::Envelope;
use crate::origins::Origins;

/// One conversation's memory.
#[derive(Debug)]
pub(crate) struct Session {
    state: Mutex<SessionState>,
    envelope: Mutex<Envelope>,
    /// A digest of the losses that were last told.
    told: AtomicU64,
    origins: Origins,
    /// The repository that was last named.
    repo: Mutex<Option<String>>,
    /// Whether images were shown in it.
    has_images: AtomicBool,
    /// The last exchanges that this process answered in it.
    met: Mutex<VecDeque<String>>,
}

/// How many of a conversation's exchanges are known to be this process's own.
const MOST_MET: usize = 64;

impl Session {
    /// A memory that begins with this state.
    pub(crate) fn new(state: SessionState) -> Self {
        Self::resumed(state, Envelope::default())
    }

    /// The same for a job that had spent something before.
    pub(crate) fn resumed(state: SessionState, envelope: Envelope) -> Self {
        Self {
            state: Mutex::new(state),
            envelope: Mutex::new(envelope),
            told: AtomicU64::new(0),
            origins: Origins::default(),
            repo: Mutex::new(None),
            has_images: AtomicBool::new(false),
            met: Mutex::default(),
        }
    }

    /// Notes an exchange that this process answers.
    pub(crate) fn meet(&self, exchange: &str) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if met.len() >= MOST_MET {
            met.pop_front();
        }
        met.push_back(exchange.to_owned());
    }

    /// Whether this process answered an exchange, as far as it remembers.
    pub(crate) fn has_met(&self, exchange: &str) -> bool {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.iter().any(|known| known == exchange)
    }

    /// The repository its agent works in: the one that is named now, else the one that was.
    pub(crate) fn works_in(&self, named: Option<String>) -> Option<String> {
        let mut repo = self.repo.lock().unwrap_or_else(PoisonError::into_inner);
        if named.is_some() {
            *repo = named;
        }
        repo.clone()
    }

    /// Whether images are shown in it. What was shown stays in the conversation, so only what is new is looked at.
    pub(crate) fn shows_images(&self, request: &Request<'_>, acquaintance: Acquaintance) -> bool {
        let from = match acquaintance {
            Acquaintance::Known => request.first_new(),
            Acquaintance::New => 0,
        };
        let shows = self.has_images.load(Ordering::Relaxed) || request.has_images(from);
        self.has_images.store(shows, Ordering::Relaxed);
        shows
    }

    /// Whether these losses are others than those that were told last.
    pub(crate) fn is_news(&self, losses: &[Loss]) -> bool {
        let mut hasher = DefaultHasher::new();
        for loss in losses {
            (loss.kind, &loss.name).hash(&mut hasher);
        }
        let digest = hasher.finish();
        self.told.swap(digest, Ordering::Relaxed) != digest
    }

    /// Who sealed which of its reasoning.
    pub(crate) const fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Locks what its job may still spend.
    pub(crate) fn envelope(&self) -> MutexGuard<'_, Envelope> {
        self.envelope.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the memory for one step; never held across a wait.
    pub(crate) fn lock(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquaintance {
    /// It is remembered.
    Known,
    /// It is new, or has been forgotten.
    New,
}

/// All sessions that are remembered.
#[derive(Debug)]
pub(crate) struct Sessions {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    clock: u64,
    by_key: BTreeMap<Arc<str>, Entry>,
    by_use: BTreeMap<u64, Arc<str>>,
}

#[derive(Debug)]
struct Entry {
    session: Arc<Session>,
    used: u64,
}

impl Sessions {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            inner: Mutex::default(),
        }
    }

    /// Finds a session under its key, or begins it.
    pub(crate) fn find_or_begin(
        &self,
        key: &str,
        begin: impl FnOnce() -> SessionState,
    ) -> (Arc<Session>, Acquaintance) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = inner.touch(key) {
            return (session, Acquaintance::Known);
        }
        let session = Arc::new(Session::new(begin()));
        inner.insert(key.into(), &session);
        let forgotten = (inner.by_key.len() > self.most).then(|| inner.pop_oldest());
        drop(inner);
        drop(forgotten);
        (session, Acquaintance::New)
    }

    /// The session under a key, if it is remembered.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Session>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .by_key
            .get(key)
            .map(|entry| Arc::clone(&entry.session))
    }

    /// The session that works on a job, if one does. It looks through all of them, so it is not for the path of
    /// requests.
    pub(crate) fn of_job(&self, id: &str) -> Option<Arc<Session>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<Arc<Session>> = inner
            .by_key
            .values()
            .map(|entry| Arc::clone(&entry.session))
            .collect();
        drop(inner);
        all.into_iter().find(|session| {
            let state = session.lock();
            state.job.as_ref().is_some_and(|job| job.id == id)
        })
    }

    /// How many sessions are remembered.
    pub(crate) fn len(&self) -> usize {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_key
            .len()
    }
}

impl Inner {
    fn touch(&mut self, key: &str) -> Option<Arc<Session>> {
        let entry = self.by_key.get_mut(key)?;
        if let Some(name) = self.by_use.remove(&entry.used) {
            self.clock += 1;
            entry.used = self.clock;
            self.by_use.insert(self.clock, name);
        }
        Some(Arc::clone(&entry.session))
    }

    fn insert(&mut self, key: Arc<str>, session: &Arc<Session>) {
        self.clock += 1;
        let entry = Entry {
            session: Arc::clone(session),
            used: self.clock,
        };
        self.by_use.insert(self.clock, Arc::clone(&key));
        self.by_key.insert(key, entry);
    }

    fn pop_oldest(&mut self) -> Option<Entry> {
        let (_, key) = self.by_use.pop_first()?;
        self.by_key.remove(&key)
    }
}
