//! The same round trip on a WebSocket, as Codex and Copilot may have it: a turn with a tool, and one that says only
//! what is new.

use std::{fmt, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::Uri;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::HeaderValue},
};
use wayproof_wire::Protocol;

use super::probe::{Fault, Seen, TOOL, asking, sentence};
use crate::{gateway::http, terminal::plain};

/// Two turns of a model.
const PATIENCE: Duration = Duration::from_secs(90);

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Socket {
    /// Both turns ended.
    Held {
        took: Duration,
        /// Whether the second turn went on from the first, which it does where the tool was called.
        went_on: bool,
    },
    /// There is none; agents send plain requests then.
    Refused { status: u16, sentence: String },
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { took, went_on } => {
                let turns = if *went_on {
                    "a turn and one that said only what was new"
                } else {
                    "a turn without the tool"
                };
                write!(f, "{turns} on a WebSocket in {} ms", took.as_millis())
            }
            Self::Refused { status, sentence } => write!(
                f,
                "the gateway opens no WebSocket ({status}: {sentence}); agents send plain requests instead"
            ),
        }
    }
}

/// Opens a socket and holds both turns.
pub(super) async fn round_trip(gateway: &str, key: Option<&str>) -> Result<Socket, Fault> {
    let began = Instant::now();
    let trip = timeout(PATIENCE, hold(gateway, key)).await;
    match trip.map_err(|_| Fault::Slow)?? {
        Ok(went_on) => Ok(Socket::Held {
            took: began.elapsed(),
            went_on,
        }),
        Err(refused) => Ok(refused),
    }
}

async fn hold(gateway: &str, key: Option<&str>) -> Result<Result<bool, Socket>, Fault> {
    let mut socket = match open(gateway, key).await? {
        Ok(socket) => socket,
        Err(refused) => return Ok(Err(refused)),
    };
    let first = turn(&mut socket, &asking()).await?;
    let Some((call, previous)) = first.call.zip(first.id) else {
        return Ok(Ok(false));
    };
    let output = json!({"type": "function_call_output", "call_id": call, "output": "ready"});
    let mut next = asking();
    next["previous_response_id"] = Value::from(previous);
    next["input"] = json!([output]);
    turn(&mut socket, &next).await?;
    // Whoever has read both answers needs no goodbye.
    drop(socket.close(None).await);
    Ok(Ok(true))
}

async fn open(
    gateway: &str,
    key: Option<&str>,
) -> Result<Result<WebSocketStream<impl AsyncRead + AsyncWrite + Unpin + use<>>, Socket>, Fault> {
    let down = |error: String| Fault::Down(gateway.to_owned(), error);
    let uri: Uri = gateway
        .parse()
        .map_err(|_| down("it is no address".to_owned()))?;
    let stream = http::open(gateway).await;
    let stream = stream.map_err(|error| down(crate::exit::chain(&error)))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = format!("ws://{authority}/v1/responses").into_client_request();
    let mut request = request.map_err(|error| down(error.to_string()))?;
    for (name, value) in [
        ("openai-beta", "responses_websockets=2026-02-06"),
        ("user-agent", "wayproof-doctor"),
    ] {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    if let Some(key) = key {
        let value = HeaderValue::from_str(key).map_err(|error| down(error.to_string()))?;
        request.headers_mut().insert("x-wayproof-key", value);
    }
    match Box::pin(client_async(request, stream)).await {
        Ok((socket, _)) => Ok(Ok(socket)),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Ok(Err(Socket::Refused {
                status: response.status().as_u16(),
                sentence: sentence(body),
            }))
        }
        Err(error) => Err(down(plain(&error.to_string()))),
    }
}

/// What one turn left.
#[derive(Debug, Default)]
struct Turn {
    id: Option<String>,
    call: Option<String>,
}

async fn turn<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    body: &Value,
) -> Result<Turn, Fault> {
    let mut message = body.clone();
    message["type"] = Value::from("response.create");
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.map_err(|_| Fault::Cut)?;
    let (mut seen, mut turn) = (Seen::default(), Turn::default());
    while let Some(received) = socket.next().await {
        let text = match received {
            Ok(Message::Text(text)) => text,
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(_) | Err(_) => return Err(Fault::Cut),
        };
        let Ok(event) = serde_json::from_str::<Value>(&text) else {
            return Err(Fault::ErrorInStream("an event is no JSON".to_owned()));
        };
        seen.take(Protocol::Responses, &event, text.as_bytes());
        if let Some(error) = seen.error {
            return Err(Fault::ErrorInStream(error));
        }
        let word = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let item = &event["item"];
        if item["name"] == TOOL {
            turn.call = word(&item["call_id"]).or(turn.call);
        }
        if seen.ended {
            turn.id = word(&event["response"]["id"]);
            return Ok(turn);
        }
    }
    Err(Fault::Cut)
}
