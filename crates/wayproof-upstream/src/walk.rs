//! Walks the targets of a decision until one answers.
//!
//! The same target is tried again after a short wait, the next one when that does not help; all of
//! it before the first byte of an answer. Which targets there are, and their order, is the
//! decision's business. Every try leaves a record, also one that is abandoned half-way.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response};
use tokio::time::Instant;
use wayproof_wire::Protocol;

use crate::Upstream;
use crate::attempt::{Attempt, AttemptError};
use crate::body::AnswerBody;
use crate::breaker::Admission;
use crate::headers::CallerCredential;
use crate::retry::{self, Next};

/// What all tries of one exchange have in common.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The headers as the client sent them.
    pub headers: &'a HeaderMap,
    /// Whose credential is among them.
    pub caller: CallerCredential,
    /// When the head of an answer must have come.
    pub deadline: Instant,
}

/// One target that may answer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The provider's name.
    pub provider: String,
    /// The model asked for there.
    pub model: String,
    /// The protocol the body is in.
    pub protocol: Protocol,
    /// The request's path and query.
    pub path_and_query: PathAndQuery,
    /// Headers of its own, where those that came in are none for it.
    pub headers: Option<HeaderMap>,
    /// The body.
    pub body: Content,
}

/// The body of a request to one target, in pieces.
#[derive(Clone, Debug)]
pub enum Content {
    /// It is there.
    Ready(Vec<Bytes>),
    /// It is made when the target is tried, so that a fallback nobody needs costs nothing.
    Made(Arc<dyn Make>),
}

/// Makes the body of a request.
pub trait Make: fmt::Debug + Send + Sync {
    /// The body, in pieces, or why there can be none; the same every time.
    fn make(&self) -> Result<Vec<Bytes>, String>;
}

impl Content {
    fn pieces(&self) -> Result<Vec<Bytes>, String> {
        match self {
            Self::Ready(pieces) => Ok(pieces.clone()),
            Self::Made(maker) => maker.make(),
        }
    }
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The provider's name.
    pub provider: String,
    /// The model asked for there.
    pub model: String,
    /// When it began, in microseconds since the walk began.
    pub started_us: i64,
    /// How long the head of the answer took.
    pub ttfb_us: Option<i64>,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// What was wrong, if anything was.
    pub fault: Option<AttemptFault>,
}

/// What was wrong with a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFault {
    /// No connection came about.
    Connect,
    /// The connection broke before an answer.
    Broken,
    /// No answer came in time.
    TimedOut,
    /// The provider answered that it cannot.
    Status,
    /// The provider was left alone because it had failed repeatedly.
    BreakerOpen,
    /// The client went away while the try was under way.
    Abandoned,
    /// The provider does not exist or has no such address.
    Misdirected,
    /// The request cannot be said in a protocol that the provider speaks.
    Unsayable,
    /// There was nothing to show the provider who asks.
    Credential,
    /// The provider refused reasoning in the conversation that another one had sealed.
    ForeignSeal,
    /// The provider has no address for the protocol that it was asked in.
    Unspoken,
}

/// How a walk ended.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request and taken apart at once"
)]
pub enum Walked {
    /// One target answered; its status may still be an error.
    Answered {
        /// The answer. Its body has not been read.
        response: Response<AnswerBody>,
        /// Which of the candidates it came from.
        candidate: usize,
    },
    /// Nobody answered at all.
    Unanswered(AttemptError),
    /// There was nobody to ask.
    Empty,
}

/// Tries the candidates in their order, and notes every try in `records`.
pub async fn walk(
    upstream: &Upstream,
    call: &Call<'_>,
    candidates: &[Candidate],
    records: &mut Vec<AttemptRecord>,
) -> Walked {
    let mut walk = Walk {
        upstream,
        call,
        records,
        begun: Instant::now(),
        best: Walked::Empty,
    };
    let mut has_tried = false;
    for (index, candidate) in candidates.iter().enumerate() {
        if matches!(
            upstream.admit(&candidate.provider),
            Admission::Refuse { .. }
        ) {
            walk.begin(candidate, AttemptFault::BreakerOpen);
            continue;
        }
        has_tried = true;
        if walk.visit(index, candidate).await {
            return walk.best;
        }
    }
    // When every provider is being left alone, the first one is asked all the same: its own
    // words help the agent more than ours.
    if let Some(first) = candidates.first().filter(|_| !has_tried) {
        walk.visit(0, first).await;
    }
    walk.best
}

struct Walk<'a> {
    upstream: &'a Upstream,
    call: &'a Call<'a>,
    records: &'a mut Vec<AttemptRecord>,
    begun: Instant,
    best: Walked,
}

