//! One try at one provider: a connection, a request, the head of an answer.
//!
//! It does not judge the answer; whatever status comes is an answer here.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, Uri};
use tokio::time::Instant;
use wayproof_wire::Protocol;

use crate::Upstream;
use crate::body::{AnswerBody, Segments};
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
        let mut request = assemble(endpoint, attempt)?;
        loop {
            let mut lease = self.lease(endpoint).await?;
            match lease.send(request).await {
                Ok(response) => return Ok(self.answered(response, lease)),
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
    ) -> Response<AnswerBody> {
        let (mut parts, incoming) = response.into_parts();
        parts.headers = headers::answered(parts.headers);
        let body = AnswerBody::new(incoming, lease, self.settings().longest_silence);
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
