//! What an agent's own stop hook does: proves what the conversation's job owes, tells the gateway, which routes the next
//! turn by it, and sends the agent back while the work is not proven and tries are left. A proven job is closed.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use wayproof_engine::{Policy, TaskName};
use wayproof_ledger::{Clock, JobClosed, Page, SessionRow};
use wayproof_proof::Proven;
use wayproof_receipt::{SigningKey, Verdict};
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

use super::Told;
use crate::{
    cli::DataArgs,
    commands::prove::{Ends, Shown, Watched, base_of, prove_job},
    gateway::{self, Admin},
    ledgers,
    review::Settled,
    run::{TRIES, message},
    sealing::{self, Owed},
    settings,
};

/// Conversations older than this are not the one that ends.
const A_DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Proves what the job of the conversation that stops owes; what the agent is told when it may not stop.
pub(super) async fn stopped(data: &DataArgs, told: &Told) -> Result<Option<String>> {
    let data = settings::data_path(data.data.as_deref())?;
    let Some(admin) = gateway::running(None, &data).await else {
        return Ok(None);
    };
    let Some(page) = conversation(&admin, told, &data).await? else {
        return Ok(None);
    };
    let Some(claim) = Claim::of(admin, &page, told).await? else {
        return Ok(None);
    };
    let key = sealing::own_key(&data)?;
    let shown = claim.prove(&data, &key).await?;
    claim.settle(&shown.proven).await?;
    let verdict = shown.proven.proof.verdict;
    let may_go_on = claim.may_go_on && shown.settled == Settled::AsItIs;
    Ok(match verdict {
        Verdict::Refuted | Verdict::Unproven if may_go_on => {
            Some(message(verdict, &shown.proven.one_fact))
        }
        Verdict::Refuted
        | Verdict::Unproven
        | Verdict::Proven
        | Verdict::ProvenWithGaps
        | Verdict::InvalidInfra => None,
    })
}

/// The conversation that ends: by its id, or, for agents that send none with their requests, the last one that was
/// held in this folder.
async fn conversation(admin: &Admin, told: &Told, data: &Path) -> Result<Option<Value>> {
    let session = told.session.as_deref().unwrap_or_default();
    if let Some(page) = admin.session(session).await? {
        return Ok(Some(page));
    }
    let real = |place: &Path| place.canonicalize().ok();
    let Some(folder) = real(&told.folder) else {
        return Ok(None);
    };
    let ledger = ledgers::open(data, None).await?;
    let rows = ledger.sessions(Page::default()).await;
    ledger.close().await.context("closing the ledger")?;
    let recent = Clock::system().now_us() - A_DAY_US;
    let is_it = |row: &SessionRow| {
        let sends_none = matches!(
            row.agent.as_deref(),
            Some("copilot" | "gemini-cli" | "qwen")
        );
        let place = row.cwd.as_deref().and_then(|cwd| real(Path::new(cwd)));
        sends_none && row.last_us >= recent && place.as_ref() == Some(&folder)
    };
    let rows = rows.context("looking for the conversation of this folder")?;
    let last = rows.into_iter().filter(is_it).max_by_key(|row| row.last_us);
    match last {
        Some(row) => admin.session(&row.id).await,
        None => Ok(None),
    }
}

/// A claim of being done: the change that a job made, and what it owes for it.
struct Claim {
    job: Watched,
    repo: Repo,
    policy: Policy,
    task: TaskName,
    base: Commit,
    head: Commit,
    /// Whether the agent is sent back when the work is not proven.
    may_go_on: bool,
}

impl Claim {
    /// What is claimed; nothing where nothing is owed, or where nothing changed since the job was last proven.
    async fn of(admin: Admin, page: &Value, told: &Told) -> Result<Option<Self>> {
        let job = &page["job"];
        let (Some(id), Some(task), true) = (
            job["id"].as_str(),
            job["task"].as_str(),
            job["closed_us"].is_null(),
        ) else {
            return Ok(None);
        };
        let Ok(repo) = Repo::discover(&told.folder) else {
            return Ok(None);
        };
        let before = repo.head().context("reading the checked-out commit")?;
        let now = repo
            .snapshot()
            .context("taking a snapshot of the working tree")?;
        let head = Commit {
            id: now.commit,
            tree: now.tree,
        };
        let tree = head.tree.as_str();
        if head.tree == before.tree || admin.job(id).await?.last_proven_tree() == Some(tree) {
            return Ok(None);
        }
        let trunk = base_of(&repo, None, &head)?;
        let policy = settings::policy_at(&repo, trunk.id.as_str())?;
        let row = policy.tasks().iter().find(|row| row.name.as_str() == task);
        let Some(row) = row.filter(|row| !row.proof.is_empty()) else {
            return Ok(None);
        };
        let base = proven_before(&admin, page, &repo).await?.unwrap_or(trunk);
        if head.tree == base.tree {
            return Ok(None);
        }
        let tries = u64::from(row.tries.unwrap_or(TRIES));
        let proofs = job["proofs"].as_u64().unwrap_or_default();
        Ok(Some(Self {
            task: row.name.clone(),
            // An agent that the user sent to work is told once in any case.
            may_go_on: !told.was_sent_back || proofs < tries,
            job: (admin, id.to_owned()),
            repo,
            policy,
            base,
            head,
        }))
    }

    async fn prove(&self, data: &Path, key: &SigningKey) -> Result<Shown> {
        let owed = Owed {
            policy: &self.policy,
            task: &self.task,
            base: &self.base,
            ask: None,
            job: Some(&self.job.1),
        };
        let ends = Ends {
            into: &self.base,
            head: &self.head,
            reachable: Reachable::Public,
            is_fresh: false,
        };
        prove_job(&self.repo, &owed, &ends, (data, key), &self.job).await
    }

    /// Closes a proven job: what the user asks for next is another one.
    async fn settle(&self, proven: &Proven) -> Result<()> {
        let verdict = proven.proof.verdict;
        if matches!(verdict, Verdict::Proven | Verdict::ProvenWithGaps) {
            let closed = JobClosed {
                verdict: Some(verdict),
                why: Some(proven.one_fact.clone()),
            };
            let (admin, job) = &self.job;
            admin.close(job, &closed).await?;
        }
        Ok(())
    }
}

/// What the conversation's job before this one was proven to have made. It is still uncommitted more often than not, and
/// must not count as this job's work.
async fn proven_before(admin: &Admin, page: &Value, repo: &Repo) -> Result<Option<Commit>> {
    let Some(session) = page["session"]["id"].as_str() else {
        return Ok(None);
    };
    let Some(job) = admin.last_proven(session).await? else {
        return Ok(None);
    };
    let commit = admin.job(&job).await?.receipt_commit();
    // Snapshots are in no branch, so git may have let go of it.
    Ok(commit.and_then(|commit| repo.resolve(&commit).ok()))
}
