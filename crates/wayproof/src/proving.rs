//! Runs a proof with the policy's commands in the sandbox, telling people how far it is.

use std::{io::IsTerminal, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::mpsc;
use wayproof_engine::{CheckKind, Policy, TaskName};
use wayproof_proof::{
    Commands, DataCommands, Head, IsolationFloor, Limits, Machine, Pages, PrimarySources, Progress,
    ProofCache, ProveError, ProveRequest, Proven, Runs, Sandbox, Step, prove,
};
use wayproof_repo::RepoError;

use crate::{
    commands::prove::KeptProofs, exit::Mistake, gateway::Admin, interrupt::UnderWay,
    pages::CachedPages, settings,
};

/// What to prove.
#[derive(Debug)]
pub(crate) struct Proving {
    pub(crate) repo: PathBuf,
    pub(crate) policy: Policy,
    pub(crate) task: TaskName,
    pub(crate) base: String,
    pub(crate) head: String,
    /// Digest of the obligation that was frozen before.
    pub(crate) obligation: String,
    /// Who fetches pages that documents link to; nobody leaves them unread.
    pub(crate) pages: Option<Arc<CachedPages>>,
    /// Whether a person watches.
    pub(crate) audience: Audience,
    /// The gateway and the job that hear what is being done.
    pub(crate) watched: Option<(Admin, String)>,
    /// Proofs that are taken over where nothing they read has changed.
    pub(crate) kept: Option<Arc<KeptProofs>>,
}

/// Who hears how far a proof is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Somebody at a terminal, or a log.
    Told,
    /// Nobody: another program has the terminal.
    Silent,
}

/// The proof a task owes, in words.
pub(crate) fn owed(policy: &Policy, task: &TaskName) -> String {
    let groups = policy
        .task(task)
        .map(|task| task.proof.as_slice())
        .unwrap_or_default();
    if groups.is_empty() {
        return "no proof".to_owned();
    }
    let any = |group: &Vec<_>| {
        group
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" or ")
    };
    groups.iter().map(any).collect::<Vec<_>>().join(", ")
}

/// Proves on a thread of its own, as it starts processes and waits for them.
pub(crate) async fn run(proving: Proving) -> Result<Proven> {
    let (steps, heard) = mpsc::unbounded_channel();
    let told = Told::new(proving.audience, steps);
    let watched = proving.watched.clone();
    let under_way = UnderWay::begin()?;
    let cancel = UnderWay::cancel();
    let proving = tokio::task::spawn_blocking(move || {
        let launcher = std::env::current_exe().context("finding this program for the sandbox")?;
        let sandbox = Sandbox::new(launcher, IsolationFloor::BestEffort);
        let sandbox = sandbox.cancelled_by(UnderWay::cancel());
        let proven = prove(&request(proving), &sandbox, &told);
        told.bar.finish_and_clear();
        // All that it made is gone by now.
        drop(under_way);
        redacted(proven.map_err(explained)?)
    });
    // The steps end with the proof, and the verdict must not be overtaken by one.
    let (proven, ()) = tokio::join!(proving, Box::pin(pass_on(heard, watched)));
    if cancel.is_cancelled() {
        // What a proof says that was ended is nobody's; the program is about to end.
        std::future::pending::<()>().await;
    }
    proven.context("running the proof")?
}

/// Tells a gateway each step of a proof; one that does not take them is not asked again.
async fn pass_on(mut heard: mpsc::UnboundedReceiver<String>, watched: Option<(Admin, String)>) {
    let Some((admin, job)) = watched else { return };
    while let Some(step) = heard.recv().await {
        if let Err(error) = admin.step(&job, &wayproof_redact::redact(&step)).await {
            tracing::debug!(%error, "the gateway does not hear what is proven");
            return;
        }
    }
    if let Err(error) = admin.step(&job, "").await {
        tracing::debug!(%error, "the gateway does not hear that the proof ended");
    }
}

/// What a command was called with or said may hold a secret; what is proven is sealed, kept, told to the agent and goes
/// wherever its change goes.
fn redacted(proven: Proven) -> Result<Proven> {
    Ok(Proven {
        proof: without_secrets(&proven.proof)?,
        test_results: without_secrets(&proven.test_results)?,
        one_fact: wayproof_redact::redact(&proven.one_fact).into_owned(),
        subjects: proven.subjects,
    })
}

fn without_secrets<T: Serialize + DeserializeOwned>(value: &T) -> Result<T> {
    let text = serde_json::to_string(value).context("writing the proof")?;
    serde_json::from_str(&wayproof_redact::redact_json(&text)).context("writing the proof")
}

fn request(proving: Proving) -> ProveRequest {
    let row = proving.policy.task(&proving.task);
    let command = |kind| row.and_then(|row| row.checks.get(&kind)).cloned();
    ProveRequest {
        repo: proving.repo,
        requirements: row.map(|row| row.proof.clone()).unwrap_or_default(),
        base: Some(proving.base),
        head: Head::Revision(proving.head),
        runs: Runs::default(),
        limits: Limits::default(),
        commands: Commands {
            typecheck: command(CheckKind::Typecheck),
            build: command(CheckKind::Build),
            test: command(CheckKind::Test),
            bench: command(CheckKind::Bench),
            smoke: command(CheckKind::Smoke),
            data: DataCommands {
                up: command(CheckKind::DataUp),
                down: command(CheckKind::DataDown),
                dump: command(CheckKind::DataDump),
            },
        },
        min_coverage: row.and_then(|row| row.min_coverage),
        residue: row.map(|row| row.residue.clone()).unwrap_or_default(),
        sources: PrimarySources {
            hosts: row
                .map(|row| row.sources.primary.clone())
                .unwrap_or_default(),
            pages: proving.pages.map(|pages| -> Arc<dyn Pages> { pages }),
        },
        obligation: Some(proving.obligation),
        cache: proving.kept.map(|kept| -> Arc<dyn ProofCache> { kept }),
        machine: Machine::from_vars(settings::variables(), std::env::temp_dir()),
        task: proving.task,
    }
}

/// A repository that cannot be used is a mistake of whoever named it; everything else is the machine.
fn explained(error: ProveError) -> anyhow::Error {
    match error {
        ProveError::Repo(error) => repo_mistake(error),
        ProveError::NothingToProve => Mistake(error.to_string()).into(),
        ProveError::Sandbox(_) | ProveError::Io { .. } => error.into(),
    }
}

/// What is wrong with a repository, in one sentence.
pub(crate) fn repo_mistake(error: RepoError) -> anyhow::Error {
    Mistake(crate::exit::chain(&anyhow::Error::new(error))).into()
}

/// A line that says what is going on; plain lines where nobody can redraw them.
struct Told {
    bar: ProgressBar,
    audience: Audience,
    steps: mpsc::UnboundedSender<String>,
}

impl Told {
    fn new(audience: Audience, steps: mpsc::UnboundedSender<String>) -> Self {
        let is_drawn = audience == Audience::Told && std::io::stderr().is_terminal();
        let bar = if is_drawn {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} proof, {elapsed}: {msg}") {
            bar.set_style(style);
        }
        if is_drawn {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self {
            bar,
            audience,
            steps,
        }
    }
}

impl Progress for Told {
    fn step(&self, step: &Step) {
        self.bar.set_message(step.to_string());
        // Nobody hears it where no gateway watches.
        drop(self.steps.send(step.to_string()));
        if self.audience == Audience::Told && self.bar.is_hidden() {
            crate::terminal::tell(&format!("wayproof: proof: {step}"));
        }
    }
}
