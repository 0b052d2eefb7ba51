//! A provider on a loopback port that answers by script and keeps what it received.
//!
//! It speaks plain HTTP/1.1 and knows no protocol: the handler decides what a request means.

use std::{
    convert::Infallible,
    net::{Shutdown, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::TaskTracker;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The method, such as `POST`.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Headers in the order of arrival, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Bytes,
}

impl Captured {
    /// The first value of a header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(&found.1).ok()
    }
}

/// A piece of a scripted answer.
#[derive(Debug, Clone)]
pub enum Frame {
    /// Bytes written as one chunk.
    Data(Bytes),
    /// A wait before the next frame.
    Pause(Duration),
    /// The connection breaks here.
    Cut,
    /// Nothing is written any more; the connection stays open for what the client has to say.
    HalfClose,
    /// Trailers that end the body.
    Trailers(HeaderMap),
}

/// A scripted answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// A wait before the head of the answer.
    pub delay: Duration,
    /// The body.
    pub frames: Vec<Frame>,
}

impl Reply {
    /// A JSON answer in one piece.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            delay: Duration::ZERO,
            frames: vec![Frame::Data(body.into())],
        }
    }

    /// A stream of server-sent events, one chunk each.
    pub fn events<I, B>(chunks: I) -> Self
    where
        I: IntoIterator<Item = B>,
        B: Into<Bytes>,
    {
        Self {
            status: 200,
            headers: vec![("content-type".into(), "text/event-stream".into())],
            delay: Duration::ZERO,
            frames: chunks.into_iter().map(|c| Frame::Data(c.into())).collect(),
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same answer after a wait.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// Long enough for the frames before to be written.
const BEFORE_HALF_CLOSE: Duration = Duration::from_millis(20);

type Handler = dyn Fn(&Captured) -> Reply + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    captured: Mutex<Vec<Captured>>,
    unfinished: AtomicUsize,
}

/// A scripted provider; it stops when dropped.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Listens on a free loopback port and answers every request with `handler`.
    ///
    /// # Errors
    /// When no loopback port can be opened.
    pub async fn start(
        handler: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            captured: Mutex::new(Vec::new()),
            unfinished: AtomicUsize::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let tasks = TaskTracker::new();
        let accept = accept(listener, Arc::clone(&shared), tasks.clone(), stopped);
        tasks.spawn(accept);
        Ok(Self {
            address,
            shared,
            stop,
            tasks,
        })
    }

    /// The base URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything received so far.
    pub fn captured(&self) -> Vec<Captured> {
        self.shared
            .captured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many answers were dropped by the client before they ended.
    pub fn unfinished(&self) -> usize {
        self.shared.unfinished.load(Ordering::SeqCst)
    }

    /// Stops listening and waits for open connections to end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.close();
    }
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((socket, _)) = socket else { continue };
        if socket.set_nodelay(true).is_err() {
            continue;
        }
        let Ok((socket, writer)) = with_second_handle(socket) else {
            continue;
        };
        let shared = Arc::clone(&shared);
        let mut stopped = stopped.clone();
        tasks.spawn(async move {
            let service =
                service_fn(|request| answer(request, Arc::clone(&shared), Arc::clone(&writer)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(socket), service);
            tokio::select! {
                // A broken connection is part of the script, not an error of the test.
                _broken = connection => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        });
    }
}

/// A second handle of a connection, by which its writing half can be closed alone.
type Writer = Arc<std::net::TcpStream>;

fn with_second_handle(socket: TcpStream) -> std::io::Result<(TcpStream, Writer)> {
    let socket = socket.into_std()?;
    let writer = Arc::new(socket.try_clone()?);
    Ok((TcpStream::from_std(socket)?, writer))
}

type ScriptBody = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    writer: Writer,
) -> Result<Response<ScriptBody>, Infallible> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let captured = Captured {
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        body,
    };
    let reply = (shared.handler)(&captured);
    shared
        .captured
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(captured);
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = script_body(reply.frames, shared, writer);
    Ok(response
        .body(body)
        .unwrap_or_else(|_| Response::new(empty())))
}

fn empty() -> ScriptBody {
    http_body_util::Empty::new()
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Counts a body that is dropped before its last frame.
struct Unfinished {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Unfinished {
    fn finish(&mut self) {
        self.is_done = true;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.unfinished.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn script_body(frames: Vec<Frame>, shared: Arc<Shared>, writer: Writer) -> ScriptBody {
    if let [Frame::Data(only)] = frames.as_slice() {
        // A body in one piece gets a Content-Length.
        return http_body_util::Full::new(only.clone())
            .map_err(|never| match never {})
            .boxed_unsync();
    }
    if frames.is_empty() {
        return empty();
    }
    let guard = Unfinished {
        shared,
        is_done: false,
    };
    let script = stream::unfold(
        (frames.into_iter(), guard, writer),
        |(mut frames, mut guard, writer)| async move {
            loop {
                match frames.next() {
                    Some(Frame::Data(data)) => {
                        // One poll a chunk, so that each is written on its own.
                        tokio::task::yield_now().await;
                        return Some((Ok(hyper::body::Frame::data(data)), (frames, guard, writer)));
                    }
                    Some(Frame::Pause(wait)) => tokio::time::sleep(wait).await,
                    Some(Frame::Cut) => {
                        // What came before reaches the client first.
                        tokio::task::yield_now().await;
                        guard.finish();
                        let cut = std::io::Error::other("the script cuts the connection here");
                        return Some((Err(cut), (frames, guard, writer)));
                    }
                    Some(Frame::HalfClose) => {
                        // What came before is written first.
                        tokio::time::sleep(BEFORE_HALF_CLOSE).await;
                        guard.finish();
                        // A client that has gone already has what it can have.
                        let _gone = writer.shutdown(Shutdown::Write);
                        std::future::pending::<()>().await;
                    }
                    Some(Frame::Trailers(trailers)) => {
                        guard.finish();
                        return Some((
                            Ok(hyper::body::Frame::trailers(trailers)),
                            (frames, guard, writer),
                        ));
                    }
                    None => {
                        guard.finish();
                        return None;
                    }
                }
            }
        },
    );
    StreamBody::new(script).boxed_unsync()
}
