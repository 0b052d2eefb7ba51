//! Hooks that agents call; what an agent's harness reads is printed on standard output.
//!
//! Under `wayproof run` the run answers. A hook that stands in an agent's own settings proves by itself what the
//! conversation's job owes, sends the agent back once, and says nothing where there is nothing to prove.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use wayproof_receipt::Verdict;
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

use super::prove::{Ends, base_of, prove};
use crate::{
    cli::{DataArgs, HookCommand},
    gateway, ledgers,
    run::{
        message,
        stop_socket::{Answer, Stopping, ask},
    },
    sealing::{self, Owed},
    settings, terminal,
};

/// A hook's input larger than this is cut off.
const INPUT_LIMIT: u64 = 1024 * 1024;

/// Runs a hook.
pub(crate) async fn run(command: &HookCommand) -> Result<ExitCode> {
    let socket = settings::variable("WAYPROOF_RUN_SOCKET").map(PathBuf::from);
    let blocked = match (command, socket) {
        (HookCommand::Stop { standing: true, .. }, Some(_))
        | (
            HookCommand::Stop {
                standing: false, ..
            },
            None,
        ) => None,
        (
            HookCommand::Stop {
                standing: false, ..
            },
            Some(socket),
        ) => in_run(&socket).await?,
        (HookCommand::Stop { data, .. }, None) => Box::pin(standing(data)).await?,
    };
    if let Some(fact) = blocked {
        terminal::print_json(&json!({"decision": "block", "reason": fact}))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn input() -> Result<Value> {
    let mut input = Vec::new();
    tokio::io::stdin()
        .take(INPUT_LIMIT)
        .read_to_end(&mut input)
        .await
        .context("reading what the agent told its hook")?;
    serde_json::from_slice(&input).context("the agent's hook input is not JSON")
}

/// Asks the run whether the agent may stop.
async fn in_run(socket: &Path) -> Result<Option<String>> {
    let session = input().await?["session_id"].as_str().map(str::to_owned);
    let answer = ask(socket, &Stopping { session })
        .await
        .context("asking the run whether the work is proven")?;
    Ok(match answer {
        Answer::GoOn(fact) => Some(fact),
        Answer::MayStop => None,
    })
}

/// Proves what the conversation's job owes, where the working tree was changed.
async fn standing(data: &DataArgs) -> Result<Option<String>> {
    let input = input().await?;
    // An agent that was sent back once is not held any longer.
    if input["stop_hook_active"] == true {
        return Ok(None);
    }
    let data = settings::data_path(data.data.as_deref())?;
    let Some(admin) = gateway::running(None, &data).await else {
        return Ok(None);
    };
    let session = input["session_id"].as_str().unwrap_or_default();
    let Some(page) = admin.session(session).await? else {
        return Ok(None);
    };
    let task = page["job"]["task"]
        .as_str()
        .or(page["exchange"]["task"].as_str());
    let folder = input["cwd"].as_str().unwrap_or(".");
    let (Some(task), Ok(repo)) = (task, Repo::discover(Path::new(folder))) else {
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
    if head.tree == before.tree {
        return Ok(None);
    }
    let base = base_of(&repo, None, &head)?;
    let policy = settings::policy_at(&repo, base.id.as_str())?;
    let row = policy.tasks().iter().find(|row| row.name.as_str() == task);
    let Some(row) = row.filter(|row| !row.proof.is_empty()) else {
        return Ok(None);
    };
    let key = sealing::own_key(&data)?;
    let ledger = ledgers::open(&data, None).await?;
    let owed = Owed {
        policy: &policy,
        task: &row.name,
        base: &base,
        ask: None,
        job: None,
    };
    let ends = Ends {
        into: &base,
        head: &head,
        reachable: Reachable::Public,
    };
    let (proven, _) = prove(&repo, &owed, &ends, (&data, &key, &ledger)).await?;
    ledger.close().await.context("closing the ledger")?;
    Ok(match proven.proof.verdict {
        Verdict::Refuted | Verdict::Unproven => {
            Some(message(proven.proof.verdict, &proven.one_fact))
        }
        Verdict::Proven | Verdict::ProvenWithGaps | Verdict::InvalidInfra => None,
    })
}
