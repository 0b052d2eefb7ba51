//! Who may see the pages.
//!
//! On this machine, while callers need no key, everybody who could call the gateway may look, and nobody signs in.
//! Otherwise a reader signs in with a key or at an identity provider, or a proxy that the operator trusts says who it
//! is; what they may do is their role. Names that a stranger's page could have made point here are
//! refused, and so is every form that did not come from one of our own pages.

mod host;
mod limit;
mod login;
mod oidc;
mod pending;
mod proxy;
mod reader;
mod session;
mod token;

use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use wayproof_ledger::Role;

use self::host::Host;
use self::limit::Limit;
pub(crate) use self::login::{enter, leave, show as show_login};
pub use self::oidc::{Client, Grant, IdentityFault, IdentityProvider, Reply, SignIn};
pub(crate) use self::oidc::{begin, finish};
use self::pending::Pending;
use self::proxy::Named;
pub use self::proxy::{ProxyError, TrustedProxy};
use self::reader::Reader;
pub(crate) use self::reader::Ticket;
use self::session::Sessions;
pub use self::token::{Issuer, KeysError};
use crate::api;
use crate::desk::Desk;
use crate::frame::cookie;
use crate::params::{Params, address};
use crate::problem::Problem;

/// The cookie of a reader who signed in.
pub(crate) const SESSION_COOKIE: &str = "wayproof_session";

/// The longest form that is read.
const MAX_FORM_BYTES: usize = 256 << 10;

/// What the guard remembers.
pub(crate) struct Guard {
    /// Never leaves the process; tokens of forms are derived from it.
    secret: [u8; 32],
    sessions: Sessions,
    /// Sign-ins that an identity provider has not sent back yet.
    pending: Pending,
    limit: Limit,
}

/// Who looks, as pages need to know it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    pub(crate) csrf: String,
    /// Whoever signed in or was named; nothing on this machine without a login.
    pub(crate) reader: Option<Reader>,
    pub(crate) role: Role,
    pub(crate) is_outside: bool,
}

impl Visit {
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        self.reader.as_ref().map(|reader| reader.ticket.clone())
    }
}

impl Guard {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self {
            secret: random()?,
            sessions: Sessions::default(),
            pending: Pending::default(),
            limit: Limit::default(),
        })
    }

    /// The token of forms of one reader.
    fn csrf(&self, of: &str) -> String {
        let digest = Sha256::new()
            .chain_update(self.secret)
            .chain_update(of)
            .chain_update(self.secret)
            .finalize();
        format!("{digest:x}")
    }
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Lets a reader in, sends one away, or sends one to sign in.
pub(crate) async fn admit(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let peer = peer(&request);
    let proxy = desk.parts().proxy.as_ref();
    let proxy = proxy.filter(|proxy| peer.is_some_and(|peer| proxy.is_at(peer)));
    let Some(host) = Host::of(headers, proxy.is_some()) else {
        return Problem::refused("The request names no host.").into_response();
    };
    if let Err(problem) = is_own(request.method(), headers, &host) {
        return problem.into_response();
    }
    let is_here = proxy.is_none()
        && peer.is_some_and(|peer| peer.is_loopback())
        && host.is_loopback()
        && !was_forwarded(headers);
    let is_page = request.method() == Method::GET && request.uri().path() != "/live";
    let named = proxy.map_or(Named::Nobody, |proxy| proxy.person(headers, desk.now_us()));
    let known = match named {
        Named::Person(name) => vouched(&desk, name).await,
        Named::Unclear => Err(Problem::refused(
            "The proxy names nobody clearly: its header has to have one name, once.",
        )),
        Named::Nobody if is_here && !desk.house().wants_key() => Ok((here(&desk), None)),
        Named::Nobody if api::is_here(request.uri().path()) && shown_key(headers).is_some() => {
            by_key(&desk, headers).await
        }
        Named::Nobody => signed_in(&desk, headers, is_page).await,
    };
    let (visit, renewed) = match known {
        Ok(known) => known,
        Err(problem) => return problem.into_response(),
    };
    if visit.is_outside && !is_open(request.uri().path()) {
        return turn_away(&desk, &request);
    }
    request.extensions_mut().insert(visit);
    request.extensions_mut().insert(host);
    let mut response = next.run(request).await;
    if let Some(renewed) = renewed.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, renewed);
    }
    response
}

