#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attempt;
mod body;
mod breaker;
mod cloud;
mod connect;
mod fetch;
mod headers;
mod known;
mod once;
mod page;
mod pool;
mod provider;
mod retry;
mod upstream;
mod walk;

pub use attempt::{Attempt, AttemptError};
pub use body::{AnswerBody, BodyError};
pub use breaker::{Admission, Breaker, BreakerLimits};
pub use cloud::{
    AwsKeys, AwsPair, Cloud, Fitted, GoogleError, TokenError, TokenSource, google_account,
    google_default,
};
pub use connect::{ConnectError, Proxy};
pub use fetch::{FetchError, fetch};
pub use headers::{
    CallerCredential, GATEWAY_KEY_HEADER, GOOGLE_KEY_HEADER, VIRTUAL_KEY_PREFIX, bearer, foreign,
    is_credential, is_virtual_key,
};
pub use known::{KNOWN, Known, Place};
pub use once::{Answered, Bounds, OnceError, open, post, send};
pub use page::{FetchedPage, PageClient, PageError, Reachable};
pub use provider::{Credential, Provider, ProviderError};
pub use retry::{RetryLimits, retry_after};
pub use upstream::{Settings, Upstream};
pub use walk::{AttemptFault, AttemptRecord, Call, Candidate, Content, Make, Walked, walk};
