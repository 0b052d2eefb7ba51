//! A way into the gateway from within: requests of a socket take the path that all requests take.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::body::Outgoing;
use crate::gateway::Shared;

/// How much may be on its way inside before its sender waits.
const PIPE_BYTES: usize = 256 << 10;
/// The headers that a turn may have beyond those a request may.
const MORE_HEADERS: usize = 32;

/// A connection from the gateway to itself. Dropped, it hangs up, and so does every exchange on it.
pub(super) struct Inner {
    sender: SendRequest<Full<Bytes>>,
    /// The two ends; they are broken off with this.
    _ends: JoinSet<()>,
}

impl Inner {
    pub(super) async fn open(shared: &Arc<Shared>, peer: SocketAddr) -> hyper::Result<Self> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let mut ends = JoinSet::new();
        let settings = &shared.settings;
        let mut builder = server::Builder::new();
        builder.max_headers(settings.max_headers.saturating_add(MORE_HEADERS));
        let service = {
            let shared = Arc::clone(shared);
            service_fn(move |request| {
                let answer = answer(Arc::clone(&shared), peer, request);
                async move { Ok::<_, Infallible>(answer.await) }
            })
        };
        let serving = builder.serve_connection(TokioIo::new(far), service);
        ends.spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a turn of a socket was broken off");
            }
        });
        let (sender, connection) = client::handshake(TokioIo::new(near)).await?;
        ends.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a socket's way in ended");
            }
        });
        Ok(Self {
            sender,
            _ends: ends,
        })
    }

    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }
}

/// Boxed, since what answers a request may open a socket, whose turns are requests.
fn answer(
    shared: Arc<Shared>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Pin<Box<dyn Future<Output = Response<Outgoing>> + Send>> {
    Box::pin(crate::front::answer(shared, peer, request))
}
