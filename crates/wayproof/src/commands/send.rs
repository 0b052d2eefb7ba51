//! Sends what the ledger holds to a receiver of OpenTelemetry.

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use wayproof_ledger::Ledger;

use super::ledger::at;
use crate::{
    cli::{Period, SendArgs},
    days::days,
    exit::Mistake,
    follow::otlp,
    settings, terminal,
};

const DAY_US: i64 = 86_400_000_000;
/// Events read at once while looking for a day.
const PAGE: u32 = 10_000;

/// Sends, once or until it is stopped.
pub(crate) async fn run(args: &SendArgs) -> Result<ExitCode> {
    let Some(target) = otlp::target(&args.to)? else {
        let why =
            "nobody to send to: --otlp takes the receiver's address, such as http://127.0.0.1:4318";
        return Err(Mistake(why.to_owned()).into());
    };
    let ledger = at(&args.ledger).await?;
    let outcome = Box::pin(send(&ledger, target, args)).await;
    ledger.close().await?;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn send(ledger: &Ledger, target: otlp::Target, args: &SendArgs) -> Result<()> {
    let data = settings::data_directory(&args.ledger.data)?;
    let mut follow = otlp::follow(ledger.clone(), &data, target, 0).await?;
    if args.since.is_some() {
        let period = Period {
            since: args.since.clone(),
            until: None,
        };
        let from = days(&period, ledger.clock().now_us())?.from.unwrap_or(0);
        let first = first_at(ledger, from.saturating_mul(DAY_US)).await?;
        follow.position = follow.position.at(first);
    }
    if args.follow {
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        let following = follow.start();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        return following.finish().await;
    }
    let told = Box::pin(follow.once()).await?;
    if args.json {
        return terminal::print_json_pretty(&told);
    }
    terminal::tell(&format!(
        "{} events sent in {} batches",
        told.events, told.batches
    ));
    Ok(())
}

/// The place of the first event at or after a moment.
async fn first_at(ledger: &Ledger, at_us: i64) -> Result<i64> {
    ledger.flush().await?;
    let mut at = 0;
    loop {
        let page = ledger.events(at, PAGE).await.context("reading events")?;
        let Some(last) = page.last() else {
            return Ok(at);
        };
        at = last.seq + 1;
        if let Some(found) = page.iter().find(|stored| stored.event.at_us >= at_us) {
            return Ok(found.seq);
        }
    }
}