impl Walk<'_> {
    /// Tries one target until it answers or has had its chance; says whether it answered well.
    async fn visit(&mut self, index: usize, candidate: &Candidate) -> bool {
        let limits = &self.upstream.settings().retry;
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = match self.try_once(candidate).await {
                Ok(response) if !retry::is_provider_fault(response.status()) => {
                    self.best = Walked::Answered {
                        response,
                        candidate: index,
                    };
                    return true;
                }
                Ok(response) => {
                    let asked = retry::retry_after(response.headers());
                    self.best = Walked::Answered {
                        response,
                        candidate: index,
                    };
                    asked
                }
                Err(error) => {
                    let is_final = !is_worth_another_try(&error);
                    self.keep(error);
                    if is_final {
                        return false;
                    }
                    None
                }
            };
            let left = self.call.deadline.saturating_duration_since(Instant::now());
            match retry::next_step(limits, tries, asked, left) {
                Next::Again(wait) => tokio::time::sleep(wait).await,
                Next::Onward => return false,
            }
        }
    }

    async fn try_once(
        &mut self,
        candidate: &Candidate,
    ) -> Result<Response<AnswerBody>, AttemptError> {
        let segments = match candidate.body.pieces() {
            Ok(pieces) => pieces,
            Err(reason) => {
                self.begin(candidate, AttemptFault::Unsayable);
                return Err(AttemptError::Unsayable(reason));
            }
        };
        let place = self.begin(candidate, AttemptFault::Abandoned);
        let attempt = Attempt {
            provider: &candidate.provider,
            protocol: candidate.protocol,
            method: self.call.method,
            path_and_query: &candidate.path_and_query,
            model: &candidate.model,
            headers: candidate.headers.as_ref().unwrap_or(self.call.headers),
            caller: self.call.caller,
            segments,
            deadline: self.call.deadline,
        };
        let result = self.upstream.send(&attempt).await;
        let now_us = micros(self.begun);
        if let Some(record) = self.records.get_mut(place) {
            record.conclude(&result, now_us);
        }
        self.note_health(&candidate.provider, &result);
        result
    }

    fn begin(&mut self, candidate: &Candidate, fault: AttemptFault) -> usize {
        self.records.push(AttemptRecord {
            provider: candidate.provider.clone(),
            model: candidate.model.clone(),
            started_us: micros(self.begun),
            ttfb_us: None,
            status: None,
            fault: Some(fault),
        });
        self.records.len() - 1
    }

    fn note_health(&self, provider: &str, result: &Result<Response<AnswerBody>, AttemptError>) {
        match result {
            Ok(response) if !retry::speaks_against_health(response.status()) => {
                self.upstream.note_success(provider);
            }
            // A request that was never sent says nothing about anybody's health.
            Err(AttemptError::Unsayable(_) | AttemptError::Credential { .. }) => {}
            Ok(_) | Err(_) => self.upstream.note_fault(provider),
        }
    }

    /// Keeps an error unless some provider's own answer can be given to the client instead.
    fn keep(&mut self, error: AttemptError) {
        match self.best {
            Walked::Answered { .. } => {}
            Walked::Unanswered(_) | Walked::Empty => self.best = Walked::Unanswered(error),
        }
    }
}

impl AttemptRecord {
    fn conclude(&mut self, result: &Result<Response<AnswerBody>, AttemptError>, now_us: i64) {
        match result {
            Ok(response) => {
                self.status = Some(response.status().as_u16());
                self.ttfb_us = Some(now_us - self.started_us);
                self.fault =
                    retry::is_provider_fault(response.status()).then_some(AttemptFault::Status);
            }
            Err(error) => self.fault = Some(fault_of(error)),
        }
    }
}

const fn fault_of(error: &AttemptError) -> AttemptFault {
    match error {
        AttemptError::UnknownProvider(_) | AttemptError::Path(_) => AttemptFault::Misdirected,
        AttemptError::Connect(_) => AttemptFault::Connect,
        AttemptError::Broken(_) => AttemptFault::Broken,
        AttemptError::TimedOut(_) => AttemptFault::TimedOut,
        AttemptError::Unsayable(_) => AttemptFault::Unsayable,
        AttemptError::Credential { .. } => AttemptFault::Credential,
    }
}

const fn is_worth_another_try(error: &AttemptError) -> bool {
    match error {
        AttemptError::Connect(_) | AttemptError::Broken(_) => true,
        AttemptError::UnknownProvider(_)
        | AttemptError::Path(_)
        | AttemptError::TimedOut(_)
        | AttemptError::Credential { .. }
        | AttemptError::Unsayable(_) => false,
    }
}

fn micros(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX)
}
