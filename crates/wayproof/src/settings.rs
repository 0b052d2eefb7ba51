//! What the operator sets: the data directory, providers and keys, from flags and the environment.
//!
//! This is the only place that reads the environment. Secrets are read by reference and never printed.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use etcetera::{BaseStrategy, choose_base_strategy};
use secrecy::SecretString;
use wayproof_engine::{Asked, Parsed, Policy, TaskName, classify};
use wayproof_repo::Repo;
use wayproof_upstream::{Credential, Known, Provider};
use wayproof_wire::Protocols;

use crate::{
    cli::DataArgs, clouds, discover::discover, exit::Mistake, run::agents::Agent, terminal,
};

/// The value of an environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is the one that reads the environment"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The key that the variable of `--key-env` holds.
pub(crate) fn key_in(name: &str) -> Result<String> {
    let missing = || Mistake(format!("--key-env {name}: the variable is not set"));
    Ok(variable(name).ok_or_else(missing)?)
}

/// The data directory, made on first use.
pub(crate) fn data_directory(args: &DataArgs) -> Result<PathBuf> {
    let folder = data_path(args.data.as_deref())?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("making the data directory {}", folder.display()))?;
    Ok(folder)
}

/// Where the data directory is, or would be.
pub(crate) fn data_path(given: Option<&Path>) -> Result<PathBuf> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None => choose_base_strategy()
            .context("finding the home directory; --data says where to keep state instead")?
            .data_dir()
            .join("wayproof"),
    };
    std::path::absolute(&folder)
        .with_context(|| format!("finding the data directory {}", folder.display()))
}

/// A path whose `~` is the home directory.
pub(crate) fn under_home(path: &Path) -> Result<PathBuf> {
    let Ok(rest) = path.strip_prefix("~") else {
        return Ok(path.to_owned());
    };
    Ok(home()?.join(rest))
}

/// Writes a file that only its owner can read, at once or not at all.
pub(crate) fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    let folder = file
        .parent()
        .with_context(|| format!("{} has no folder", file.display()))?;
    let mut written = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("making a file in {}", folder.display()))?;
    written
        .write_all(content)
        .with_context(|| format!("writing {}", file.display()))?;
    written
        .persist(file)
        .with_context(|| format!("writing {}", file.display()))?;
    Ok(())
}

/// Reads one `--provider NAME=URL[,protocol=…][,key-env=VAR][,as=CLOUD][,region=REGION]`.
pub(crate) fn parse_provider(spec: &str) -> Result<Provider> {
    let wrong = |reason: &str| Mistake(format!("--provider {spec}: {reason}"));
    let (name, rest) = spec.split_once('=').ok_or_else(|| {
        wrong("it should read NAME=URL[,protocol=…][,key-env=VAR][,as=CLOUD][,region=REGION]")
    })?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(is_name) || name == "wayproof" {
        return Err(wrong(
            "the name may hold letters, digits, - _ and ., and must not be `wayproof`",
        )
        .into());
    }
    let mut parts = rest.split(',');
    let base = parts.next().unwrap_or_default();
    let base = base.parse().map_err(|_| wrong("the URL cannot be read"))?;
    let (mut protocols, mut credential) = (None, None);
    let mut asked = clouds::Asked::default();
    for part in parts {
        match part.split_once('=') {
            Some(("protocol", value)) => {
                let known = "messages, chat, responses, gemini, ollama, completions or fim";
                let unknown = || wrong(&format!("protocol `{value}` is none of {known}"));
                protocols = Some(Protocols::of(&[value.parse().map_err(|_| unknown())?]));
            }
            Some(("key-env", name)) => {
                let missing = || wrong(&format!("the environment variable {name} is not set"));
                let key = SecretString::from(variable(name).ok_or_else(missing)?);
                credential = Some(Credential::Key(key));
            }
            Some(("as", value)) => {
                asked.cloud = Some(value.parse().map_err(|reason: String| wrong(&reason))?);
            }
            Some(("region", value)) => asked.region = Some(value.to_owned()),
            Some((key, _)) => {
                return Err(wrong(&format!(
                    "`{key}` is not a key; there are protocol, key-env, as and region"
                ))
                .into());
            }
            None => return Err(wrong(&format!("`{part}` should read KEY=VALUE")).into()),
        }
    }
    let cloud = asked.at(&base, &variable);
    let Some(cloud) = cloud.map_err(|reason| wrong(&reason))? else {
        let credential = credential.unwrap_or(Credential::PassThrough);
        let spoken = protocols.or_else(|| Known::protocols_at(&base));
        let provider = Provider::new(name, base, spoken.unwrap_or(Protocols::ALL), credential);
        return Ok(provider.map_err(|error| Mistake(error.to_string()))?);
    };
    let protocols = clouds::protocols(&cloud, protocols).map_err(|reason| wrong(&reason))?;
    let credential = if let Some(credential) = credential {
        credential
    } else {
        let found = clouds::credential(&cloud, &variable)?;
        let wanted = "set AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or name a key by key-env";
        found.ok_or_else(|| wrong(wanted))?.0
    };
    let provider = Provider::new(name, base, protocols, credential);
    let provider = provider.map_err(|error| Mistake(error.to_string()))?;
    Ok(provider.in_cloud(cloud))
}

