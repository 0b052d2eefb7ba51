//! Tells requests apart and sends each to whoever answers it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower_service::Service as _;
use wayproof_wire::{Fault, FaultKind, Protocol};

use crate::body::Outgoing;
use crate::exchange::{Arrival, Whence, Wish, check_key, check_origin, exchange};
use crate::fault;
use crate::gateway::Shared;
use crate::gemini;
use crate::models;
use crate::ollama;
use crate::routes::{Route, dialect};
use crate::socket;

/// Answers one request.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Outgoing> {
    let route = Route::of(request.method(), request.uri().path(), request.headers());
    let arrival = |protocol, wish| Arrival {
        request,
        protocol,
        wish,
        from: Whence::of(peer),
    };
    match route {
        Route::Answer(protocol) => exchange(shared, arrival(protocol, Wish::Answer)).await,
        Route::CountTokens(protocol) => exchange(shared, arrival(protocol, Wish::Count)).await,
        Route::Embed(protocol) => exchange(shared, arrival(protocol, Wish::Embed)).await,
        Route::Models
        | Route::Model
        | Route::Ollama(_)
        | Route::WebSocket
        | Route::Root
        | Route::WrongMethod { .. }
        | Route::Page => {
            // Rare, and its future is large.
            Box::pin(aside(
                &shared,
                route,
                peer,
                arrival(Protocol::Chat, Wish::Answer),
            ))
            .await
        }
    }
}

/// Answers what is not an exchange.
async fn aside(
    shared: &Arc<Shared>,
    route: Route,
    peer: SocketAddr,
    arrival: Arrival,
) -> Response<Outgoing> {
    let request = arrival.request;
    let protocol = dialect(request.uri().path(), request.headers());
    let id = shared.ids.next().to_string();
    // Pages beside ours that know the proxy in front of them tell by themselves who asks.
    let is_guarded = shared.settings.pages_have_proxy && is_beside(route, request.uri().path());
    if !is_guarded && let Err(fault) = check_origin(shared, request.headers(), arrival.from) {
        return fault::respond(protocol, &fault, &id);
    }
    match route {
        Route::Models => match check_key(shared, request.headers(), arrival.from).await {
            Ok(_) => fault::json(StatusCode::OK, models::list(shared, protocol)),
            Err(fault) => fault::respond(protocol, &fault, &id),
        },
        Route::Model => match check_key(shared, request.headers(), arrival.from).await {
            Ok(_) => model(shared, request.uri().path(), protocol, &id),
            Err(fault) => fault::respond(protocol, &fault, &id),
        },
        Route::Ollama(page) => match check_key(shared, request.headers(), arrival.from).await {
            Ok(_) => ollama::answer(shared, page, request.into_body(), &id).await,
            Err(fault) => fault::respond(protocol, &fault, &id),
        },
        Route::WebSocket => match check_key(shared, request.headers(), arrival.from).await {
            Ok(_) => socket::open(shared, peer, request, &id),
            Err(fault) => fault::respond(protocol, &fault, &id),
        },
        Route::Root if shared.beside.is_none() || !wants_page(request.headers()) => {
            fault::json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
        }
        Route::WrongMethod { allowed } => fault::wrong_method(protocol, allowed, &id),
        Route::Answer(_) | Route::CountTokens(_) | Route::Embed(_) | Route::Root | Route::Page => {
            let mut request = request;
            request.extensions_mut().insert(ConnectInfo(peer));
            page(shared, request, arrival.from, &id).await
        }
    }
}

/// Whether a request is for the pages beside ours, which guard themselves.
fn is_beside(route: Route, path: &str) -> bool {
    let is_ours = path.starts_with("/wayproof/") || path == "/metrics";
    matches!(route, Route::Page | Route::Root) && !is_ours
}

const HTML: &str = "text/html";

/// Whether a browser asks, and not a program that looks for a sign of life.
fn wants_page(headers: &HeaderMap) -> bool {
    says(headers, header::ACCEPT, HTML)
}

fn says(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains(word))
}

fn model(shared: &Shared, path: &str, protocol: Protocol, id: &str) -> Response<Outgoing> {
    let name = gemini::model_of(path).unwrap_or_default();
    if let Some(shown) = models::one(shared, protocol, &name) {
        return fault::json(StatusCode::OK, shown);
    }
    let fault = Fault::new(FaultKind::NotFound, format!("there is no model `{name}`"));
    fault::respond(protocol, &fault, id)
}

async fn page(
    shared: &Shared,
    request: Request<Incoming>,
    from: Whence,
    id: &str,
) -> Response<Outgoing> {
    let protocol = dialect(request.uri().path(), request.headers());
    let path = request.uri().path().to_owned();
    if path == "/metrics"
        && let Err(fault) = check_key(shared, request.headers(), from).await
    {
        return fault::respond(protocol, &fault, id);
    }
    let beside = shared.beside.as_ref();
    let beside = beside.filter(|_| path == "/health" && wants_page(request.headers()));
    let pages = beside.unwrap_or(&shared.pages);
    let response = match pages.clone().call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // What does not exist is told, where no page does so, in the words of whoever seems to be asking.
    let is_told = ["/wayproof/", "/read/"]
        .iter()
        .any(|own| path.starts_with(own))
        || says(response.headers(), header::CONTENT_TYPE, HTML);
    if response.status() == StatusCode::NOT_FOUND && !is_told {
        let fault = Fault::new(FaultKind::NotFound, format!("there is nothing at {path}"));
        return fault::respond(protocol, &fault, id);
    }
    response.map(Outgoing::Page)
}
