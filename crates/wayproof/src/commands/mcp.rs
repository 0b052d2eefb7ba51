//! Serves the tools that agents call, until the agent closes its end.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    cli::McpArgs,
    mcp::{self, Place},
};

/// Serves.
pub(crate) async fn run(args: McpArgs) -> Result<ExitCode> {
    mcp::serve(Place {
        repo: args.repo,
        ledger: args.ledger,
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
