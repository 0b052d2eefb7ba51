//! One conversation as it stands, for whoever has a line to show it in.
//!
//! It is asked after every turn, so it waits for the ledger only a moment and tells what is known by then.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use wayproof_ledger::{ExchangeFilter, ExchangeRow, JobRow, Page, SessionRow};

use crate::admin::{Admin, Problem};
use crate::gateway::Shared;

/// A conversation, its newest exchange that counts, and the job of that.
#[derive(Debug, Serialize)]
pub(crate) struct SessionPage {
    session: SessionRow,
    job: Option<JobRow>,
    exchange: Option<ExchangeRow>,
    /// Why that exchange went where it went.
    why: Option<String>,
    /// The cause that moved the job last.
    cause: Option<String>,
}

/// How long the ledger may take to catch up.
const PATIENCE: Duration = Duration::from_millis(25);

/// Housekeeping of an agent's may follow the last turn; so many exchanges are looked through.
const RECENT: u32 = 20;

/// Tells one conversation.
pub(crate) async fn session(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<SessionPage>, Problem> {
    let shared = admin.shared()?;
    match tokio::time::timeout(PATIENCE, shared.ledger.flush()).await {
        Ok(flushed) => flushed?,
        Err(_) => {
            tracing::debug!("the ledger is behind; a conversation is told as far as it is in");
        }
    }
    let session = shared
        .ledger
        .session(&id)
        .await?
        .ok_or_else(|| Problem::not_found("session", &id))?;
    let exchange = newest(&shared, &id).await?;
    let of = exchange
        .as_ref()
        .and_then(|exchange| exchange.job.as_deref());
    let job = match of {
        Some(job) => shared.ledger.job(job).await?.map(|detail| detail.job),
        None => None,
    };
    let decision = decision(&shared, exchange.as_ref()).await?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let causes = decision["causes"].as_array().into_iter().flatten();
    Ok(Json(SessionPage {
        why: text(&decision["rule"]),
        cause: causes.filter_map(|noted| text(&noted["cause"])).next_back(),
        session,
        job,
        exchange,
    }))
}

async fn newest(shared: &Shared, id: &str) -> Result<Option<ExchangeRow>, Problem> {
    let filter = ExchangeFilter {
        session: Some(id.to_owned()),
        ..ExchangeFilter::default()
    };
    let page = Page {
        limit: RECENT,
        before: None,
    };
    let rows = shared.ledger.exchanges(&filter, page).await?;
    let counts = |row: &ExchangeRow| row.task.as_deref() != Some("housekeeping");
    Ok(rows.into_iter().find(counts))
}

/// The decision of an exchange, as JSON.
async fn decision(shared: &Shared, exchange: Option<&ExchangeRow>) -> Result<Value, Problem> {
    let Some(exchange) = exchange else {
        return Ok(Value::Null);
    };
    let detail = shared.ledger.exchange(&exchange.id).await?;
    let text = detail.as_ref().and_then(|detail| detail.decision());
    Ok(text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default())
}
