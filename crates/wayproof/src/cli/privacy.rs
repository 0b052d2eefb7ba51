//! What is kept of requests and answers, and how it is forgotten.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wayproof_ledger::Capture;

use super::LedgerPlace;

/// How much of requests and answers is kept.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CaptureMode {
    /// Nothing.
    None,
    /// Everything but secrets.
    Redacted,
    /// Everything.
    Full,
}

impl From<CaptureMode> for Capture {
    fn from(mode: CaptureMode) -> Self {
        match mode {
            CaptureMode::None => Self::None,
            CaptureMode::Redacted => Self::Redacted,
            CaptureMode::Full => Self::Full,
        }
    }
}

/// Shows what was captured.
#[derive(Debug, Args)]
pub(crate) struct CapturedArgs {
    /// The exchange, as `x-wayproof-exchange` of its answer names it.
    #[arg(value_name = "EXCHANGE")]
    pub(crate) exchange: String,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Forgets a conversation or a person.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("subject").required(true))]
pub(crate) struct ForgetArgs {
    /// A conversation of an agent, by its name in the ledger; those it started go with it.
    #[arg(long, value_name = "ID", group = "subject")]
    pub(crate) session: Option<String>,
    /// A person: their name in every event, their keys, budgets and role, and what was captured of them.
    #[arg(long, value_name = "NAME", group = "subject")]
    pub(crate) person: Option<String>,
    /// A repository whose notes are looked through for receipts that name the person. May be repeated [default: the one around the working directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Vec<PathBuf>,
    /// Only tells what would be forgotten.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}
