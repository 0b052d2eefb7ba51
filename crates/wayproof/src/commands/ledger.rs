//! Reads the ledger: sessions, jobs, exchanges, one of them whole, and whether it is all intact.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{EventBody, ExchangeFilter, JobDetail, JobFilter, Ledger, Page, Report};

use super::{backup, explain, export, keeping, privacy, reconcile, report, send, witness};
use crate::{
    cli::{LedgerCommand, LedgerPlace, ListArgs},
    exit::Mistake,
    ledgers, settings,
    terminal::{cost, moment, print, print_json_pretty, table},
};

/// Runs a command on the ledger.
pub(crate) async fn run(command: LedgerCommand) -> Result<ExitCode> {
    match command {
        LedgerCommand::Sessions(args) => sessions(&args).await?,
        LedgerCommand::Jobs(args) => jobs(&args).await?,
        LedgerCommand::Exchanges(args) => exchanges(&args).await?,
        LedgerCommand::Show { id, json, ledger } => show(&id, json, &ledger).await?,
        LedgerCommand::Spend(args) => report::run(report::Kind::Spend, &args).await?,
        LedgerCommand::Outcomes(args) => report::run(report::Kind::Outcomes, &args).await?,
        LedgerCommand::Quality(args) => report::run(report::Kind::Quality, &args).await?,
        LedgerCommand::Export(args) => export::run(&args).await?,
        LedgerCommand::Send(args) => return Box::pin(send::run(&args)).await,
        LedgerCommand::Backup(args) => return backup::backup(&args).await,
        LedgerCommand::Restore(args) => return backup::restore(&args).await,
        LedgerCommand::Copy(args) => return keeping::copy(&args).await,
        LedgerCommand::Prune(args) => return keeping::prune(&args).await,
        LedgerCommand::Captured(args) => return privacy::captured(&args).await,
        LedgerCommand::Forget(args) => return privacy::forget(&args).await,
        LedgerCommand::Reconcile(args) => return reconcile::run(&args).await,
        LedgerCommand::Cosign(args) => return witness::cosign(&args).await,
        LedgerCommand::Rekey(args) => return keeping::rekey(&args).await,
        LedgerCommand::Verify(args) => return keeping::verify(&args).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the ledger that is meant and does something with it.
pub(crate) async fn at(place: &LedgerPlace) -> Result<Ledger> {
    let data = settings::data_directory(&place.data)?;
    ledgers::open(&data, place.ledger.as_deref()).await
}

fn page(args: &ListArgs) -> Page {
    Page {
        limit: args.limit,
        ..Page::default()
    }
}

fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

async fn sessions(args: &ListArgs) -> Result<()> {
    let ledger = at(&args.ledger).await?;
    let rows = ledger
        .sessions(page(args))
        .await
        .context("reading sessions")?;
    ledger.close().await?;
    if args.json {
        return print_json_pretty(&rows);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cost = cost(row.money.listed_nano_usd);
            vec![
                moment(row.started_us),
                row.id.clone(),
                or_dash(row.agent.as_ref()),
                row.exchanges.to_string(),
                cost,
            ]
        })
        .collect();
    print(&table(
        &["started", "session", "agent", "exchanges", "listed"],
        &lines,
    ))
}

async fn jobs(args: &ListArgs) -> Result<()> {
    let ledger = at(&args.ledger).await?;
    let rows = ledger
        .jobs(&JobFilter::default(), page(args))
        .await
        .context("reading jobs")?;
    let per_change = ledger
        .cost_per_proven_change(0)
        .await
        .context("reading spend")?;
    ledger.close().await?;
    if args.json {
        return print_json_pretty(&rows);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                moment(row.opened_us),
                row.id.clone(),
                or_dash(row.task.as_ref()),
                or_dash(row.class.as_ref()),
                row.escalations.to_string(),
                or_dash(row.verdict.as_ref()),
                cost(row.money.listed_nano_usd),
            ]
        })
        .collect();
    print(&table(
        &[
            "opened", "job", "task", "class", "moves", "verdict", "listed",
        ],
        &lines,
    ))?;
    print(&format!("cost per proven change: {}", cost(per_change)))
}

