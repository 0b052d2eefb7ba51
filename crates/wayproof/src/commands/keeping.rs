//! Verifies the ledger, takes old events out of it, and copies it to another place.

use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use wayproof_ledger::{
    Capture, Clock, Cosigned, CosignerKey, Former, Ledger, LedgerError, Location, Outlived, Prune,
    Report, Retention,
};
use wayproof_receipt::{PublicKey, SigningKey};

use super::ledger::{at, verdict_on};
use crate::{
    cli::{CopyArgs, LedgerPlace, PruneArgs, RekeyArgs, VerifyArgs},
    days::{date, one_day},
    exit::{self, Mistake},
    ledgers::{key_file, key_in},
    settings,
    terminal::{moment, plain, print, print_json_pretty},
};

const DAY_US: i64 = 86_400_000_000;

/// Checks the ledger, and the cosignatures of the witnesses that are named.
pub(crate) async fn verify(args: &VerifyArgs) -> Result<ExitCode> {
    let witnesses = args
        .witness
        .iter()
        .map(|text| witness_key(text))
        .collect::<Result<Vec<_>>>()?;
    let key = args.key.as_deref().map(public_key).transpose()?;
    let (report, cosigned) = match at(&args.ledger).await {
        Ok(ledger) => {
            let report = watched(&ledger, key.as_ref()).await;
            let cosigned = match &report {
                Ok(report) if report.is_whole() => cosignatures(&ledger, &witnesses).await,
                _ => Ok(Vec::new()),
            };
            // A ledger that is broken may not close in order either; what was found counts.
            let closed = ledger.close().await;
            let report = match report {
                Err(error) if is_damage(&error) => Report::default().broken(&exit::chain(&error)),
                report => report?,
            };
            if report.is_whole() {
                closed?;
            }
            (report, cosigned?)
        }
        Err(error) => (unopened(&args.ledger, key, error).await?, Vec::new()),
    };
    let missing = cosigned.iter().find_map(|(key, found)| match found {
        Ok(_) => None,
        Err(why) => Some(format!("the witness {}: {why}", key.name())),
    });
    if args.json {
        let mut value = serde_json::to_value(&report)?;
        if !witnesses.is_empty() {
            value["witnesses"] = cosigned.iter().map(witness_value).collect();
        }
        print_json_pretty(&value)?;
    } else {
        print(&verdict_on(&report))?;
        for (key, found) in &cosigned {
            match found {
                Ok(found) => print(&format!(
                    "cosigned by {} at {} event(s), {}",
                    key.name(),
                    found.size,
                    moment(found.at_us)
                ))?,
                Err(why) => print(&format!("not cosigned by {}: {why}", key.name()))?,
            }
        }
    }
    Ok(if report.is_whole() && missing.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    })
}

/// Whether an error says that the ledger itself is not what it was.
fn is_damage(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<LedgerError>(),
        Some(
            LedgerError::Corrupt { .. }
                | LedgerError::Inconsistent(_)
                | LedgerError::JournalDamaged { .. }
        )
    )
}

type Witnessed = (CosignerKey, Result<Cosigned, String>);

async fn cosignatures(ledger: &Ledger, witnesses: &[CosignerKey]) -> Result<Vec<Witnessed>> {
    let mut all = Vec::with_capacity(witnesses.len());
    for key in witnesses {
        let found = ledger
            .cosigned_by(key)
            .await
            .context("reading checkpoints")?;
        all.push((key.clone(), found));
    }
    Ok(all)
}

fn witness_value((key, found): &Witnessed) -> Value {
    match found {
        Ok(found) => json!({"name": key.name(), "size": found.size, "at_us": found.at_us}),
        Err(why) => json!({"name": key.name(), "size": null, "problem": why}),
    }
}

