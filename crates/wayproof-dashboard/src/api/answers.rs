//! What is answered, from the same queries as the pages.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use wayproof_ledger::{Balance, ExchangeFilter, JobFilter, ReportRow, Sources};

use super::query::{LONGEST, MOST_ROWS, Query};
use super::{answer, document, wrong};
use crate::desk::Desk;
use crate::problem::Problem;

type Answer = Result<Response, Problem>;

/// How old what is known of budgets may be.
const BOOKS_AGE_US: i64 = 1_000_000;

/// Spenders of one `*` budget.
const MOST_ACCOUNTS: u32 = 50;

fn value(made: serde_json::Result<Value>) -> Result<Value, Problem> {
    made.map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "No answer",
            "The answer cannot be written as JSON.",
        )
    })
}

/// Rows with the place where the next page begins.
fn rows(rows: &[Value], limit: u32) -> Response {
    let is_full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().and_then(|row| row.get("seq")).cloned();
    answer(&json!({ "rows": rows, "next_before": next.filter(|_| is_full) }))
}

/// Rows as they are written for programs.
fn written(found: impl Iterator<Item = serde_json::Result<Value>>, limit: u32) -> Answer {
    Ok(rows(
        &found.map(value).collect::<Result<Vec<_>, _>>()?,
        limit,
    ))
}

/// The name at the end of an address.
fn name(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let unreadable = |_| wrong("The name at the end of the address cannot be read.");
    let Path(name) = path.map_err(unreadable)?;
    if name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        return Err(wrong(format!(
            "A name has at most {LONGEST} characters, and none that controls."
        )));
    }
    Ok(name)
}

pub(super) async fn openapi(query: Query) -> Answer {
    query.only(&[])?;
    std::future::ready(Ok(answer(&document()))).await
}

pub(super) async fn health(State(desk): State<Desk>, query: Query) -> Answer {
    query.only(&[])?;
    let house = desk.house();
    let (sessions, jobs) = house.counts();
    let providers = house
        .providers()
        .into_iter()
        .map(|provider| json!({ "name": provider.name, "is_healthy": provider.is_healthy }));
    let providers: Vec<Value> = providers.collect();
    Ok(answer(&json!({
        "status": "ok",
        "policy_digest": house.policy().map(|policy| policy.digest().to_owned()),
        "events": desk.ledger().size().await?,
        "sessions": sessions,
        "jobs": jobs,
        "providers": providers,
    })))
}

pub(super) async fn sessions(State(desk): State<Desk>, query: Query) -> Answer {
    let page = query.only(&["limit", "before"])?.page()?;
    let found = desk.ledger().sessions(page).await?;
    written(found.iter().map(serde_json::to_value), page.limit)
}

pub(super) async fn session(
    State(desk): State<Desk>,
    path: Result<Path<String>, PathRejection>,
    query: Query,
) -> Answer {
    query.only(&[])?;
    let id = name(path)?;
    let found = desk.ledger().session(&id).await?;
    let found = found.ok_or_else(|| Problem::not_found("session", &id))?;
    Ok(answer(&value(serde_json::to_value(found))?))
}

pub(super) async fn jobs(State(desk): State<Desk>, query: Query) -> Answer {
    let query = query.only(&["limit", "before", "session", "task", "verdict"])?;
    let page = query.page()?;
    let filter = JobFilter {
        session: query.text("session"),
        task: query.text("task"),
        verdict: query.text("verdict"),
        key_digest: None,
    };
    let found = desk.ledger().jobs(&filter, page).await?;
    written(found.iter().map(serde_json::to_value), page.limit)
}

