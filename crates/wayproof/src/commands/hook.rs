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
use wayproof_ledger::{Clock, Page, SessionRow};
use wayproof_receipt::Verdict;
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

use super::prove::{Ends, base_of, prove};
use crate::{
    cli::{DataArgs, HookCommand},
    gateway::{self, Admin},
    ledgers,
    run::{
        message,
        stop_socket::{Answer, Stopping, ask},
    },
    sealing::{self, Owed},
    settings, terminal,
};

/// Conversations older than this are not the one that ends.
const A_DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

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

/// What an agent tells its hook, by whichever names it has for it.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    session: Option<String>,
    folder: PathBuf,
    was_sent_back: bool,
}

impl Told {
    fn of(input: &Value) -> Self {
        let text = |names: &[&str]| names.iter().find_map(|name| input[*name].as_str());
        Self {
            session: text(&["session_id", "sessionId"]).map(str::to_owned),
            folder: PathBuf::from(text(&["cwd"]).unwrap_or(".")),
            was_sent_back: ["stop_hook_active", "stopHookActive"]
                .iter()
                .any(|name| input[*name] == true),
        }
    }
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

/// Asks the run whether the agent may stop.
async fn in_run(socket: &Path) -> Result<Option<String>> {
    let session = Told::of(&input().await?).session;
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
    let input = Told::of(&input().await?);
    // An agent that was sent back once is not held any longer.
    if input.was_sent_back {
        return Ok(None);
    }
    let data = settings::data_path(data.data.as_deref())?;
    let Some(admin) = gateway::running(None, &data).await else {
        return Ok(None);
    };
    let Some(page) = conversation(&admin, &input, &data).await? else {
        return Ok(None);
    };
    let task = page["job"]["task"]
        .as_str()
        .or(page["exchange"]["task"].as_str());
    let (Some(task), Ok(repo)) = (task, Repo::discover(&input.folder)) else {
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
        is_fresh: false,
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
