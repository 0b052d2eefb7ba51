//! A build without Google's tokens: it says so instead.

use std::pin::Pin;
use std::sync::Arc;

use secrecy::SecretString;

use super::token::{GoogleError, TokenError, TokenSource};

const ABSENT: &str = "this build fetches no tokens of Google; one that is there works";

/// Says that there are none.
///
/// # Errors
/// Always.
pub fn google_account(_json: &str) -> Result<Arc<dyn TokenSource>, GoogleError> {
    Err(GoogleError(ABSENT.to_owned()))
}

/// A source that says that it is none.
pub fn google_default() -> Arc<dyn TokenSource> {
    Arc::new(Absent)
}

#[derive(Debug)]
struct Absent;

impl TokenSource for Absent {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<SecretString, TokenError>> + Send + '_>> {
        Box::pin(std::future::ready(Err(TokenError(ABSENT.to_owned()))))
    }
}
