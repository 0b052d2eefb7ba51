//! The command line: what can be asked of the program, and the words that explain it.
//!
//! The doc comments here are the manual; `wayproof reference cli` prints them as Markdown.

mod agents;
pub(crate) mod books;
mod export;
mod faces;
mod forge;
mod import;
mod keeping;
mod models;
mod oidc;
mod otlp;
mod policies;
mod policy;
pub(crate) mod privacy;
mod report;
mod review;
mod up;
mod webhook;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::agents::{ConnectArgs, DisconnectArgs, DoctorArgs};
pub(crate) use self::export::{BackupArgs, ExportArgs, Format, RestoreArgs};
pub(crate) use self::faces::{McpArgs, TopArgs, TopSort};
pub(crate) use self::forge::{ForgeArgs, ForgeKind, ForgePart};
pub(crate) use self::import::{ImportArgs, ImportFrom};
pub(crate) use self::keeping::{
    CopyArgs, CosignArgs, PruneArgs, ReconcileArgs, RekeyArgs, VerifyArgs, WitnessArgs,
};
pub(crate) use self::models::{ModelsCommand, ModelsListArgs, ModelsSyncArgs};
pub(crate) use self::oidc::OidcArgs;
pub(crate) use self::otlp::{OtlpArgs, SendArgs};
pub(crate) use self::policies::{AdviseArgs, ReplayArgs, TaskCommand, TaskPlace};
pub(crate) use self::policy::{BacktestArgs, PolicyCommand, PolicyShown};
pub(crate) use self::report::{By, From, Period, ReportArgs};
pub(crate) use self::up::UpArgs;
pub(crate) use self::webhook::{WebhookArgs, WebhookKind};
pub(crate) use review::{ChangeArgs, DecideArgs, ReviewCommand, ReviewRunArgs};

/// Routes coding agents' work by task policy, runs the required proof itself, and leaves receipts.
#[derive(Debug, Parser)]
#[command(
    name = "wayproof",
    version,
    max_term_width = 100,
    propagate_version = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the gateway that agents point at.
    Up(UpArgs),
    /// Runs an agent in a proof loop: it is done when the proof says so.
    Run(RunArgs),
    /// Runs the proof that a change owes and seals a receipt.
    Prove(ProveArgs),
    /// Says whether a change may be merged: its receipts pay what the base's policy asks for.
    Gate(GateArgs),
    /// Reviews a change: models look for weaknesses, people decide with their signature.
    Review {
        /// What to do.
        #[command(subcommand)]
        command: ReviewCommand,
    },
    /// Points an agent at the gateway in the agent's own settings, so that it can be taken back.
    Connect(ConnectArgs),
    /// Takes back what `connect` changed in an agent's settings.
    Disconnect(DisconnectArgs),
    /// Checks that everything works, by a real round trip for each connected agent, and names the fix for what does not.
    Doctor(DoctorArgs),
    /// Shows the whole path in a temporary repository, without keys or network.
    Demo(DemoArgs),
    /// Shows models: prices, limits and abilities from the catalog, pace and task fit from this ledger.
    Models {
        /// What to do with the catalog.
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Works with the policy file `wayproof.toml`.
    Policy {
        /// What to do with the policy.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Reads the ledger.
    Ledger {
        /// What to read.
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Gives out keys of the gateway, and takes them back.
    Keys {
        /// What to do with keys.
        #[command(subcommand)]
        command: books::KeysCommand,
    },
    /// Sets what everyone, a team, a person, a key or a repository may spend.
    Budgets {
        /// What to do with budgets.
        #[command(subcommand)]
        command: books::BudgetsCommand,
    },
    /// Says who is in which team.
    People {
        /// What to do with people.
        #[command(subcommand)]
        command: books::PeopleCommand,
    },
    /// Shows what the job in hand is taken for, and corrects it.
    Task {
        /// What to do.
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Imports what agents wrote down about themselves into the ledger.
    Import(ImportArgs),
    /// Cosigns other ledgers' checkpoints, so that their operators cannot rewrite history unseen.
    ///
    /// It speaks c2sp.org/tlog-witness and remembers the newest checkpoint of each log it is given; one that does not
    /// continue it is refused.
    Witness(WitnessArgs),
    /// Tells why an exchange went where it went.
    Explain(ExplainArgs),
    /// Prints one line on a conversation for an agent's status line; the agent tells which on standard input.
    ///
    /// Task and class, model, why, what it cost, and how its proof stands. It takes a few milliseconds and never fails.
    Statusline(DataArgs),
    /// Shows live jobs and budgets in the terminal.
    Top(TopArgs),
    /// Serves tools to an agent over standard input and output.
    Mcp(McpArgs),
    /// Shows and verifies receipts.
    Receipt {
        /// What to do with the receipt.
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// The demonstration's own agent.
    #[command(hide = true)]
    DemoAgent {
        /// What it is asked.
        ask: String,
    },
    /// Called by agents' own hooks.
    #[command(hide = true)]
    Hook {
        /// Which hook.
        #[command(subcommand)]
        command: HookCommand,
    },
    /// Confines itself and becomes another program.
    #[command(hide = true)]
    SandboxExec {
        /// What to run, as the proof runner wrote it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Prints generated reference pages.
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: ReferencePage,
    },
}

/// Where state is kept.
#[derive(Debug, Args, Clone)]
pub(crate) struct DataArgs {
    /// The data directory: ledger, keys and receipts [default: $XDG_DATA_HOME/wayproof].
    #[arg(long, value_name = "DIR", env = "WAYPROOF_DATA")]
    pub(crate) data: Option<PathBuf>,
}

/// Who serves models.
#[derive(Debug, Args, Clone)]
pub(crate) struct ProviderArgs {
    /// Somebody who serves models. May be repeated.
    ///
    /// The protocol is messages, chat, responses, gemini, ollama, completions or fim; without one the provider speaks whatever the client speaks. Requests of clients of another one are translated.
    /// Without key-env the client's own credential is passed through, or, in a cloud, the environment's keys of it are used.
    /// as=bedrock and as=vertex name the cloud where the address does not tell; region is the one that AWS signatures are for.
    /// Without any --provider, keys in the environment and local servers on their usual ports are used.
    #[arg(
        long = "provider",
        value_name = "NAME=URL[,protocol=P][,key-env=VAR][,as=CLOUD][,region=R]"
    )]
    pub(crate) providers: Vec<String>,
}

/// Runs an agent in a proof loop.
///
/// Exit status: 0 PROVEN, 10 PROVEN_WITH_GAPS, 11 UNPROVEN, 12 REFUTED, 20 infrastructure fault, 2 usage.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The task of the job; otherwise it is classified from what the agent is asked.
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// How many times a refuted agent is sent back to work [default: the policy's, else 3].
    #[arg(long, value_name = "N")]
    pub(crate) tries: Option<u32>,
    /// The gateway to use [default: the one that already runs on this data directory, else one of its own].
    #[arg(long, value_name = "URL", env = "WAYPROOF_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// The variable with a key of the gateway: the job goes on the account of its holder [default: WAYPROOF_KEY, else as operator].
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) key_env: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) providers: ProviderArgs,
    /// The agent and its arguments, such as `claude -p "fix the failing test"`.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) command: Vec<String>,
}

