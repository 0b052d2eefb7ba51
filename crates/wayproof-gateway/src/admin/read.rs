//! Pages that only tell: health, metrics, one job, one exchange.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::value::RawValue;
use wayproof_ledger::{ExchangeOpened, ExchangeRow, ExchangeSettled, JobFilter, JobRow, Page};

use crate::admin::{Admin, Problem};

/// Says that the process runs.
pub(crate) async fn alive() -> impl IntoResponse {
    std::future::ready((
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"status":"ok"}"#,
    ))
    .await
}

/// Writes the counts.
pub(crate) async fn metrics(State(admin): State<Admin>) -> Result<impl IntoResponse, Problem> {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let shared = admin.shared()?;
    let text = shared
        .metrics
        .render(shared.sessions.len(), shared.jobs.len())
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    std::future::ready(Ok(([(header::CONTENT_TYPE, KIND)], text))).await
}

/// How the gateway is.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: &'static str,
    policy_digest: String,
    sessions: usize,
    jobs: usize,
    providers: Vec<ProviderHealth>,
}

#[derive(Debug, Serialize)]
struct ProviderHealth {
    name: String,
    base: String,
    is_healthy: bool,
}

/// Tells how the gateway and its providers are.
pub(crate) async fn health(State(admin): State<Admin>) -> Result<Json<Health>, Problem> {
    let shared = admin.shared()?;
    shared.ledger.flush().await?;
    let providers = shared.upstream.providers().map(|provider| ProviderHealth {
        name: provider.name.clone(),
        base: provider.base.to_string(),
        is_healthy: shared.upstream.is_healthy(&provider.name),
    });
    Ok(Json(Health {
        status: "ok",
        policy_digest: shared.policy.load().digest().to_owned(),
        sessions: shared.sessions.len(),
        jobs: shared.jobs.len(),
        providers: providers.collect(),
    }))
}

/// The jobs that were opened last, newest first.
pub(crate) async fn jobs(State(admin): State<Admin>) -> Result<Json<Vec<JobRow>>, Problem> {
    let shared = admin.shared()?;
    shared.ledger.flush().await?;
    let filter = JobFilter::default();
    Ok(Json(shared.ledger.jobs(&filter, Page::default()).await?))
}

/// One job with its story.
#[derive(Debug, Serialize)]
pub(crate) struct JobPage {
    job: JobRow,
    story: Vec<Box<RawValue>>,
    exchanges: Vec<ExchangeRow>,
}

/// Tells one job.
pub(crate) async fn job(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<JobPage>, Problem> {
    let shared = admin.shared()?;
    shared.ledger.flush().await?;
    let detail = shared
        .ledger
        .job(&id)
        .await?
        .ok_or_else(|| Problem::not_found("job", &id))?;
    let story = detail
        .story
        .into_iter()
        .filter_map(|stored| RawValue::from_string(stored.text).ok())
        .collect();
    Ok(Json(JobPage {
        job: detail.job,
        story,
        exchanges: detail.exchanges,
    }))
}

/// One exchange with its decision and its end.
#[derive(Debug, Serialize)]
pub(crate) struct ExchangePage {
    exchange: ExchangeRow,
    opened: Option<ExchangeOpened>,
    settled: Option<ExchangeSettled>,
}

/// Tells one exchange.
pub(crate) async fn exchange(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<ExchangePage>, Problem> {
    let shared = admin.shared()?;
    shared.ledger.flush().await?;
    let detail = shared
        .ledger
        .exchange(&id)
        .await?
        .ok_or_else(|| Problem::not_found("exchange", &id))?;
    Ok(Json(ExchangePage {
        exchange: detail.exchange,
        opened: detail.opened,
        settled: detail.settled,
    }))
}