/// A reader, and the cookie of a session whose token was replaced.
type Known = (Visit, Option<String>);

/// Everybody on this machine.
fn here(desk: &Desk) -> Visit {
    Visit {
        csrf: desk.guard().csrf("this machine"),
        reader: None,
        role: Role::Admin,
        is_outside: false,
    }
}

/// Whom a proxy vouches for, if the register of people knows them.
async fn vouched(desk: &Desk, name: String) -> Result<Known, Problem> {
    let reader = registered(desk, Ticket::Person(name.clone()), &name).await?;
    let csrf = desk.guard().csrf(&format!("person {}", reader.name));
    Ok((Visit::of(reader, csrf), None))
}

/// Whoever was named elsewhere, as the register of people has them.
async fn registered(desk: &Desk, ticket: Ticket, name: &str) -> Result<Reader, Problem> {
    let shown = crate::show::text::short(name);
    desk.reader_of(&ticket).await?.ok_or_else(|| {
        tracing::warn!(?ticket, "somebody is named whom nobody registered");
        Problem::refused(&format!(
            "You are signed in as “{shown}”, and the register of people does not have you. Somebody who runs the gateway adds you by `wayproof people set`."
        ))
    })
}

/// The key that a program shows.
fn shown_key(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = shown.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// A program with a key; one that is not good is outside.
async fn by_key(desk: &Desk, headers: &HeaderMap) -> Result<Known, Problem> {
    let reader = desk
        .reader_by_key(shown_key(headers).unwrap_or_default())
        .await?;
    let visit = match reader {
        Some(reader) => Visit::of(reader, String::new()),
        None => Visit {
            is_outside: true,
            ..Visit::default()
        },
    };
    Ok((visit, None))
}

/// A reader with a good session whose key is still good; everybody else is outside.
///
/// On opening a page the session may get a new token.
async fn signed_in(desk: &Desk, headers: &HeaderMap, is_page: bool) -> Result<Known, Problem> {
    let outside = Visit {
        csrf: desk.guard().csrf("nobody"),
        is_outside: true,
        ..Visit::default()
    };
    let Some(token) = cookie(headers, SESSION_COOKIE) else {
        return Ok((outside, None));
    };
    let Some(found) = desk.guard().sessions.find(&token, desk.now_us()) else {
        return Ok((outside, None));
    };
    let Some(reader) = desk.reader_of(&found.ticket).await? else {
        desk.guard().sessions.close(&token);
        return Ok((outside, None));
    };
    let visit = Visit::of(reader, desk.guard().csrf(&found.id));
    let is_due = found.is_due && is_page;
    let renewed = is_due.then(|| desk.guard().sessions.renew(&token, desk.now_us()));
    let renewed = renewed.flatten();
    Ok((
        visit,
        renewed.map(|token| login::session_cookie(&token, headers)),
    ))
}

impl Visit {
    fn of(reader: Reader, csrf: String) -> Self {
        Self {
            csrf,
            role: reader.role,
            reader: Some(reader),
            is_outside: false,
        }
    }
}

/// Lets reviewers on, and whoever may do more.
pub(crate) async fn reviewers(request: Request, next: Next) -> Response {
    at_least(Role::Reviewer, request, next).await
}

/// Lets operators on.
pub(crate) async fn admins(request: Request, next: Next) -> Response {
    at_least(Role::Admin, request, next).await
}

async fn at_least(role: Role, request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>();
    if visit.is_some_and(|visit| !visit.is_outside && visit.role >= role) {
        return next.run(request).await;
    }
    let (has, who) = visit.map_or((Role::Viewer, "you"), |visit| {
        let name = visit.reader.as_ref().map(|reader| reader.name.as_str());
        (visit.role, name.unwrap_or("you"))
    });
    Problem::refused(&format!(
        "This page is for the role {}; yours is {}. Somebody who runs the gateway changes it by `wayproof people set {who} --role {}`.",
        role.name(),
        has.name(),
        role.name()
    ))
    .into_response()
}

/// What everybody may see: how to sign in, and the files that pages are dressed with.
fn is_open(path: &str) -> bool {
    path == "/login"
        || path.starts_with("/login/")
        || path == "/theme"
        || path.starts_with("/assets/")
}

fn turn_away(desk: &Desk, request: &Request) -> Response {
    if !desk.house().wants_key()
        && (desk.parts().sign_in.is_none() || api::is_here(request.uri().path()))
    {
        return Problem::refused(
            "No key of this gateway is good at present, so its pages are shown on its own machine only, under the name localhost or a loopback address. With a key made by `wayproof keys new`, people sign in from elsewhere.",
        )
        .into_response();
    }
    if api::is_here(request.uri().path()) {
        return Problem::new(
            StatusCode::UNAUTHORIZED,
            "A key is needed",
            "Show a key of this gateway as a bearer token: the one it was started with, or one of `wayproof keys new`.",
        )
        .into_response();
    }
    let is_page = request.method() == Method::GET && request.uri().path() != "/live";
    if !is_page {
        return Problem::new(
            StatusCode::UNAUTHORIZED,
            "Sign in",
            "Your session is over, or there was none. Sign in and try again.",
        )
        .into_response();
    }
    let wanted = request.uri().path_and_query().map(PathAndQuery::as_str);
    Redirect::to(&address(
        "/login",
        &[("to", wanted.filter(|path| *path != "/"))],
    ))
    .into_response()
}

/// Turns away what another site's page sends or embeds.
fn is_own(method: &Method, headers: &HeaderMap, host: &Host) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_reading = method == Method::GET || method == Method::HEAD;
    let site = text("sec-fetch-site");
    let is_near = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let is_opened = is_reading
        && text("sec-fetch-mode") == Some("navigate")
        && text("sec-fetch-dest").is_none_or(|dest| dest == "document");
    let is_same_origin = text("origin").is_none_or(|origin| host.is_origin(origin));
    // Following a link from elsewhere is how people come here; anything else is not.
    if (is_near || is_opened) && (is_same_origin || (is_reading && is_opened)) {
        Ok(())
    } else {
        Err(Problem::refused(
            "Requests of other sites' pages are not served.",
        ))
    }
}

