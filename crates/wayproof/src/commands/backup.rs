//! Copies the embedded ledger, and makes one from a copy.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;
use wayproof_ledger::{Ledger, Report};

use super::ledger::{at, verdict_on};
use crate::{
    cli::{BackupArgs, RestoreArgs},
    exit::{self, Mistake},
    ledgers::key_in,
    settings,
    terminal::{print, print_json},
};

/// Copies, verifies, and only then gives the copy its name.
pub(crate) async fn backup(args: &BackupArgs) -> Result<ExitCode> {
    if args.ledger.ledger.is_some() {
        let why = "a backup is made of an embedded ledger; PostgreSQL has pg_dump";
        return Err(Mistake(why.to_owned()).into());
    }
    if args.file.symlink_metadata().is_ok() {
        return Err(Mistake(format!("{} exists", args.file.display())).into());
    }
    let ledger = at(&args.ledger).await?;
    let made = ledger.backup(&args.file).await;
    ledger.close().await?;
    let report = made.context("copying the ledger")?;
    if args.json {
        print_json(&json!({"file": args.file, "report": report}))?;
        return Ok(status(&report));
    }
    tell(&report, || format!("copied to {}", args.file.display()))
}

/// Verifies the copy and puts it where the ledger is.
pub(crate) async fn restore(args: &RestoreArgs) -> Result<ExitCode> {
    if !args.file.is_file() {
        return Err(Mistake(format!("{} is no file", args.file.display())).into());
    }
    let data = settings::data_directory(&args.data)?;
    if !args.replace && data.join("ledger.db").exists() {
        let why = format!("{} has a ledger; --replace sets it aside", data.display());
        return Err(Mistake(why).into());
    }
    // Only a key that is there can tell whether the copy is this ledger's.
    let key = key_in(&data)?.map(|key| key.public());
    let made = Ledger::restore(&args.file, &data, key.as_ref(), args.replace).await;
    let (report, aside) = made.context("making the ledger from the copy")?;
    if args.json {
        print_json(&json!({"data": data, "aside": aside, "report": report}))?;
        return Ok(status(&report));
    }
    if let Some(aside) = aside {
        print(&format!(
            "the ledger that was there is in {}",
            aside.display()
        ))?;
    }
    tell(&report, || format!("restored to {}", data.display()))
}

fn tell(report: &Report, done: impl FnOnce() -> String) -> Result<ExitCode> {
    if report.is_whole() {
        print(&done())?;
    }
    print(&verdict_on(report))?;
    Ok(status(report))
}

fn status(report: &Report) -> ExitCode {
    if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    }
}
