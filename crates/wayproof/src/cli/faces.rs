//! Words of the commands that show what goes on to agents and people: `mcp` and `top`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LedgerPlace;

/// Serves tools to an agent over standard input and output (Model Context Protocol).
///
/// What a job owes, its proof, why a request went where it went; and for migrations who uses a symbol, what changed in what is public, and where schemas are. Agents start it themselves; `wayproof connect` registers it.
#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Shows live jobs in the terminal: task, class, model, cause, spend, proof, and budgets.
///
/// Keys: arrows or j and k move, s sorts by the next column, r turns the order, / filters, Esc takes the filter off, q quits.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Prints the table once and ends; for pipes and scripts.
    #[arg(long)]
    pub(crate) once: bool,
    /// Prints one JSON object; with --once.
    #[arg(long, requires = "once")]
    pub(crate) json: bool,
    /// What jobs are sorted by.
    #[arg(long, value_enum, default_value_t = TopSort::Last)]
    pub(crate) sort: TopSort,
    /// Only jobs with this text in a column.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) filter: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// What jobs are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopSort {
    /// The one in which something happened last comes first.
    Last,
    /// The dearest comes first; an unknown price comes last.
    Spend,
    /// By task.
    Task,
    /// By class.
    Class,
    /// By how the proof stands.
    Proof,
    /// The one with the most requests comes first.
    Turns,
}
