//! What the reports of the ledger can be asked.

use clap::{Args, ValueEnum};

use super::LedgerPlace;

/// What a report is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The policy's rows.
    Task,
    /// Classes.
    Class,
    /// Models.
    Model,
    /// Who serves them.
    Provider,
    /// Repositories, or else the directory worked in.
    Repo,
    /// Coding agents.
    Agent,
    /// Pieces of work.
    Job,
    /// Days, UTC.
    Day,
    /// What went through the gateway, and what was imported.
    Source,
    /// People, by the keys they showed.
    Person,
    /// Their teams; who is in several is a group of its own.
    Team,
    /// Keys of the gateway, by name.
    Key,
}

/// Where records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// All of them.
    All,
    /// What went through the gateway.
    Gateway,
    /// What agents' own logs tell.
    Imported,
}

/// Which days are meant.
#[derive(Debug, Args, Clone)]
pub(crate) struct Period {
    /// The first day, UTC: a date such as 2026-11-01, or so long ago, such as 7d or 4w [default: the beginning].
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    /// The last day, UTC, itself included [default: today].
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<String>,
}

/// How a report is made.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// What to group by; several make a group of each combination.
    #[arg(long, value_name = "DIMENSIONS", value_enum, value_delimiter = ',')]
    pub(crate) by: Vec<By>,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Which records.
    #[arg(long, value_enum, default_value_t = From::All)]
    pub(crate) source: From,
    /// How many groups at the most, the dearest first.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
    /// Prints JSON: money in nano-dollars, days with their sums.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}
