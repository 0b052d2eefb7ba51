//! One request to an address that the operator named, over a connection of its own: no redirects, one limit, one deadline.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
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
    #[error("no whole answer within {} s", PATIENCE.as_secs())]
    Slow,
}

const PATIENCE: Duration = Duration::from_mins(1);
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

/// Posts a body; the answer may have at most so many bytes.
///
/// # Errors
/// When no whole answer came. A status that refuses is an answer.
pub async fn post(
    uri: &Uri,
    proxy: Option<Proxy>,
    headers: HeaderMap,
    body: Bytes,
    limit: usize,
) -> Result<Answered, OnceError> {
    send(&Method::POST, uri, proxy, headers, body, limit).await
}

/// Sends a body by any method; the answer may have at most so many bytes.
///
/// # Errors
/// When no whole answer came. A status that refuses is an answer.
pub async fn send(
    method: &Method,
    uri: &Uri,
    proxy: Option<Proxy>,
    headers: HeaderMap,
    body: Bytes,
    limit: usize,
) -> Result<Answered, OnceError> {
    let mut request = Request::builder().method(method).uri(path(uri));
    if let Some(made) = request.headers_mut() {
        *made = headers;
    }
    let request = request.body(Full::new(body)).map_err(broken)?;
    ask(uri, proxy, request, limit).await
}

/// Sends a request whose address is the path alone.
pub(crate) async fn ask(
    uri: &Uri,
    proxy: Option<Proxy>,
    mut request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answered, OnceError> {
    let place = Provider::new("address", uri.clone(), Protocols::ALL, Credential::Nothing)?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    // A user in the address is no part of the host.
    let host = host.rsplit('@').next().unwrap_or_default();
    for (name, value) in [
        (header::HOST, host),
        (header::USER_AGENT, "wayproof"),
        (header::CONNECTION, "close"),
    ] {
        let value = header::HeaderValue::from_str(value).map_err(broken)?;
        request.headers_mut().insert(name, value);
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
            let body = Limited::new(body, limit).collect().await;
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
    tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(|_| OnceError::Slow)?
}

pub(crate) fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

fn broken(error: impl std::fmt::Display) -> OnceError {
    OnceError::Broken(error.to_string())
}
