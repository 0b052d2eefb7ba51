//! One try at one provider: a connection, a request, the head of an answer.
//!
//! It does not judge the answer; whatever status comes is an answer here.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use tokio::time::Instant;
use wayproof_wire::Protocol;

use crate::Upstream;
use crate::body::{AnswerBody, Segments};
use crate::cloud::{self, Cloud, Reading};
use crate::connect::ConnectError;
use crate::headers::{self, CallerCredential};
use crate::pool::Lease;
use crate::upstream::Endpoint;

/// What one try sends, and to whom.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The protocol the body is in.
    pub protocol: Protocol,
    /// The request's method.
    pub method: &'a Method,
    /// The request's path and query, joined to the provider's base.
    pub path_and_query: &'a PathAndQuery,
    /// The headers as the client sent them.
    pub headers: &'a HeaderMap,
    /// Whose credential is among them.
    pub caller: CallerCredential,
    /// The model that is asked for; clouds have it in the path.
    pub model: &'a str,
    /// The body, in pieces.
    pub segments: Vec<Bytes>,
    /// When the head of the answer must have come.
    pub deadline: Instant,
}

/// Why a try brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// There is no provider of that name.
    #[error("no provider is named {0}")]
    UnknownProvider(String),
    /// The provider's base and the request's path do not make an address.
    #[error("the path does not fit the address of provider {0}")]
    Path(String),
    /// No connection came about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke before the answer's head.
    #[error("the connection broke before an answer came")]
    Broken(#[source] hyper::Error),
    /// The request cannot be said in a protocol that the provider speaks.
    #[error("{0}")]
    Unsayable(String),
    /// There is nothing to show the provider who asks.
    #[error("provider {provider} cannot be shown who asks: {reason}")]
    Credential {
        /// The provider's name.
        provider: String,
        /// Why.
        reason: String,
    },
    /// No answer came in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl Upstream {
    /// Sends one request and waits for the head of its answer.
    ///
    /// A waiting connection that turns out to have been closed by the provider before anything
    /// was written is replaced without counting as a try.
    pub async fn send(&self, attempt: &Attempt<'_>) -> Result<Response<AnswerBody>, AttemptError> {
        let endpoint = self
            .endpoint(attempt.provider)
            .ok_or_else(|| AttemptError::UnknownProvider(attempt.provider.to_owned()))?;
        let begun = Instant::now();
        let deadline = attempt.deadline.min(begun + self.settings().first_byte);
        tokio::time::timeout_at(deadline, self.exchange(endpoint, attempt))
            .await
            .unwrap_or_else(|_elapsed| Err(AttemptError::TimedOut(deadline - begun)))
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        attempt: &Attempt<'_>,
    ) -> Result<Response<AnswerBody>, AttemptError> {
        let (mut request, reading) = match &endpoint.provider.cloud {
            None => (assemble(endpoint, attempt)?, Reading::Plain),
            Some(cloud) => Box::pin(assemble_for(cloud, endpoint, attempt)).await?,
        };
        loop {
            let mut lease = self.lease(endpoint).await?;
            match lease.send(request).await {
                Ok(response) => return Ok(self.answered(response, lease, reading)),
                Err(mut failed) => match failed.take_message().filter(|_| lease.is_reused()) {
                    Some(unsent) => request = unsent,
                    None => return Err(AttemptError::Broken(failed.into_error())),
                },
            }
        }
    }

    async fn lease(&self, endpoint: &Endpoint) -> Result<Lease, AttemptError> {
        if let Some(lease) = endpoint.pool.take().await {
            return Ok(lease);
        }
        // Opening is rare and its future large, so it does not go into that of every request.
        let connection = Box::pin(self.connector().open(&endpoint.provider)).await?;
        endpoint
            .pool
            .adopt(connection)
            .await
            .map_err(AttemptError::Broken)
    }

    fn answered(
        &self,
        response: Response<hyper::body::Incoming>,
        lease: Lease,
        reading: Reading,
    ) -> Response<AnswerBody> {
        let (mut parts, incoming) = response.into_parts();
        parts.headers = headers::answered(parts.headers);
        let mut body = AnswerBody::new(incoming, lease, self.settings().longest_silence);
        if let Some(cloud) = reading.begin(&mut parts) {
            let kind = HeaderValue::from_static(cloud.content_type());
            parts.headers.insert(CONTENT_TYPE, kind);
            parts.headers.remove(CONTENT_LENGTH);
            body = body.read_by(cloud);
        }
        Response::from_parts(parts, body)
    }
}

fn assemble(endpoint: &Endpoint, attempt: &Attempt<'_>) -> Result<Request<Segments>, AttemptError> {
    let provider = &endpoint.provider;
    let path = provider
        .join(attempt.protocol, attempt.path_and_query)
        .ok_or_else(|| AttemptError::Path(provider.name.clone()))?;
    let mut request = Request::new(Segments::new(attempt.segments.clone()));
    *request.method_mut() = attempt.method.clone();
    *request.uri_mut() = Uri::from(path);
    *request.headers_mut() =
        headers::outgoing(provider, attempt.protocol, attempt.caller, attempt.headers);
    Ok(request)
}

/// The same for a cloud, which takes requests in its own way.
async fn assemble_for(
    cloud: &Cloud,
    endpoint: &Endpoint,
    attempt: &Attempt<'_>,
) -> Result<(Request<Segments>, Reading), AttemptError> {
    let provider = &endpoint.provider;
    let shaped = cloud.shape(provider, attempt)?;
    let mut request = Request::new(Segments::new(shaped.pieces.clone()));
    *request.method_mut() = cloud::METHOD;
    *request.uri_mut() = Uri::from(shaped.path);
    let mut headers =
        headers::outgoing(provider, attempt.protocol, attempt.caller, attempt.headers);
    cloud.fit(&mut headers, shaped.reading);
    *request.headers_mut() = headers;
    cloud::authorize(provider, &mut request, &shaped.pieces).await?;
    Ok((request, shaped.reading))
}