/// Reads a witness's key.
pub(crate) fn witness_key(text: &str) -> Result<CosignerKey> {
    text.parse().map_err(|_| {
        let text = plain(text);
        Mistake(format!(
            "`{text}` is no key of a witness; `wayproof witness` prints its own"
        ))
        .into()
    })
}

/// A ledger that does not open is looked at as it lies there, so that what is broken is told and not only that it is.
async fn unopened(
    place: &LedgerPlace,
    given: Option<PublicKey>,
    error: anyhow::Error,
) -> Result<Report> {
    let is_unwritable = matches!(
        error.downcast_ref::<LedgerError>(),
        Some(LedgerError::ReadOnly { .. } | LedgerError::DiskFull { .. })
    );
    if !(is_damage(&error) || is_unwritable) || place.ledger.is_some() {
        return Err(error);
    }
    let data = settings::data_directory(&place.data)?;
    let key = match given {
        Some(key) => Some(key),
        None => key_in(&data)?.map(|key| key.public()),
    };
    match Ledger::verify_unopened(&Location::Sqlite(data), key.as_ref()).await {
        Ok(report) if is_unwritable || !report.is_whole() => Ok(report),
        // What is in the way of opening it is then the finding.
        Ok(report) => Ok(report.broken(&exit::chain(&error))),
        Err(second) if is_unwritable => Err(anyhow::Error::from(second)),
        Err(_) => Ok(Report::default().broken(&exit::chain(&error))),
    }
}

/// Checks the ledger with a bar for whoever waits at a terminal.
async fn watched(ledger: &Ledger, key: Option<&PublicKey>) -> Result<Report> {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} events, {eta} left");
    bar.set_style(style.context("the progress bar")?);
    let report = ledger
        .verify_telling(key, &|read, events| {
            bar.set_length(events);
            bar.set_position(read);
        })
        .await;
    bar.finish_and_clear();
    report.context("checking the ledger")
}

/// Reads the key of a ledger.
fn public_key(text: &str) -> Result<PublicKey> {
    text.parse().map_err(|_| {
        let text = plain(text);
        Mistake(format!(
            "`{text}` is no key of a ledger; `ledger verify` names it at a gateway that signs"
        ))
        .into()
    })
}

/// Makes the key of the data directory the ledger's.
pub(crate) async fn rekey(args: &RekeyArgs) -> Result<ExitCode> {
    let data = settings::data_directory(&args.ledger.data)?;
    let key = SigningKey::load_or_create(&key_file(&data))?;
    let ledger = at(&args.ledger).await?;
    let former = if args.give_up_former {
        Former::GivenUp
    } else {
        Former::Checked
    };
    let done = ledger.rekey(&key, settings::variable("USER"), former).await;
    ledger.close().await?;
    let report = done.context("signing the ledger anew")?;
    if args.json {
        print_json_pretty(&report)?;
    } else {
        print(&verdict_on(&report))?;
    }
    Ok(if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    })
}

/// Takes events out that are older than what is given.
pub(crate) async fn prune(args: &PruneArgs) -> Result<ExitCode> {
    let now_us = Clock::system().now_us();
    let before = args
        .before
        .as_deref()
        .map(|text| past_day(text, "--before", now_us))
        .transpose()?;
    let limits = args
        .captured
        .iter()
        .map(|text| retention(text, now_us))
        .collect::<Result<Vec<_>>>()?;
    let ledger = at(&args.ledger).await?;
    let done = pruned(&ledger, args.dry_run, before, &limits).await;
    ledger.close().await?;
    let (events, bodies) = done.context("pruning the ledger")?;
    let report = events.as_ref().and_then(|events| events.report.as_ref());
    let is_whole = report.is_none_or(Report::is_whole);
    if args.json {
        let mut value = match &events {
            Some(events) => serde_json::to_value(events)?,
            None => json!({}),
        };
        if !limits.is_empty() {
            value["captured"] = serde_json::to_value(&bodies)?;
        }
        value["dry_run"] = args.dry_run.into();
        print_json_pretty(&value)?;
    } else {
        let verb = if args.dry_run { "would take" } else { "took" };
        if let (Some(events), Some(day)) = (&events, before) {
            print(&format!(
                "{verb} {} event(s) out that happened before {}, {} byte(s); their hashes stay",
                events.events,
                date(day),
                events.bytes
            ))?;
        }
        for (gone, limit) in bodies.iter().zip(&limits) {
            print(&format!(
                "{verb} {} body(s) out that were captured {} before {}, {} byte(s)",
                gone.bodies,
                gone.capture.name(),
                date(limit.until_us.div_euclid(DAY_US)),
                gone.bytes
            ))?;
        }
        if let Some(report) = report {
            print(&verdict_on(report))?;
        }
    }
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    })
}