/// Runs the proof that a change owes.
///
/// Exit status: 0 PROVEN, 10 PROVEN_WITH_GAPS, 11 UNPROVEN, 12 REFUTED, 20 infrastructure fault, 2 usage.
#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// The task whose proof is owed.
    #[arg(long, default_value = "bug-fix")]
    pub(crate) task: String,
    /// The revision the change starts from [default: the merge base with the upstream or main branch, else HEAD].
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// The revision to prove [default: the working tree as it is].
    #[arg(long, value_name = "REV")]
    pub(crate) head: Option<String>,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Lets pages that documents link to be on this machine; otherwise only public addresses are asked.
    #[arg(long)]
    pub(crate) loopback_sources: bool,
    /// Signs with this SSH key instead of the key in the data directory, and writes a second signature beside the receipt for `ssh-keygen -Y verify -n receipt@wayproof.dev`.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_key: Option<PathBuf>,
    /// Runs every check, also where nothing it reads has changed since it was last proven.
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Says whether a change may be merged, for CI and merge queues.
///
/// The policy and the trusted signers are those of the base, so the change cannot lower its own bar. Receipts are read from the notes of the repository (refs/notes/wayproof), which CI has to fetch.
/// With `--publish` the ruling also goes to the forge: a commit status, a check run (GitHub) and one comment on the pull or merge request, which is updated from then on.
/// Exit status: 0 satisfied, 1 not, 2 usage, 20 infrastructure fault.
#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// The branch or revision the change goes into [default: the upstream or main branch].
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// The revision to judge.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(crate) head: String,
    /// The task whose proof is owed [default: the one its receipt was made for].
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// The branch the change is on, for rules of the policy that match branches.
    #[arg(long)]
    pub(crate) branch: Option<String>,
    /// The file of the base that names the trusted signers, a line `name ed25519 key` each, `@reviewer` in front of people who review.
    #[arg(long, value_name = "PATH", default_value = crate::gate::TRUST_PATH)]
    pub(crate) trust: String,
    /// Accepts a proof with gaps that are named.
    #[arg(long)]
    pub(crate) allow_gaps: bool,
    /// Runs what is owed and not paid here and now, instead of only reading receipts.
    #[arg(long)]
    pub(crate) prove: bool,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Adds a job summary in Markdown to this file.
    #[arg(long, value_name = "FILE", env = "GITHUB_STEP_SUMMARY")]
    pub(crate) summary: Option<PathBuf>,
    /// The address of a gateway's pages, such as `https://ai.example.org`; receipts are linked to it.
    #[arg(long, value_name = "URL", env = "WAYPROOF_PAGES")]
    pub(crate) pages: Option<String>,
    /// Writes a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Writes a SARIF report.
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) forge: ForgeArgs,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Shows the whole path.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Keeps the repository, the ledger and the receipt.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Where to work; kept afterwards [default: a temporary directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Which policy is meant.
#[derive(Debug, Args)]
pub(crate) struct PolicyFile {
    /// The policy file [default: wayproof.toml of the repository around the working directory, else the built-in matrix].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// How lists are printed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// How many rows at the most, newest first.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Which ledger is meant.
#[derive(Debug, Args, Clone)]
pub(crate) struct LedgerPlace {
    /// A PostgreSQL URL instead of SQLite in the data directory.
    #[arg(
        long,
        value_name = "URL",
        env = "WAYPROOF_LEDGER",
        hide_env_values = true
    )]
    pub(crate) ledger: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Commands on the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Lists sessions.
    Sessions(ListArgs),
    /// Lists jobs with their task, class, verdict and cost.
    Jobs(ListArgs),
    /// Lists exchanges with their target, tokens and cost.
    Exchanges(ListArgs),
    /// Shows one job or exchange whole.
    Show {
        /// The id of a job or an exchange.
        id: String,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ledger: LedgerPlace,
    },
    /// Shows what was spent and on what, with the cost per proven change.
    Spend(ReportArgs),
    /// Shows what came of the jobs: proven, with gaps, refuted, and what each cost.
    Outcomes(ReportArgs),
    /// Shows how good the work was: first attempts, escalations, and what agents' own logs tell of tools and rejections.
    Quality(ReportArgs),
    /// Writes events, exchanges, charges or the whole log for other programs.
    Export(ExportArgs),
    /// Sends jobs, exchanges and proofs to a receiver of OpenTelemetry: once what is new, or as it happens.
    Send(SendArgs),
    /// Copies the embedded ledger into one file while it is in use, and verifies the copy. Keys are not in it.
    Backup(BackupArgs),
    /// Makes the ledger from a copy, once the copy is verified. Exit status 4 when it is broken.
    Restore(RestoreArgs),
    /// Copies a whole ledger to an empty place, from SQLite to PostgreSQL or back, and verifies the copy.
    ///
    /// It is one transaction: the copy is there whole or not at all. Keys are not copied.
    Copy(CopyArgs),
    /// Takes events out that are older than a day, and verifies what is left.
    ///
    /// Their hashes stay, so every checkpoint and every receipt can still be proven; sessions, jobs, exchanges, spend
    /// and receipts stay, too. `verify` says from then on how many events are gone.
    Prune(PruneArgs),
    /// Shows what was captured of an exchange, where `wayproof up --capture` says that bodies are kept
    Captured(privacy::CapturedArgs),
    /// Takes the words of a conversation, or a person's name, out of the ledger; the log stays provable
    Forget(privacy::ForgetArgs),
    /// Compares with a provider's own export of usage or costs, by day and model, and says why they differ.
    Reconcile(ReconcileArgs),
    /// Asks a witness to cosign the newest checkpoint, and keeps its cosignature.
    Cosign(CosignArgs),
    /// Makes the key of the data directory the ledger's, once the ledger is found whole: for a key that is lost.
    ///
    /// Every checkpoint is signed anew, an event says so, and cosignatures of witnesses stay. Whoever pinned the former
    /// key has to be told; gateways that have it no longer sign.
    Rekey(RekeyArgs),
    /// Checks every event, the tree over them, every checkpoint and every table. Exit status 4 names what is broken.
    Verify(VerifyArgs),
}

