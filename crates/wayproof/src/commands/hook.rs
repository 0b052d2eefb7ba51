//! Hooks that agents call; what an agent's harness reads is printed on standard output.
//!
//! Under `wayproof run` the run answers. A hook that stands in an agent's own settings proves by itself what the
//! conversation's job owes, and says nothing where there is nothing to prove.

mod standing;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::{
    cli::HookCommand,
    run::stop_socket::{Answer, Stopping, ask},
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
        (HookCommand::Stop { data, .. }, None) => {
            Box::pin(standing::stopped(data, &Told::of(&input().await?))).await?
        }
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