/// The policy file in force: the one given, else `wayproof.toml` of the repository around the working directory.
pub(crate) fn policy_file(given: Option<&Path>) -> Result<Option<PathBuf>> {
    if let Some(file) = given {
        return Ok(Some(file.to_owned()));
    }
    let start = std::env::current_dir().context("finding the working directory")?;
    let root = Repo::discover(&start)
        .map(|repo| repo.root().to_owned())
        .unwrap_or(start);
    let file = root.join("wayproof.toml");
    Ok(file.is_file().then_some(file))
}

/// Reads a policy file; what is wrong in it is a mistake of its author, shown where it is.
pub(crate) fn read_policy(file: &Path) -> Result<Parsed> {
    let wrong = |error| {
        Mistake(format!(
            "the policy {} cannot be read: {error}",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(wrong)?;
    Policy::parse(&text, &file.display().to_string()).map_err(|error| {
        terminal::tell(&error.to_string());
        Mistake(format!(
            "{} has {} error(s), shown above",
            file.display(),
            error.problems.len()
        ))
        .into()
    })
}

/// The policy in force, with its warnings told.
pub(crate) fn policy(given: Option<&Path>) -> Result<Policy> {
    let Some(file) = policy_file(given)? else {
        return Ok(Policy::builtin());
    };
    let parsed = read_policy(&file)?;
    for warning in &parsed.warnings {
        terminal::tell(&warning.rendered);
    }
    Ok(parsed.policy)
}

/// The policy as a revision of a repository has it, so that a change cannot lower its own bar.
pub(crate) fn policy_at(repo: &Repo, revision: &str) -> Result<Policy> {
    let Some(bytes) = repo
        .read(revision, "wayproof.toml")
        .context("reading the policy of the base")?
    else {
        return Ok(Policy::builtin());
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Mistake("wayproof.toml of the base is not text".to_owned()))?;
    match Policy::parse(&text, "wayproof.toml of the base") {
        Ok(parsed) => Ok(parsed.policy),
        Err(error) => {
            terminal::tell(&error.to_string());
            Err(Mistake(format!(
                "wayproof.toml of the base has {} error(s), shown above",
                error.problems.len()
            ))
            .into())
        }
    }
}

/// A task that the policy has.
pub(crate) fn known_task(policy: &Policy, name: &str) -> Result<TaskName> {
    if let Some(task) = policy
        .tasks()
        .iter()
        .find(|task| task.name.as_str() == name)
    {
        return Ok(task.name.clone());
    }
    let known: Vec<&str> = policy
        .tasks()
        .iter()
        .map(|task| task.name.as_str())
        .collect();
    Err(Mistake(format!(
        "there is no task `{name}`; the policy has {}",
        known.join(", ")
    ))
    .into())
}

/// The task that the policy makes of an ask.
pub(crate) fn classified(policy: &Policy, ask: &str) -> TaskName {
    classify(policy, ask, &Asked::default()).task
}

/// Whether an agent brings a sign-in of its own.
pub(crate) fn has_sign_in(agent: Agent) -> bool {
    let in_home =
        |file: &str| choose_base_strategy().is_ok_and(|home| home.home_dir().join(file).is_file());
    match agent {
        Agent::ClaudeCode => {
            variable("ANTHROPIC_API_KEY").is_some()
                || variable("ANTHROPIC_AUTH_TOKEN").is_some()
                || in_home(".claude/.credentials.json")
        }
        Agent::Codex => in_home(".codex/auth.json"),
        Agent::Copilot | Agent::GeminiCli | Agent::Aider | Agent::Other => false,
    }
}

/// The home directory: the one that HOME names, else the one of the account.
pub(crate) fn home() -> Result<PathBuf> {
    let strategy = choose_base_strategy().context("finding the home directory; set HOME")?;
    Ok(strategy.home_dir().to_owned())
}

/// The whole environment, for finding toolchains; checks see only what the proof runner lets through.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads every `--provider`.
pub(crate) fn parse_providers(specs: &[String]) -> Result<Vec<Provider>> {
    specs.iter().map(|spec| parse_provider(spec)).collect()
}

/// The providers given, else the ones that are found.
pub(crate) async fn providers_or_found(given: &[Provider]) -> Result<Vec<Provider>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    Ok(discover()
        .await?
        .into_iter()
        .map(|found| found.provider)
        .collect())
}
