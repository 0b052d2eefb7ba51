//! Conversations that another gateway of the same ledger carried on, or this one before it was started anew.
//!
//! The ledger is the memory that gateways share: of a conversation that is new here, or that was last answered elsewhere,
//! the job goes on as it was recorded, for the caller who began it and for nobody else. A conversation that begins, and
//! one that only this process has seen, costs no question, where the ledger is embedded.

use std::sync::Arc;

use wayproof_engine::{ClassName, Decision, LastAnswer, Recorded, SessionState, Target, TaskName};
use wayproof_ledger::{
    Event, EventBody, ExchangeDetail, ExchangeFilter, ExchangeRow, JobDetail, LedgerError, Page,
};
use wayproof_wire::{Request, find_ask};

use crate::callers;
use crate::envelope::Envelope;
use crate::exchange::{Caller, Turn, session_key};
use crate::gateway::Shared;
use crate::sessions::Session;

/// How far back the last request about a job is looked for; between them are titles and the like.
const LOOKED_AT: u32 = 16;

/// The facts of a job that are looked at, the newest.
const MOST_EVIDENCE: usize = 16;

/// A conversation of which the ledger may know more than this process.
pub(crate) struct Unsure {
    key: String,
    name: String,
    /// The name of the caller's key.
    caller: Option<String>,
    ask: String,
    known: Option<Arc<Session>>,
}

/// The conversation, if the ledger has to be asked about it.
pub(crate) fn unsure(shared: &Shared, turn: &Turn) -> Option<Unsure> {
    // A job's key leads to its job whoever asks.
    if matches!(turn.call.caller, Caller::Job(..)) || turn.identity.housekeeping.is_some() {
        return None;
    }
    let name = &turn.identity.session;
    let key = session_key(&turn.call.caller, name);
    let known = shared.sessions.find(&key);
    if known.is_some() && !shared.ledger.is_shared() {
        return None;
    }
    let request = Request {
        body: &turn.body,
        peek: &turn.peek,
    };
    if request.first_new() == 0 {
        // The model has said nothing yet.
        return None;
    }
    let ask = find_ask(turn.identity.agent, &request)?;
    Some(Unsure {
        key,
        name: name.clone(),
        caller: callers::made_by(&turn.call.caller).key,
        ask: ask.text,
        known,
    })
}

/// Learns from the ledger how the conversation's job stands.
pub(crate) async fn recall(shared: &Shared, unsure: Unsure) {
    let found = match last_exchange(shared, &unsure).await {
        Ok(Some(last)) => state(shared, &unsure, last).await,
        Ok(None) => return,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some((state, spent))) => take_up(shared, &unsure, state, spent),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "how a conversation stands elsewhere is not known"),
    }
}

/// The last request about a job in the conversation, if this process did not answer it itself.
async fn last_exchange(
    shared: &Shared,
    unsure: &Unsure,
) -> Result<Option<ExchangeRow>, LedgerError> {
    let filter = ExchangeFilter {
        session: Some(unsure.name.clone()),
        ..ExchangeFilter::default()
    };
    let page = Page {
        limit: LOOKED_AT,
        before: None,
    };
    let rows = shared.ledger.exchanges(&filter, page).await?;
    let last = rows.into_iter().find(|row| row.job.is_some());
    Ok(last.filter(|row| {
        let is_own = unsure
            .known
            .as_ref()
            .is_some_and(|known| known.has_met(&row.id));
        row.key_name == unsure.caller && !is_own
    }))
}

/// The state in which the job of that request goes on, with what it has spent.
async fn state(
    shared: &Shared,
    unsure: &Unsure,
    last: ExchangeRow,
) -> Result<Option<(SessionState, i64)>, LedgerError> {
    let Some(job) = shared
        .ledger
        .job(last.job.as_deref().unwrap_or_default())
        .await?
    else {
        return Ok(None);
    };
    let Some(detail) = shared.ledger.exchange(&last.id).await? else {
        return Ok(None);
    };
    if job.job.closed_us.is_some() {
        return Ok(None);
    }
    let spent = job.job.money.by_use_nano_usd().unwrap_or(0);
    let state = resumed(shared, unsure, &job, &detail);
    Ok(state.map(|state| (state, spent)))
}

fn resumed(
    shared: &Shared,
    unsure: &Unsure,
    job: &JobDetail,
    last: &ExchangeDetail,
) -> Option<SessionState> {
    let decision: Decision = serde_json::from_str(last.decision()?).ok()?;
    let evidence = job
        .story
        .iter()
        .rev()
        .filter_map(|stored| match &stored.event {
            Event {
                body: EventBody::EvidenceNoted(noted),
                ..
            } => Some(noted.evidence.clone()),
            _ => None,
        });
    let mut evidence: Vec<_> = evidence.take(MOST_EVIDENCE).collect();
    evidence.reverse();
    let recorded = Recorded {
        id: &job.job.id,
        task: TaskName::new(job.job.task.as_deref()?),
        class: ClassName::new(job.job.class.as_deref()?),
        rule: &decision.rule,
        ask: &unsure.ask,
        causes: decision.causes,
        evidence,
        spent_nano_usd: job.job.money.by_use_nano_usd().unwrap_or(0),
        has_unknown_cost: job.job.money.listed_unknown > 0,
        last: last_answer(&last.exchange).or(decision.warm),
    };
    let policy = shared.policy.load();
    let mut state = SessionState::resumed(&policy, unsure.name.as_str(), recorded)?;
    state.switched_nano_usd = decision.switched_nano_usd;
    Some(state)
}

/// Where the conversation is warm, if that request was answered.
fn last_answer(row: &ExchangeRow) -> Option<LastAnswer> {
    let [fresh, read, written, ..] = row.tokens;
    let sum = [fresh, read, written].into_iter().flatten().sum::<i64>();
    (row.outcome.as_deref() == Some("completed") && sum > 0).then_some(())?;
    Some(LastAnswer {
        target: Target {
            provider: row.provider.clone()?,
            model: row.model.clone()?,
            effort: None,
        },
        prefix_tokens: u64::try_from(sum).ok()?,
        class: row.class.as_deref().map(ClassName::new),
        at_us: row.opened_us,
        switch_nano_usd: None,
    })
}

fn take_up(shared: &Shared, unsure: &Unsure, state: SessionState, spent: i64) {
    let job = state.job.as_ref().map(|job| job.id.clone());
    tracing::info!(
        session = unsure.name,
        job,
        "a conversation goes on that was carried on elsewhere"
    );
    let (session, _) = shared
        .sessions
        .find_or_begin(&unsure.key, || SessionState::new(unsure.name.clone()));
    *session.envelope() = Envelope::resumed(job.unwrap_or_default(), spent);
    *session.lock() = state;
}
