//! The front door: accepts connections, serves HTTP/1.1 on them, and drains on request.
//!
//! It knows nothing of models. `TCP_NODELAY` is set on every connection, and one that breaks
//! costs nobody else anything.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::gateway::{Gateway, Shared};

/// Why a gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody on the network could spend money.
    #[error("{0} can be reached from other machines, so a key for callers is needed")]
    NeedsKey(SocketAddr),
    /// The listener is unusable.
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
    /// Nobody can tell who may call.
    #[error(transparent)]
    Books(#[from] wayproof_ledger::LedgerError),
}

/// A pause after an accept that failed for want of something the machine ran out of.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often idle connections to providers are looked through.
///
/// That something is always due soon also spares every exchange a wake-up: setting a timer that would
/// be the next one to ring interrupts the runtime's wait.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Gateway {
    /// Serves on a listener until `shutdown` resolves, then finishes what is under way.
    ///
    /// New connections are refused while draining, and idle ones are closed. What is still
    /// running after the drain limit of the settings is broken off, and settled as such.
    ///
    /// # Errors
    ///
    /// When the address can be reached from other machines and no key is configured.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        let shared = self.shared();
        // The first request must not come before the first look at who needs a key. On this machine a ledger that
        // cannot be read is told to every caller; for other machines it closes the door.
        let looked = shared.ledger.books().fresh(-1).await;
        if !address.ip().is_loopback() {
            let is_keyed = looked?.needs_key();
            if shared.settings.keys.is_empty() && !is_keyed {
                return Err(ServeError::NeedsKey(address));
            }
        } else if let Err(error) = looked {
            tracing::error!(%error, "nobody can tell who needs a key");
        }
        let mut connections = Connections::new(self.shared());
        let mut sweeps = tokio::time::interval(SWEEP_EVERY);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => connections.open(stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_ended) = connections.tasks.join_next() => {}
                _ = sweeps.tick() => self.shared().upstream.sweep(),
                () = &mut shutdown => break,
            }
        }
        drop(listener);
        connections.drain().await;
        Ok(())
    }
}

struct Connections {
    shared: Arc<Shared>,
    http: http1::Builder,
    /// Connections end once what is under way on them does.
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

impl Connections {
    fn new(shared: &Arc<Shared>) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(shared.settings.longest_idle)
            .max_header_size(shared.settings.max_head_bytes)
            .max_headers(shared.settings.max_headers);
        Self {
            shared: Arc::clone(shared),
            http,
            stopping: CancellationToken::new(),
            tasks: JoinSet::new(),
        }
    }

    fn open(&mut self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection closed before it was served");
            return;
        }
        let shared = Arc::clone(&self.shared);
        let service = service_fn(move |request: Request<Incoming>| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(crate::front::answer(shared, peer, request).await) }
        });
        let connection = self
            .http
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }

    async fn drain(mut self) {
        let limit = self.shared.settings.drain;
        let finished = async {
            self.stopping.cancel();
            self.shared.stopping.cancel();
            let ended = async { while self.tasks.join_next().await.is_some() {} };
            tokio::join!(ended, self.shared.sockets.close());
        };
        if tokio::time::timeout(limit, finished).await.is_err() {
            tracing::warn!("some exchanges are broken off because draining took too long");
            self.tasks.shutdown().await;
            self.shared.sockets.abort().await;
        }
        self.shared.captures.finish().await;
    }
}
