//! What an import can be told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LedgerPlace;

/// Whose logs are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFrom {
    /// Claude Code, below `~/.claude/projects`.
    ClaudeCode,
    /// Codex, below `~/.codex/sessions`.
    Codex,
    /// GitHub Copilot CLI, below `~/.copilot/session-state`.
    Copilot,
    /// Gemini CLI, below `~/.gemini/tmp`.
    Gemini,
    /// opencode, in `~/.local/share/opencode/opencode.db`.
    Opencode,
    /// Qwen Code, below `~/.qwen/projects`.
    Qwen,
    /// pi, below `~/.pi/agent/sessions`.
    Pi,
    /// Cline, below `~/.cline/data/sessions`.
    Cline,
    /// Every one of them that has logs here.
    All,
}

/// Imports what agents wrote down about themselves.
///
/// Answers with their tokens and models, tools, edits and rejections come into the ledger, marked as imported; prompts and answers themselves stay where they are. What went through the gateway is recognized and not counted twice. A second run reads only what is new; what was written in the last five seconds is left for it.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Whose logs; several are separated by commas.
    #[arg(value_enum, required = true, value_delimiter = ',')]
    pub(crate) from: Vec<ImportFrom>,
    /// The home that the agents keep their folders in [default: the user's own].
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Leaves out answers before this day, UTC: a date such as 2026-11-01, or so long ago, such as 7d.
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    /// Goes on until interrupted, and imports what is new every few seconds.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) watch: bool,
    /// Records nothing and tells what would be.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}
