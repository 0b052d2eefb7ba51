//! One request to an address that the operator named, over a connection of its own: no redirects, one limit, one deadline.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use wayproof_wire::Protocols;

use crate::connect::{ConnectError, Connector, Proxy};
use crate::provider::{Credential, Provider, ProviderError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The address cannot be asked.
    #[error(transparent)]
    Address(#[from] ProviderError),
    /// No connection came about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The exchange broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// It took too long.
    #[error("no whole answer within {} s", .0.as_secs())]
    Slow(Duration),
}

/// How much of an answer is taken, and how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Its length in bytes.
    pub bytes: usize,
    /// From before connecting until it is whole.
    pub patience: Duration,
}

impl Bounds {
    /// So many bytes within a minute.
    pub const fn of(bytes: usize) -> Self {
        Self {
            bytes,
            patience: Duration::from_mins(1),
        }
    }
}

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it holds.
    pub body: Bytes,
}

/// Posts a body.
///
/// # Errors
/// When no whole answer came. A status that refuses is an answer.
pub async fn post(
    uri: &Uri,
    proxy: Option<Proxy>,
    headers: HeaderMap,
    body: Bytes,
    bounds: Bounds,
) -> Result<Answered, OnceError> {
    send(&Method::POST, uri, proxy, headers, body, bounds).await
}

/// Sends a body by any method.
///
/// # Errors
/// When no whole answer came. A status that refuses is an answer.
pub async fn send(
    method: &Method,
    uri: &Uri,
    proxy: Option<Proxy>,
    headers: HeaderMap,
    body: Bytes,
    bounds: Bounds,
) -> Result<Answered, OnceError> {
    let mut request = Request::builder().method(method).uri(path(uri));
    if let Some(made) = request.headers_mut() {
        *made = headers;
    }
    let request = request.body(Full::new(body)).map_err(broken)?;
    ask(uri, proxy, request, bounds).await
}

/// Opens a connection, encrypted where the address asks for it, and leaves what is said on it to the caller.
///
/// # Errors
/// When none came about.
pub async fn open(
    uri: &Uri,
    proxy: Option<Proxy>,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, OnceError> {
    let connector = Connector::new(CONNECT_PATIENCE, proxy);
    Ok(TokioIo::new(connector.open(&place(uri)?).await?))
}

fn place(uri: &Uri) -> Result<Provider, ProviderError> {
    Provider::new("address", uri.clone(), Protocols::ALL, Credential::Nothing)
}

/// Sends a request whose address is the path alone.
pub(crate) async fn ask(
    uri: &Uri,
    proxy: Option<Proxy>,
    mut request: Request<Full<Bytes>>,
    bounds: Bounds,
) -> Result<Answered, OnceError> {
    let place = place(uri)?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    // A user in the address is no part of the host.
    let host = host.rsplit('@').next().unwrap_or_default();
    for (name, value) in [
        (header::HOST, host),
        (header::USER_AGENT, "wayproof"),
        (header::CONNECTION, "close"),
    ] {
        let value = header::HeaderValue::from_str(value).map_err(broken)?;
        request.headers_mut().entry(name).or_insert(value);
    }
    let connector = Connector::new(CONNECT_PATIENCE, proxy);
    let work = async {
        let stream = connector.open(&place).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
            .await
            .map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, bounds.bytes).collect().await;
            Ok(Answered {
                status: parts.status,
                headers: parts.headers,
                body: body.map_err(broken)?.to_bytes(),
            })
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            closed = connection => {
                closed.map_err(broken)?;
                exchange.await
            }
        }
    };
    tokio::time::timeout(bounds.patience, work)
        .await
        .map_err(|_| OnceError::Slow(bounds.patience))?
}

pub(crate) fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

fn broken(error: impl std::fmt::Display) -> OnceError {
    OnceError::Broken(error.to_string())
}
