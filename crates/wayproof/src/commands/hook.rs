//! Hooks that agents call; what an agent's harness reads is printed on standard output.

use std::{path::PathBuf, process::ExitCode};

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
    match command {
        HookCommand::Stop => stop().await,
    }
}

/// Outside a run there is nothing to prove, so the agent may stop.
async fn stop() -> Result<ExitCode> {
    let Some(socket) = settings::variable("WAYPROOF_RUN_SOCKET").map(PathBuf::from) else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut input = Vec::new();
    tokio::io::stdin()
        .take(INPUT_LIMIT)
        .read_to_end(&mut input)
        .await
        .context("reading what the agent told its hook")?;
    let input: Value =
        serde_json::from_slice(&input).context("the agent's hook input is not JSON")?;
    let session = input["session_id"].as_str().map(str::to_owned);
    let answer = ask(&socket, &Stopping { session })
        .await
        .context("asking the run whether the work is proven")?;
    if let Answer::GoOn(fact) = answer {
        terminal::print_json(&json!({"decision": "block", "reason": fact}))?;
    }
    Ok(ExitCode::SUCCESS)
}
