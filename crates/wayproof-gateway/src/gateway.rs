//! A gateway: what it is made of and what its exchanges share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;
use wayproof_engine::{Catalog, Policy};
use wayproof_ledger::{About, Capture, Clock, EventBody, Ids, Ledger};
use wayproof_upstream::Upstream;

use crate::capture::Captures;
use crate::glance::Glance;
use crate::jobs::Jobs;
use crate::keepers::Keepers;
use crate::keys::{CallerKey, KeyDigest};
use crate::metrics::Metrics;
use crate::proofs::Proofs;
use crate::quota::Quotas;
use crate::rate::Paces;
use crate::sessions::Sessions;
use crate::socket::Sockets;
use crate::world::Worlds;

/// Limits and keys of a gateway.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Keys that callers may show. Without any, everybody on this machine may call.
    pub keys: Vec<CallerKey>,
    /// The digest of the token of the admin pages; without one they are closed.
    pub admin_token: Option<KeyDigest>,
    /// Whether a proxy stands before the pages beside ours, which they know and look behind.
    pub pages_have_proxy: bool,
    /// The longest body that is read.
    pub max_body_bytes: usize,
    /// The longest head of a request.
    pub max_head_bytes: usize,
    /// The most headers of a request.
    pub max_headers: usize,
    /// How long a body may pause while it is read.
    pub longest_body_pause: Duration,
    /// How long a connection may be idle, or take to send the head of a request.
    pub longest_idle: Duration,
    /// How long a provider may take for the head of an answer, over all tries.
    pub answer_deadline: Duration,
    /// How long exchanges may go on when the gateway stops.
    pub drain: Duration,
    /// How many sessions are remembered.
    pub max_sessions: usize,
    /// Whether an answer waits until the disk has the exchange's opening event, instead of until it is written.
    pub syncs_before_answer: bool,
    /// How much of requests and answers is kept.
    pub capture: Capture,
    /// How many WebSockets may be open at once.
    pub max_sockets: usize,
    /// How long a WebSocket may go without a message.
    pub longest_socket_idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            admin_token: None,
            pages_have_proxy: false,
            max_body_bytes: 64 << 20,
            max_head_bytes: 64 << 10,
            max_headers: 128,
            longest_body_pause: Duration::from_mins(1),
            longest_idle: Duration::from_mins(2),
            answer_deadline: Duration::from_mins(15),
            drain: Duration::from_secs(30),
            max_sessions: 2_048,
            syncs_before_answer: false,
            capture: Capture::None,
            max_sockets: 256,
            longest_socket_idle: Duration::from_hours(1),
        }
    }
}

/// What a gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// What work goes where.
    pub policy: Policy,
    /// What models cost.
    pub catalog: Arc<Catalog>,
    /// Who serves models.
    pub upstream: Upstream,
    /// Where everything is recorded.
    pub ledger: Ledger,
    /// What time it is.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Limits and keys.
    pub settings: Settings,
}

/// A gateway. Cloning it gives another handle to the same one.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

/// What all exchanges of a gateway share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) upstream: Upstream,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    pub(crate) keepers: Keepers,
    pub(crate) jobs: Jobs,
    pub(crate) proofs: Proofs,
    pub(crate) metrics: Metrics,
    pub(crate) quotas: Quotas,
    pub(crate) paces: Paces,
    pub(crate) world: Worlds,
    pub(crate) sockets: Sockets,
    pub(crate) captures: Captures,
    pub(crate) pages: axum::Router,
    /// The pages beside the gateway's own, for addresses that both have.
    pub(crate) beside: Option<axum::Router>,
    /// Pages that stay open let go when it is cancelled.
    pub(crate) stopping: CancellationToken,
}

impl Gateway {
    /// Puts a gateway together. It does nothing until it serves.
    pub fn new(parts: Parts) -> Self {
        Self::put_together(parts, |_| None)
    }

    /// Puts a gateway together that serves further pages beside its own.
    ///
    /// They get every request that is no exchange and no page of the gateway, with the peer's address as
    /// `ConnectInfo`, and the root where a browser asks for it. Exchanges never pass through them.
    pub fn with_pages(parts: Parts, pages: impl FnOnce(Glance) -> axum::Router) -> Self {
        Self::put_together(parts, |glance| Some(pages(glance)))
    }

    fn put_together(parts: Parts, beside: impl FnOnce(Glance) -> Option<axum::Router>) -> Self {
        let Parts {
            policy,
            catalog,
            upstream,
            ledger,
            clock,
            ids,
            settings,
        } = parts;
        let world = Worlds::new(&upstream);
        Self(Arc::new_cyclic(|shared| {
            let beside = beside(Glance::new(shared.clone()));
            let own = crate::admin::pages(shared.clone());
            let pages = match &beside {
                Some(beside) => own.fallback_service(beside.clone()),
                // The guard of the admin pages must not answer for what is not there.
                None => own.merge(axum::Router::new()),
            };
            Shared {
                policy: ArcSwap::from_pointee(policy),
                catalog,
                upstream,
                ledger,
                clock,
                ids,
                world,
                sessions: Sessions::new(settings.max_sessions),
                keepers: Keepers::default(),
                jobs: Jobs::default(),
                proofs: Proofs::default(),
                metrics: Metrics::new(),
                quotas: Quotas::default(),
                paces: Paces::default(),
                captures: Captures::new(),
                sockets: Sockets::new(settings.max_sockets),
                pages,
                beside,
                stopping: CancellationToken::new(),
                settings,
            }
        }))
    }

    /// Puts another policy in force for all exchanges that begin from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.0.policy.store(Arc::new(policy));
    }

    /// Learns which models a provider has, for all exchanges that begin from now on.
    pub fn serves(&self, provider: &str, models: &BTreeSet<String>) {
        self.0.world.learn(provider, models);
    }

    /// The ledger everything is recorded in.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Shared {
    /// Records something that nobody waits for.
    ///
    /// Losing a note must not lose the answer it is about; new work is refused by the opening
    /// event, which is waited for.
    pub(crate) fn note(&self, about: About, body: EventBody) {
        let event = self.ledger.event(about, body);
        if let Err(error) = self.ledger.note(&event) {
            tracing::error!(%error, kind = event.body.kind(), "an event could not be recorded");
        }
    }
}
