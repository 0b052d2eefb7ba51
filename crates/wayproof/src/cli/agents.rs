//! The command line of connecting agents and of looking after the connection.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

/// Points an agent at the gateway.
///
/// Changes as little as possible, keeps comments, order and permissions, and remembers what was there. Where an agent has no file for it, the steps are printed.
/// Agents: claude-code, codex, copilot-cli, vscode, cursor, gemini-cli, aider, opencode, qwen-code, cline, continue, pi.
/// Settings are looked for where the agent does, also by variables such as CLAUDE_CONFIG_DIR and CODEX_HOME.
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// The agent.
    #[arg(required_unless_present = "list")]
    pub(crate) agent: Option<String>,
    /// Lists the agents, where their settings are, and which are connected.
    #[arg(long, conflicts_with_all = ["agent", "gateway", "key_env", "dry_run", "no_check"])]
    pub(crate) list: bool,
    /// Shows what would change and changes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The gateway [default: the one that runs on this data directory, else http://127.0.0.1:4417].
    #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// The variable with the key that the gateway wants; the agent's settings get the key itself.
    #[arg(long, value_name = "VAR")]
    pub(crate) key_env: Option<String>,
    /// The folder with the agent's settings [default: where the agent looks].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Leaves out the round trip through the gateway.
    #[arg(long)]
    pub(crate) no_check: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Takes back what `connect` changed.
///
/// A file that nobody touched since is restored byte for byte; from any other only ours is removed, and what somebody changed since is left and named.
#[derive(Debug, Args)]
pub(crate) struct DisconnectArgs {
    /// The agent.
    pub(crate) agent: String,
    /// Shows what would change and changes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Checks that everything works.
///
/// Exit status: 0 nothing is wrong, 1 something is, 2 usage.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The agent [default: every agent that is connected].
    pub(crate) agent: Option<String>,
    /// The policy file [default: wayproof.toml of the repository around the working directory, else the built-in matrix].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The gateway [default: the one that each agent is connected to].
    #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}
