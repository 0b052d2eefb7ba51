//! Sixth stage: where the request goes, decided by the engine, and the exchange's opening event.
//!
//! The opening event is written from here on, so that no end of this process loses it; where the settings
//! say so, the answer's head waits until the disk has it. From here on the exchange is settled, whatever
//! happens.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::to_raw_value;
use wayproof_engine::{Decision, Next, Refusal, TaskName};
use wayproof_ledger::{
    About, Cost, Durable, EventBody, ExchangeOpened, ExchangeOutcome, ExchangeSettled,
};
use wayproof_wire::{Fault, FaultKind, Housekeeping, Peek};

use crate::callers;
use crate::exchange::admit::{Call, Caller};
use crate::exchange::identify::Turn;
use crate::exchange::observe::{self, Observed};
use crate::exchange::question::Asking;
use crate::exchange::settle::Settlement;
use crate::gateway::Shared;

/// An exchange that is decided and open.
pub(crate) struct Decided {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    pub(crate) packed: Option<Bytes>,
    pub(crate) peek: Peek,
    /// Whether it is a turn of the conversation itself, and nothing that the agent asks beside it.
    pub(crate) is_main: bool,
    /// Resolves once the opening event cannot be lost by an end of this process.
    pub(crate) opened: Durable,
    pub(crate) settlement: Box<Settlement>,
}

/// What comes of deciding.
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request and taken apart at once"
)]
pub(crate) enum Step {
    /// The exchange goes on.
    Decided(Decided),
    /// A model has to be asked first.
    Asks(Box<Asking>),
}

/// Decides where the request goes.
pub(crate) fn decide(shared: &Arc<Shared>, observed: Observed) -> Result<Step, Fault> {
    let (next, about) = next(shared, &observed);
    let decision = match next {
        Next::Decided(decision) => decision,
        Next::Refused(refusal) => {
            shared.note(about, refusing(&observed.turn, shared));
            return Err(refused(&observed.turn, refusal));
        }
        Next::Ask(question) => {
            return Ok(Step::Asks(Box::new(Asking {
                observed,
                question: *question,
            })));
        }
    };
    let Observed { turn, session, .. } = observed;
    let Some(first) = decision.attempts.first() else {
        return Err(Fault::new(
            FaultKind::Internal,
            "the decision names no target",
        ));
    };
    let opening = opening(
        &turn,
        &decision,
        first.target.provider.clone(),
        first.target.model.clone(),
    );
    let event = shared.ledger.event(about.clone(), opening);
    let opened = if shared.settings.syncs_before_answer {
        shared.ledger.append(&event)
    } else {
        shared.ledger.append_written(&event)
    };
    let settlement = Box::new(Settlement::begin(shared, &turn, about, session, decision));
    let Turn {
        call,
        body,
        packed,
        peek,
        identity,
        ..
    } = turn;
    Ok(Step::Decided(Decided {
        call,
        body,
        packed,
        peek,
        is_main: identity.subagent.is_none() && identity.housekeeping.is_none(),
        opened,
        settlement,
    }))
}

/// What the engine says, within what the caller's key is good for.
fn next(shared: &Shared, observed: &Observed) -> (Next, About) {
    let Observed {
        turn,
        session,
        context,
    } = observed;
    let (next, about) = {
        let state = session.lock();
        let next = wayproof_engine::decide(
            &shared.policy.load(),
            &state,
            &context.facts(turn),
            &shared.world.now(&shared.upstream),
            &shared.catalog,
        );
        // What the job is stands once nobody has to be asked about it any more.
        if let (Caller::Job(job, _), Some(known)) = (&turn.call.caller, &state.job)
            && !matches!(next, Next::Ask(_))
        {
            job.classified(&known.task);
        }
        (next, observe::about(turn, &state))
    };
    let Some(holder) = turn.call.caller.holder() else {
        return (next, about);
    };
    let narrowed = match next {
        Next::Decided(mut decision) => match holder.scope.narrow(&holder.name, &mut decision) {
            Ok(()) => Next::Decided(decision),
            Err(refusal) => Next::Refused(refusal),
        },
        next @ (Next::Refused(_) | Next::Ask(_)) => next,
    };
    (narrowed, about)
}

fn opening(turn: &Turn, decision: &Decision, provider: String, model: String) -> EventBody {
    let decided = to_raw_value(decision)
        .inspect_err(|error| tracing::error!(%error, "a decision cannot be written as JSON"))
        .ok();
    EventBody::ExchangeOpened(Box::new(ExchangeOpened {
        protocol: turn.call.protocol,
        agent: turn.identity.agent.name().to_owned(),
        requested_model: turn.peek.model_name.clone(),
        by: callers::made_by(&turn.call.caller),
        task: decision.task.as_str().to_owned(),
        class: decision
            .class
            .as_ref()
            .map(|class| class.as_str().to_owned()),
        provider,
        model,
        routing: decision.routing.as_str().to_owned(),
        housekeeping: turn
            .identity
            .housekeeping
            .map(|kind| housekeeping_name(kind).to_owned()),
        is_streaming: turn.peek.is_streaming,
        request_bytes: turn.body.len() as u64,
        decision: decided,
    }))
}

/// The only event of an exchange that was refused.
fn refusing(turn: &Turn, shared: &Shared) -> EventBody {
    EventBody::ExchangeSettled(Box::new(ExchangeSettled {
        outcome: ExchangeOutcome::Refused,
        task: turn
            .identity
            .housekeeping
            .map_or(TaskName::GENERAL, |_| TaskName::HOUSEKEEPING)
            .to_owned(),
        class: None,
        status: None,
        attempts: Vec::new(),
        by: callers::made_by(&turn.call.caller),
        provider: None,
        model: None,
        asked_in: None,
        losses: Vec::new(),
        failure: None,
        seals: Vec::new(),
        kept: None,
        usage: None,
        cost: Cost::default(),
        held_nano_usd: None,
        catalog_digest: None,
        ttfb_us: None,
        total_us: shared.clock.now_us().saturating_sub(turn.call.at_us),
        response_bytes: 0,
        stop: None,
        provider_request_id: None,
    }))
}

fn refused(turn: &Turn, refusal: Refusal) -> Fault {
    tracing::info!(exchange = turn.call.id, kind = ?refusal.kind, "a request was refused");
    // Claude Code takes a 404 for a missing feature and asks again without streaming, at twice
    // the cost, so a model or provider nobody has is told as a bad request.
    let kind = match refusal.kind {
        FaultKind::NotFound => FaultKind::BadRequest,
        kind => kind,
    };
    Fault::new(kind, refusal.message)
}

const fn housekeeping_name(kind: Housekeeping) -> &'static str {
    match kind {
        Housekeeping::Title => "title",
        Housekeeping::PermissionCheck => "permission-check",
        Housekeeping::Compaction => "compaction",
        Housekeeping::CommitMessage => "commit-message",
        Housekeeping::TopicCheck => "topic-check",
        Housekeeping::CountTokens => "count-tokens",
        Housekeeping::Warmup => "warmup",
        Housekeeping::Autocomplete => "autocomplete",
        Housekeeping::Embedding => "embedding",
        Housekeeping::Judging => "judging",
    }
}
