//! Who is told by webhooks.

use clap::{Args, ValueEnum};

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WebhookKind {
    /// A budget is near its limit (its soft limit, else 80 %), or has none left.
    Budget,
    /// A proof reached its verdict.
    Proof,
    /// A job moved to a higher class.
    Escalation,
    /// Somebody reviewed a change.
    Review,
    /// A job ended.
    Job,
    /// A key, a person or a budget was changed.
    Books,
}

/// A receiver of webhooks.
#[derive(Debug, Clone, Args)]
pub(crate) struct WebhookArgs {
    /// Posts JSON to this address when something happens, signed as Standard Webhooks are.
    #[arg(
        long,
        value_name = "URL",
        env = "WAYPROOF_WEBHOOK",
        hide_env_values = true
    )]
    pub(crate) webhook: Option<String>,
    /// What it is told of.
    #[arg(
        long,
        value_name = "KINDS",
        value_enum,
        value_delimiter = ',',
        default_value = "budget,proof,escalation,review"
    )]
    pub(crate) webhook_on: Vec<WebhookKind>,
    /// The environment variable with the secret that signs what is posted.
    #[arg(long, value_name = "VAR")]
    pub(crate) webhook_secret_env: Option<String>,
}
