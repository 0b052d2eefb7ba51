//! How long the ledger keeps what it has, where it moves to, and who stands by it.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, LedgerPlace, Period};

/// Checks the ledger.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Also wants the newest cosignature of this witness, by the key that `wayproof witness` prints; may be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: Vec<String>,
    /// The key that has to have signed it, as `ed25519:…` [default: the one in the data directory, if it is the ledger's].
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Gives the ledger another key.
#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    /// Signs anew although signatures that are there do not fit one key, as where gateways with keys of their own once shared it.
    #[arg(long)]
    pub(crate) give_up_former: bool,
    /// Prints what was verified as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Takes old events out.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct PruneArgs {
    /// Events that happened before this date, or so long ago, such as 90d or 12w.
    #[arg(long, value_name = "WHEN", group = "what")]
    pub(crate) before: Option<String>,
    /// Bodies that were captured so, `redacted` or `full`, before a date or so long ago, such as full=7d. May be repeated.
    ///
    /// What the log says of them stays.
    #[arg(long, value_name = "HOW=WHEN", group = "what")]
    pub(crate) captured: Vec<String>,
    /// Only tells what would be taken out.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Copies a ledger to another place.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The ledger to copy: a data directory or a PostgreSQL URL.
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// Where to: a data directory without a ledger, or a PostgreSQL URL whose database has no events.
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Sets the ledger beside a provider's export.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    /// Exports: pages of OpenAI's usage or costs as JSON or CSV, of Anthropic's usage or cost report as JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only what went to the provider of this name [default: the models that the export has].
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Asks a witness to cosign.
#[derive(Debug, Args)]
pub(crate) struct CosignArgs {
    /// The witness's address, such as `http://witness.example:4319`.
    #[arg(long, value_name = "URL")]
    pub(crate) witness: String,
    /// The witness's key, as `wayproof witness` prints it.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Cosigns other ledgers' checkpoints.
#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    /// Where to listen. Cosigning is safe for anyone to ask for; it says nothing but what the log said.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4319")]
    pub(crate) listen: std::net::SocketAddr,
    /// The key of a log to cosign, as `ledger export --format tlog` prints it; may be repeated.
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) log: Vec<String>,
    /// The name to cosign under, such as a host's.
    #[arg(long, default_value = "wayproof.dev/witness")]
    pub(crate) name: String,
    /// Gets the port, once it listens.
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}
