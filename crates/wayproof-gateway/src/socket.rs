//! Responses over a WebSocket: the connection is ours, its turns are exchanges like any other.
//!
//! What a client leaves out of a turn because it said it before is put back in, so every turn is decided, translated,
//! retried and recorded as if it had come by `POST /v1/responses`, whoever answers. Providers are asked over HTTP.
//! Sockets are bounded in number and in idle time, and a gateway that stops waits for the turns under way.

mod handshake;
mod inner;
mod talk;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::Outgoing;
use crate::fault;
use crate::gateway::Shared;

/// The sockets of a gateway.
#[derive(Debug)]
pub(crate) struct Sockets {
    most: usize,
    open: Arc<AtomicUsize>,
    tasks: TaskTracker,
    /// No further turn begins.
    closing: CancellationToken,
    /// Turns under way end as well.
    aborting: CancellationToken,
}

impl Sockets {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::new(AtomicUsize::new(0)),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            aborting: CancellationToken::new(),
        }
    }

    /// Lets idle sockets go and waits for the others to end their turn.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Breaks off what is under way.
    pub(crate) async fn abort(&self) {
        self.aborting.cancel();
        self.close().await;
    }

    fn take_place(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.open));
        let others = self.open.fetch_add(1, Ordering::Relaxed);
        (others < self.most && !self.closing.is_cancelled()).then_some(place)
    }
}

/// One of the places for sockets; dropped, it is free again.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers a wish for a WebSocket. One that cannot be had is told so that agents send plain requests instead.
pub(crate) fn open(
    shared: &Arc<Shared>,
    peer: SocketAddr,
    request: Request<Incoming>,
    id: &str,
) -> Response<Outgoing> {
    let Some(accept) = handshake::accept(request.headers()) else {
        return fault::no_websocket(id, "this is no handshake of WebSocket 13");
    };
    let Some(place) = shared.sockets.take_place() else {
        return fault::no_websocket(id, "no further WebSocket can be had right now");
    };
    let caller = Caller {
        peer,
        headers: handshake::kept(request.headers()),
        id: id.to_owned(),
    };
    let talk = talk::talk(Arc::clone(shared), caller, hyper::upgrade::on(request));
    let aborting = shared.sockets.aborting.clone();
    shared.sockets.tasks.spawn(async move {
        let _place = place;
        tokio::select! {
            () = talk => {}
            () = aborting.cancelled() => {}
        }
    });
    handshake::switching(accept, id)
}

/// Who is on the other side.
struct Caller {
    peer: SocketAddr,
    /// What every turn carries.
    headers: HeaderMap,
    id: String,
}
