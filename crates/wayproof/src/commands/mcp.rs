//! Serves the tools that agents call, until the agent closes its end.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    cli::McpArgs,
    mcp::{self, Place},
};

/// Serves.
pub(crate) async fn run(args: McpArgs) -> Result<ExitCode> {
    let place = Place {
        repo: args.repo,
        ledger: args.ledger,
    };
    Box::pin(mcp::serve(place)).await?;
    Ok(ExitCode::SUCCESS)
}
