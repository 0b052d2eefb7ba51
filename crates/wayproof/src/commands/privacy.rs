//! Shows what was captured of an exchange, and forgets what was kept of a conversation or a person.

mod receipts;

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{Captured, ForgetSubject, Forgotten, Report};

use super::ledger::{at, verdict_on};
use crate::{
    cli::privacy::{CapturedArgs, ForgetArgs},
    exit::{self, Mistake},
    terminal::{plain, print, print_json_pretty, tell},
};

/// Shows the bodies of an exchange.
pub(crate) async fn captured(args: &CapturedArgs) -> Result<ExitCode> {
    let ledger = at(&args.ledger).await?;
    let found = ledger.captured(&args.exchange).await;
    ledger.close().await?;
    let found = found.context("reading what was captured")?;
    if found.is_empty() {
        let why = format!(
            "nothing was captured of the exchange `{}`; `wayproof up --capture` says what is",
            plain(&args.exchange)
        );
        return Err(Mistake(why).into());
    }
    if args.json {
        print_json_pretty(&found.iter().map(value).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for each in &found {
        let told = &each.told;
        let cut = if told.is_cut {
            ", only its beginning"
        } else {
            ""
        };
        print(&format!(
            "{} ({}, {} bytes{cut})",
            told.part,
            told.capture.name(),
            told.bytes
        ))?;
        match &each.body {
            Some(body) => print(&printable(&String::from_utf8_lossy(body)))?,
            None => print("forgotten")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A text whose lines stay and that steers no terminal.
fn printable(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

fn value(captured: &Captured) -> Value {
    let body = captured
        .body
        .as_ref()
        .map(|body| String::from_utf8_lossy(body));
    json!({
        "part": captured.told.part,
        "capture": captured.told.capture,
        "bytes": captured.told.bytes,
        "is_cut": captured.told.is_cut,
        "holder": captured.told.holder,
        "content_digest": captured.told.content_digest,
        "body": body,
    })
}

/// Forgets, and verifies.
pub(crate) async fn forget(args: &ForgetArgs) -> Result<ExitCode> {
    let subject = match (&args.session, &args.person) {
        (Some(session), None) => ForgetSubject::Session(session.clone()),
        (None, Some(person)) => ForgetSubject::Person(person.clone()),
        _ => return Err(Mistake("name one of --session and --person".to_owned()).into()),
    };
    let (ForgetSubject::Session(name) | ForgetSubject::Person(name)) = &subject;
    if name.trim().is_empty() {
        return Err(Mistake("an empty name is nobody's".to_owned()).into());
    }
    let noted = receipts::noted(&args.repo, &subject)?;
    let files = receipts::files(args.ledger.data.data.as_deref(), &subject)?;
    let ledger = at(&args.ledger).await?;
    let forgotten = if args.dry_run {
        ledger.would_forget(&subject).await
    } else {
        ledger.forget(&subject).await
    };
    ledger.close().await?;
    let forgotten = forgotten.context("forgetting")?;
    if forgotten.is_nothing() && files.is_empty() && noted.is_empty() {
        let why = format!("the ledger holds nothing of `{}`", plain(name));
        return Err(Mistake(why).into());
    }
    if !args.dry_run {
        receipts::remove(&files)?;
    }
    if args.json {
        let mut value = serde_json::to_value(&forgotten)?;
        value["dry_run"] = args.dry_run.into();
        value["receipt_files"] = files.len().into();
        value["notes"] = noted.iter().map(receipts::Noted::value).collect();
        print_json_pretty(&value)?;
    } else {
        told(&forgotten, args.dry_run)?;
        receipts::told(&files, &noted, args.dry_run)?;
    }
    let is_whole = forgotten.report.as_ref().is_none_or(Report::is_whole);
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    })
}

fn told(forgotten: &Forgotten, is_dry: bool) -> Result<()> {
    let verb = if is_dry { "would take" } else { "took" };
    print(&format!(
        "{verb} the words out of {} event(s), and {} captured or sealed content(s) and {} key(s) away; hashes stay",
        forgotten.events, forgotten.contents, forgotten.keys
    ))?;
    if forgotten.is_in_pruned {
        tell("something of it may be in the state that stands for pruned events, which stays");
    }
    if !is_dry {
        tell(
            "backups, exports, receipts that were handed on and what was sent elsewhere are not touched",
        );
    }
    match &forgotten.report {
        Some(report) => print(&verdict_on(report)),
        None => Ok(()),
    }
}
