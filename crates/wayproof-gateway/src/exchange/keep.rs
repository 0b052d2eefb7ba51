//! What a provider keeps for later requests: earlier answers and conversations, of which clients send the id alone.
//!
//! Such a request goes to whoever keeps it. It belongs to the session that the answer was given in, since it brings
//! nothing along by which that could be told otherwise.

use wayproof_engine::KeptState;
use wayproof_wire::{Answer, Request, SessionSource};

use crate::exchange::Wish;
use crate::exchange::admit::Caller;
use crate::exchange::identify::Turn;
use crate::gateway::Shared;
use crate::keepers::Keeper;

/// What a turn continues from without bringing it along.
#[derive(Clone, Debug)]
pub(crate) struct Continued {
    /// The field that names it.
    field: &'static str,
    /// Its id, as it is remembered.
    id: String,
    /// Who keeps it, where that is known.
    keeper: Option<String>,
}

impl Continued {
    /// What the engine is told of it.
    pub(crate) fn state(&self) -> KeptState<'_> {
        KeptState {
            field: self.field,
            keeper: self.keeper.as_deref(),
        }
    }
}

/// Where later requests may continue from the answer to this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeping {
    /// Whether the answer is kept.
    is_answer_kept: bool,
    /// The conversation that it is part of, as it is remembered.
    conversation: Option<String>,
    owner: String,
}

/// What the turn continues from, if it is such a turn.
pub(crate) fn continued(turn: &Turn) -> Option<Continued> {
    let request = Request {
        body: &turn.body,
        peek: &turn.peek,
    };
    let kept = request.kept()?;
    Some(Continued {
        field: kept.field,
        id: kept.id.into_owned(),
        keeper: None,
    })
}

/// Finds out who keeps what the turn continues from, and in which session that was given.
pub(crate) async fn follow(shared: &Shared, turn: &mut Turn, mut continued: Continued) {
    let remembered = shared
        .keepers
        .find(&named(&turn.call.caller, &continued.id));
    let found = match remembered {
        Some(keeper) => Some(keeper),
        None => recall(shared, &continued.id).await,
    };
    if let Some(Keeper { provider, session }) = found {
        continued.keeper = Some(provider);
        if turn.identity.session_source == SessionSource::Fingerprint {
            turn.identity.session = session;
        }
    }
    turn.continued = Some(continued);
}

async fn recall(shared: &Shared, id: &str) -> Option<Keeper> {
    match shared.ledger.keeper(id).await {
        Ok(found) => found.map(|(provider, session)| Keeper { provider, session }),
        Err(error) => {
            tracing::warn!(%error, "who keeps an earlier answer is not known");
            None
        }
    }
}

/// Ids are a matter of the caller's: nobody is told in which session another's answer was given.
fn named(caller: &Caller, id: &str) -> String {
    match caller {
        Caller::Local => id.to_owned(),
        Caller::Named(name) => format!("{name}\n{id}"),
        Caller::Holder(holder) => format!("{}\n{id}", holder.id),
        Caller::Job(job, _) => format!("{}\n{id}", job.id),
    }
}

impl Keeping {
    /// What becomes of the answer to a turn.
    pub(crate) fn of(turn: &Turn) -> Option<Self> {
        let request = Request {
            body: &turn.body,
            peek: &turn.peek,
        };
        let is_answer_kept = request.is_to_be_kept();
        let conversation = turn.continued.as_ref();
        let conversation = conversation
            .filter(|continued| continued.field == "conversation")
            .map(|continued| continued.id.clone());
        let is_any = turn.call.wish == Wish::Answer && (is_answer_kept || conversation.is_some());
        is_any.then(|| Self {
            is_answer_kept,
            conversation,
            owner: named(&turn.call.caller, ""),
        })
    }

    /// Remembers who keeps the answer, and says under which id it can be continued from.
    pub(crate) fn note(self, shared: &Shared, answer: &Answer, keeper: &Keeper) -> Option<String> {
        let id = answer
            .id
            .clone()
            .filter(|_| self.is_answer_kept && answer.is_complete);
        let ids = [self.conversation, id];
        for id in ids.iter().flatten() {
            shared
                .keepers
                .note(format!("{}{id}", self.owner), keeper.clone());
        }
        let [conversation, id] = ids;
        conversation.or(id)
    }
}
