//! Tokens of Google: from a service account's key, or from whoever the machine is signed in as.
//!
//! They are fetched when the first request needs one, kept, and fetched anew before they run out.

use std::pin::Pin;
use std::sync::Arc;

use gcp_auth::{CustomServiceAccount, TokenProvider};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::token::{GoogleError, TokenError, TokenSource};

const SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

/// Tokens for the service account that this key, in Google's JSON, belongs to.
///
/// # Errors
/// When it is none.
pub fn google_account(json: &str) -> Result<Arc<dyn TokenSource>, GoogleError> {
    let account = CustomServiceAccount::from_json(json);
    let account = account.map_err(|error| GoogleError(error.to_string()))?;
    Ok(Arc::new(Account(account)))
}

/// Tokens for whoever the machine is signed in as: by `gcloud auth application-default login`, or as a machine of
/// Google's.
pub fn google_default() -> Arc<dyn TokenSource> {
    Arc::new(Default(OnceCell::new()))
}

struct Account(CustomServiceAccount);

struct Default(OnceCell<Arc<dyn TokenProvider>>);

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account")
    }
}

impl std::fmt::Debug for Default {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Default")
    }
}

type Token<'a> = Pin<Box<dyn Future<Output = Result<SecretString, TokenError>> + Send + 'a>>;

impl TokenSource for Account {
    fn token(&self) -> Token<'_> {
        Box::pin(fetch(&self.0))
    }
}

impl TokenSource for Default {
    fn token(&self) -> Token<'_> {
        Box::pin(async {
            let found = self.0.get_or_try_init(gcp_auth::provider).await;
            fetch(found.map_err(|error| unfetched(&error))?.as_ref()).await
        })
    }
}

async fn fetch(provider: &dyn TokenProvider) -> Result<SecretString, TokenError> {
    let token = provider
        .token(&SCOPES)
        .await
        .map_err(|error| unfetched(&error))?;
    Ok(SecretString::from(token.as_str().to_owned()))
}

fn unfetched(error: &gcp_auth::Error) -> TokenError {
    let cause = std::error::Error::source(error);
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    TokenError(format!("Google gives no token: {error}{cause}"))
}
