//! Gets one document by its address, such as a published list of models: no credentials, no redirects, one limit.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use wayproof_wire::Protocols;

use crate::connect::{ConnectError, Connector, Proxy};
use crate::provider::{Credential, Provider, ProviderError};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be asked.
    #[error(transparent)]
    Address(#[from] ProviderError),
    /// No connection came about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The exchange broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The answer is no document.
    #[error("the answer is {0}")]
    Status(http::StatusCode),
    /// It took too long.
    #[error("no whole answer within {} s", PATIENCE.as_secs())]
    Slow,
}

const PATIENCE: Duration = Duration::from_mins(1);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Gets a document of at most so many bytes.
///
/// # Errors
/// When there is none.
pub async fn fetch(uri: &Uri, proxy: Option<Proxy>, limit: usize) -> Result<Bytes, FetchError> {
    let place = Provider::new("fetch", uri.clone(), Protocols::ALL, Credential::Nothing)?;
    let connector = Connector::new(CONNECT_PATIENCE, proxy);
    let work = async {
        let stream = connector.open(&place).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
            .await
            .map_err(broken)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, "wayproof")
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            if response.status() != http::StatusCode::OK {
                return Err(FetchError::Status(response.status()));
            }
            let body = Limited::new(response.into_body(), limit).collect().await;
            Ok(body.map_err(broken)?.to_bytes())
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
        .map_err(|_| FetchError::Slow)?
}

fn broken(error: impl std::fmt::Display) -> FetchError {
    FetchError::Broken(error.to_string())
}
