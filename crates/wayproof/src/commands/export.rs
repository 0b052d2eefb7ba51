//! Writes what the ledger holds for other programs, a page at a time.

mod csv;
mod focus;
mod parquet;
mod trace;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::NamedTempFile;
use wayproof_ledger::{Days, EXCHANGE_COLUMNS, Ledger};

use super::ledger::at;
use crate::{
    cli::{ExportArgs, Format},
    days::days,
    exit::Mistake,
    terminal::{print_json_pretty, stdout},
};

/// Rows read at a time.
const PAGE: u32 = 1000;

const DAY_US: i64 = 86_400_000_000;

/// Exports in the format asked for.
pub(crate) async fn run(args: &ExportArgs) -> Result<()> {
    let ledger = at(&args.ledger).await?;
    let outcome = export(&ledger, args).await;
    ledger.close().await?;
    match outcome {
        // Whoever read has had enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        outcome => outcome,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn export(ledger: &Ledger, args: &ExportArgs) -> Result<()> {
    let days = days(&args.period, ledger.clock().now_us())?;
    if args.format == Format::Tlog {
        return tiles(ledger, args, days).await;
    }
    if args.repo.is_some() && args.format != Format::AgentTrace {
        let why = "--repo is for agent-trace; the other formats read no repository";
        return Err(Mistake(why.to_owned()).into());
    }
    let Some(file) = &args.out else {
        let mut out = BufWriter::new(stdout());
        write(ledger, args, days, &mut out).await?;
        return Ok(out.flush()?);
    };
    // The file appears whole or not at all.
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let made = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("writing {}", file.display()))?;
    let mut out = BufWriter::new(made);
    write(ledger, args, days, &mut out).await?;
    let made = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    made.persist(file)
        .with_context(|| format!("writing {}", file.display()))
        .map(|_: File| ())
}

async fn tiles(ledger: &Ledger, args: &ExportArgs, days: Days) -> Result<()> {
    if days != Days::default() {
        let why = "a log is exported whole: tlog takes no --since and no --until";
        return Err(Mistake(why.to_owned()).into());
    }
    let Some(directory) = &args.out else {
        let why = "tlog needs --out, an empty directory";
        return Err(Mistake(why.to_owned()).into());
    };
    ledger.flush().await?;
    let log = ledger
        .export_tiles(directory)
        .await
        .context("exporting the log")?;
    print_json_pretty(&log)
}

async fn write<W: Write + Send>(
    ledger: &Ledger,
    args: &ExportArgs,
    days: Days,
    out: &mut W,
) -> Result<()> {
    match args.format {
        Format::Jsonl => events(ledger, days, out).await,
        Format::Csv => exchanges(ledger, days, out).await,
        Format::Parquet => parquet::exchanges(ledger, days, out).await,
        Format::Focus => focus::write(ledger, days, out).await,
        Format::FocusParquet => parquet::focus(ledger, days, out).await,
        Format::AgentTrace => trace::write(ledger, days, args.repo.as_deref(), out).await,
        Format::Tlog => Ok(()),
    }
}

async fn events<W: Write + Send>(ledger: &Ledger, days: Days, out: &mut W) -> Result<()> {
    let is_meant = |at_us: i64| {
        let day = at_us.div_euclid(DAY_US);
        days.from.is_none_or(|from| day >= from) && days.until.is_none_or(|until| day < until)
    };
    let mut at = 0;
    loop {
        let page = ledger.events(at, PAGE).await.context("reading events")?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        at = last.seq + 1;
        for stored in page.iter().filter(|stored| is_meant(stored.event.at_us)) {
            out.write_all(stored.text.as_bytes())?;
            out.write_all(b"\n")?;
        }
    }
}

async fn exchanges<W: Write + Send>(ledger: &Ledger, days: Days, out: &mut W) -> Result<()> {
    csv::row(out, EXCHANGE_COLUMNS)?;
    let mut at = 0;
    loop {
        let page = ledger
            .exchange_texts(at, days, PAGE)
            .await
            .context("reading exchanges")?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        at = last + 1;
        for (_, texts) in &page {
            csv::row(
                out,
                texts.iter().map(|text| text.as_deref().unwrap_or_default()),
            )?;
        }
    }
}
