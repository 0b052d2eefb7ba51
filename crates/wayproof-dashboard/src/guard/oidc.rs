//! Signing in at an OpenID Connect provider: the authorization-code flow with PKCE.
//!
//! A sign-in is kept here and found by a cookie of the browser that began it; the state, the nonce and the verifier
//! are good once. The provider is asked through a seam that the binary fills. Whoever it names has the role that the
//! register of people gives, and nobody gets in whom the register does not have.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::host::Host;
use super::pending::{Begun, LONGEST_US};
use super::token::Issuer;
use super::{Ticket, login, registered};
use crate::desk::Desk;
use crate::frame::{Frame, cookie, page};
use crate::pages::inner_path;
use crate::params::{Params, address};
use crate::problem::Problem;

/// The cookie of a browser that is on its way to the provider and back. It comes along from there, unlike a session's.
const PENDING_COOKIE: &str = "wayproof_login";
const CALLBACK: &str = "/login/callback";
/// How old the provider's keys may be when a token is checked.
const KEYS_AGE_US: i64 = 10 * 60_000_000;

/// What the provider answers, or why it does not.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, IdentityFault>> + Send + 'a>>;

/// An identity provider, as it is reached.
pub trait IdentityProvider: Send + Sync + 'static {
    /// Where it has people sign in.
    fn authorization(&self) -> Reply<'_, String>;
    /// The ID token that it gives for a code.
    fn redeem(&self, grant: Grant) -> Reply<'_, String>;
    /// The keys that it publishes by now, a JSON Web Key Set.
    fn keys(&self) -> Reply<'_, Vec<u8>>;
}

/// A code, with what shows whose it is.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The code that came with the browser.
    pub code: String,
    /// What the challenge was made of.
    pub verifier: String,
    /// Where the browser came back.
    pub callback: String,
}

/// Why an identity provider does not help; the words are for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// There was no answer, or none that is understood.
    Unreachable(String),
    /// It does not take the code.
    Refused(String),
}

/// Where people sign in elsewhere.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

/// What the gateway is to a provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// The provider's name, which its tokens have to bear.
    pub issuer: String,
    /// The gateway's name there, for which tokens have to be meant.
    pub id: String,
    /// The claim that names people.
    pub claim: String,
    /// What is asked for.
    pub scope: String,
    /// Where browsers are sent back; otherwise to the address that they came to.
    pub callback: Option<String>,
}

struct Inner {
    issuer: Issuer,
    client: Client,
    provider: Box<dyn IdentityProvider>,
    keys_from_us: Mutex<Option<i64>>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}

impl SignIn {
    /// Sign-ins of this client at a provider.
    pub fn new(client: Client, provider: Box<dyn IdentityProvider>) -> Self {
        let (issuer, id) = (client.issuer.clone(), client.id.clone());
        Self(Arc::new(Inner {
            issuer: Issuer::new(&client.claim, Some(issuer), Some(id)),
            client,
            provider,
            keys_from_us: Mutex::default(),
        }))
    }

    /// The provider's name.
    pub fn issuer(&self) -> &str {
        &self.0.client.issuer
    }

    /// The provider as a reader is told of it: its host.
    pub(super) fn shown(&self) -> String {
        let name = self.issuer();
        let place = name.split_once("://").map_or(name, |(_, place)| place);
        let host = place.split(['/', '?', '#']).next().unwrap_or_default();
        crate::show::text::short(host)
    }

    /// The way to the provider.
    fn way(&self, authorization: &str, begun: &Begun) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(begun.verifier.as_bytes()));
        let asked = address(
            "",
            &[
                ("response_type", Some("code")),
                ("client_id", Some(&self.0.client.id)),
                ("redirect_uri", Some(&begun.callback)),
                ("scope", Some(&self.0.client.scope)),
                ("state", Some(&begun.state)),
                ("nonce", Some(&begun.nonce)),
                ("code_challenge", Some(&challenge)),
                ("code_challenge_method", Some("S256")),
            ],
        );
        let asked = asked.trim_start_matches('?');
        let mark = if authorization.contains('?') {
            '&'
        } else {
            '?'
        };
        format!("{authorization}{mark}{asked}")
    }

    /// The person whom a token names. A key that is not known is looked for once more where it is published.
    async fn person(&self, token: &str, nonce: &str, now_us: i64) -> Result<String, Problem> {
        let known_us = *self.known();
        let is_fresh =
            known_us.is_some_and(|known| now_us.abs_diff(known) < KEYS_AGE_US.unsigned_abs());
        if !is_fresh {
            self.learn(now_us).await?;
        }
        let mut named = self.0.issuer.person_of(token, nonce, now_us);
        if is_fresh && named.as_ref().is_err_and(|why| Issuer::is_about_keys(why)) {
            self.learn(now_us).await?;
            named = self.0.issuer.person_of(token, nonce, now_us);
        }
        named.map_err(|why| {
            tracing::warn!(why, "the token of a sign-in names nobody");
            Problem::refused(&format!(
                "The identity provider's token does not count: {why}. Sign in again."
            ))
        })
    }

    async fn learn(&self, now_us: i64) -> Result<(), Problem> {
        let keys = self.0.provider.keys().await;
        let keys = keys.map_err(|fault| out_of_reach(&fault))?;
        let learned = self.0.issuer.learn(&keys);
        learned.map_err(|error| out_of_reach(&IdentityFault::Unreachable(error.to_string())))?;
        *self.known() = Some(now_us);
        Ok(())
    }

    /// When the keys were looked up last.
    fn known(&self) -> std::sync::MutexGuard<'_, Option<i64>> {
        let known = self.0.keys_from_us.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}

