//! The commands, one file a verb; those that wait for the network share one runtime.

pub(crate) mod advise;
mod backtest;
mod backup;
pub(crate) mod books;
pub(crate) mod connect;
mod doctor;
pub(crate) mod explain;
mod export;
mod gate;
mod hook;
mod import;
mod keeping;
pub(crate) mod ledger;
mod mcp;
mod models;
mod policy;
mod privacy;
pub(crate) mod prove;
pub(crate) mod receipt;
mod reconcile;
mod reference;
pub(crate) mod replay;
mod report;
pub(crate) mod review;
mod run;
mod send;
mod statusline;
mod task;
mod up;
mod witness;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::runtime::Builder;

pub(crate) use self::books::budgets::budget_lines;
use crate::{
    cli::{Command, PolicyCommand},
    demo,
    interrupt::{Interrupted, until_ended},
    top,
};

/// Runs a command.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(args) => wait(up::run(args)),
        Command::Run(args) => wait(run::run(args)),
        Command::Prove(args) => wait(prove::run(args)),
        Command::Gate(args) => wait(gate::run(args)),
        Command::Review { command } => wait(review::run(command)),
        Command::Connect(args) => wait(connect::run(args)),
        Command::Disconnect(args) => connect::take_back(&args),
        Command::Doctor(args) => wait(doctor::run(args)),
        Command::Demo(args) => wait(demo::run(args)),
        Command::Policy {
            command: PolicyCommand::Replay(args),
        } => wait(replay::run(&args)),
        Command::Policy {
            command: PolicyCommand::Advise(args),
        } => wait(advise::run(&args)),
        Command::Models { command } => wait(models::run(command)),
        Command::Policy { command } => policy::run(command),
        Command::Task { command } => wait(task::run(command)),
        Command::Ledger { command } => wait(ledger::run(command)),
        Command::Keys { command } => wait(books::keys::run(command)),
        Command::Budgets { command } => wait(books::budgets::run(command)),
        Command::People { command } => wait(books::people::run(command)),
        Command::Import(args) => wait(import::run(args)),
        Command::Witness(args) => wait(witness::run(args)),
        Command::Explain(args) => wait(explain::run(args)),
        Command::Top(args) => wait(top::run(args)),
        Command::Mcp(args) => alone(mcp::run(args)),
        Command::Receipt { command } => receipt::run(&command),
        Command::DemoAgent { ask } => wait(demo::agent::run(&ask)),
        Command::Hook { command } => wait(hook::run(&command)),
        Command::Statusline(data) => alone(statusline::run(data)),
        Command::Reference { page } => reference::run(page),
        // Handled before any thread is started.
        Command::SandboxExec { .. } => Ok(ExitCode::FAILURE),
    }
}

/// Runs a future on this thread alone, for what has to be quick.
fn alone(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let status = runtime.block_on(until_ended(work));
    // A read of standard input that nobody ends is not waited for.
    runtime.shutdown_background();
    status
}

/// Runs a future on as many threads as there are cores; on a single core one thread does it all.
fn wait(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let is_alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = if is_alone {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    let runtime = builder
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let status = runtime.block_on(until_ended(work));
    if matches!(&status, Err(error) if error.is::<Interrupted>()) {
        runtime.shutdown_background();
    }
    status
}
