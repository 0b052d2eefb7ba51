//! The OpenID Connect provider at which people sign in to the dashboard: found as it describes itself, asked over HTTP.
//!
//! It is asked when somebody signs in and at no other time, so that one that is away is in nobody's way.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    HeaderMap, Uri,
    header::{self, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use wayproof_dashboard::{Client, Grant, IdentityFault, IdentityProvider, Reply, SignIn};
use wayproof_upstream::{Bounds, Proxy, fetch, post};

use crate::{
    cli::OidcArgs,
    exit::{self, Mistake},
    gateway,
    issuer::{address, described_at},
    settings,
    terminal::plain,
};

/// The longest answer that is read.
const LIMIT: usize = 1 << 20;
/// For one answer; a person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How old the description may be.
const AGE: Duration = Duration::from_mins(10);

/// An identity provider.
struct Remote {
    issuer: String,
    described_at: Uri,
    client: String,
    secret: Option<SecretString>,
    proxy: Option<Proxy>,
    known: Mutex<Option<(Instant, Description)>>,
}

/// What a provider says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    /// How clients show their secret; by the protocol, in the header where nothing is said.
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// Where people sign in, if the command line names a provider.
pub(crate) fn of(args: &OidcArgs) -> Result<Option<SignIn>> {
    let (Some(issuer), Some(client)) = (&args.oidc_issuer, &args.oidc_client) else {
        return Ok(None);
    };
    let described_at =
        described_at(issuer).map_err(|why| Mistake(format!("--oidc-issuer: {why}")))?;
    if let Some(callback) = &args.oidc_callback {
        let is_ours = callback.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.path_and_query().is_some_and(|path| path == CALLBACK)
        });
        if !is_ours {
            let sentence = format!(
                "--oidc-callback: `{}` is no address of these pages; it begins with https:// and ends with {CALLBACK}",
                plain(callback)
            );
            return Err(Mistake(sentence).into());
        }
    }
    if !args.oidc_scope.split(' ').any(|scope| scope == "openid") {
        let sentence = "--oidc-scope: without `openid` a provider gives no token that names people";
        return Err(Mistake(sentence.to_owned()).into());
    }
    let remote = Remote {
        issuer: issuer.clone(),
        described_at,
        client: client.clone(),
        secret: args.oidc_secret_env.as_deref().map(secret).transpose()?,
        proxy: gateway::proxy()?,
        known: Mutex::default(),
    };
    let client = Client {
        issuer: issuer.clone(),
        id: client.clone(),
        claim: args.oidc_claim.clone(),
        scope: args.oidc_scope.clone(),
        callback: args.oidc_callback.clone(),
    };
    Ok(Some(SignIn::new(client, Box::new(remote))))
}

/// The page of the dashboard that browsers come back to.
const CALLBACK: &str = "/login/callback";

fn secret(variable: &str) -> Result<SecretString> {
    let missing = || {
        Mistake(format!(
            "--oidc-secret-env {variable}: the variable is not set"
        ))
    };
    Ok(SecretString::from(
        settings::variable(variable).ok_or_else(missing)?,
    ))
}

impl Remote {
    /// What the provider says of itself, asked again from time to time.
    async fn description(&self) -> Result<Description, IdentityFault> {
        let known = self.known().clone();
        if let Some((since, description)) = known
            && since.elapsed() < AGE
        {
            return Ok(description);
        }
        let place = &self.described_at;
        let told = self.get(place).await?;
        let told: Description = serde_json::from_slice(&told)
            .map_err(|error| out_of_reach(format!("{place} is no description: {error}")))?;
        if told.issuer != self.issuer {
            let other = plain(&told.issuer);
            return Err(out_of_reach(format!("{place} describes {other}")));
        }
        for place in [
            &told.authorization_endpoint,
            &told.token_endpoint,
            &told.jwks_uri,
        ] {
            address(place).map_err(out_of_reach)?;
        }
        *self.known() = Some((Instant::now(), told.clone()));
        Ok(told)
    }

    /// The last description, with when it was told.
    fn known(&self) -> MutexGuard<'_, Option<(Instant, Description)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self, place: &Uri) -> Result<Vec<u8>, IdentityFault> {
        let got = timeout(PATIENCE, fetch(place, self.proxy.clone(), LIMIT)).await;
        let got = got.map_err(|_| slow(place))?;
        let got = got.map_err(|error| out_of_reach(format!("{place}: {}", chain(error))))?;
        Ok(got.to_vec())
    }

    async fn token(&self, grant: Grant) -> Result<String, IdentityFault> {
        let told = self.description().await?;
        let place = address(&told.token_endpoint).map_err(out_of_reach)?;
        let (headers, body) = self.request(&told, &grant)?;
        let answered = timeout(
            PATIENCE,
            post(&place, self.proxy.clone(), headers, body, Bounds::of(LIMIT)),
        );
        let answered = answered.await.map_err(|_| slow(&place))?;
        let answered =
            answered.map_err(|error| out_of_reach(format!("{place}: {}", chain(error))))?;
        let body: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if answered.status.is_client_error() {
            let why = plain(text("error").unwrap_or("no reason is given"));
            return Err(IdentityFault::Refused(format!("{place} answers {why}")));
        }
        let token = text("id_token").filter(|_| answered.status.is_success());
        token.map(str::to_owned).ok_or_else(|| {
            let status = answered.status;
            out_of_reach(format!("{place} answers {status} and no ID token"))
        })
    }

    /// The request for a token. A secret goes into the header, or into the form where the provider wants it there.
    fn request(
        &self,
        told: &Description,
        grant: &Grant,
    ) -> Result<(HeaderMap, Bytes), IdentityFault> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", &grant.code)
            .append_pair("redirect_uri", &grant.callback)
            .append_pair("code_verifier", &grant.verifier)
            .append_pair("client_id", &self.client);
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(secret) = &self.secret {
            let ways = &told.token_endpoint_auth_methods_supported;
            let takes = |way: &str| ways.iter().any(|taken| taken == way);
            if takes("client_secret_post") && !takes("client_secret_basic") {
                form.append_pair("client_secret", secret.expose_secret());
            } else {
                let user = escaped(&self.client);
                let shown = format!("{user}:{}", escaped(secret.expose_secret()));
                let mut shown = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(shown)))
                    .map_err(|error| out_of_reach(error.to_string()))?;
                shown.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, shown);
            }
        }
        Ok((headers, form.finish().into()))
    }
}

impl IdentityProvider for Remote {
    fn authorization(&self) -> Reply<'_, String> {
        Box::pin(async { Ok(self.description().await?.authorization_endpoint) })
    }

    fn redeem(&self, grant: Grant) -> Reply<'_, String> {
        Box::pin(self.token(grant))
    }

    fn keys(&self) -> Reply<'_, Vec<u8>> {
        Box::pin(async {
            let told = self.description().await?;
            let place = address(&told.jwks_uri).map_err(out_of_reach)?;
            self.get(&place).await
        })
    }
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn chain(error: impl Into<anyhow::Error>) -> String {
    exit::chain(&error.into())
}

fn slow(place: &Uri) -> IdentityFault {
    out_of_reach(format!(
        "{place}: no answer within {} s",
        PATIENCE.as_secs()
    ))
}

fn out_of_reach(why: String) -> IdentityFault {
    IdentityFault::Unreachable(why)
}
