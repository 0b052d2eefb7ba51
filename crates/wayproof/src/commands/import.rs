//! Imports agents' own session logs.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wayproof_engine::{Catalog, cost};
use wayproof_import::{Counts, Importer, Options, Priced, Progress, Source, Summary};
use wayproof_ledger::Ledger;

use super::ledger::at;
use crate::{
    catalogs,
    cli::{ImportArgs, ImportFrom, Period},
    days::days,
    exit::Mistake,
    settings,
    terminal::{plain, print, print_json, print_json_pretty, table, tell},
};

/// Between two looks for what is new.
const PAUSE: Duration = Duration::from_secs(3);

const DAY_US: i64 = 86_400_000_000;

/// Imports once, or until interrupted.
pub(crate) async fn run(args: ImportArgs) -> Result<ExitCode> {
    let home = match &args.home {
        Some(home) if !home.is_dir() => {
            let why = format!("--home names no directory: {}", home.display());
            return Err(Mistake(why).into());
        }
        Some(home) => home.clone(),
        None => settings::home()?,
    };
    let ledger = at(&args.ledger).await?;
    let outcome = import(&ledger, &args, home).await;
    ledger.close().await?;
    outcome
}

async fn import(ledger: &Ledger, args: &ImportArgs, home: std::path::PathBuf) -> Result<ExitCode> {
    let period = Period {
        since: args.since.clone(),
        until: None,
    };
    let since = days(&period, ledger.clock().now_us())?.from;
    let options = Options {
        home,
        sources: sources(&args.from),
        since_us: since.map(|day| day.saturating_mul(DAY_US)),
        is_dry: args.dry_run,
    };
    let in_force = catalogs::in_force(&settings::data_directory(&args.ledger.data)?)?;
    if let (Some(text), false) = (&in_force.text, args.dry_run) {
        // Prices name their catalog by digest; who reads the ledger later finds it there.
        let kept = ledger.keep(text).await;
        kept.context("keeping the catalog of models in the ledger")?;
    }
    let catalog = in_force.catalog;
    let prices = move |provider: &str, model: &str, at_us, usage: &wayproof_wire::Usage| {
        listed(&catalog, (provider, model), at_us, usage)
    };
    let mut importer = Importer::open(ledger.clone(), options, Box::new(prices))
        .await
        .context("importing")?;
    let mut summary = once(&mut importer).await?;
    if args.json && !args.watch {
        print_json_pretty(&summary)?;
    } else if args.json {
        print_json(&summary)?;
    } else {
        show(&summary, args.dry_run)?;
    }
    if args.watch {
        summary = watch(&mut importer, args.json).await?;
    }
    Ok(if summary.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(crate::exit::FAILED)
    })
}

/// Imports again and again until it is interrupted; tells what is new, and gives what the last import found.
async fn watch(importer: &mut Importer, is_json: bool) -> Result<Summary> {
    // Asked for once, so that an interrupt during an import is remembered.
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut summary = Summary::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            interrupted = &mut interrupted => {
                interrupted.context("waiting for an interrupt")?;
                return Ok(summary);
            }
        }
        summary = importer.run(&mut |_| {}).await.context("importing")?;
        let is_news = summary
            .agents
            .values()
            .any(|counts| counts.imported > 0 || counts.gaps > 0);
        if is_news && is_json {
            print_json(&summary)?;
        } else if is_news {
            for (agent, counts) in &summary.agents {
                print(&format!("{agent}: {}", words(counts)))?;
            }
        }
    }
}

async fn once(importer: &mut Importer) -> Result<Summary> {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(
        "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    );
    bar.set_style(style.context("the progress bar")?);
    let summary = importer
        .run(&mut |Progress { bytes, done }| {
            bar.set_length(bytes);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    summary.context("importing")
}

/// The price list's price, where the catalog in force knows the provider and the model.
fn listed(
    catalog: &Catalog,
    (provider, model): (&str, &str),
    at_us: i64,
    usage: &wayproof_wire::Usage,
) -> Option<Priced> {
    let nano_usd = cost(catalog.price(provider, model, at_us)?, usage)?;
    Some(Priced {
        nano_usd,
        catalog_digest: catalog.digest().to_owned(),
    })
}

fn sources(from: &[ImportFrom]) -> Vec<Source> {
    let mut sources: Vec<Source> = from.iter().flat_map(|from| source(*from)).collect();
    sources.sort();
    sources.dedup();
    sources
}

fn source(from: ImportFrom) -> Vec<Source> {
    vec![match from {
        ImportFrom::ClaudeCode => Source::ClaudeCode,
        ImportFrom::Codex => Source::Codex,
        ImportFrom::Copilot => Source::Copilot,
        ImportFrom::Gemini => Source::Gemini,
        ImportFrom::Opencode => Source::Opencode,
        ImportFrom::Qwen => Source::Qwen,
        ImportFrom::Pi => Source::Pi,
        ImportFrom::Cline => Source::Cline,
        ImportFrom::All => return Source::ALL.to_vec(),
    }]
}

fn words(counts: &Counts) -> String {
    format!(
        "{} answer(s) imported, {} known, {} seen by the gateway, {} gap(s)",
        counts.imported, counts.known, counts.proxied, counts.gaps
    )
}

fn show(summary: &Summary, is_dry: bool) -> Result<()> {
    if summary.agents.is_empty() && summary.failed.is_empty() {
        return print("nothing is new");
    }
    let lines: Vec<Vec<String>> = summary
        .agents
        .iter()
        .map(|(agent, counts)| {
            vec![
                agent.clone(),
                counts.files.to_string(),
                counts.bytes.to_string(),
                counts.imported.to_string(),
                counts.known.to_string(),
                counts.proxied.to_string(),
                counts.gaps.to_string(),
            ]
        })
        .collect();
    let imported = if is_dry { "to import" } else { "imported" };
    print(&table(
        &[
            "agent",
            "files",
            "bytes",
            imported,
            "known",
            "seen by the gateway",
            "gaps",
        ],
        &lines,
    ))?;
    for gap in &summary.gaps {
        tell(&format!("gap: {}", plain(gap)));
    }
    for (file, why) in &summary.failed {
        tell(&format!("not read: {}: {}", plain(file), plain(why)));
    }
    Ok(())
}
