//! Fifth stage: what is new in the turn is folded into what is remembered of the session.
//!
//! What was noted goes to the ledger without anybody waiting for it; the exchange's own opening
//! event comes after it in the same queue, so it is durable when that is.

use std::sync::Arc;

use wayproof_engine::{Facts, Needs, Noted, Observation, SessionState, TaskName};
use wayproof_ledger::{About, Escalated, EventBody, EvidenceNoted, JobOpened, SessionStarted};
use wayproof_wire::{
    Fault, FaultKind, Housekeeping, Request, SessionSource, find_ask, new_ask, outcomes,
};

use crate::exchange::admit::{Call, Caller};
use crate::exchange::hold;
use crate::exchange::identify::Turn;
use crate::exchange::keep::Continued;
use crate::gateway::Shared;
use crate::sessions::{Acquaintance, Session};

/// A turn together with the session it belongs to.
pub(crate) struct Observed {
    pub(crate) turn: Turn,
    pub(crate) session: Arc<Session>,
    pub(crate) context: Context,
}

/// What the engine is told about a request beyond its body.
pub(crate) struct Context {
    explicit_task: Option<TaskName>,
    new_job_id: String,
    paths: Vec<String>,
    /// Whether images are shown in the conversation.
    has_images: bool,
}

impl Context {
    /// The context of a question of our own, which opens no job.
    pub(crate) const fn of_question() -> Self {
        Self {
            explicit_task: None,
            new_job_id: String::new(),
            paths: Vec::new(),
            has_images: false,
        }
    }

    /// The facts of a turn, as the engine wants them.
    pub(crate) fn facts<'a>(&'a self, turn: &'a Turn) -> Facts<'a> {
        Facts {
            protocol: turn.call.protocol,
            requested_model: &turn.peek.model_name,
            explicit_task: self.explicit_task.as_ref(),
            housekeeping: turn.identity.housekeeping,
            is_subagent: turn.identity.subagent.is_some(),
            paths: &self.paths,
            branch: turn.identity.branch.as_deref(),
            body_bytes: turn.body.len() as u64,
            new_job_id: &self.new_job_id,
            at_us: turn.call.at_us,
            needs: Needs {
                images: self.has_images,
                tools: turn.has_tools(),
                kept: turn.continued.as_ref().map(Continued::state),
            },
        }
    }
}

/// Folds the turn into its session.
pub(crate) fn observe(shared: &Shared, mut turn: Turn) -> Result<Observed, Fault> {
    let (session, acquaintance) = find_session(shared, &turn);
    turn.call.repo = session.works_in(repo(shared, &turn));
    let mut context = context(shared, &turn.call)?;
    if acquaintance == Acquaintance::New {
        note_session(shared, &turn);
    }
    let request = Request {
        body: &turn.body,
        peek: &turn.peek,
    };
    context.has_images = session.shows_images(&request, acquaintance);
    let agent = turn.identity.agent;
    let executed = match &turn.call.caller {
        Caller::Job(job, _) => job.take_pending(),
        Caller::Local | Caller::Named(_) | Caller::Holder(_) => Vec::new(),
    };
    let thrift = hold::thrift(shared, &turn);
    let mut state = session.lock();
    let ask = new_ask(agent, &request).or_else(|| {
        // A conversation that was under way before it was first seen here, or was forgotten.
        let is_unknown = state.job.is_none() && turn.identity.housekeeping.is_none();
        is_unknown
            .then(|| find_ask(agent, &request))
            .flatten()
            .map(|ask| ask.text)
    });
    let observation = Observation {
        ask: ask.as_deref(),
        outcomes: &outcomes(agent, &request),
        executed: &executed,
        thrift: thrift.as_deref(),
    };
    let noted = wayproof_engine::observe(
        &shared.policy.load(),
        &mut state,
        &context.facts(&turn),
        &observation,
    );
    let about = about(&turn, &state);
    drop(state);
    record(shared, &about, noted, Some(&turn));
    Ok(Observed {
        turn,
        session,
        context,
    })
}

/// What the events of this turn belong to.
pub(crate) fn about(turn: &Turn, state: &SessionState) -> About {
    let job = match &turn.call.caller {
        Caller::Job(job, _) => Some(job.id.clone()),
        Caller::Local | Caller::Named(_) | Caller::Holder(_)
            // What is asked about a job is part of it; other upkeep is not.
            if !matches!(
                turn.identity.housekeeping,
                None | Some(Housekeeping::Judging)
            ) =>
        {
            None
        }
        Caller::Local | Caller::Named(_) | Caller::Holder(_) => {
            state.job.as_ref().map(|job| job.id.clone())
        }
    };
    About {
        session: Some(turn.identity.session.clone()),
        job,
        exchange: Some(turn.call.id.clone()),
    }
}