fn out_of_reach(fault: &IdentityFault) -> Problem {
    tracing::warn!(?fault, "an identity provider does not sign somebody in");
    match fault {
        IdentityFault::Unreachable(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            "No sign-in at present",
            "The identity provider does not answer as it should. The gateway's log says why; try again in a moment.",
        ),
        IdentityFault::Refused(_) => Problem::refused(
            "The identity provider does not take the code of this sign-in. The gateway's log says why; sign in again.",
        ),
    }
}

fn nowhere() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "Not found",
        "This gateway knows no identity provider; it is named by `wayproof up --oidc-issuer`.",
    )
}

/// Sends a browser to the provider.
pub(crate) async fn begin(
    State(desk): State<Desk>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    host: Option<Extension<Host>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let sign_in = desk.parts().sign_in.as_ref().ok_or_else(nowhere)?;
    let now_us = desk.now_us();
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    if !desk.guard().limit.allows(peer, now_us) {
        return Ok(login::too_often());
    }
    let authorization = sign_in.0.provider.authorization().await;
    let authorization = authorization.map_err(|fault| out_of_reach(&fault))?;
    let is_encrypted = login::is_encrypted(&headers);
    let here = host.map(|Extension(host)| {
        let scheme = if is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}{CALLBACK}", host.as_str())
    });
    let callback = sign_in
        .0
        .client
        .callback
        .clone()
        .or(here)
        .unwrap_or_default();
    let to = inner_path(params.whole("to")).to_owned();
    let (token, begun) = desk
        .guard()
        .pending
        .begin(callback, to, now_us)
        .map_err(login::no_randomness)?;
    let set = [(header::SET_COOKIE, pending_cookie(&token, &headers))];
    let way = sign_in.way(&authorization, &begun);
    Ok((set, Redirect::to(&way)).into_response())
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedIn {
    frame: Frame,
    name: String,
    to: String,
}

/// Lets in whom the provider sends back.
pub(crate) async fn finish(
    State(desk): State<Desk>,
    headers: HeaderMap,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let sign_in = desk.parts().sign_in.as_ref().ok_or_else(nowhere)?;
    let token = cookie(&headers, PENDING_COOKIE).unwrap_or_default();
    let state = params.whole("state");
    let begun = desk.guard().pending.take(&token, state, desk.now_us());
    let begun = begun.ok_or_else(|| {
        Problem::refused(
            "This sign-in was not begun in this browser, is over or was used already. Sign in again.",
        )
    })?;
    // A code of another provider is not shown to this one.
    let from = params.whole("iss");
    if !from.is_empty() && from != sign_in.issuer() {
        return Err(Problem::refused(
            "Another identity provider sent this sign-in back. Sign in again.",
        ));
    }
    let code = params.whole("code");
    if code.is_empty() {
        return Err(turned_down(params.whole("error")));
    }
    let grant = Grant {
        code: code.to_owned(),
        verifier: begun.verifier,
        callback: begun.callback,
    };
    let redeemed = sign_in.0.provider.redeem(grant).await;
    let redeemed = redeemed.map_err(|fault| out_of_reach(&fault))?;
    let name = sign_in
        .person(&redeemed, &begun.nonce, desk.now_us())
        .await?;
    let reader = registered(&desk, Ticket::SignedIn(name.clone()), &name).await?;
    let session = login::open_session(&desk, reader.ticket, &headers)?;
    // A session's cookie does not come along from another site, so that the way on begins at a page of ours.
    let shown = page(&SignedIn {
        frame: Frame {
            csrf: String::new(),
            is_outside: true,
            who: None,
            ..frame
        },
        name: crate::show::text::short(&name),
        to: begun.to,
    })?;
    let set: AppendHeaders<[(HeaderName, String); 2]> = AppendHeaders([
        (header::SET_COOKIE, session),
        (
            header::SET_COOKIE,
            format!("{PENDING_COOKIE}=; Path=/login; HttpOnly; SameSite=Lax; Max-Age=0"),
        ),
    ]);
    Ok((set, shown).into_response())
}

/// What the provider says where it signs nobody in: a word of the protocol, or nothing that is repeated.
fn turned_down(error: &str) -> Problem {
    let is_word = !error.is_empty()
        && error.len() <= 60
        && error
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let why = if is_word { error } else { "no reason is given" };
    tracing::warn!(why, "an identity provider signs somebody not in");
    Problem::refused(&format!(
        "The identity provider did not sign you in: {why}. Sign in again."
    ))
}

/// The cookie of a sign-in: unlike a session's it comes along from another site's page, to this place alone.
fn pending_cookie(token: &str, headers: &HeaderMap) -> String {
    let secure = if login::is_encrypted(headers) {
        "; Secure"
    } else {
        ""
    };
    let age = LONGEST_US / 1_000_000;
    format!("{PENDING_COOKIE}={token}; Path=/login; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}
