//! One request: its decision, every try, its usage and its price. The answer's own header leads here.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use wayproof_engine::Decision;
use wayproof_ledger::{ExchangeDetail, ExchangeOpened, ExchangeSettled};

use super::said::{self, BodyView};
use super::story::{self, DecisionView};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::money::{listed, told};
use crate::show::text::{count, cut, or_none, short};
use crate::show::time::{at, lasted};

#[derive(Template)]
#[template(path = "exchange.html")]
struct ExchangePage {
    frame: Frame,
    id: String,
    target: String,
    outcome: String,
    job: Option<String>,
    facts: Vec<(&'static str, String)>,
    decision: Option<DecisionView>,
    tries: Vec<Try>,
    losses: Vec<String>,
    /// What was said, where it was kept and the reader may see it.
    bodies: Vec<BodyView>,
    /// Whether there is something that the reader may not see.
    is_hidden: bool,
}

struct Try {
    target: String,
    status: String,
    first_byte: String,
    fault: String,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let detail = find(&desk, &id).await?;
    let decision = detail
        .decision()
        .and_then(|text| serde_json::from_str::<Decision>(text).ok());
    let settled = detail.settled.as_ref();
    let outcome = detail.exchange.outcome.as_deref();
    let mut bodies = said::bodies(&desk, &detail.exchange).await?;
    let is_hidden = !bodies.is_empty() && !said::may_read(frame.role);
    if is_hidden {
        bodies.clear();
    }
    page(&ExchangePage {
        bodies,
        is_hidden,
        target: story::target(&detail.exchange),
        outcome: outcome.map_or_else(|| "under way".to_owned(), short),
        job: detail.exchange.job.clone(),
        facts: facts(&detail),
        decision: decision.as_ref().map(DecisionView::of),
        tries: settled.map(tries).unwrap_or_default(),
        losses: settled.map(losses).unwrap_or_default(),
        id,
        frame,
    })
}

async fn find(desk: &Desk, id: &str) -> Result<ExchangeDetail, Problem> {
    let unknown = || Problem::not_found("exchange", id);
    if id.contains('\0') {
        return Err(unknown());
    }
    if let Some(detail) = desk.ledger().exchange(id).await? {
        return Ok(detail);
    }
    desk.ledger().flush().await?;
    desk.ledger().exchange(id).await?.ok_or_else(unknown)
}

fn facts(detail: &ExchangeDetail) -> Vec<(&'static str, String)> {
    let row = &detail.exchange;
    let mut facts = vec![
        ("Listed", listed(&story::money(&[row]))),
        ("Billed", told(row.billed_nano_usd)),
        ("Subscription", told(row.subscription_nano_usd)),
        ("Tokens", story::in_and_out(&[row])),
        ("Took", row.total_us.map_or_else(|| "–".to_owned(), lasted)),
        (
            "Status",
            row.status
                .map_or_else(|| "–".to_owned(), |status| status.to_string()),
        ),
        ("Task", or_none(row.task.as_deref())),
        ("Class", or_none(row.class.as_deref())),
        ("Agent", or_none(row.agent.as_deref())),
        ("Protocol", or_none(row.protocol.as_deref())),
        ("Asked for", or_none(row.requested_model.as_deref())),
        ("Opened", at(row.opened_us)),
    ];
    let by = [
        ("Person", &row.person),
        ("Team", &row.team),
        ("Key", &row.key_name),
    ];
    let by = by.map(|(what, name)| name.as_deref().map(|name| (what, short(name))));
    facts.extend(by.into_iter().flatten());
    if let Some(opened) = &detail.opened {
        facts.extend(of_request(opened));
    }
    if let Some(settled) = &detail.settled {
        facts.extend(of_answer(settled));
    }
    facts
}

fn of_request(opened: &ExchangeOpened) -> Vec<(&'static str, String)> {
    let size = i64::try_from(opened.request_bytes).unwrap_or(i64::MAX);
    let mut facts = vec![("Request", format!("{} bytes", count(size)))];
    facts.extend(
        opened
            .housekeeping
            .as_deref()
            .map(|shape| ("Housekeeping", short(shape))),
    );
    facts
}

fn of_answer(settled: &ExchangeSettled) -> Vec<(&'static str, String)> {
    let size = i64::try_from(settled.response_bytes).unwrap_or(i64::MAX);
    let mut facts = vec![("Answer", format!("{} bytes", count(size)))];
    facts.extend(settled.ttfb_us.map(|us| ("First byte", lasted(us))));
    facts.extend(
        settled
            .stop
            .as_deref()
            .map(|stop| ("Stopped on", short(stop))),
    );
    facts.extend(
        settled
            .asked_in
            .map(|protocol| ("Asked in", protocol.to_string())),
    );
    let theirs = settled.provider_request_id.as_deref();
    facts.extend(theirs.map(|id| ("Provider's id", short(id))));
    facts
}

fn tries(settled: &ExchangeSettled) -> Vec<Try> {
    let tries = settled.attempts.iter().take(100).map(|attempt| Try {
        target: format!("{}/{}", short(&attempt.provider), short(&attempt.model)),
        status: attempt
            .status
            .map_or_else(|| "–".to_owned(), |status| status.to_string()),
        first_byte: attempt.ttfb_us.map_or_else(|| "–".to_owned(), lasted),
        fault: attempt
            .fault
            .as_deref()
            .map_or_else(|| "none".to_owned(), |fault| cut(fault, 300)),
    });
    tries.collect()
}

fn losses(settled: &ExchangeSettled) -> Vec<String> {
    let losses = settled.losses.iter().take(100);
    losses.map(|loss| cut(&loss.to_string(), 300)).collect()
}
