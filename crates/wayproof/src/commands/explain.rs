//! Tells why an exchange went where it went: the same words for people as the engine's own.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_engine::{Decision, explain};
use wayproof_ledger::ExchangeDetail;

use super::ledger::at;
use crate::{
    cli::ExplainArgs,
    exit::Mistake,
    terminal::{cost, print, print_json_pretty},
};

/// Explains one exchange.
pub(crate) async fn run(args: ExplainArgs) -> Result<ExitCode> {
    let ledger = at(&args.ledger).await?;
    let found = ledger
        .exchange(&args.exchange)
        .await
        .context("reading the exchange")?;
    ledger.close().await?;
    let Some(detail) = found else {
        return Err(Mistake(format!(
            "the ledger has no exchange {}; the id is in the x-wayproof-exchange header of an answer",
            args.exchange
        ))
        .into());
    };
    if args.json {
        print_json_pretty(&value(&detail))?;
    } else {
        print(&text(&detail)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An exchange with its decision and its end.
pub(crate) fn value(detail: &ExchangeDetail) -> Value {
    json!({"exchange": detail.exchange, "opened": detail.opened, "settled": detail.settled})
}

/// The decision, what came of it, and what it cost.
pub(crate) fn text(detail: &ExchangeDetail) -> Result<String> {
    let mut lines = Vec::new();
    if let Some(decision) = detail.decision() {
        let decision: Decision =
            serde_json::from_str(decision).context("reading the stored decision")?;
        lines.push(explain(&decision));
    }
    let row = &detail.exchange;
    let outcome = row.outcome.as_deref().unwrap_or("still open");
    let status = row
        .status
        .map(|status| format!(" ({status})"))
        .unwrap_or_default();
    lines.push(format!(
        "outcome {outcome}{status}, {} attempt(s)",
        row.attempts.unwrap_or_default()
    ));
    if let Some(failure) = detail
        .settled
        .as_ref()
        .and_then(|settled| settled.failure.as_ref())
    {
        lines.push(format!("failure {failure}, in the provider's words"));
    }
    if let Some(settled) = &detail.settled
        && !settled.losses.is_empty()
    {
        let lost: Vec<String> = settled.losses.iter().map(ToString::to_string).collect();
        lines.push(format!("lost    {}", lost.join(", ")));
    }
    let [fresh, read, written, output, reasoning] = row.tokens;
    let tokens =
        |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    lines.push(format!(
        "tokens  {} fresh, {} from cache, {} into cache, {} out, {} reasoning",
        tokens(fresh),
        tokens(read),
        tokens(written),
        tokens(output),
        tokens(reasoning)
    ));
    lines.push(format!(
        "cost    {} by the price list",
        cost(row.listed_nano_usd)
    ));
    if let Some(job) = &row.job {
        lines.push(format!("job     {job}"));
    }
    Ok(lines.join("\n"))
}
