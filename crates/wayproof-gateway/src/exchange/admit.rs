//! First stage: may this caller ask at all, and for whom?
//!
//! On a loopback address everybody on the machine may call without a key, unless keys are configured;
//! a web page in a browser may not. A job's key binds the exchange to that job.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri, request};
use hyper::body::Incoming;
use tokio::time::Instant;
use wayproof_upstream::{CallerCredential, VIRTUAL_KEY_PREFIX};
use wayproof_wire::{Fault, FaultKind, Protocol};

use crate::callers::{self, Holder};
use crate::exchange::{Arrival, Wish};
use crate::gateway::Shared;
use crate::gemini;
use crate::jobs::Job;
use crate::keys::{self, KeyDigest};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Somebody on this machine.
    Local,
    /// The holder of a configured key, by its name.
    Named(String),
    /// The holder of a key that was given out.
    Holder(Arc<Holder>),
    /// An agent at work on a job, for the holder of the key that opened it.
    Job(Arc<Job>, Option<Arc<Holder>>),
}

impl Caller {
    /// Whose given-out key the request goes on account of.
    pub(crate) const fn holder(&self) -> Option<&Arc<Holder>> {
        match self {
            Self::Holder(holder) | Self::Job(_, Some(holder)) => Some(holder),
            Self::Local | Self::Named(_) | Self::Job(_, None) => None,
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// The machine the gateway runs on.
    ThisMachine,
    /// Any other.
    Elsewhere,
}

impl Whence {
    /// Tells by the address of the other side.
    pub(crate) fn of(peer: SocketAddr) -> Self {
        if peer.ip().to_canonical().is_loopback() {
            Self::ThisMachine
        } else {
            Self::Elsewhere
        }
    }
}

/// A request whose caller is known.
pub(crate) struct Admitted {
    pub(crate) call: Call,
    pub(crate) incoming: Incoming,
}

/// What every stage knows about the request.
pub(crate) struct Call {
    /// The exchange's id.
    pub(crate) id: String,
    pub(crate) protocol: Protocol,
    pub(crate) wish: Wish,
    pub(crate) head: request::Parts,
    pub(crate) caller: Caller,
    /// The repository the agent works in, once the session is known.
    pub(crate) repo: Option<String>,
    pub(crate) credential: CallerCredential,
    pub(crate) began: Instant,
    pub(crate) at_us: i64,
}

/// Finds out who asks.
pub(crate) async fn admit(shared: &Shared, id: &str, arrival: Arrival) -> Result<Admitted, Fault> {
    let Arrival {
        request,
        protocol,
        wish,
        from,
    } = arrival;
    let (mut head, incoming) = request.into_parts();
    if protocol == Protocol::Gemini {
        gemini::move_key(&mut head);
    }
    check_origin(shared, &head.headers, from)?;
    let (caller, credential) = check_key(shared, &head.headers, from).await?;
    let call = Call {
        id: id.to_owned(),
        protocol,
        wish,
        head,
        caller,
        repo: None,
        credential,
        began: Instant::now(),
        at_us: shared.clock.now_us(),
    };
    Ok(Admitted { call, incoming })
}

/// Checks the key that a request shows.
pub(crate) async fn check_key(
    shared: &Shared,
    headers: &HeaderMap,
    from: Whence,
) -> Result<(Caller, CallerCredential), Fault> {
    let configured = &shared.settings.keys;
    let Some(shown) = keys::shown(headers) else {
        let is_open = configured.is_empty() && !callers::needs_key(shared);
        return if is_open && from == Whence::ThisMachine {
            Ok((Caller::Local, CallerCredential::Own))
        } else {
            Err(unauthorized("a key of this gateway is needed"))
        };
    };
    let credential = if shown.is_beside {
        CallerCredential::Own
    } else {
        CallerCredential::Gateway
    };
    if let Some(id) = keys::claimed_job(shown.key) {
        let Some(job) = shared.jobs.admit(&shared.ledger, id, shown.key).await else {
            return Err(unauthorized("this job key is unknown, or its job is over"));
        };
        let holder = match &job.opened_with {
            Some(id) => Some(callers::find_by_id(shared, id).await?),
            None => None,
        };
        return Ok((Caller::Job(job, holder), credential));
    }
    if let Some(id) = keys::claimed_key(shown.key) {
        let holder = callers::find(shared, id, shown.key).await?;
        return Ok((Caller::Holder(holder), credential));
    }
    if !configured.is_empty() {
        let digest = KeyDigest::of(shown.key);
        // Every key is compared, so that the time taken says nothing about which one is close.
        let holder = configured.iter().fold(None, |found, key| {
            if key.digest.is(&digest) {
                Some(key)
            } else {
                found
            }
        });
        return match holder {
            Some(key) => Ok((Caller::Named(key.name.clone()), credential)),
            None => Err(unauthorized("this key is not one of this gateway")),
        };
    }
    if shown.is_beside || shown.key.starts_with(VIRTUAL_KEY_PREFIX.as_bytes()) {
        return Err(unauthorized("this key is not one of this gateway"));
    }
    if from == Whence::ThisMachine && !callers::needs_key(shared) {
        Ok((Caller::Local, CallerCredential::Own))
    } else {
        Err(unauthorized("a key of this gateway is needed"))
    }
}

/// Turns web pages away: one that a browser on this machine shows must not spend its user's money.
///
/// A page says where it comes from in `Origin`; one that made its own name point at this
/// machine gives itself away in `Host`.
pub(crate) fn check_origin(
    shared: &Shared,
    headers: &HeaderMap,
    from: Whence,
) -> Result<(), Fault> {
    // Where a key is needed, a page would have to know it.
    if from == Whence::Elsewhere || !shared.settings.keys.is_empty() || callers::needs_key(shared) {
        return Ok(());
    }
    let is_foreign_page = headers.get(ORIGIN).is_some_and(|origin| {
        let is_page = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        origin
            .to_str()
            .map_or(true, |text| is_page(text) && !names_this_machine(text))
    });
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_rebound = host.is_some_and(|host| !is_here(host_name(host)));
    if is_foreign_page || is_rebound {
        return Err(Fault::new(
            FaultKind::Forbidden,
            "requests of web pages and requests for other hosts are not served",
        ));
    }
    Ok(())
}

fn names_this_machine(origin: &str) -> bool {
    origin
        .parse::<Uri>()
        .ok()
        .is_some_and(|uri| uri.host().is_some_and(is_here))
}

/// The name in a `Host` header, without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// An address cannot be made to point elsewhere, so any will do; of names only this machine's.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

fn unauthorized(message: &str) -> Fault {
    Fault::new(FaultKind::Unauthorized, message)
}
