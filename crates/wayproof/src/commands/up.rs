//! Starts the gateway, says what it found, and drains when asked to.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use wayproof_dashboard::TrustedProxy;
use wayproof_repo::Repo;
use wayproof_upstream::Provider;

use crate::{
    cli::UpArgs,
    discover::{Found, discover},
    exit::Mistake,
    follow::{otlp, webhook},
    gateway::{self, Running, Start},
    issuer, local,
    proving::repo_mistake,
    settings, sign_in, terminal,
};

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(args: UpArgs) -> Result<ExitCode> {
    let policy = settings::policy(args.policy.as_deref())?;
    let found = found(&args.providers.providers).await?;
    let lines: Vec<String> = found.iter().map(line).collect();
    let source = issuer::of(&args).await?;
    let proxy = trusted(&args, source.as_ref())?;
    let sign_in = sign_in::of(&args.oidc)?;
    let key = args.key_env.as_deref().map(settings::key_in).transpose()?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let told = Told {
        otlp: otlp::target(&args.otlp)?,
        webhook: webhook::target(&args.webhook)?,
    };
    let data = settings::data_directory(&args.data)?;
    let servers: Vec<(Provider, BTreeSet<String>)> = found
        .iter()
        .filter_map(|found| Some((found.provider.clone(), found.models.clone()?)))
        .collect();
    let mut running = gateway::start(Start {
        listen: args.listen,
        policy,
        providers: found.into_iter().map(|found| found.provider).collect(),
        data: data.clone(),
        ledger: args.ledger.clone(),
        key,
        syncs_before_answer: args.sync_before_answer,
        capture: args.capture.into(),
        proxy,
        sign_in,
        repos: repos(&args.repo)?,
        repo_base: args.repo_base.clone(),
    })
    .await?;
    told.begin(&mut running, &data).await?;
    know_models(&mut running, servers);
    if let Some(source) = source {
        running.tell(source.begin());
    }
    if let Some(file) = &args.port_file {
        let port = running.address.port().to_string();
        std::fs::write(file, port)
            .with_context(|| format!("writing the port to {}", file.display()))?;
    }
    terminal::tell(&format!(
        "wayproof listens on {}\nproviders:\n{}",
        running.url(),
        lines.join("\n")
    ));
    terminal::tell(&agents(running.address));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    terminal::tell("wayproof finishes what is under way");
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A provider as a person is told of it.
fn line(found: &Found) -> String {
    let Found {
        provider, because, ..
    } = found;
    format!("  {:12} {}  ({because})", provider.name, provider.base)
}

/// Tells the gateway which models the servers on this machine have, now and from now on.
fn know_models(running: &mut Running, servers: Vec<(Provider, BTreeSet<String>)>) {
    let mut watched = Vec::new();
    for (server, models) in servers {
        local::tell(&running.gateway, &server, &models);
        watched.push(server);
    }
    if !watched.is_empty() {
        running.tell(local::watch(running.gateway.clone(), watched));
    }
}

/// The proxy that says who asks, if there is one.
fn trusted(args: &UpArgs, source: Option<&issuer::Source>) -> Result<Option<TrustedProxy>> {
    if args.trusted_proxy.is_empty() {
        return Ok(None);
    }
    let proxy = TrustedProxy::new(&args.trusted_proxy, &args.person_header)
        .map_err(|error| Mistake(format!("--trusted-proxy: {error}")))?;
    Ok(Some(
        proxy.with_tokens_of(source.map(issuer::Source::issuer)),
    ))
}

/// The providers that are named, else those found.
async fn found(named: &[String]) -> Result<Vec<Found>> {
    if named.is_empty() {
        return discover().await;
    }
    let given = settings::parse_providers(named)?;
    let found = given.into_iter().map(|provider| Found {
        provider,
        because: "--provider".to_owned(),
        models: None,
    });
    Ok(found.collect())
}

/// Who else is told of what happens.
struct Told {
    otlp: Option<otlp::Target>,
    webhook: Option<webhook::Target>,
}

impl Told {
    /// Begins to tell them. One that is new is told from now on; `ledger send` tells of the past.
    async fn begin(self, running: &mut Running, data: &Path) -> Result<()> {
        let ledger = running.gateway.ledger().clone();
        let new = ledger.size().await.context("reading the ledger")?;
        if let Some(target) = self.otlp {
            let follow = otlp::follow(ledger.clone(), data, target, new).await?;
            running.tell(follow.start());
        }
        if let Some(target) = self.webhook {
            let follow = webhook::follow(ledger, data, target, new).await?;
            running.tell(follow.start());
        }
        Ok(())
    }
}

/// The repositories that were named, else the one around the working directory, if there is one.
fn repos(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if named.is_empty() {
        let here = std::env::current_dir().context("finding the working directory")?;
        let found = Repo::discover(&here).ok();
        return Ok(found
            .map(|repo| repo.root().to_owned())
            .into_iter()
            .collect());
    }
    let opened = named.iter().map(|folder| {
        let repo = Repo::discover(folder).map_err(repo_mistake)?;
        Ok(repo.root().to_owned())
    });
    opened.collect()
}

/// The key that callers must show.
/// How to point each agent at the gateway.
fn agents(address: SocketAddr) -> String {
    let base = format!("http://{address}");
    format!(
        "point your agent at it:\n  \
         Claude Code  ANTHROPIC_BASE_URL={base} claude --model claude-wayproof-auto\n  \
         Codex        codex -c model_provider=wayproof -c 'model_providers.wayproof={{name=\"wayproof\",base_url=\"{base}/v1\",env_key=\"WAYPROOF_API_KEY\",wire_api=\"responses\"}}' -m wayproof-auto\n  \
         Copilot CLI  COPILOT_PROVIDER_BASE_URL={base}/v1 COPILOT_PROVIDER_TYPE=openai COPILOT_PROVIDER_API_KEY=any COPILOT_MODEL=wayproof-auto copilot\n  \
         aider        OPENAI_API_BASE={base}/v1 OPENAI_API_KEY=any aider --model openai/wayproof-auto\n\
         or let it prove its work:  wayproof run -- <agent …>"
    )
}
