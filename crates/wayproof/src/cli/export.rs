//! What leaves the ledger, and how it is copied.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DataArgs, LedgerPlace, Period};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Every event as it is stored, one a line.
    Jsonl,
    /// Every exchange, one a row.
    Csv,
    /// Every exchange, one a row, as Parquet; money in exact decimals of dollars.
    Parquet,
    /// Charges by day in the columns of FOCUS 1.2, as CSV.
    Focus,
    /// The same as Parquet.
    FocusParquet,
    /// Which lines of proven changes came from which model, as Agent Trace records, one a line.
    AgentTrace,
    /// The log as a directory of C2SP tiles, for verifiers that are not ours.
    Tlog,
}

/// Writes what the ledger holds for other programs.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What to write.
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) period: Period,
    /// The file to write, or for tlog the empty directory [default: standard output].
    #[arg(long, value_name = "FILE", required_if_eq("format", "tlog"))]
    pub(crate) out: Option<PathBuf>,
    /// For agent-trace: the repository that has the changes [default: where each job worked].
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Copies the embedded ledger into one file.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to make; it must not exist.
    pub(crate) file: PathBuf,
    /// Prints what was verified as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Makes the ledger from a copy.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The copy.
    pub(crate) file: PathBuf,
    /// Sets a ledger that is there aside instead of refusing.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Prints what was verified as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}
