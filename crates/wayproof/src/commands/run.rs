//! Runs an agent in a proof loop and says what became of it.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::{Context, Result};

use crate::{
    cli::RunArgs,
    exit,
    proving::Audience,
    run::{self, Order, agents},
    settings, terminal,
};

/// Runs the agent.
pub(crate) async fn run(args: RunArgs) -> Result<ExitCode> {
    // An agent without a prompt on its command line takes the terminal for itself.
    let is_interactive =
        agents::prompt_of(&args.command).is_none() && std::io::stdin().is_terminal();
    let order = Order {
        repo: std::env::current_dir().context("finding the working directory")?,
        task: args.task,
        tries: args.tries,
        gateway: args.gateway,
        providers: settings::parse_providers(&args.providers.providers)?,
        data: settings::data_directory(&args.data)?,
        ledger: settings::variable("WAYPROOF_LEDGER"),
        key: match &args.key_env {
            Some(name) => Some(settings::key_in(name)?),
            None => settings::variable("WAYPROOF_KEY"),
        },
        audience: if is_interactive {
            Audience::Silent
        } else {
            Audience::Told
        },
        command: args.command,
    };
    let finished = run::run(order).await?;
    let refused = finished.rounds.len().saturating_sub(1);
    terminal::tell(&format!(
        "wayproof: {} after {} claim(s) of being done, {refused} refused; listed cost {}; job {}",
        finished.verdict,
        finished.rounds.len(),
        terminal::cost(finished.cost_nano_usd),
        finished.job
    ));
    if let Some(sealed) = &finished.sealed {
        terminal::tell(&format!("wayproof: receipt {}", sealed.path.display()));
    }
    Ok(exit::of_verdict(finished.verdict))
}
