//! Credentials that are more than a word: keys that sign, and tokens that run out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::SecretString;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenError(pub String);

/// Why a service account's key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a service account cannot be used: {0}")]
pub struct GoogleError(pub(crate) String);

/// Where tokens come from; whoever it is keeps them until they run out.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token that holds for now.
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<SecretString, TokenError>> + Send + '_>>;
}

type WallClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One pair of keys of AWS.
#[derive(Clone)]
pub struct AwsPair {
    /// The access key's id.
    pub id: String,
    /// The secret access key.
    pub secret: SecretString,
    /// The session that keys which run out belong to.
    pub session: Option<SecretString>,
}

impl fmt::Debug for AwsPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsPair").finish_non_exhaustive()
    }
}

/// Keys of AWS, with the clock that signatures are dated by.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "aws"),
    expect(dead_code, reason = "without the feature nothing is signed")
)]
pub struct AwsKeys {
    pair: Arc<dyn Fn() -> AwsPair + Send + Sync>,
    now_us: WallClock,
}

impl AwsKeys {
    /// Keys that stay; `now_us` gives microseconds since 1970.
    pub fn new(pair: AwsPair, now_us: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self::renewed(move || pair.clone(), now_us)
    }

    /// Keys that are asked for at every signature, since others may have taken their place.
    pub fn renewed(
        pair: impl Fn() -> AwsPair + Send + Sync + 'static,
        now_us: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            pair: Arc::new(pair),
            now_us: Arc::new(now_us),
        }
    }

    #[cfg(feature = "aws")]
    pub(crate) fn pair(&self) -> AwsPair {
        (self.pair)()
    }

    #[cfg(feature = "aws")]
    pub(crate) fn now_us(&self) -> i64 {
        (self.now_us)()
    }
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys").finish_non_exhaustive()
    }
}
