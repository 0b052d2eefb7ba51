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

/// Keys of AWS, with the clock that signatures are dated by.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "aws"),
    expect(dead_code, reason = "without the feature nothing is signed")
)]
pub struct AwsKeys {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
    pub(crate) session: Option<SecretString>,
    now_us: WallClock,
}

impl AwsKeys {
    /// Takes keys over; `now_us` gives microseconds since 1970.
    pub fn new(
        id: String,
        secret: SecretString,
        session: Option<SecretString>,
        now_us: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            id,
            secret,
            session,
            now_us: Arc::new(now_us),
        }
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
