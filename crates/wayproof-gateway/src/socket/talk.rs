//! The talk on one socket: a message of the client begins a turn, and the events of its answer are messages back.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use wayproof_wire::{Chain, ChainStep, ChainTurn, SseDecoder, chain_error};

use super::Caller;
use super::inner::Inner;
use crate::gateway::Shared;

/// How many messages may wait while an answer is under way.
const MOST_WAITING: usize = 4;
/// How much of an error is read.
const MAX_ERROR: usize = 64 << 10;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

const BROKEN_OFF: Over = Over::Closed(CloseCode::Error, "the answer broke off");

/// Why a talk is over.
enum Over {
    /// The client went away, or what it sent is no WebSocket.
    Gone,
    /// We end it, and say why.
    Closed(CloseCode, &'static str),
}

impl From<Error> for Over {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(_) => Self::Closed(CloseCode::Size, "the message is too long"),
            Error::Utf8(_) => Self::Closed(CloseCode::Invalid, "the message is not UTF-8"),
            error => {
                tracing::debug!(%error, "a socket ended");
                Self::Gone
            }
        }
    }
}

/// Talks until either side ends it.
pub(super) async fn talk(shared: Arc<Shared>, caller: Caller, upgrade: OnUpgrade) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a connection did not become a socket"),
    };
    let limit = shared.settings.max_body_bytes;
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let mut talk = Talk {
        shared,
        caller,
        socket,
        chain: Chain::default(),
        waiting: VecDeque::new(),
        inner: None,
    };
    let over = loop {
        if let Err(over) = talk.turn().await {
            break over;
        }
    };
    // The way in goes first, so that a provider is hung up on before the client has to answer.
    talk.inner = None;
    if let Over::Closed(code, reason) = over {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        if let Err(error) = talk.socket.close(Some(frame)).await {
            tracing::debug!(%error, "a socket ended before it was closed");
        }
    }
}

struct Talk {
    shared: Arc<Shared>,
    caller: Caller,
    socket: Socket,
    chain: Chain,
    waiting: VecDeque<Utf8Bytes>,
    inner: Option<Inner>,
}

impl Talk {
    /// Waits for a message and answers it.
    async fn turn(&mut self) -> Result<(), Over> {
        let message = match self.waiting.pop_front() {
            Some(message) => message,
            None => self.next().await?,
        };
        let now_s = self.shared.clock.now_us() / 1_000_000;
        let now_s = u64::try_from(now_s).unwrap_or_default();
        let mint: String = self
            .caller
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        match self.chain.step(message.as_bytes(), &mint, now_s) {
            ChainStep::Ask(turn) => self.ask(turn).await,
            ChainStep::Kept(events) => {
                for event in events {
                    self.say(event).await?;
                }
                Ok(())
            }
            ChainStep::Refused(event) => self.say(event).await,
        }
    }

    /// The next message, while nothing is under way.
    async fn next(&mut self) -> Result<Utf8Bytes, Over> {
        let closing = self.shared.sockets.closing.clone();
        let idle = self.shared.settings.longest_socket_idle;
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout(idle, self.socket.next()) => message,
                () = closing.cancelled() => {
                    return Err(Over::Closed(CloseCode::Away, "the gateway stops"));
                }
            };
            let Ok(message) = message else {
                return Err(Over::Closed(CloseCode::Away, "nothing came for too long"));
            };
            if let Some(text) = text(message)? {
                return Ok(text);
            }
        }
    }

    /// Sends a turn on its way and its answer back. A client that goes away meanwhile ends it.
    async fn ask(&mut self, mut turn: ChainTurn) -> Result<(), Over> {
        let request = self.request(&mut turn);
        let mut inner = match self.inner.take() {
            Some(inner) => inner,
            None => Inner::open(&self.shared, self.caller.peer)
                .await
                .map_err(|error| broken(&error))?,
        };
        let response = {
            let sending = inner.send(request);
            tokio::pin!(sending);
            loop {
                tokio::select! {
                    response = &mut sending => break response.map_err(|error| broken(&error))?,
                    message = self.socket.next() => wait(&mut self.waiting, message)?,
                }
            }
        };
        if response.status().is_success() {
            self.relay(response, &mut turn).await?;
        } else {
            self.fail(response).await?;
        }
        self.inner = Some(inner);
        self.chain.close(turn);
        Ok(())
    }

    fn request(&self, turn: &mut ChainTurn) -> Request<Full<Bytes>> {
        let body = Full::new(Bytes::from(std::mem::take(&mut turn.body)));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("/v1/responses");
        let headers = request.headers_mut();
        *headers = self.caller.headers.clone();
        headers
            .entry(HOST)
            .or_insert(HeaderValue::from_static("localhost"));
        for (name, value) in turn.headers.drain(..) {
            headers.insert(name, value);
        }
        request
    }

    /// Every event of a stream is a message.
    async fn relay(
        &mut self,
        response: Response<Incoming>,
        turn: &mut ChainTurn,
    ) -> Result<(), Over> {
        let mut body = response.into_body();
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                message = self.socket.next() => {
                    wait(&mut self.waiting, message)?;
                    continue;
                }
            };
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Err(broken(&error)),
                None if turn.is_told() => return Ok(()),
                // Clients wait for an end, and an error inside of a stream is none for all of them.
                None => return Err(BROKEN_OFF),
            };
            let Some(data) = frame.data_ref() else {
                continue;
            };
            decoder.push(data, |frame| {
                if let Some(data) = frame.data().filter(|data| data.starts_with(b"{")) {
                    turn.heard(&data);
                    events.push(String::from_utf8_lossy(&data).into_owned());
                }
            });
            if decoder.dropped() > 0 {
                return Err(Over::Closed(CloseCode::Size, "an event is too long"));
            }
            let last = events.len().checked_sub(1);
            for (place, event) in events.drain(..).enumerate() {
                let message = Message::text(event);
                if Some(place) == last {
                    self.socket.send(message).await?;
                } else {
                    self.socket.feed(message).await?;
                }
            }
        }
    }

    async fn fail(&mut self, response: Response<Incoming>) -> Result<(), Over> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ERROR).collect().await;
        let body = body.map(Collected::to_bytes).unwrap_or_default();
        let wait = parts.headers.get(RETRY_AFTER);
        let wait = wait.and_then(|wait| wait.to_str().ok());
        self.say(chain_error(parts.status.as_u16(), &body, wait))
            .await
    }

    async fn say(&mut self, event: String) -> Result<(), Over> {
        Ok(self.socket.send(Message::text(event)).await?)
    }
}

/// Keeps what comes while an answer is under way.
fn wait(
    waiting: &mut VecDeque<Utf8Bytes>,
    message: Option<Result<Message, Error>>,
) -> Result<(), Over> {
    let Some(text) = text(message)? else {
        return Ok(());
    };
    if waiting.len() >= MOST_WAITING {
        let reason = "too many messages while an answer is under way";
        return Err(Over::Closed(CloseCode::Policy, reason));
    }
    waiting.push_back(text);
    Ok(())
}

/// The text of a message; pings are answered by the socket itself.
fn text(message: Option<Result<Message, Error>>) -> Result<Option<Utf8Bytes>, Over> {
    match message {
        None | Some(Ok(Message::Close(_))) => Err(Over::Gone),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Binary(_))) => {
            Err(Over::Closed(CloseCode::Unsupported, "messages are text"))
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
    }
}

/// An answer that broke off stays one: agents then ask again.
fn broken(error: &hyper::Error) -> Over {
    tracing::debug!(%error, "a turn of a socket broke off");
    BROKEN_OFF
}
