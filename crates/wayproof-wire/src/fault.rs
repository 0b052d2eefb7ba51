//! Errors of our own, in the words and shapes that each dialect's clients act upon.
//!
//! Clients retry, wait, compact or stop by status, header, code and even by phrase, so each of them is chosen for what
//! the client will do. It refuses to send a rate limit without saying when to come back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::Protocol;

/// What a client is told to wait when nobody knows better, in seconds.
const DEFAULT_WAIT_S: u64 = 5;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The request cannot be read or served as it is. Also for a model nobody knows: agents take a 404 for a missing
    /// feature and ask again in another way.
    BadRequest,
    /// The body is above the limit.
    TooLarge,
    /// The body is packed in a way that nobody here unpacks.
    UnknownPacking,
    /// The caller's key is missing or wrong.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// There is no such route.
    NotFound,
    /// Too many requests.
    RateLimited,
    /// The provider has no capacity.
    Overloaded,
    /// The conversation does not fit the model; agents compact when they are told so in the right words.
    ContextOverflow,
    /// A hard budget is used up; asking again will not help.
    BudgetExhausted,
    /// The ledger cannot write, so no new work is taken.
    LedgerUnavailable,
    /// The provider did not answer in time.
    UpstreamTimeout,
    /// The provider could not be reached.
    UpstreamUnreachable,
    /// A defect of the gateway.
    Internal,
}

/// An error of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// One clear sentence for a person.
    pub message: String,
    /// When to come back, in seconds.
    pub retry_after_s: Option<u64>,
}

/// A fault as it goes over the wire; the body is JSON in every dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFault {
    /// The HTTP status.
    pub status: u16,
    /// The value of the `Retry-After` header, if it is to be sent.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

impl Fault {
    /// A fault without a time to come back.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// The conversation is longer than the model's window, in the words that clients look for.
    pub fn context_overflow(tokens: u64, maximum: u64) -> Self {
        Self::new(
            FaultKind::ContextOverflow,
            format!("prompt is too long: {tokens} tokens > {maximum} maximum"),
        )
    }
}

/// Renders a fault in a client's own dialect. `request_id` goes where the dialect has a place for it.
pub fn render(protocol: Protocol, fault: &Fault, request_id: &str) -> RenderedFault {
    let retry_after_s = match fault.kind {
        FaultKind::RateLimited => Some(fault.retry_after_s.unwrap_or(DEFAULT_WAIT_S)),
        _ => fault.retry_after_s,
    };
    let status = status(protocol, fault.kind);
    let message = worded(fault);
    let body = match protocol {
        Protocol::Messages => messages_body(fault.kind, &message, request_id),
        Protocol::Chat | Protocol::Responses | Protocol::Completions | Protocol::Fim => {
            openai_body(fault.kind, &message)
        }
        Protocol::Gemini => gemini_body(fault.kind, status, &message, retry_after_s),
        Protocol::Ollama => json!({ "error": message }),
    };
    RenderedFault {
        status,
        retry_after_s,
        body: body.to_string().into_bytes(),
    }
}

/// Client errors other than 408, 409 and 429 are final for every agent, so capacity is never told with one of them.
const fn status(protocol: Protocol, kind: FaultKind) -> u16 {
    match kind {
        FaultKind::BadRequest | FaultKind::ContextOverflow => 400,
        FaultKind::Unauthorized => 401,
        FaultKind::BudgetExhausted => 402,
        FaultKind::Forbidden => 403,
        FaultKind::NotFound => 404,
        FaultKind::TooLarge => 413,
        FaultKind::UnknownPacking => 415,
        FaultKind::RateLimited => 429,
        FaultKind::Internal => 500,
        FaultKind::UpstreamUnreachable => 502,
        FaultKind::Overloaded => match protocol {
            Protocol::Messages => 529,
            Protocol::Chat
            | Protocol::Responses
            | Protocol::Gemini
            | Protocol::Ollama
            | Protocol::Completions
            | Protocol::Fim => 503,
        },
        FaultKind::LedgerUnavailable => 503,
        FaultKind::UpstreamTimeout => 504,
    }
}

