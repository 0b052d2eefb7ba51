//! The command line of what works on recorded jobs and on the task of a job in hand.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DataArgs, LedgerPlace, PolicyFile};

/// Tries another policy on the ledger.
///
/// The same classifying and deciding runs over what was recorded. What it shows ends where a job would first have gone elsewhere: the cost up to there is certain, what comes after has a bound where the policy has a budget, and the outcome is unknown.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The policy file to try.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Only jobs since then: 90m, 12h, 7d, or a day such as 2026-11-01.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Advises from the ledger.
///
/// A diff of the policy with the share of work it should prove and its cost, as intervals, and what they rest on. It is never applied.
#[derive(Debug, Args)]
pub(crate) struct AdviseArgs {
    /// Only this task [default: every task that owes a proof].
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// Asks for the most proven work within this share of today's cost, such as 0.4 [default: the least cost at which no less is proven].
    #[arg(long, value_name = "SHARE")]
    pub(crate) within: Option<String>,
    /// Only jobs since then: 90m, 12h, 7d, or a day such as 2026-11-01.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyFile,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Which job is meant.
#[derive(Debug, Args)]
pub(crate) struct TaskPlace {
    /// The job [default: the open one that began last].
    #[arg(long, value_name = "ID")]
    pub(crate) job: Option<String>,
    /// The gateway to use [default: the one that runs on this data directory].
    #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
    pub(crate) gateway: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Commands on the task of a job.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// Shows what the job is taken for, and why.
    Show {
        #[command(flatten)]
        place: TaskPlace,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Says what the job is. It holds at once, is kept as a labelled ask, and prints a row for the policy's tests.
    Set {
        /// The task, by its name in the policy.
        task: String,
        #[command(flatten)]
        place: TaskPlace,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}
