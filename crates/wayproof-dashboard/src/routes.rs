//! The pages and what every one of them carries.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::desk::{Desk, Parts};
use crate::frame::Frame;
use crate::guard::{self, Guard};
use crate::problem::Problem;
use crate::{api, assets, demo, live, pages};

/// Why there are no pages.
#[derive(Debug)]
pub struct StartError(getrandom::Error);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system gives no randomness for the dashboard's forms")
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// All pages.
///
/// # Errors
///
/// When the system gives no randomness.
pub fn router(parts: Parts) -> Result<Router, StartError> {
    let desk = Desk::new(parts, Guard::new().map_err(StartError)?);
    desk.warm();
    let routes = pages(desk.clone())
        .layer(middleware::from_fn_with_state(desk.clone(), demo::choose))
        .layer(middleware::from_fn_with_state(desk.clone(), guard::admit))
        .layer(middleware::from_fn(dress_refusal));
    Ok(routes.fallback(nothing_here))
}

/// The pages over a desk, for readers who were let in.
pub(crate) fn pages(desk: Desk) -> Router {
    Router::new()
        .route("/", get(pages::now::show))
        .route("/live", get(live::stream))
        .route("/jobs", get(pages::jobs::show))
        .route("/jobs/{id}", get(pages::job::show))
        .route("/exchanges/{id}", get(pages::exchange::show))
        .route("/receipts", get(pages::receipts::show))
        .route("/receipts/{digest}", get(pages::receipt::show))
        .route("/receipts/{digest}/download", get(pages::receipt::download))
        .route("/receipts/{digest}/page", get(pages::receipt::standalone))
        .route("/receipts/{digest}/log-proof", get(pages::logged::download))
        .route("/spend", get(pages::spend::show))
        .route(
            "/policy",
            get(pages::policy::show).post(pages::what_if::show),
        )
        .route("/policy/advice", get(pages::advice::show))
        .route("/policy/advice/patch", get(pages::advice::patch))
        .route("/models", get(pages::models::show))
        .route("/status", get(pages::health::show))
        .route("/health", get(pages::health::show))
        .route(
            "/settings",
            get(pages::settings::show).route_layer(middleware::from_fn(guard::admins)),
        )
        .merge(review_desk())
        .merge(api::routes())
        .route("/docs", get(pages::docs::list))
        .route("/docs/{name}", get(pages::docs::show))
        .route("/connect", get(pages::connect::show))
        .route("/login", get(guard::show_login).post(guard::enter))
        .route("/login/begin", get(guard::begin))
        .route("/login/callback", get(guard::finish))
        .route("/logout", post(guard::leave))
        .route("/theme", post(pages::theme::choose))
        .route("/demo", post(demo::turn))
        .route("/assets/{version}/{name}", get(assets::send))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(desk.clone(), dress))
        .with_state(desk)
}

/// What reviewers see and do.
fn review_desk() -> Router<Desk> {
    Router::new()
        .route("/review", get(pages::review::show))
        .route("/review/redo", post(pages::review::redo))
        .route("/review/change", get(pages::decide::show))
        .route("/review/sign", post(pages::decide::sign))
        .route("/review/keep", post(pages::decide::keep))
        .route_layer(middleware::from_fn(guard::reviewers))
}

/// A page for a browser that is lost; programs are told by the gateway in their own words.
async fn nothing_here(method: Method, headers: HeaderMap, request: Request) -> Response {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if api::is_here(request.uri().path()) {
        let sentence = "There is nothing at this address; the document at /read/v1/openapi.json says what there is.";
        let problem = Problem::new(StatusCode::NOT_FOUND, "Nothing here", sentence);
        return dressed(api::told(&problem));
    }
    let is_browser = accepted.is_some_and(|accepted| accepted.contains("text/html"));
    if !is_browser || method != Method::GET {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (parts, _) = request.into_parts();
    let frame = Frame {
        is_outside: true,
        ..Frame::of(&parts)
    };
    let problem = Problem::new(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "There is no page at this address.",
    );
    std::future::ready(dressed(shown(frame, &problem))).await
}

/// Shows what went wrong as a page. Pages take turns at the ledger, so that however many are asked for, exchanges find
/// a reader free.
async fn dress(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let frame = Frame::of(&parts);
    // The live page has its own turn, and is never over; whoever signs in elsewhere waits for somebody else.
    let path = parts.uri.path().to_owned();
    let is_page = path != "/live" && !path.starts_with("/login/");
    let _turn = if is_page { desk.turn().await } else { None };
    let response = next.run(Request::from_parts(parts, body)).await;
    with_problem((frame, path), response)
}

/// The same for those who were not let in, and the headers for everybody.
async fn dress_refusal(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let frame = Frame::of(&parts);
    let path = parts.uri.path().to_owned();
    let response = next.run(Request::from_parts(parts, body)).await;
    dressed(with_problem((frame, path), response))
}

fn with_problem((frame, path): (Frame, String), mut response: Response) -> Response {
    let problem = response.extensions_mut().remove::<Problem>();
    let is_told = api::is_here(&path) && response.headers().contains_key(header::CONTENT_TYPE);
    let is_bare = response.status().is_client_error() && !is_html(&response) && !is_told;
    let Some(problem) = problem.or_else(|| is_bare.then(|| bare(response.status()))) else {
        return response;
    };
    let mut page = if api::is_here(&path) {
        api::told(&problem)
    } else {
        shown(frame, &problem)
    };
    let kept = [header::RETRY_AFTER, header::ALLOW];
    for name in kept {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn is_html(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// What the router itself turned away.
fn bare(status: StatusCode) -> Problem {
    let sentence = match status {
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This page is there to be read.",
        _ => "The request cannot be read.",
    };
    Problem::new(status, "Not possible", sentence)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    title: &'static str,
    sentence: &'a str,
}

fn shown(frame: Frame, problem: &Problem) -> Response {
    let page = ProblemPage {
        frame,
        title: problem.title,
        sentence: &problem.sentence,
    };
    match page.render() {
        Ok(page) => (problem.status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "not even the page of an error could be written");
            problem.status.into_response()
        }
    }
}

/// Loads nothing but our own files, runs nothing that stands in a page, and stands in nobody else's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn dressed(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
