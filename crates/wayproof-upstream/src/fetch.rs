//! Gets one document by its address, such as a published list of models: no credentials, no redirects, one limit.

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Full;

use crate::connect::Proxy;
use crate::once::{Bounds, OnceError, ask, path};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer came.
    #[error(transparent)]
    Once(#[from] OnceError),
    /// The answer is no document.
    #[error("the answer is {0}")]
    Status(http::StatusCode),
}

/// Gets a document of at most so many bytes.
///
/// # Errors
/// When there is none.
pub async fn fetch(uri: &Uri, proxy: Option<Proxy>, limit: usize) -> Result<Bytes, FetchError> {
    let request = Request::get(path(uri))
        .header(header::ACCEPT, "application/json")
        .body(Full::default())
        .map_err(|error| OnceError::Broken(error.to_string()))?;
    let answered = ask(uri, proxy, request, Bounds::of(limit)).await?;
    if answered.status != http::StatusCode::OK {
        return Err(FetchError::Status(answered.status));
    }
    Ok(answered.body)
}
