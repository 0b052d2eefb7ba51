//! The command line of the policy file.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AdviseArgs, PolicyFile, ProviderArgs, ReplayArgs};

/// Commands on the policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Writes the built-in matrix as `wayproof.toml`, with comments that explain it.
    Init {
        /// Where to write it.
        #[arg(default_value = "wayproof.toml")]
        file: PathBuf,
    },
    /// Checks the policy: errors with their place, rules that can never fire.
    Check(PolicyShown),
    /// Shows the matrix in force.
    Show(PolicyShown),
    /// Runs the policy's own `[[test]]` rows.
    Test(PolicyShown),
    /// Tells what the policy would do with an ask.
    Explain {
        /// What the user asks the agent.
        ask: String,
        /// A path the work touches. May be repeated.
        #[arg(long = "path", value_name = "PATH")]
        paths: Vec<String>,
        /// The branch the work is on.
        #[arg(long)]
        branch: Option<String>,
        #[command(flatten)]
        policy: PolicyShown,
        #[command(flatten)]
        providers: ProviderArgs,
    },
    /// Tries cascades on a file of outcomes that are already known.
    Backtest(BacktestArgs),
    /// Tells what another policy would have made of the ledger's jobs, job by job.
    Replay(ReplayArgs),
    /// Proposes a change of the policy from what the ledger holds, or says that it holds too little.
    Advise(AdviseArgs),
    /// Prints the JSON Schema of the policy file.
    Schema,
}

/// Which policy, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct PolicyShown {
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PolicyFile,
}

/// Tries cascades on outcomes.
///
/// The file is a table with the columns instance_id, model, resolved (1, 0 or nothing) and cost_usd, plain or packed with gzip.
/// What is not known is read both ways and makes a range. Every attempt is paid; a task ends when the gate accepts.
#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// The table of outcomes.
    #[arg(long, value_name = "FILE")]
    pub(crate) outcomes: PathBuf,
    /// Models in the order they are tried, such as `small > large`. May be repeated [default: every model alone].
    #[arg(long = "cascade", value_name = "MODELS")]
    pub(crate) cascades: Vec<String>,
    /// The share of wrong work that the gate accepts.
    #[arg(long, value_name = "SHARE", default_value = "0")]
    pub(crate) leak: String,
    /// Takes only rows with this value in this column, such as `benchmark=swe-bench`. May be repeated.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub(crate) keep: Vec<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