pub(super) async fn job(
    State(desk): State<Desk>,
    path: Result<Path<String>, PathRejection>,
    query: Query,
) -> Answer {
    query.only(&[])?;
    let id = name(path)?;
    let detail = desk.ledger().job(&id).await?;
    let detail = detail.ok_or_else(|| Problem::not_found("job", &id))?;
    let story: Result<Vec<Value>, _> = detail
        .story
        .iter()
        .map(|stored| value(serde_json::from_str(&stored.text)))
        .collect();
    Ok(answer(&json!({
        "job": value(serde_json::to_value(&detail.job))?,
        "story": story?,
        "exchanges": value(serde_json::to_value(&detail.exchanges))?,
    })))
}

pub(super) async fn exchanges(State(desk): State<Desk>, query: Query) -> Answer {
    let known = [
        "limit", "before", "session", "job", "task", "model", "outcome",
    ];
    let query = query.only(&known)?;
    let page = query.page()?;
    let filter = ExchangeFilter {
        session: query.text("session"),
        job: query.text("job"),
        task: query.text("task"),
        model: query.text("model"),
        outcome: query.text("outcome"),
    };
    let found = desk.ledger().exchanges(&filter, page).await?;
    written(found.iter().map(serde_json::to_value), page.limit)
}

pub(super) async fn exchange(
    State(desk): State<Desk>,
    path: Result<Path<String>, PathRejection>,
    query: Query,
) -> Answer {
    query.only(&[])?;
    let id = name(path)?;
    let detail = desk.ledger().exchange(&id).await?;
    let detail = detail.ok_or_else(|| Problem::not_found("exchange", &id))?;
    Ok(answer(&json!({
        "exchange": value(serde_json::to_value(&detail.exchange))?,
        "opened": value(serde_json::to_value(&detail.opened))?,
        "settled": value(serde_json::to_value(&detail.settled))?,
    })))
}

pub(super) async fn receipts(State(desk): State<Desk>, query: Query) -> Answer {
    let page = query.only(&["limit", "before"])?.page()?;
    let found = desk.ledger().receipts_issued(None, page).await?;
    let found = found.into_iter().map(|row| {
        json!({
            "seq": row.seq,
            "at_us": row.at_us,
            "job": row.job,
            "task": row.task,
            "repo": row.repo,
            "receipt_digest": row.issued.receipt_digest,
            "verdict": row.issued.verdict.name(),
            "commit": row.issued.commit,
            "tree": row.issued.tree,
            "key_id": row.issued.key_id,
        })
    });
    Ok(rows(&found.collect::<Vec<_>>(), page.limit))
}

pub(super) async fn receipt(
    State(desk): State<Desk>,
    path: Result<Path<String>, PathRejection>,
    query: Query,
) -> Answer {
    query.only(&[])?;
    let digest = name(path)?;
    let found = desk.ledger().receipt(&digest).await?;
    let found = found.ok_or_else(|| Problem::not_found("receipt", &digest))?;
    Ok(answer(&json!({
        "receipt_digest": found.digest,
        "seq": found.seq,
        "job": found.job,
        "bundle": found.content,
    })))
}

/// The groups of a report, each with its names and what `figures` takes of it.
async fn report(desk: &Desk, query: Query, figures: fn(&ReportRow) -> Value) -> Answer {
    let query = query.only(&["by", "from", "until"])?;
    let by = query.dimensions()?;
    let dimensions: Vec<_> = by.iter().map(|(_, dimension)| *dimension).collect();
    let limit = u32::try_from(MOST_ROWS).unwrap_or(u32::MAX);
    let found = desk
        .ledger()
        .report(&dimensions, query.days()?, Sources::All, limit)
        .await?;
    let groups = found.iter().map(|row| {
        let names = by.iter().map(|(name, _)| (*name).to_owned());
        let values = row.group.iter().cloned().map(Value::String);
        let group: Map<String, Value> = names.zip(values).collect();
        let mut figures = figures(row);
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("group".to_owned(), Value::Object(group));
        }
        figures
    });
    let groups: Vec<Value> = groups.collect();
    Ok(answer(&json!({ "groups": groups })))
}

