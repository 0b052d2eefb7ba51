//! The path of one exchange, from the head of a request to the last byte of its answer.
//!
//! [`exchange`] lists the stages; each is one file, takes what the stage before it made, and either
//! goes on or ends the exchange with a fault. Nothing is shared between stages but what they hand on.

mod admit;
mod attempt;
mod copy;
mod decide;
mod foreign;
mod hold;
mod identify;
mod interpret;
mod keep;
mod local;
mod observe;
mod peek;
mod prepare;
mod question;
mod read;
mod relay;
mod settle;
mod translate;
mod unpack;
mod unspoken;

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use wayproof_wire::{Fault, Protocol};

pub(crate) use admit::{Call, Caller, Whence, check_key, check_origin};
pub(crate) use copy::{MAX_UNPACKED, packing};
pub(crate) use identify::Turn;
pub(crate) use interpret::Interpreted;
pub(crate) use observe::{record, session_key};
pub(crate) use relay::Relay;
pub(crate) use unpack::{Sink, Unpacker};

use crate::body::Outgoing;
use crate::exchange::decide::{Decided, Step};
use crate::fault;
use crate::gateway::Shared;
use crate::remember;

/// What the client wants from an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// An answer of a model.
    Answer,
    /// The number of tokens.
    Count,
    /// Vectors.
    Embed,
}

/// A request on its way in.
pub(crate) struct Arrival {
    /// The request.
    pub(crate) request: Request<Incoming>,
    /// The protocol its path belongs to.
    pub(crate) protocol: Protocol,
    /// What it wants.
    pub(crate) wish: Wish,
    /// Where it came from.
    pub(crate) from: Whence,
}

/// Answers one request; whatever goes wrong is told in the client's own dialect.
pub(crate) async fn exchange(shared: Arc<Shared>, arrival: Arrival) -> Response<Outgoing> {
    let protocol = arrival.protocol;
    let id = shared.ids.next().to_string();
    match stages(&shared, &id, arrival).await {
        Ok(response) => response,
        Err(fault) => {
            shared.metrics.fault(protocol, fault.kind);
            fault::respond(protocol, &fault, &id)
        }
    }
}

async fn stages(
    shared: &Arc<Shared>,
    id: &str,
    arrival: Arrival,
) -> Result<Response<Outgoing>, Fault> {
    let admitted = admit::admit(shared, id, arrival).await?;
    let received = read::read(shared, admitted).await?;
    let peeked = peek::peek(received)?;
    let mut turn = identify::identify(peeked);
    if let Some(continued) = keep::continued(&turn) {
        Box::pin(keep::follow(shared, &mut turn, continued)).await;
    }
    if let Some(unsure) = remember::unsure(shared, &turn) {
        Box::pin(remember::recall(shared, unsure)).await;
    }
    let mut observed = observe::observe(shared, turn)?;
    let decided = loop {
        match decide::decide(shared, observed)? {
            Step::Decided(decided) => break decided,
            // A question is put once.
            Step::Asks(asking) => observed = Box::pin(question::put(shared, asking)).await,
        }
    };
    answer(shared, decided).await
}

/// The stages of an exchange that is decided.
async fn answer(shared: &Arc<Shared>, mut decided: Decided) -> Result<Response<Outgoing>, Fault> {
    if let Some(own) = local::own(&mut decided)? {
        return Box::pin(local::answer(decided, own)).await;
    }
    if hold::hold_on_job(shared, &mut decided)? {
        Box::pin(hold::hold(shared, &mut decided)).await?;
    }
    if let Some(unrecalled) = foreign::unrecalled(&decided) {
        Box::pin(foreign::recall(shared, unrecalled)).await;
    }
    let prepared = prepare::prepare(shared, decided)?;
    let mut attempted = attempt::attempt(shared, prepared).await?;
    let Some(translation) = attempted.translation.take() else {
        return Ok(relay::relay(attempted));
    };
    // Its future is not to make that of every exchange larger.
    Ok(Box::pin(interpret::interpret(attempted, &translation)).await)
    // Settling is the last stage. It runs when the relayed answer ends or is dropped, or when any
    // stage after the decision is: see `settle`.
}
