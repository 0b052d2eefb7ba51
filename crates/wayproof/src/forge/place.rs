//! Where something is published: forge, address, repository, change and token, from flags and what CI says.

use anyhow::Result;
use hyper::Uri;
use secrecy::SecretString;
use wayproof_upstream::Proxy;

use crate::{
    cli::{ForgeArgs, ForgeKind, ForgePart},
    exit::Mistake,
    gateway, settings,
};

/// How long a name may be; forges cut longer ones.
const LONGEST_NAME: usize = 100;

/// Where something is published.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) kind: ForgeKind,
    /// The API's address without a slash at its end.
    pub(super) api: String,
    /// `owner/name`, a path of groups, or a number.
    pub(super) repo: String,
    pub(super) change: Option<u64>,
    pub(super) parts: Vec<ForgePart>,
    pub(super) name: String,
    pub(super) details: Option<String>,
    /// The variable the token is in, which errors may name.
    pub(super) token_variable: String,
    pub(super) token: SecretString,
    pub(super) proxy: Option<Proxy>,
}

impl Place {
    /// The place that the arguments and the environment name; nothing if nothing is to be published.
    pub(crate) fn of(args: &ForgeArgs) -> Result<Option<Self>> {
        let Some(kind) = args.publish else {
            return Ok(None);
        };
        let names = Names::of(kind);
        let token_variable = args
            .token_env
            .clone()
            .unwrap_or_else(|| names.token.to_owned());
        let token = token(&token_variable)?;
        let repo = args.forge_repo.clone().or_else(|| found(names.repo));
        let repo = repo.ok_or_else(|| {
            Mistake(format!(
                "--publish: which repository is not known; --forge-repo or {} names it",
                names.repo
            ))
        })?;
        let api = args.forge_url.clone().or_else(|| found(names.api));
        let api = api.unwrap_or_else(|| names.hosted.to_owned());
        let change = args.change.or_else(|| change(kind));
        let details = args.details_url.clone().or_else(|| details(kind));
        Ok(Some(Self {
            kind,
            api: address(&api)?,
            repo: repository(kind, repo)?,
            change,
            parts: parts(kind, &args.publish_parts, change)?,
            name: name(&args.publish_name)?,
            details: details
                .map(|url| web_address("--details-url", url))
                .transpose()?,
            token_variable,
            token,
            proxy: gateway::proxy()?,
        }))
    }
}

/// What a forge's CI calls things.
struct Names {
    token: &'static str,
    repo: &'static str,
    api: &'static str,
    hosted: &'static str,
}

impl Names {
    const fn of(kind: ForgeKind) -> Self {
        match kind {
            ForgeKind::Github => Self {
                token: "GITHUB_TOKEN",
                repo: "GITHUB_REPOSITORY",
                api: "GITHUB_API_URL",
                hosted: "https://api.github.com",
            },
            ForgeKind::Gitlab => Self {
                token: "GITLAB_TOKEN",
                repo: "CI_PROJECT_ID",
                api: "CI_API_V4_URL",
                hosted: "https://gitlab.com/api/v4",
            },
        }
    }
}

fn found(variable: &str) -> Option<String> {
    settings::variable(variable)
}

fn token(variable: &str) -> Result<SecretString> {
    let token = found(variable).ok_or_else(|| {
        Mistake(format!(
            "--publish: the environment variable {variable}, which should hold the forge's token, is not set"
        ))
    })?;
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Mistake(format!(
            "--publish: what the environment variable {variable} holds is no token"
        ))
        .into());
    }
    Ok(SecretString::from(token.to_owned()))
}

/// The API's address. A token goes over plain HTTP to this machine only.
fn address(text: &str) -> Result<String> {
    let wrong = |why: &str| Mistake(format!("--forge-url: {why}"));
    let uri: Uri = text
        .parse()
        .map_err(|_| wrong("what is given is no address"))?;
    let Some(authority) = uri.authority() else {
        return Err(wrong("it takes an address that begins with https://").into());
    };
    if authority.as_str().contains('@') {
        return Err(wrong("a user or a password has no place in the address").into());
    }
    if uri.query().is_some() {
        return Err(wrong("an address with a query is no API").into());
    }
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let is_here = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_here => {}
        Some("http") => return Err(wrong("a token is not sent over http://; use https://").into()),
        _ => return Err(wrong("it takes an address that begins with https://").into()),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn repository(kind: ForgeKind, repo: String) -> Result<String> {
    let is_part = |part: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !part.is_empty() && part != "." && part != ".." && part.chars().all(is_name)
    };
    let parts: Vec<&str> = repo.split('/').collect();
    let is_number = repo.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match kind {
        ForgeKind::Github => parts.len() == 2,
        ForgeKind::Gitlab => parts.len() >= 2 || is_number,
    };
    if repo.len() > 1024 || !fits || !parts.iter().all(|part| is_part(part)) {
        let form = match kind {
            ForgeKind::Github => "owner/name",
            ForgeKind::Gitlab => "group/name or the project's number",
        };
        return Err(Mistake(format!(
            "--forge-repo {}: it should read {form}",
            crate::terminal::plain(&repo)
        ))
        .into());
    }
    Ok(repo)
}

