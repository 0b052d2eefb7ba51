//! Who asks for an admin page, and whether it is for them.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wayproof_ledger::EventBody;
use wayproof_upstream::bearer;
use wayproof_wire::FaultKind;

use crate::admin::{Admin, Problem};
use crate::callers::{self, Holder};
use crate::gateway::Shared;
use crate::keys::{KeyDigest, claimed_key};

/// Who asks for a page.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// Whoever has the admin token.
    Operator,
    /// Whoever has a key that was given out.
    Holder(Arc<Holder>),
}

/// Lets those pass who can be told apart.
pub(super) async fn recognise(
    State(admin): State<Admin>,
    mut request: Request,
    next: Next,
) -> Response {
    match asker(&admin, request.headers()).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn asker(admin: &Admin, headers: &HeaderMap) -> Result<Asker, Problem> {
    let shared = admin.shared()?;
    let needed = || Problem::new(StatusCode::UNAUTHORIZED, "the admin token is needed");
    let shown = headers.get(header::AUTHORIZATION).ok_or_else(needed)?;
    let shown = bearer(shown.as_bytes());
    if let Some(id) = claimed_key(shown) {
        let holder = callers::recognise(&shared, id, shown).await;
        return holder.map(Asker::Holder).map_err(|fault| {
            let status = match fault.kind {
                FaultKind::LedgerUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNAUTHORIZED,
            };
            Problem::new(status, fault.message)
        });
    }
    let token = shared.settings.admin_token.as_ref();
    let is_known = token.is_some_and(|token| token.is(&KeyDigest::of(shown)));
    is_known.then_some(Asker::Operator).ok_or_else(needed)
}

/// Pages that are no business of those who have a key.
pub(super) async fn operators_only(request: Request, next: Next) -> Response {
    match request.extensions().get::<Asker>() {
        Some(Asker::Operator) => next.run(request).await,
        Some(Asker::Holder(_)) | None => {
            let sentence = "the admin token is needed; a key opens only jobs of its own";
            Problem::new(StatusCode::FORBIDDEN, sentence).into_response()
        }
    }
}

/// Pages of a job, for operators and whoever opened it.
pub(super) async fn own_jobs(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    request: Request,
    next: Next,
) -> Response {
    let is_theirs = match request.extensions().get::<Asker>() {
        Some(Asker::Operator) => Ok(true),
        Some(Asker::Holder(holder)) => {
            let holder = Arc::clone(holder);
            opened_with(&admin, &id)
                .await
                .map(|key| key.as_ref() == Some(&holder.id))
        }
        None => Ok(false),
    };
    match is_theirs {
        Ok(true) => next.run(request).await,
        // Nobody learns which jobs others have.
        Ok(false) => Problem::not_found("job", &id).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The id of the key that a job was opened with, also of one that is over.
async fn opened_with(admin: &Admin, id: &str) -> Result<Option<String>, Problem> {
    let shared: Arc<Shared> = admin.shared()?;
    if let Some(job) = shared.jobs.find(id) {
        return Ok(job.opened_with.clone());
    }
    let detail = shared.ledger.job(id).await?;
    let story = detail.into_iter().flat_map(|detail| detail.story);
    let mut opened = story.filter_map(|stored| match stored.event.body {
        EventBody::JobOpened(opened) => opened.opened_with,
        _ => None,
    });
    Ok(opened.next())
}