async fn pruned(
    ledger: &Ledger,
    is_dry: bool,
    before: Option<i64>,
    limits: &[Retention],
) -> Result<(Option<Prune>, Vec<Outlived>), LedgerError> {
    // Bodies first: with their events goes what says how they were captured.
    let bodies = if is_dry {
        ledger.outlived(limits).await?
    } else {
        ledger.prune_captured(limits).await?
    };
    let events = match before.map(|day| day.saturating_mul(DAY_US)) {
        None => None,
        Some(until_us) if is_dry => Some(ledger.would_prune(until_us).await?),
        Some(until_us) => Some(ledger.prune(until_us, settings::variable("USER")).await?),
    };
    Ok((events, bodies))
}

/// A day that has come.
fn past_day(text: &str, option: &str, now_us: i64) -> Result<i64> {
    let day = one_day(text, option, now_us)?;
    if day.saturating_mul(DAY_US) > now_us {
        return Err(Mistake(format!("{option} names a day that has not come")).into());
    }
    Ok(day)
}

/// How long bodies of one kind are kept, as `full=7d` says it.
fn retention(text: &str, now_us: i64) -> Result<Retention> {
    let wrong = || {
        Mistake(format!(
            "--captured takes `redacted=WHEN` or `full=WHEN`, such as full=7d; `{}` is neither",
            plain(text)
        ))
    };
    let (how, when) = text.split_once('=').ok_or_else(wrong)?;
    let capture = match how.trim() {
        "redacted" => Capture::Redacted,
        "full" => Capture::Full,
        _ => return Err(wrong().into()),
    };
    let day = past_day(when.trim(), "--captured", now_us)?;
    Ok(Retention {
        capture,
        until_us: day.saturating_mul(DAY_US),
    })
}

/// Copies a ledger, and verifies the copy.
pub(crate) async fn copy(args: &CopyArgs) -> Result<ExitCode> {
    let place = |text: &str| {
        Location::parse(text).map_err(|error| anyhow::Error::from(Mistake(error.to_string())))
    };
    let (from, to) = (place(&args.from)?, place(&args.to)?);
    if from == to {
        return Err(Mistake("a ledger cannot be copied to itself".to_owned()).into());
    }
    let key = match &from {
        Location::Sqlite(directory) => {
            if !directory.join("ledger.db").is_file() {
                let why = format!("there is no ledger in {}", directory.display());
                return Err(Mistake(why).into());
            }
            key_in(directory)?
        }
        Location::Postgres(_) => key_in(&settings::data_directory(&args.data)?)?,
    };
    let ledger = Ledger::visit(from, Clock::system(), key)
        .await
        .context("opening the ledger")?;
    let copied = ledger.copy_to(&to).await;
    ledger.close().await?;
    let report = copied.context("copying the ledger")?;
    if args.json {
        print_json_pretty(&report)?;
    } else {
        if report.is_whole() {
            print(&format!("copied to {to}"))?;
        }
        print(&verdict_on(&report))?;
        if report.is_whole() {
            print("keys are not copied: keys/ledger of the data directory signs the copy on")?;
        }
    }
    Ok(if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::INVALID)
    })
}
