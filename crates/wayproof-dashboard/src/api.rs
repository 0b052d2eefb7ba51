//! What programs read: the pages' figures as JSON, under `/read/v1/`, described by an OpenAPI document.
//!
//! It is read only and guarded as the pages are; a program shows its key as a bearer token. Every answer, also one that
//! something went wrong, is JSON that the document describes.

mod answers;
mod describe;
mod query;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::problem::Problem;
pub use describe::document;

/// Where it begins.
pub(crate) const ROOT: &str = "/read/v1/";

/// Everything there is to read.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/read/v1/openapi.json", get(answers::openapi))
        .route("/read/v1/health", get(answers::health))
        .route("/read/v1/sessions", get(answers::sessions))
        .route("/read/v1/sessions/{id}", get(answers::session))
        .route("/read/v1/jobs", get(answers::jobs))
        .route("/read/v1/jobs/{id}", get(answers::job))
        .route("/read/v1/exchanges", get(answers::exchanges))
        .route("/read/v1/exchanges/{id}", get(answers::exchange))
        .route("/read/v1/receipts", get(answers::receipts))
        .route("/read/v1/receipts/{digest}", get(answers::receipt))
        .route("/read/v1/spend", get(answers::spend))
        .route("/read/v1/outcomes", get(answers::outcomes))
        .route("/read/v1/quality", get(answers::quality))
        .route("/read/v1/budgets", get(answers::budgets))
        .route("/read/v1/models", get(answers::models))
}

/// Whether an address is a program's.
pub(crate) fn is_here(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// An answer.
fn answer(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
        .into_response()
}

/// Says what went wrong as JSON.
pub(crate) fn told(problem: &Problem) -> Response {
    let body = json!({ "error": problem.sentence });
    let mut response = (problem.status, answer(&body)).into_response();
    if problem.status == StatusCode::UNAUTHORIZED {
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// What a request asks for that cannot be.
fn wrong(sentence: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Not possible", sentence)
}
