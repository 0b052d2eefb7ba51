//! Connections that wait for their next request, one pool a provider.
//!
//! HTTP/1.1 only, one request a connection at a time, the warmest connection first. A connection has
//! no task of its own: whoever waits for its answer drives it. So the frames that are at hand go on
//! without a detour through the scheduler, a client that does not read slows the provider down, and a
//! connection that is dropped is closed at once. Idle ones are looked at when they are taken, and
//! swept when they have waited too long.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::Instant;

use crate::body::Segments;
use crate::connect::Connection;

/// The largest answer head that is read.
const MAX_ANSWER_HEAD: usize = 256 * 1024;

/// The idle connections to one provider, the coldest first.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Idle>>,
    most: usize,
    longest: Duration,
}

#[derive(Debug)]
struct Idle {
    link: Link,
    since: Instant,
}

/// One connection with both of its sides: what requests go into, and what moves the bytes.
#[derive(Debug)]
struct Link {
    sender: SendRequest<Segments>,
    /// `None` once the connection is over.
    driver: Option<Pin<Box<http1::Connection<Connection, Segments>>>>,
}

impl Link {
    /// Moves bytes until there is nothing left to do for now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(ended) = driver.as_mut().poll(cx)
        {
            if let Err(error) = ended {
                tracing::debug!(%error, "a provider's connection ended");
            }
            self.driver = None;
        }
    }

    /// Waits until the connection can take a request; says whether it ever will.
    async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            match self.sender.poll_ready(cx) {
                Poll::Ready(ready) => Poll::Ready(ready.is_ok()),
                Poll::Pending if self.driver.is_none() => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl Pool {
    pub(crate) const fn new(most: usize, longest: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            most,
            longest,
        }
    }

    /// Takes a waiting connection that can be used at once.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Lease> {
        loop {
            let mut link = self.pop()?;
            if link.is_ready().await {
                return Some(Lease {
                    link,
                    pool: Arc::clone(self),
                    is_reused: true,
                });
            }
        }
    }

    /// Starts HTTP on a new connection.
    pub(crate) async fn adopt(self: &Arc<Self>, connection: Connection) -> hyper::Result<Lease> {
        let (sender, driver) = http1::Builder::new()
            .max_header_size(MAX_ANSWER_HEAD)
            .handshake(connection)
            .await?;
        Ok(Lease {
            link: Link {
                sender,
                driver: Some(Box::pin(driver)),
            },
            pool: Arc::clone(self),
            is_reused: false,
        })
    }

    /// Lets the connections go that have waited too long.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let mut idle = self.lock();
        let kept = idle.partition_point(|idle| now.duration_since(idle.since) > self.longest);
        let gone: Vec<Idle> = idle.drain(..kept).collect();
        drop(idle);
        drop(gone);
    }

    /// Lets all waiting connections go.
    pub(crate) fn close(&self) {
        self.lock().clear();
    }

    fn pop(&self) -> Option<Link> {
        let now = Instant::now();
        let mut idle = self.lock();
        let newest = idle.pop()?;
        if now.duration_since(newest.since) > self.longest {
            // The newest is too old, so all are.
            idle.clear();
            return None;
        }
        Some(newest.link)
    }

    fn push(&self, link: Link) {
        let since = Instant::now();
        let mut idle = self.lock();
        let coldest = (idle.len() >= self.most).then(|| idle.remove(0));
        idle.push(Idle { link, since });
        drop(idle);
        drop(coldest);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, taken for one exchange. Dropped, it is closed.
#[derive(Debug)]
pub(crate) struct Lease {
    link: Link,
    pool: Arc<Pool>,
    is_reused: bool,
}

impl Lease {
    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Segments>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Segments>>> {
        let sending = self.link.sender.try_send_request(request);
        tokio::pin!(sending);
        poll_fn(|cx| {
            // Once to put the request in, and once more for what driving brought about.
            if let Poll::Ready(sent) = sending.as_mut().poll(cx) {
                return Poll::Ready(sent);
            }
            self.link.drive(cx);
            sending.as_mut().poll(cx)
        })
        .await
    }

    /// Moves bytes until there is nothing left to do for now.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        self.link.drive(cx);
    }

    /// Says whether the connection had waited in the pool.
    pub(crate) const fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Puts the connection back for the next request.
    pub(crate) fn give_back(self) {
        if self.link.driver.is_some() && !self.link.sender.is_closed() {
            self.pool.push(self.link);
        }
    }
}
