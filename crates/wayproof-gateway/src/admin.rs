//! The admin pages under `/wayproof/v1/`, and the operators' pages.
//!
//! They open jobs and take in what became of them; they never change the policy. Everything under
//! `/wayproof/` wants the admin token, also from this machine.

mod jobs;
mod read;
mod session;
mod task;
mod work;

use std::sync::{Arc, Weak};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use wayproof_upstream::bearer;

use crate::gateway::Shared;
use crate::keys::KeyDigest;

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
    let guarded = Router::new()
        .route("/wayproof/v1/health", get(read::health))
        .route("/wayproof/v1/jobs", get(read::jobs).post(jobs::open))
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
        .route("/wayproof/v1/jobs/{id}/review", post(jobs::review))
        .route("/wayproof/v1/jobs/{id}/close", post(jobs::close))
        .route("/wayproof/v1/exchanges/{id}", get(read::exchange))
        .route("/wayproof/v1/sessions/{id}", get(session::session))
        .layer(middleware::from_fn_with_state(admin.clone(), guard));
    Router::new()
        .merge(guarded)
        .route("/health", get(read::alive))
        .route("/metrics", get(read::metrics))
        .with_state(admin)
}

/// Lets only the holder of the admin token pass.
async fn guard(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let shared = match admin.shared() {
        Ok(shared) => shared,
        Err(problem) => return problem.into_response(),
    };
    let shown = request.headers().get(header::AUTHORIZATION);
    let is_known = match (&shared.settings.admin_token, shown) {
        (Some(token), Some(shown)) => token.is(&KeyDigest::of(bearer(shown.as_bytes()))),
        (Some(_), None) | (None, _) => false,
    };
    drop(shared);
    if is_known {
        next.run(request).await
    } else {
        Problem::new(StatusCode::UNAUTHORIZED, "the admin token is needed").into_response()
    }
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
