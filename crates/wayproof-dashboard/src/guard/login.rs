//! Signing in with a key, the gateway's own or one that was given out, and out again.

use std::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::session::LONGEST_US;
use super::{SESSION_COOKIE, Signed, Ticket};
use crate::desk::Desk;
use crate::frame::{Frame, cookie, page};
use crate::pages::inner_path;
use crate::params::{Params, address};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    to: String,
    is_wrong: bool,
    /// Whether a key of this gateway signs in.
    by_key: bool,
    /// The identity provider and the way there.
    elsewhere: Option<(String, String)>,
}

impl LoginPage {
    fn new(desk: &Desk, frame: Frame, to: String, is_wrong: bool) -> Self {
        let elsewhere = desk.parts().sign_in.as_ref().map(|sign_in| {
            let way = address(
                "/login/begin",
                &[("to", Some(&to).filter(|to| *to != "/").map(String::as_str))],
            );
            (sign_in.shown(), way)
        });
        Self {
            frame,
            to,
            is_wrong,
            by_key: desk.house().wants_key(),
            elsewhere,
        }
    }
}

/// The form.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    if !frame.is_outside {
        return Ok(Redirect::to("/").into_response());
    }
    let to = inner_path(params.whole("to")).to_owned();
    std::future::ready(page(&LoginPage::new(&desk, frame, to, false))).await
}

/// Signs in.
pub(crate) async fn enter(
    State(desk): State<Desk>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    frame: Frame,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let now_us = desk.now_us();
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    if !desk.guard().limit.allows(peer, now_us) {
        return Ok(too_often());
    }
    let to = inner_path(form.whole("to")).to_owned();
    let Some(reader) = desk.reader_by_key(form.whole("key").trim()).await? else {
        tracing::warn!(?peer, "somebody tried to sign in with a wrong key");
        let shown = page(&LoginPage::new(&desk, frame, to, true))?;
        return Ok((StatusCode::UNAUTHORIZED, shown).into_response());
    };
    let session = open_session(&desk, reader.ticket, &headers)?;
    Ok(([(header::SET_COOKIE, session)], Redirect::to(&to)).into_response())
}

/// What whoever tries too often is told.
pub(super) fn too_often() -> Response {
    let problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many tries",
        "Somebody tried to sign in too often. Wait a minute and try again.",
    );
    let retry = [(header::RETRY_AFTER, HeaderValue::from_static("60"))];
    (retry, problem).into_response()
}

/// Opens a session in the place of the one that the browser had, and writes its cookie.
pub(super) fn open_session(
    desk: &Desk,
    ticket: Ticket,
    headers: &HeaderMap,
) -> Result<String, Problem> {
    // A session from before belongs to whoever was here before.
    if let Some(old) = cookie(headers, SESSION_COOKIE) {
        desk.guard().sessions.close(&old);
    }
    let token = desk.guard().sessions.open(ticket, desk.now_us());
    let token = token.map_err(no_randomness)?;
    Ok(session_cookie(&token, headers))
}

pub(super) fn no_randomness(error: getrandom::Error) -> Problem {
    tracing::error!(%error, "no randomness for a session");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "No session",
        "The system gives no randomness, so nobody can sign in.",
    )
}

/// Signs out.
pub(crate) async fn leave(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Signed(_): Signed,
) -> Response {
    if let Some(token) = cookie(&headers, SESSION_COOKIE) {
        desk.guard().sessions.close(&token);
    }
    let clear = format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    let set = [(header::SET_COOKIE, clear)];
    std::future::ready((set, Redirect::to("/login")).into_response()).await
}

/// The cookie of a session; kept to encrypted connections where the reader has one.
pub(super) fn session_cookie(token: &str, headers: &HeaderMap) -> String {
    let secure = if is_encrypted(headers) {
        "; Secure"
    } else {
        ""
    };
    let age = LONGEST_US / 1_000_000;
    format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

/// Whether the reader's own connection is encrypted, as far as can be told.
pub(super) fn is_encrypted(headers: &HeaderMap) -> bool {
    let is_https = |value: &HeaderValue| value.as_bytes().starts_with(b"https");
    headers.get(header::ORIGIN).is_some_and(is_https)
        || headers.get("x-forwarded-proto").is_some_and(is_https)
}
