//! The job that a page is about: one that was opened here, a conversation's own, or one that another process has in hand.

use std::sync::Arc;

use wayproof_engine::{Evidence, Facts, Needs, Observation, SessionState};
use wayproof_wire::Protocol;

use crate::admin::Problem;
use crate::admin::jobs::about;
use crate::exchange::record;
use crate::gateway::Shared;
use crate::jobs::Job;
use crate::sessions::Session;

/// An open job, by who remembers its work.
pub(super) enum Work {
    /// It was opened through the admin pages and has a key.
    Opened(Arc<Job>),
    /// A conversation came to it.
    Talked(Arc<Session>),
    /// Only the ledger knows it here: its gateway is another one, or was started anew.
    Elsewhere,
}

impl Work {
    /// Finds an open job.
    pub(super) async fn find(shared: &Shared, id: &str) -> Result<Self, Problem> {
        if let Some(job) = shared.jobs.find(id) {
            return Ok(Self::Opened(job));
        }
        if let Some(session) = shared.sessions.of_job(id) {
            return Ok(Self::Talked(session));
        }
        if let Some(job) = Box::pin(shared.jobs.find_or_recall(&shared.ledger, id)).await {
            return Ok(Self::Opened(job));
        }
        // What was appended a moment ago may not be in the ledger's pages yet.
        shared.ledger.flush().await?;
        let known = shared.ledger.job(id).await?;
        match known.filter(|detail| detail.job.closed_us.is_none()) {
            Some(_) => Ok(Self::Elsewhere),
            None => Err(Problem::not_found("open job", id)),
        }
    }

    /// Folds evidence into the job's memory, or keeps it for the job's first request. The ledger alone remembers what
    /// is found out about a job that is in hand elsewhere.
    pub(super) fn fold(&self, shared: &Shared, id: &str, executed: Vec<Evidence>) {
        match self {
            Self::Opened(job) => {
                let mut state = job.session.lock();
                if state.job.is_some() {
                    let noted = observe(shared, &mut state, Some(job), id, &executed);
                    drop(state);
                    record(shared, &about(id), noted, None);
                } else {
                    drop(state);
                    job.keep_pending(executed);
                }
            }
            Self::Talked(session) => {
                let mut state = session.lock();
                // The conversation may have come to its next job since it was found.
                if state.job.as_ref().is_some_and(|job| job.id == id) {
                    let noted = observe(shared, &mut state, None, id, &executed);
                    drop(state);
                    record(shared, &about(id), noted, None);
                }
            }
            Self::Elsewhere => {}
        }
    }

    /// Ends it: a key is worth nothing from then on, and what a conversation asks for next is another job.
    pub(super) fn end(&self, shared: &Shared, id: &str) {
        shared.proofs.ended(id);
        match self {
            Self::Opened(_) => drop(shared.jobs.close(id)),
            Self::Talked(session) => session.lock().end_job(id),
            Self::Elsewhere => {}
        }
    }
}

fn observe(
    shared: &Shared,
    state: &mut SessionState,
    job: Option<&Job>,
    id: &str,
    executed: &[Evidence],
) -> Vec<wayproof_engine::Noted> {
    let facts = Facts {
        protocol: Protocol::Messages,
        requested_model: "",
        explicit_task: job.and_then(|job| job.task.as_ref()),
        housekeeping: None,
        is_subagent: false,
        paths: job.map_or(&[], |job| job.paths.as_slice()),
        branch: None,
        body_bytes: 0,
        new_job_id: id,
        at_us: shared.clock.now_us(),
        needs: Needs::default(),
    };
    let observation = Observation {
        executed,
        ..Observation::default()
    };
    wayproof_engine::observe(&shared.policy.load(), state, &facts, &observation)
}
