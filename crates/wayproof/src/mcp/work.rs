//! Tools about the job in hand: what it owes, its proof, why it went where it went.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use wayproof_engine::{Policy, Task, owed_by_change};
use wayproof_ledger::{
    EventBody, ExchangeFilter, JobFilter, JobRow, Ledger, ObligationFrozen, Page,
};
use wayproof_repo::Repo;
use wayproof_upstream::Reachable;

use super::{
    Place,
    tools::{Owes, Prove, Why},
};
use crate::{
    commands::{explain, ledger, prove},
    exit::Mistake,
    gateway,
    proving::repo_mistake,
    review::subject::touches_of,
    sealing::{self, Owed},
    settings,
};

/// Jobs that are looked through for one of this repository.
const MOST_JOBS: u32 = 500;

/// What a job owes, and how far it is; without a job, what the change in the working tree owes.
pub(super) async fn owes(place: &Place, asked: &Owes) -> Result<String> {
    let store = ledger::at(&place.ledger).await?;
    let told = owed_by_job(&store, place, asked.job.as_deref()).await;
    store.close().await.context("closing the ledger")?;
    match told? {
        Some(told) => Ok(told),
        None => owed_here(place),
    }
}

async fn owed_by_job(store: &Ledger, place: &Place, named: Option<&str>) -> Result<Option<String>> {
    let id = match named {
        Some(id) => id.to_owned(),
        None => match newest(store, place).await? {
            Some(job) => job.id,
            None => return Ok(None),
        },
    };
    let found = store.job(&id).await.context("reading the job")?;
    let found = found.ok_or_else(|| Mistake(format!("the ledger has no job {id}")))?;
    let frozen = found
        .story
        .iter()
        .find_map(|stored| match &stored.event.body {
            EventBody::ObligationFrozen(frozen) => Some(frozen),
            _ => None,
        });
    let Some(frozen) = frozen else {
        return Ok(None);
    };
    let last = found
        .story
        .iter()
        .rev()
        .find_map(|stored| match &stored.event.body {
            EventBody::ProofFinished(finished) => Some(finished),
            _ => None,
        });
    let mut told = format!(
        "job {id}\ntask {}\nowes {}",
        frozen.task,
        requirements(frozen)
    );
    if let Some(base) = &frozen.base {
        let _ = write!(told, "\nbase {base}");
    }
    let _ = match last {
        None => write!(told, "\nno proof has run"),
        Some(finished) => write!(
            told,
            "\nlast proof {}: {}",
            finished.verdict,
            finished.one_fact.as_deref().unwrap_or("-")
        ),
    };
    Ok(Some(told))
}

fn requirements(frozen: &ObligationFrozen) -> String {
    let groups = frozen.requirements.iter().map(|any| any.join(" or "));
    let groups: Vec<String> = groups.collect();
    if groups.is_empty() {
        "nothing".to_owned()
    } else {
        groups.join(", and ")
    }
}

/// The newest open job of the repository.
async fn newest(store: &Ledger, place: &Place) -> Result<Option<JobRow>> {
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let root = repo.root().to_string_lossy().into_owned();
    let page = Page {
        limit: MOST_JOBS,
        ..Page::default()
    };
    let jobs = store.jobs(&JobFilter::default(), page).await;
    let jobs = jobs.context("reading jobs")?;
    Ok(jobs
        .into_iter()
        .find(|job| job.closed_us.is_none() && job.repo.as_deref() == Some(&root)))
}

/// What the change in the working tree owes by what it touches, and what each task asks for.
fn owed_here(place: &Place) -> Result<String> {
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let snapshot = repo.snapshot().map_err(repo_mistake)?;
    let head = wayproof_repo::Commit {
        id: snapshot.commit,
        tree: snapshot.tree,
    };
    let base = prove::base_of(&repo, None, &head)?;
    let policy = settings::policy_at(&repo, base.id.as_str())?;
    let patches = repo
        .patches(base.tree.as_str(), head.tree.as_str(), 0)
        .map_err(repo_mistake)?;
    let paths: Vec<String> = patches.iter().map(|file| file.path.clone()).collect();
    let owed = owed_by_change(&policy, &paths, &touches_of(&patches), None);
    let mut told = format!(
        "no job of this repository has a frozen obligation; {} file(s) differ from {}",
        paths.len(),
        base.id
    );
    for owed in &owed {
        let asks = policy.task(&owed.task).map(asked_of).unwrap_or_default();
        let _ = write!(told, "\nowes {} ({}): {asks}", owed.task, owed.why);
    }
    if owed.is_empty() {
        told.push_str("\nowes the proof of its own task, one of:");
        for task in policy.tasks() {
            let _ = write!(told, "\n  {}: {}", task.name, asked_of(task));
        }
    }
    Ok(told)
}

