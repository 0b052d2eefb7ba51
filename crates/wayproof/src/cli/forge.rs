//! Where a ruling is published.

use clap::{Args, ValueEnum};

/// A forge whose API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForgeKind {
    /// GitHub, also on a server of one's own.
    Github,
    /// GitLab, also on a server of one's own.
    Gitlab,
}

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForgePart {
    /// The status of the commit.
    Status,
    /// A check run with annotations; GitHub only, and only for a token of an app, as that of Actions is.
    Check,
    /// One comment on the pull or merge request, updated from then on.
    Comment,
}

/// Where a ruling is published, if anywhere.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Publishing")]
pub(crate) struct ForgeArgs {
    /// Publishes the ruling at this forge.
    #[arg(long, value_name = "FORGE", value_enum)]
    pub(crate) publish: Option<ForgeKind>,
    /// What is published [default: status,check,comment, as far as the forge has them].
    #[arg(
        long,
        value_name = "PARTS",
        value_enum,
        value_delimiter = ',',
        requires = "publish"
    )]
    pub(crate) publish_parts: Vec<ForgePart>,
    /// The name of the status, the check run and the comment; another name for each gate of a repository that has several.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "wayproof",
        requires = "publish"
    )]
    pub(crate) publish_name: String,
    /// The address of the API [default: GITHUB_API_URL or `https://api.github.com`; CI_API_V4_URL or `https://gitlab.com/api/v4`].
    #[arg(long, value_name = "URL", requires = "publish")]
    pub(crate) forge_url: Option<String>,
    /// The repository at the forge: owner/name, or GitLab's number of the project [default: GITHUB_REPOSITORY; CI_PROJECT_ID].
    #[arg(long, value_name = "REPOSITORY", requires = "publish")]
    pub(crate) forge_repo: Option<String>,
    /// The number of the pull or merge request [default: from GITHUB_REF; CI_MERGE_REQUEST_IID]; without one there is no comment.
    #[arg(long, value_name = "NUMBER", requires = "publish")]
    pub(crate) change: Option<u64>,
    /// The environment variable with the forge's token [default: GITHUB_TOKEN; GITLAB_TOKEN].
    #[arg(long, value_name = "VAR", requires = "publish")]
    pub(crate) token_env: Option<String>,
    /// Where people read more [default: the CI job's page].
    #[arg(long, value_name = "URL", requires = "publish")]
    pub(crate) details_url: Option<String>,
}
