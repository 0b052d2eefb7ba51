//! Who is told by OpenTelemetry's protocol.

use clap::Args;

use super::LedgerPlace;

/// A receiver of OpenTelemetry.
#[derive(Debug, Clone, Args)]
pub(crate) struct OtlpArgs {
    /// Sends jobs, exchanges, escalations, proofs and metrics to an OTLP receiver over HTTP as they happen: the address before /v1/traces.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// The environment variable with headers for it, as in OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value.
    #[arg(long, value_name = "VAR", requires = "otlp")]
    pub(crate) otlp_headers_env: Option<String>,
}

/// Sends what the ledger holds by OTLP.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) to: OtlpArgs,
    /// Sends from this day on, UTC, whatever was sent before: a date such as 2026-11-01, or so long ago, such as 7d [default: what was not sent yet].
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    /// Goes on until it is stopped.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Prints how many events and batches were sent, as JSON.
    #[arg(long, conflicts_with = "follow")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}