/// Records what the engine noted.
pub(crate) fn record(shared: &Shared, about: &About, noted: Vec<Noted>, turn: Option<&Turn>) {
    for note in noted {
        let body = match note {
            Noted::JobOpened {
                id,
                task,
                class,
                rule,
                heard,
                ..
            } => {
                let about = About {
                    job: Some(id),
                    ..about.clone()
                };
                let opened = JobOpened {
                    task: task.as_str().to_owned(),
                    class: Some(class.as_str().to_owned()),
                    agent: turn.map(|turn| turn.identity.agent.name().to_owned()),
                    repo: turn.and_then(|turn| turn.identity.cwd.clone()),
                    rule: Some(rule),
                    heard,
                    ..JobOpened::default()
                };
                shared.note(about, EventBody::JobOpened(opened));
                continue;
            }
            Noted::Evidence(evidence) => EventBody::EvidenceNoted(EvidenceNoted { evidence }),
            // It is in the decision, and it moved nothing.
            Noted::Cause(_) => continue,
            Noted::Escalated {
                cause,
                from,
                to,
                why,
            } => {
                tracing::info!(%cause, %from, %to, "a job moved to another class");
                EventBody::Escalated(Escalated {
                    cause,
                    from: from.as_str().to_owned(),
                    to: to.as_str().to_owned(),
                    why,
                })
            }
        };
        shared.note(about.clone(), body);
    }
}

fn find_session(shared: &Shared, turn: &Turn) -> (Arc<Session>, Acquaintance) {
    let name = &turn.identity.session;
    if let Caller::Job(job, _) = &turn.call.caller {
        let acquaintance = job.meet(name);
        return (Arc::clone(&job.session), acquaintance);
    }
    let key = session_key(&turn.call.caller, name);
    shared
        .sessions
        .find_or_begin(&key, || SessionState::new(name.clone()))
}

/// Under which key a caller's session is remembered.
pub(crate) fn session_key(caller: &Caller, name: &str) -> String {
    match caller {
        Caller::Local | Caller::Job(..) => name.to_owned(),
        // No session's name holds a line feed, since no header does.
        Caller::Named(caller) => format!("{caller}\n{name}"),
        Caller::Holder(holder) => format!("{}\n{name}", holder.id),
    }
}

fn context(shared: &Shared, call: &Call) -> Result<Context, Fault> {
    let named = call.head.headers.get("x-wayproof-task");
    let explicit_task = match (named, &call.caller) {
        (Some(value), _) => {
            let text = value.to_str().unwrap_or_default().trim();
            let task = TaskName::new(text);
            if shared.policy.load().task(&task).is_none() {
                let message = format!("there is no task `{text}` in the policy");
                return Err(Fault::new(FaultKind::BadRequest, message));
            }
            Some(task)
        }
        (None, Caller::Job(job, _)) => job.task.clone(),
        (None, Caller::Local | Caller::Named(_) | Caller::Holder(_)) => None,
    };
    let (new_job_id, paths) = match &call.caller {
        Caller::Job(job, _) => (job.id.clone(), job.paths.clone()),
        Caller::Local | Caller::Named(_) | Caller::Holder(_) => {
            (shared.ids.next().to_string(), Vec::new())
        }
    };
    Ok(Context {
        explicit_task,
        new_job_id,
        paths,
        has_images: false,
    })
}

/// The repository that this turn is about: the job's, else the one the caller names, else where the agent says that it
/// works.
fn repo(shared: &Shared, turn: &Turn) -> Option<String> {
    let of_job = match &turn.call.caller {
        Caller::Job(job, _) => job.repo.clone(),
        Caller::Local | Caller::Named(_) | Caller::Holder(_) => None,
    };
    let named = || named_repo(&turn.call).map(ToOwned::to_owned);
    of_job
        .or_else(named)
        .or_else(|| Some(hold::repo_at(shared, turn.identity.cwd.as_deref()?)))
}

/// The repository that the caller names.
fn named_repo(call: &Call) -> Option<&str> {
    call.head.headers.get("x-wayproof-repo")?.to_str().ok()
}

fn note_session(shared: &Shared, turn: &Turn) {
    let identity = &turn.identity;
    let source = match identity.session_source {
        SessionSource::Header => "header",
        SessionSource::Body => "body",
        SessionSource::Fingerprint => "fingerprint",
    };
    let started = SessionStarted {
        agent: identity.agent.name().to_owned(),
        agent_version: identity.agent_version.clone(),
        source: Some(source.to_owned()),
        parent: identity.parent_session.clone(),
        cwd: identity.cwd.clone(),
        repo: named_repo(&turn.call).map(ToOwned::to_owned),
        branch: identity.branch.clone(),
    };
    // An exchange's opening event names the agent and the session; a session of which nothing else
    // is known needs no event of its own.
    let is_bare = started.agent_version.is_none()
        && started.parent.is_none()
        && started.cwd.is_none()
        && started.repo.is_none()
        && started.branch.is_none();
    if is_bare {
        return;
    }
    let about = About {
        session: Some(identity.session.clone()),
        job: None,
        exchange: None,
    };
    shared.note(about, EventBody::SessionStarted(started));
}