/// The message, with the words for an overflow put before it if they are not there.
fn worded(fault: &Fault) -> String {
    let message = &fault.message;
    let is_worded = message.to_ascii_lowercase().contains("prompt is too long");
    if fault.kind == FaultKind::ContextOverflow && !is_worded {
        format!("prompt is too long: {message}")
    } else {
        message.clone()
    }
}

fn messages_body(kind: FaultKind, message: &str, request_id: &str) -> Value {
    let name = match kind {
        FaultKind::BadRequest | FaultKind::UnknownPacking | FaultKind::ContextOverflow => {
            "invalid_request_error"
        }
        FaultKind::TooLarge => "request_too_large",
        FaultKind::Unauthorized => "authentication_error",
        FaultKind::BudgetExhausted => "billing_error",
        FaultKind::Forbidden => "permission_error",
        FaultKind::NotFound => "not_found_error",
        FaultKind::RateLimited => "rate_limit_error",
        FaultKind::Overloaded => "overloaded_error",
        FaultKind::UpstreamTimeout => "timeout_error",
        FaultKind::LedgerUnavailable | FaultKind::UpstreamUnreachable | FaultKind::Internal => {
            "api_error"
        }
    };
    json!({
        "type": "error",
        "error": { "type": name, "message": message },
        "request_id": request_id,
    })
}

fn openai_body(kind: FaultKind, message: &str) -> Value {
    // An overload has no code on purpose: Codex takes `server_is_overloaded` as final.
    let (name, code) = match kind {
        FaultKind::BadRequest => ("invalid_request_error", None),
        FaultKind::TooLarge => ("invalid_request_error", Some("request_too_large")),
        FaultKind::UnknownPacking => ("invalid_request_error", Some("unsupported_encoding")),
        FaultKind::ContextOverflow => ("invalid_request_error", Some("context_length_exceeded")),
        FaultKind::Unauthorized => ("invalid_request_error", Some("invalid_api_key")),
        FaultKind::Forbidden => ("invalid_request_error", Some("permission_denied")),
        FaultKind::NotFound => ("invalid_request_error", Some("not_found")),
        FaultKind::BudgetExhausted => ("insufficient_quota", Some("insufficient_quota")),
        FaultKind::RateLimited => ("rate_limit_error", Some("rate_limit_exceeded")),
        FaultKind::Overloaded
        | FaultKind::LedgerUnavailable
        | FaultKind::UpstreamTimeout
        | FaultKind::UpstreamUnreachable
        | FaultKind::Internal => ("server_error", None),
    };
    json!({
        "error": { "message": message, "type": name, "param": null, "code": code },
    })
}

fn gemini_body(kind: FaultKind, status: u16, message: &str, retry_after_s: Option<u64>) -> Value {
    let name = match kind {
        FaultKind::BadRequest
        | FaultKind::TooLarge
        | FaultKind::UnknownPacking
        | FaultKind::ContextOverflow => "INVALID_ARGUMENT",
        FaultKind::Unauthorized => "UNAUTHENTICATED",
        FaultKind::Forbidden => "PERMISSION_DENIED",
        FaultKind::NotFound => "NOT_FOUND",
        FaultKind::BudgetExhausted => "FAILED_PRECONDITION",
        FaultKind::RateLimited => "RESOURCE_EXHAUSTED",
        FaultKind::Overloaded | FaultKind::LedgerUnavailable | FaultKind::UpstreamUnreachable => {
            "UNAVAILABLE"
        }
        FaultKind::UpstreamTimeout => "DEADLINE_EXCEEDED",
        FaultKind::Internal => "INTERNAL",
    };
    let mut error = json!({ "code": status, "message": message, "status": name });
    // Gemini clients read the wait from the body, not from the header.
    if let Some(seconds) = retry_after_s {
        error["details"] = json!([{
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }]);
    }
    json!({ "error": error })
}
