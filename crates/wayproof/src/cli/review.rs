//! Words of `wayproof review`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DataArgs, ProviderArgs};

/// Commands on reviews.
#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Has models look for weaknesses in a change and writes what they find as SARIF. Findings decide nothing.
    Run(ReviewRunArgs),
    /// Lists the decisions of people that are attached to the repository.
    List {
        /// The repository.
        #[arg(long, value_name = "DIR", default_value = ".")]
        repo: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows how a change stands with its reviewers: what it touches, who approved, what is missing, the checklist. Exit status: 0 nothing is missing, 1 something is.
    Show {
        #[command(flatten)]
        change: ChangeArgs,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Signs that a change is good, with a person's own key.
    Approve(DecideArgs),
    /// Signs that a change is not good, with a person's own key.
    Reject(DecideArgs),
    /// Sends a job's work back: its next turn goes to a higher class.
    Redo {
        /// The job [default: the newest one of this repository that is open].
        #[arg(long, value_name = "ID")]
        job: Option<String>,
        /// What is wrong.
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// Who says so [default: the user's name].
        #[arg(long, value_name = "NAME")]
        reviewer: Option<String>,
        /// The repository.
        #[arg(long, value_name = "DIR", default_value = ".")]
        repo: PathBuf,
        /// The gateway to tell [default: the one that runs on this data directory; without one the job hears of it when it goes on].
        #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
        gateway: Option<String>,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which change is meant.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The branch or revision the change goes into [default: the upstream or main branch].
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// The revision that goes in.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(crate) head: String,
    /// The task of the policy whose review is meant.
    #[arg(long, default_value = "security-review")]
    pub(crate) task: String,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
}

/// Has models look at a change.
///
/// Every class of the task's route is asked and must answer. The change goes to their providers.
#[derive(Debug, Args)]
pub(crate) struct ReviewRunArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// Where to write the report, too [default: only into the data directory, where `approve` finds it].
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
    /// The gateway to use [default: the one that already runs on this data directory, else one of its own].
    #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) providers: ProviderArgs,
}

/// Signs a decision.
///
/// The key must be that of a reviewer in the base's .wayproof/trust who did not make the change. What is signed is the tree that merging makes and the checklist, so any later edit needs a new decision.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// The reviewer's own Ed25519 key in OpenSSH form; its passphrase is read from WAYPROOF_SSH_PASSPHRASE.
    #[arg(long, value_name = "FILE", default_value = "~/.ssh/id_ed25519")]
    pub(crate) ssh_key: PathBuf,
    /// A remark, which everybody can read.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// What becomes of a finding of `review run`. May be repeated; new ones of high severity must all be answered.
    #[arg(long = "finding", value_name = "ID=ANSWER")]
    pub(crate) findings: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}
