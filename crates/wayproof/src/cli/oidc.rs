//! Where people sign in to the dashboard.

use clap::Args;

/// An OpenID Connect provider that signs people in.
#[derive(Debug, Clone, Args)]
pub(crate) struct OidcArgs {
    /// The OpenID Connect provider at which people sign in to the dashboard, by its issuer's name.
    ///
    /// Where its pages, its keys and its tokens are is found as it describes itself. The people it names have to be in the register (`wayproof people set`).
    #[arg(long, value_name = "URL", requires = "oidc_client")]
    pub(crate) oidc_issuer: Option<String>,
    /// The name under which the provider knows this gateway; tokens have to be meant for it.
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub(crate) oidc_client: Option<String>,
    /// The environment variable with the secret of that client, where it has one.
    #[arg(long, value_name = "VAR", requires = "oidc_issuer")]
    pub(crate) oidc_secret_env: Option<String>,
    /// The claim of the provider's tokens that names the person.
    #[arg(
        long,
        value_name = "CLAIM",
        default_value = "email",
        requires = "oidc_issuer"
    )]
    pub(crate) oidc_claim: String,
    /// What the provider is asked for, divided by spaces.
    #[arg(
        long,
        value_name = "SCOPES",
        default_value = "openid email profile",
        requires = "oidc_issuer"
    )]
    pub(crate) oidc_scope: String,
    /// Where the provider sends browsers back, as it knows it [default: /login/callback at the address that they came to].
    #[arg(long, value_name = "URL", requires = "oidc_issuer")]
    pub(crate) oidc_callback: Option<String>,
}