/// The number of the change that CI runs for.
fn change(kind: ForgeKind) -> Option<u64> {
    match kind {
        ForgeKind::Github => {
            let reference = found("GITHUB_REF")?;
            let number = reference.strip_prefix("refs/pull/")?.split('/').next()?;
            number.parse().ok()
        }
        ForgeKind::Gitlab => found("CI_MERGE_REQUEST_IID")?.parse().ok(),
    }
}

/// The page of the CI job.
fn details(kind: ForgeKind) -> Option<String> {
    match kind {
        ForgeKind::Github => Some(format!(
            "{}/{}/actions/runs/{}",
            found("GITHUB_SERVER_URL")?,
            found("GITHUB_REPOSITORY")?,
            found("GITHUB_RUN_ID")?
        )),
        ForgeKind::Gitlab => found("CI_JOB_URL"),
    }
}

/// An address of a page that can stand in a link of Markdown.
pub(crate) fn web_address(flag: &str, url: String) -> Result<String> {
    let is_web = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    // Nothing that would end a link in Markdown.
    let is_plain = !url.contains(['(', ')', '<', '>', '"', ' ', '\\']) && url.len() <= 2000;
    if !is_web || !is_plain {
        return Err(Mistake(format!(
            "{flag}: it takes an address that begins with http:// or https://"
        ))
        .into());
    }
    Ok(url)
}

fn name(name: &str) -> Result<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ' ');
    let is_name = name.trim() == name
        && (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(fits)
        && !name.contains("--");
    if !is_name {
        return Err(Mistake(
            "--publish-name: a name has at most 100 letters, digits, spaces and - _ . /".to_owned(),
        )
        .into());
    }
    Ok(name.to_owned())
}

/// The parts, each once; what only one forge has is asked of that one.
fn parts(kind: ForgeKind, given: &[ForgePart], change: Option<u64>) -> Result<Vec<ForgePart>> {
    if given.is_empty() {
        let mut parts = vec![ForgePart::Status];
        if kind == ForgeKind::Github {
            parts.push(ForgePart::Check);
        }
        if change.is_some() {
            parts.push(ForgePart::Comment);
        }
        return Ok(parts);
    }
    if kind == ForgeKind::Gitlab && given.contains(&ForgePart::Check) {
        return Err(Mistake(
            "--publish-parts check: GitLab has no check runs; there are status and comment"
                .to_owned(),
        )
        .into());
    }
    if given.contains(&ForgePart::Comment) && change.is_none() {
        return Err(Mistake(
            "--publish-parts comment: which pull or merge request is not known; --change names it"
                .to_owned(),
        )
        .into());
    }
    let mut parts: Vec<ForgePart> = Vec::new();
    for part in given {
        if !parts.contains(part) {
            parts.push(*part);
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_no_address_that_anybody_could_hear() {
        for fine in [
            "https://api.github.com",
            "https://ghes.example/api/v3/",
            "http://127.0.0.1:80",
            "http://localhost:1/api/v4",
            "http://[::1]:1",
        ] {
            assert!(address(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "http://gitlab.example/api/v4",
            "http://127.0.0.1.example",
            "https://x:y@api.github.com",
            "ftp://h",
            "api.github.com",
            "https://h/?a=b",
            "",
            "http://",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_goes_into_a_path_or_a_comment_is_what_it_says() {
        let (hub, lab) = (ForgeKind::Github, ForgeKind::Gitlab);
        let named = |kind, text: &str| repository(kind, text.to_owned());
        assert!(named(hub, "octo/hello-world").is_ok() && named(lab, "a/b/c").is_ok());
        assert!(named(lab, "42").is_ok() && named(hub, "42").is_err());
        for wrong in [
            "", "a", "a/../b", "a/b?c", "a/b/", "a b/c", "a/b\nc", "../..",
        ] {
            assert!(named(hub, wrong).is_err(), "{wrong}");
        }
        assert!(named(lab, "a/..").is_err());
        assert!(name("wayproof / api").is_ok());
        for wrong in ["", "a-->b", "x--y", "<b>", " a", "ü"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert!(web_address("--details-url", "https://h/a)b".to_owned()).is_err());
        assert!(web_address("--details-url", "javascript:alert(1)".to_owned()).is_err());
        assert!(web_address("--details-url", "https://ci.example/jobs/1#l-2".to_owned()).is_ok());
    }
}
