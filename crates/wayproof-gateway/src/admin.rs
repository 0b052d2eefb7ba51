//! The admin pages under `/wayproof/v1/`, and the operators' pages.
//!
//! They open jobs and take in what became of them; they never change the policy. Everything under
//! `/wayproof/` wants the admin token, also from this machine. Who has a key that was given out may open jobs, and sees
//! and proves those alone.

mod guard;
mod jobs;
mod read;
mod session;
mod task;
mod work;

use std::sync::{Arc, Weak};

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use crate::gateway::Shared;

/// What a page is given.
#[derive(Clone)]
pub(crate) struct Admin(Weak<Shared>);

impl Admin {
    /// The gateway the page belongs to.
    fn shared(&self) -> Result<Arc<Shared>, Problem> {
        self.0
            .upgrade()
            .ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping"))
    }
}

/// All pages that are not exchanges.
pub(crate) fn pages(shared: Weak<Shared>) -> Router {
    let admin = Admin(shared);
    let operators = Router::new()
        .route("/wayproof/v1/jobs", get(read::jobs))
        .route("/wayproof/v1/jobs/{id}/review", post(jobs::review))
        .route("/wayproof/v1/exchanges/{id}", get(read::exchange))
        .route("/wayproof/v1/sessions/{id}", get(session::session))
        .layer(middleware::from_fn(guard::operators_only));
    let of_jobs = Router::new()
        .route("/wayproof/v1/jobs/{id}", get(read::job))
        .route(
            "/wayproof/v1/jobs/{id}/obligation",
            get(jobs::owed).post(jobs::freeze),
        )
        .route(
            "/wayproof/v1/jobs/{id}/task",
            get(task::show).post(task::set),
        )
        .route("/wayproof/v1/jobs/{id}/proof", post(jobs::prove))
        .route("/wayproof/v1/jobs/{id}/proof/step", post(jobs::step))
        .route("/wayproof/v1/jobs/{id}/close", post(jobs::close))
        .layer(middleware::from_fn_with_state(
            admin.clone(),
            guard::own_jobs,
        ));
    let guarded = Router::new()
        .route("/wayproof/v1/health", get(read::health))
        .route("/wayproof/v1/jobs", post(jobs::open))
        .merge(operators)
        .merge(of_jobs)
        .layer(middleware::from_fn_with_state(
            admin.clone(),
            guard::recognise,
        ));
    Router::new()
        .merge(guarded)
        .route("/health", get(read::alive))
        .route("/metrics", get(read::metrics))
        .with_state(admin)
}

/// An error of a page, as one clear sentence.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    sentence: String,
}

impl Problem {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
        }
    }

    fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what} {id}"))
    }
}

impl From<wayproof_ledger::LedgerError> for Problem {
    fn from(error: wayproof_ledger::LedgerError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        let body = Body {
            error: self.sentence,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
