//! The command line of the catalog of models.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DataArgs, LedgerPlace};

/// Commands on models.
///
/// The catalog in force is the built-in snapshot, under what `sync` read, under the operator's own rows in `models.toml` of the data directory. Every price in the ledger names its catalog by digest.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Lists the models that the policy names and the ledger has seen.
    List(ModelsListArgs),
    /// Shows everything about one model.
    Show {
        /// The model, as PROVIDER/MODEL.
        model: String,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ledger: LedgerPlace,
    },
    /// Reads the list that models.dev publishes into the data directory.
    Sync(ModelsSyncArgs),
    /// Shows how the catalog in force differs from the built-in one, or a published list from the catalog in force.
    Diff {
        /// A list as models.dev publishes it.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which models are listed.
#[derive(Debug, Args)]
pub(crate) struct ModelsListArgs {
    /// Lists every model of one provider of the catalog instead.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) provider: Option<String>,
    /// Lists every model of the catalog.
    #[arg(long)]
    pub(crate) all: bool,
    /// The policy file [default: wayproof.toml of the repository around the working directory, else the built-in matrix].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Where a published list is read from.
#[derive(Debug, Args)]
pub(crate) struct ModelsSyncArgs {
    /// A file with the list.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) file: Option<PathBuf>,
    /// The list's address, such as `https://models.dev/api.json`.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}
