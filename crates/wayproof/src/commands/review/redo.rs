//! Sends a job's work back, so that its next turn is routed higher.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use wayproof_ledger::{About, EventBody, JobFilter, Ledger, Page, ReviewRecorded};
use wayproof_repo::Repo;

use crate::{exit::Mistake, gateway, ledgers, proving::repo_mistake, settings, terminal::print};

/// What is sent back, and why.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) job: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) reviewer: Option<String>,
    pub(crate) repo: PathBuf,
    pub(crate) gateway: Option<String>,
}

/// How many jobs are looked through for one of this repository.
const MOST_JOBS: u32 = 1_000;

/// Records the decision and tells the gateway, if one runs.
pub(crate) async fn run(wanted: Wanted, data: &Path) -> Result<ExitCode> {
    // A gateway that is asked writes down what it has before it answers, so a job opened a moment ago is found.
    let admin = gateway::find(wanted.gateway.as_deref(), data).await?;
    let ledger = ledgers::open(data, settings::variable("WAYPROOF_LEDGER").as_deref()).await?;
    let job = match &wanted.job {
        Some(job) => open_job(&ledger, job).await?,
        None => newest(&ledger, &wanted.repo).await?,
    };
    let recorded = ReviewRecorded {
        reviewer: wanted
            .reviewer
            .or_else(|| settings::variable("USER"))
            .unwrap_or_else(|| "somebody".to_owned()),
        decision: ReviewRecorded::REDO.to_owned(),
        remark: wanted.comment,
        ..ReviewRecorded::default()
    };
    if let Some(admin) = admin {
        // Whoever has the job in memory also writes it down.
        admin.review(&job, &recorded).await?;
    } else {
        let about = About {
            job: Some(job.clone()),
            ..About::default()
        };
        ledger
            .append(&ledger.event(about, EventBody::ReviewRecorded(recorded)))
            .await
            .context("recording the review in the ledger")?;
    }
    ledger.close().await.context("closing the ledger")?;
    print(&format!(
        "job {job} is sent back; its next turn is routed by that"
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn open_job(ledger: &Ledger, id: &str) -> Result<String> {
    let found = ledger.job(id).await.context("reading the job")?;
    let found = found.ok_or_else(|| Mistake(format!("the ledger has no job {id}")))?;
    if found.job.closed_us.is_some() {
        return Err(Mistake(format!(
            "job {id} is closed, so it has no next turn; start the work anew"
        ))
        .into());
    }
    Ok(found.job.id)
}

async fn newest(ledger: &Ledger, repo: &Path) -> Result<String> {
    let repo = Repo::discover(repo).map_err(repo_mistake)?;
    let root = repo.root().to_string_lossy().into_owned();
    let page = Page {
        limit: MOST_JOBS,
        ..Page::default()
    };
    let jobs = ledger
        .jobs(&JobFilter::default(), page)
        .await
        .context("reading jobs")?;
    let open = jobs
        .into_iter()
        .find(|job| job.closed_us.is_none() && job.repo.as_deref() == Some(&root));
    let open = open.ok_or_else(|| {
        Mistake(format!(
            "no job of {root} is open; name one by --job, as `wayproof ledger jobs` lists them"
        ))
    })?;
    Ok(open.id)
}