fn asked_of(task: &Task) -> String {
    let groups = task.proof.iter().map(|any| {
        let any: Vec<String> = any.iter().map(ToString::to_string).collect();
        any.join(" or ")
    });
    let groups: Vec<String> = groups.collect();
    if groups.is_empty() {
        "nothing".to_owned()
    } else {
        groups.join(", and ")
    }
}

/// Runs the proof and says what came out, as `wayproof prove --json` does.
pub(super) async fn prove(place: &Place, asked: Prove) -> Result<String> {
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let head = prove::head_of(&repo, None)?;
    let base = prove::base_of(&repo, asked.base.as_deref(), &head)?;
    let into = prove::into_of(&repo, asked.base.as_deref(), &head)?;
    let policy: Policy = settings::policy_at(&repo, base.id.as_str())?;
    let data = settings::data_directory(&place.ledger.data)?;
    let key = sealing::own_key(&data)?;
    let store = ledger::at(&place.ledger).await?;
    let newest = newest(&store, place).await?;
    let of_job = newest.as_ref().and_then(|job| job.task.clone());
    let task = asked
        .task
        .or_else(|| of_job.clone())
        .unwrap_or_else(|| "bug-fix".to_owned());
    // What is proven of the job in hand is that job's proof.
    let in_hand = newest
        .filter(|job| job.closed_us.is_none() && of_job.as_ref() == Some(&task))
        .map(|job| job.id);
    let watched = gateway::running(None, &data).await.zip(in_hand);
    let task = settings::known_task(&policy, &task)?;
    let owed = Owed {
        policy: &policy,
        task: &task,
        base: &base,
        ask: None,
        job: watched.as_ref().map(|(_, job)| job.as_str()),
    };
    let ends = prove::Ends {
        into: &into,
        head: &head,
        reachable: Reachable::Public,
        is_fresh: false,
    };
    let shown = match &watched {
        Some(job) => prove::prove_job(&repo, &owed, &ends, (&data, &key), job).await,
        None => prove::prove(&repo, &owed, &ends, (&data, &key, &store)).await,
    };
    store.close().await.context("closing the ledger")?;
    let prove::Shown { proven, sealed, .. } = shown?;
    let report = prove::report(&proven, &base, &head, sealed.as_ref());
    let mut told = format!("{}  {}", proven.proof.verdict, proven.one_fact);
    for name in [
        "task",
        "base",
        "gaps",
        "findings",
        "fail_to_pass",
        "receipt",
    ] {
        let value = &report[name];
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            let _ = write!(told, "\n{name} {value}");
        }
    }
    Ok(told)
}

/// Why an exchange went where it went; without one, the last of this repository's newest job, or the last at all.
pub(super) async fn why(place: &Place, asked: Why) -> Result<String> {
    let store = ledger::at(&place.ledger).await?;
    let told = told_why(&store, place, asked.exchange).await;
    store.close().await.context("closing the ledger")?;
    told
}

async fn told_why(store: &Ledger, place: &Place, named: Option<String>) -> Result<String> {
    let id = if let Some(id) = named {
        id
    } else {
        let job = newest(store, place).await.unwrap_or_default();
        let filter = ExchangeFilter {
            job: job.map(|job| job.id),
            ..ExchangeFilter::default()
        };
        let page = Page {
            limit: 1,
            ..Page::default()
        };
        let rows = store.exchanges(&filter, page).await;
        let last = rows.context("reading exchanges")?.into_iter().next();
        last.ok_or_else(|| Mistake("no request has gone through the gateway yet".to_owned()))?
            .id
    };
    let found = store.exchange(&id).await.context("reading the exchange")?;
    let detail = found.ok_or_else(|| Mistake(format!("the ledger has no exchange {id}")))?;
    Ok(format!("exchange {id}\n{}", explain::text(&detail)?))
}
