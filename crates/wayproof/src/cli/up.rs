//! How the gateway is started.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{DataArgs, OidcArgs, OtlpArgs, ProviderArgs, WebhookArgs, privacy::CaptureMode};

/// Starts the gateway.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// The address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4417")]
    pub(crate) listen: SocketAddr,
    /// A file that gets the port once the gateway listens.
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,
    /// The policy file [default: wayproof.toml of the repository around the working directory, else the built-in matrix].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The environment variable with the key that callers must present; needed to listen beyond loopback.
    #[arg(long, value_name = "VAR")]
    pub(crate) key_env: Option<String>,
    /// A PostgreSQL URL for the ledger instead of SQLite in the data directory.
    #[arg(
        long,
        value_name = "URL",
        env = "WAYPROOF_LEDGER",
        hide_env_values = true
    )]
    pub(crate) ledger: Option<String>,
    /// Hold every answer until the disk has its opening event, so that not even a power cut can lose one.
    #[arg(long)]
    pub(crate) sync_before_answer: bool,
    /// How much of requests and answers is kept beside the ledger: nothing, everything but secrets, or everything. A policy can have less kept.
    #[arg(
        long,
        value_name = "MODE",
        default_value = "none",
        env = "WAYPROOF_CAPTURE"
    )]
    pub(crate) capture: CaptureMode,
    /// A repository whose changes people decide on at the dashboard. May be repeated [default: the one around the working directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Vec<PathBuf>,
    /// The revision that their changes go into [default: the main branch].
    #[arg(long, value_name = "REV")]
    pub(crate) repo_base: Option<String>,
    /// A network of a proxy that signs people in and names them in a header, for the dashboard. May be repeated.
    ///
    /// The people it names have to be in the register (`wayproof people set`). Requests of such a proxy never count as requests of this machine.
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// The header in which that proxy names the person; it must remove the header from what comes in.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "x-forwarded-user",
        requires = "trusted_proxy"
    )]
    pub(crate) person_header: String,
    /// The header holds an OpenID Connect token, and this claim of it names the person, such as email.
    ///
    /// The token counts by its signature: name its issuer by --person-issuer, or the issuer's keys by --person-keys.
    #[arg(long, value_name = "CLAIM", requires = "trusted_proxy")]
    pub(crate) person_claim: Option<String>,
    /// Who has to have issued the token. Its keys are found as it describes itself, unless --person-keys names them.
    #[arg(long, value_name = "URL", requires = "person_claim")]
    pub(crate) person_issuer: Option<String>,
    /// The issuer's keys (a JSON Web Key Set): a file, or an https address.
    #[arg(long, value_name = "FILE|URL", requires = "person_claim")]
    pub(crate) person_keys: Option<String>,
    /// Whom the token has to be meant for, by its `aud`.
    #[arg(long, value_name = "NAME", requires = "person_claim")]
    pub(crate) person_audience: Option<String>,
    #[command(flatten)]
    pub(crate) oidc: OidcArgs,
    #[command(flatten)]
    pub(crate) otlp: OtlpArgs,
    #[command(flatten)]
    pub(crate) webhook: WebhookArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) providers: ProviderArgs,
}