/// Tells why.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The id in the `x-wayproof-exchange` header of an answer.
    pub(crate) exchange: String,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Commands on receipts.
#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Shows a receipt: a file, or the one attached to a revision.
    Show {
        /// A receipt file or a revision.
        #[arg(default_value = "HEAD")]
        receipt: String,
        /// Prints Markdown for a pull request.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
        /// Prints an HTML document that opens from disk, loads nothing and runs nothing.
        #[arg(long, conflicts_with_all = ["json", "markdown"])]
        html: bool,
        /// Prints trailers for a commit message, as `git interpret-trailers` takes them.
        #[arg(long, conflicts_with_all = ["json", "markdown", "html"])]
        trailers: bool,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Verifies a receipt offline. Exit status: 0 good, 3 authentic but signer not pinned, 4 invalid.
    Verify {
        /// The receipt file.
        file: PathBuf,
        /// The pinned signers [default: trust.txt of the data directory, when it is there].
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Hooks of agents.
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// The agent says that it is done.
    Stop {
        /// The hook stands in the agent's own settings; under `wayproof run` it leaves the work to the run's.
        #[arg(long)]
        standing: bool,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Generated pages.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReferencePage {
    /// The command line.
    Cli,
    /// The policy file.
    Policy,
    /// The OpenAPI document of the read API.
    Openapi,
}
