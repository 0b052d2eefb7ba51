//! Jobs that were opened through the admin pages: each has a key, and every exchange made with the key
//! belongs to the job, whatever session the agent says it is in.
//!
//! Keys are kept as digests. A job that this process does not know is looked up in the ledger, so that
//! an agent survives a restart of its gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use wayproof_engine::{Evidence, EvidenceKind, Failure, Grade, Outcome, SessionState, TaskName};
use wayproof_ledger::{EventBody, JobOpened, Ledger, ReviewRecorded};

use crate::envelope::Envelope;
use crate::keys::KeyDigest;
use crate::sessions::{Acquaintance, Session};

/// One job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) digest: KeyDigest,
    pub(crate) task: Option<TaskName>,
    pub(crate) paths: Vec<String>,
    /// The id of the key it was opened with.
    pub(crate) opened_with: Option<String>,
    /// The repository it was opened for.
    pub(crate) repo: Option<String>,
    /// What is remembered of its work, over all sessions of its agents.
    pub(crate) session: Arc<Session>,
    met: Mutex<BTreeSet<String>>,
    pending: Mutex<Vec<Evidence>>,
    obligation: watch::Sender<Obligation>,
}

/// How far it is fixed what a job owes, where its opener said that it would fix that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obligation {
    /// Nobody is waited for: it is frozen, or the opener made no promise.
    Settled,
    /// The task is not known yet.
    Unknown,
    /// The task is known, and the opener's word is awaited.
    Due(TaskName),
}

/// How long an answer waits for what its job owes. The opener watches for the task, so it takes milliseconds.
const FREEZE_PATIENCE: Duration = Duration::from_secs(30);

/// How many of a job's sessions are remembered as met.
const MAX_MET: usize = 256;

impl Job {
    pub(crate) fn new(
        id: String,
        digest: KeyDigest,
        task: Option<TaskName>,
        paths: Vec<String>,
        obligation: Obligation,
    ) -> Self {
        let session = Arc::new(Session::new(SessionState::new(id.clone())));
        Self {
            id,
            digest,
            task,
            paths,
            opened_with: None,
            repo: None,
            session,
            met: Mutex::default(),
            pending: Mutex::default(),
            obligation: watch::Sender::new(obligation),
        }
    }

    /// With whose key and for which repository it was opened.
    pub(crate) fn opened_by(mut self, opened: &JobOpened) -> Self {
        self.opened_with.clone_from(&opened.opened_with);
        self.repo.clone_from(&opened.repo);
        self
    }

    /// Notes which task the job's first ask turned out to be.
    pub(crate) fn classified(&self, task: &TaskName) {
        self.obligation.send_if_modified(|obligation| {
            let is_news = *obligation == Obligation::Unknown;
            if is_news {
                *obligation = Obligation::Due(task.clone());
            }
            is_news
        });
    }

    /// Notes that what the job owes is in the ledger.
    pub(crate) fn frozen(&self) {
        self.obligation.send_replace(Obligation::Settled);
    }

    /// Waits while what the job owes is due. An ask that is not known yet owes nothing.
    pub(crate) async fn obligation_settled(&self) -> Result<(), Unfrozen> {
        let mut obligation = self.obligation.subscribe();
        let settled = obligation.wait_for(|now| !matches!(now, Obligation::Due(_)));
        match tokio::time::timeout(FREEZE_PATIENCE, settled).await {
            // The sender is part of the job, so the channel cannot close.
            Ok(Ok(_) | Err(_)) => Ok(()),
            Err(_elapsed) => Err(Unfrozen),
        }
    }

    /// What the job owes, once that changes from unknown or the patience is over.
    pub(crate) async fn obligation_within(&self, patience: Duration) -> Obligation {
        let mut obligation = self.obligation.subscribe();
        let known = obligation.wait_for(|now| *now != Obligation::Unknown);
        match tokio::time::timeout(patience, known).await {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) | Err(_) => Obligation::Unknown,
        }
    }

    /// Notes that a session of this name speaks for the job; says whether it did before.
    pub(crate) fn meet(&self, session: &str) -> Acquaintance {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if met.contains(session) {
            return Acquaintance::Known;
        }
        if met.len() >= MAX_MET {
            met.pop_first();
        }
        met.insert(session.to_owned());
        Acquaintance::New
    }

    /// Keeps evidence that came before the job's first request.
    pub(crate) fn keep_pending(&self, evidence: Vec<Evidence>) {
        self.pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(evidence);
    }

    /// Takes the evidence that waits for a request.
    pub(crate) fn take_pending(&self) -> Vec<Evidence> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A reviewer's word that sends the work back, as evidence; any other decision is none.