async fn exchanges(args: &ListArgs) -> Result<()> {
    let ledger = at(&args.ledger).await?;
    let rows = ledger
        .exchanges(&ExchangeFilter::default(), page(args))
        .await
        .context("reading exchanges")?;
    ledger.close().await?;
    if args.json {
        return print_json_pretty(&rows);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let target = format!(
                "{}/{}",
                or_dash(row.provider.as_ref()),
                or_dash(row.model.as_ref())
            );
            vec![
                moment(row.opened_us),
                row.id.clone(),
                or_dash(row.task.as_ref()),
                or_dash(row.class.as_ref()),
                target,
                or_dash(row.outcome.as_ref()),
                cost(row.listed_nano_usd),
            ]
        })
        .collect();
    print(&table(
        &[
            "opened", "exchange", "task", "class", "target", "outcome", "listed",
        ],
        &lines,
    ))
}

async fn show(id: &str, as_json: bool, place: &LedgerPlace) -> Result<()> {
    let ledger = at(place).await?;
    let job = ledger.job(id).await.context("reading the job")?;
    let exchange = ledger.exchange(id).await.context("reading the exchange")?;
    ledger.close().await?;
    match (job, exchange) {
        (Some(job), _) if as_json => print_json_pretty(&job_value(&job)?),
        (Some(job), _) => tell_job(&job),
        (None, Some(exchange)) if as_json => print_json_pretty(&explain::value(&exchange)),
        (None, Some(exchange)) => print(&explain::text(&exchange)?),
        (None, None) => Err(Mistake(format!("the ledger has no job and no exchange {id}")).into()),
    }
}

/// A job with its moves and proofs taken out of its story.
fn job_value(detail: &JobDetail) -> Result<Value> {
    let mut value = json!({"job": detail.job, "exchanges": detail.exchanges});
    let (mut escalations, mut proofs) = (Vec::new(), Vec::new());
    for stored in &detail.story {
        match &stored.event.body {
            EventBody::Escalated(moved) => escalations.push(serde_json::to_value(moved)?),
            EventBody::ProofFinished(proof) => proofs.push(serde_json::to_value(proof)?),
            _ => {}
        }
    }
    value["escalations"] = escalations.into();
    value["proofs"] = proofs.into();
    value["events"] = detail
        .story
        .iter()
        .map(|stored| serde_json::from_str::<Value>(&stored.text))
        .collect::<Result<_, _>>()
        .context("reading the events of the job")?;
    Ok(value)
}

fn tell_job(detail: &JobDetail) -> Result<()> {
    let job = &detail.job;
    print(&format!("job      {}", job.id))?;
    print(&format!("task     {}", or_dash(job.task.as_ref())))?;
    print(&format!("class    {}", or_dash(job.class.as_ref())))?;
    print(&format!("verdict  {}", or_dash(job.verdict.as_ref())))?;
    print(&format!(
        "listed   {} over {} exchange(s), {} of unknown price",
        cost(job.money.listed_nano_usd),
        job.exchanges,
        job.money.listed_unknown
    ))?;
    for stored in &detail.story {
        let words = match &stored.event.body {
            EventBody::Escalated(moved) => format!(
                "{} to {} on {}: {}",
                moved.from, moved.to, moved.cause, moved.why
            ),
            EventBody::ProofFinished(proof) => {
                format!(
                    "{}  {}",
                    proof.verdict,
                    proof.one_fact.as_deref().unwrap_or_default()
                )
            }
            EventBody::ReceiptIssued(receipt) => {
                format!("receipt sha256:{}", receipt.receipt_digest)
            }
            EventBody::ObligationFrozen(owed) => {
                format!("obligation sha256:{}", owed.obligation_digest)
            }
            _ => continue,
        };
        print(&format!(
            "{}  {}",
            moment(stored.event.at_us),
            crate::terminal::plain(&words)
        ))?;
    }
    Ok(())
}

/// Whether the ledger is whole, in one sentence.
pub(crate) fn verdict_on(report: &Report) -> String {
    let signatures = match &report.signer {
        Some(signer) if report.is_signed => format!("signed with {signer}"),
        Some(signer) => format!("signed with {signer}, which is not checked against a key here"),
        None if report.is_signed => "signed".to_owned(),
        None => "not checked against a key".to_owned(),
    };
    match &report.problem {
        None => {
            let pruned = report.pruned.as_ref().map_or_else(String::new, |pruned| {
                format!(
                    "; the first {} event(s) are pruned, their hashes are there",
                    pruned.before
                )
            });
            format!(
                "whole: {} event(s) and {} checkpoint(s), {signatures}; root {}{pruned}",
                report.events, report.checkpoints, report.root
            )
        }
        Some(problem) => format!("broken: {problem}"),
    }
}
