//! Says whether a change may be merged; with `--prove` it runs what is missing first, with `--publish` it tells the forge.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use serde::Serialize;
use wayproof_engine::TaskName;
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

use crate::{
    cli::GateArgs,
    commands::prove::{self, Ends},
    exit,
    forge::{self, Place, Published, Word},
    gate::{self, Own, Question, Ruling},
    ledgers,
    proving::repo_mistake,
    sealing::{self, Owed},
    settings, terminal,
};

/// Judges the change and tells who is to hear of it.
pub(crate) async fn run(args: GateArgs) -> Result<ExitCode> {
    let place = Place::of(&args.forge)?;
    let repo = Repo::discover(&args.repo).map_err(repo_mistake)?;
    let head = repo.resolve(&args.head).map_err(repo_mistake)?;
    let pages = args.pages.clone();
    let pages = pages.map(|url| forge::web_address("--pages", url));
    let pages = pages.transpose()?;
    let mut ruling = match (judge(&args, &repo, &head).await, &place) {
        (Ok(ruling), _) => ruling,
        (Err(error), None) => return Err(error),
        (Err(error), Some(place)) => {
            // What was said of this commit earlier must not go on opening the gate.
            if let (_, Err(also)) = forge::publish(place, head.id.as_str(), Word::Unjudged).await {
                exit::report(&also);
            }
            return Err(error);
        }
    };
    if let Some(pages) = &pages {
        ruling.link(pages);
    }
    let (published, told) = match &place {
        Some(place) => forge::publish(place, head.id.as_str(), Word::Ruled(&ruling)).await,
        None => (Vec::new(), Ok(())),
    };
    tell(&args, &ruling, place.is_some().then_some(&published[..]))?;
    match told {
        Ok(()) if ruling.is_satisfied => Ok(ExitCode::SUCCESS),
        Err(error) if ruling.is_satisfied => Err(error),
        Ok(()) => Ok(ExitCode::from(exit::FAILED)),
        Err(error) => {
            exit::report(&error);
            Ok(ExitCode::from(exit::FAILED))
        }
    }
}

async fn judge(args: &GateArgs, repo: &Repo, head: &Commit) -> Result<Ruling> {
    let base = prove::base_of(repo, args.base.as_deref(), head)?;
    let into = prove::into_of(repo, args.base.as_deref(), head)?;
    let policy = settings::policy_at(repo, base.id.as_str())?;
    let trust = gate::trust_at(repo, base.id.as_str(), &args.trust)?;
    let task = args
        .task
        .as_deref()
        .map(|name| settings::known_task(&policy, name))
        .transpose()?;
    let mut question = Question {
        repo,
        base: &base,
        head,
        into: &into,
        policy: &policy,
        trust: &trust,
        task: task.as_ref(),
        branch: args.branch.as_deref(),
        allows_gaps: args.allow_gaps,
        own: Own::default(),
    };
    let ruling = gate::judge(&question)?;
    if args.prove && !ruling.is_satisfied {
        question.own = prove_unpaid(args, &question, &ruling).await?;
        return gate::judge(&question);
    }
    Ok(ruling)
}

/// Runs what is owed and not paid, as far as a proof can pay it.
async fn prove_unpaid(args: &GateArgs, question: &Question<'_>, ruling: &Ruling) -> Result<Own> {
    let unpaid: Vec<TaskName> = ruling
        .unpaid()
        .map(|name| settings::known_task(question.policy, name))
        .collect::<Result<_>>()?;
    let data = settings::data_directory(&args.data)?;
    let key = sealing::own_key(&data)?;
    let ledger = ledgers::open(&data, None).await?;
    let mut own = Own {
        key: Some(key.public()),
        receipts: Vec::new(),
    };
    for task in &unpaid {
        let owed = Owed {
            policy: question.policy,
            task,
            base: question.base,
            ask: None,
            job: None,
        };
        let ends = Ends {
            is_fresh: true,
            into: question.into,
            head: question.head,
            reachable: Reachable::Public,
        };
        let shown = prove::prove(question.repo, &owed, &ends, (&data, &key, &ledger)).await?;
        own.receipts.extend(shown.sealed.map(|sealed| sealed.bytes));
    }
    ledger.close().await.context("closing the ledger")?;
    Ok(own)
}

/// The ruling, and where it was published if that was asked for.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    ruling: &'a Ruling,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<&'a [Published]>,
}

fn tell(args: &GateArgs, ruling: &Ruling, published: Option<&[Published]>) -> Result<()> {
    if let Some(file) = &args.summary {
        append(file, &gate::markdown(ruling))?;
    }
    if let Some(file) = &args.junit {
        gate::write(file, &gate::junit(ruling))?;
    }
    if let Some(file) = &args.sarif {
        gate::write(file, &serde_json::to_string_pretty(&gate::sarif(ruling))?)?;
    }
    if args.json {
        return terminal::print_json(&Told { ruling, published });
    }
    terminal::print(gate::text(ruling).trim_end())?;
    for one in published.into_iter().flatten() {
        let url = one.url.as_deref().unwrap_or_default();
        let line = format!("  {} {} {url}", one.part, one.outcome);
        terminal::print(terminal::plain(&line).trim_end())?;
    }
    Ok(())
}

/// Other steps of the job write to the same summary.
fn append(file: &Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", file.display()))
}