pub(crate) fn sent_back(reviewed: &ReviewRecorded) -> Option<Evidence> {
    (reviewed.decision == ReviewRecorded::REDO).then(|| Evidence {
        kind: EvidenceKind::Review,
        tool: "wayproof".to_owned(),
        grade: Grade::Attested,
        outcome: Outcome::Failed,
        counts: None,
        failures: vec![Failure {
            name: reviewed.reviewer.clone(),
            location: None,
            message: reviewed.remark.clone().unwrap_or_default(),
        }],
        diagnostics: Vec::new(),
    })
}

/// Nobody fixed what a job owes.
#[derive(Debug)]
pub(crate) struct Unfrozen;

/// All open jobs.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    open: Mutex<BTreeMap<String, Arc<Job>>>,
    /// Jobs that ended here; the ledger's own page of them may lag a moment behind.
    closed: Mutex<BTreeSet<String>>,
}

/// How many ended jobs are remembered; by then the ledger knows.
const MAX_CLOSED: usize = 4_096;

impl Jobs {
    /// Opens a job.
    pub(crate) fn open(&self, job: Job) -> Arc<Job> {
        let job = Arc::new(job);
        self.lock().insert(job.id.clone(), Arc::clone(&job));
        job
    }

    /// Finds an open job.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.lock().get(id).map(Arc::clone)
    }

    /// Ends a job: its key is worth nothing from now on.
    pub(crate) fn close(&self, id: &str) -> Option<Arc<Job>> {
        let job = self.lock().remove(id);
        if job.is_some() {
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            if closed.len() >= MAX_CLOSED {
                // Ids grow with time, so the first is the oldest.
                closed.pop_first();
            }
            closed.insert(id.to_owned());
        }
        job
    }

    /// How many jobs are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Finds the job of a key that claims to be its.
    pub(crate) async fn admit(&self, ledger: &Ledger, id: &str, key: &[u8]) -> Option<Arc<Job>> {
        let job = Box::pin(self.find_or_recall(ledger, id)).await?;
        job.digest.is(&KeyDigest::of(key)).then_some(job)
    }

    /// Finds an open job, also one that was opened before this process began.
    pub(crate) async fn find_or_recall(&self, ledger: &Ledger, id: &str) -> Option<Arc<Job>> {
        match self.find(id) {
            Some(job) => Some(job),
            None => Box::pin(self.recall(ledger, id)).await,
        }
    }

    /// Looks a job up that was opened before this process began.
    async fn recall(&self, ledger: &Ledger, id: &str) -> Option<Arc<Job>> {
        let is_closed = self
            .closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(id);
        if is_closed {
            return None;
        }
        let detail = ledger
            .job(id)
            .await
            .inspect_err(|error| tracing::warn!(%error, "a job cannot be looked up"))
            .ok()??;
        if detail.job.closed_us.is_some() {
            return None;
        }
        let opened = detail
            .story
            .iter()
            .find_map(|stored| match &stored.event.body {
                EventBody::JobOpened(opened) if opened.key_digest.is_some() => Some(opened),
                _ => None,
            })?;
        let digest = KeyDigest::from_hex(opened.key_digest.as_deref()?)?;
        let named = Some(&opened.task).filter(|task| *task != TaskName::GENERAL);
        let task = named.map(TaskName::new);
        let settled = Obligation::Settled;
        let mut job = Job::new(id.to_owned(), digest, task, Vec::new(), settled).opened_by(opened);
        let spent = detail.job.money.by_use_nano_usd().unwrap_or(0);
        let envelope = Envelope::resumed(id.to_owned(), spent);
        job.session = Arc::new(Session::resumed(SessionState::new(id), envelope));
        let reviews = detail
            .story
            .iter()
            .filter_map(|stored| match &stored.event.body {
                EventBody::ReviewRecorded(reviewed) => sent_back(reviewed),
                _ => None,
            });
        job.keep_pending(reviews.collect());
        Some(self.open(job))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Job>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