pub(super) async fn spend(State(desk): State<Desk>, query: Query) -> Answer {
    report(&desk, query, |row| {
        json!({
            "exchanges": row.exchanges,
            "with_usage": row.with_usage,
            "imported": row.imported,
            "tokens": row.tokens,
            "listed_nano_usd": row.money.listed_nano_usd,
            "listed_unknown": row.money.listed_unknown,
            "billed_nano_usd": row.money.billed_nano_usd,
            "subscription_nano_usd": row.money.subscription_nano_usd,
            "listed_per_proven_nano_usd": row.listed_per_proven_nano_usd(),
        })
    })
    .await
}

pub(super) async fn outcomes(State(desk): State<Desk>, query: Query) -> Answer {
    report(&desk, query, |row| {
        json!({
            "jobs": row.jobs,
            "judged": row.judged,
            "proven": row.proven,
            "proven_with_gaps": row.proven_with_gaps,
            "refuted": row.refuted,
            "unproven": row.ended_unproven,
            "listed_per_proven_nano_usd": row.listed_per_proven_nano_usd(),
        })
    })
    .await
}

pub(super) async fn quality(State(desk): State<Desk>, query: Query) -> Answer {
    report(&desk, query, |row| {
        json!({
            "jobs": row.jobs,
            "judged": row.judged,
            "proven_at_first": row.proven_at_first,
            "escalated": row.escalated_jobs,
            "escalated_proven": row.escalated_proven,
            "unproven_listed_nano_usd": row.unproven.listed_nano_usd,
            "escalated_listed_nano_usd": row.escalated.listed_nano_usd,
            "exchanges": row.exchanges,
            "with_usage": row.with_usage,
        })
    })
    .await
}

pub(super) async fn budgets(State(desk): State<Desk>, query: Query) -> Answer {
    query.only(&[])?;
    let books = desk.ledger().books();
    let register = books.fresh(BOOKS_AGE_US).await?;
    let now_us = desk.now_us();
    let mut found = Vec::new();
    for budget in &register.budgets {
        let span = budget.window.span(now_us);
        let accounts = books
            .accounts_in(&budget.subject, &span, MOST_ACCOUNTS)
            .await?;
        let mut accounts: Vec<(String, Balance)> = accounts
            .into_iter()
            .map(|account| (account.subject, account.balance))
            .collect();
        if accounts.is_empty() {
            accounts.push((budget.subject.to_string(), Balance::default()));
        }
        for (subject, balance) in accounts {
            found.push(json!({
                "subject": subject,
                "window": budget.window.to_string(),
                "limit_nano_usd": budget.limit_nano_usd,
                "soft_nano_usd": budget.soft_nano_usd,
                "spent_nano_usd": balance.spent_nano_usd,
                "held_nano_usd": balance.held_nano_usd,
                "renews": budget.window.ends(now_us),
            }));
        }
    }
    Ok(answer(&json!({ "budgets": found })))
}

pub(super) async fn models(State(desk): State<Desk>, query: Query) -> Answer {
    query.only(&[])?;
    let catalog = &desk.parts().catalog;
    let listed = catalog.listings(desk.now_us()).map(|listing| {
        let rates = listing.price.rates(0);
        json!({
            "provider": listing.provider,
            "model": listing.price.model,
            "window_tokens": listing.window,
            "input": rates.map(|rates| rates.input),
            "output": rates.map(|rates| rates.output),
            "cache_read": rates.and_then(|rates| rates.cache_read),
            "cache_write_5m": rates.and_then(|rates| rates.cache_write_5m),
        })
    });
    let listed: Vec<Value> = listed.collect();
    let pace = desk.ledger().model_pace().await?;
    let pace: Result<Vec<Value>, _> = pace
        .iter()
        .map(|pace| value(serde_json::to_value(pace)))
        .collect();
    Ok(answer(&json!({
        "source": catalog.source(),
        "date": catalog.date(),
        "digest": catalog.digest(),
        "listed": listed,
        "seen": pace?,
    })))
}