/// Whether a proxy in front passed the request on, so that its peer says nothing about who asks.
fn was_forwarded(headers: &HeaderMap) -> bool {
    [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "via",
    ]
    .iter()
    .any(|name| headers.contains_key(*name))
}

fn peer(request: &Request) -> Option<IpAddr> {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// A form that one of our own pages sent.
pub(crate) struct Signed(pub(crate) Params);

impl FromRequest<Desk> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Not a form",
                "This address takes forms of these pages only.",
            ));
        }
        let visit = request.extensions().get::<Visit>().cloned();
        let (parts, body) = request.into_parts();
        let limited = Request::from_parts(parts, axum::body::Body::new(http_limit(body)));
        let body = Bytes::from_request(limited, desk).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Too long",
                "The form is longer than 256 KiB, or broke off.",
            )
        })?;
        let form = Params::parse(&body);
        let expected = visit.map(|visit| visit.csrf).unwrap_or_default();
        let is_ours = !expected.is_empty()
            && bool::from(form.whole("csrf").as_bytes().ct_eq(expected.as_bytes()));
        if is_ours {
            Ok(Self(form))
        } else {
            Err(Problem::refused(
                "The form is from another session or another start of the gateway. Go back, load the page again and repeat it.",
            ))
        }
    }
}

fn http_limit(body: axum::body::Body) -> axum::body::Body {
    axum::body::Body::new(http_body_util::Limited::new(body, MAX_FORM_BYTES))
}
