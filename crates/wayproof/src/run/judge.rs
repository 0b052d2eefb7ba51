//! Proves the tree of a run, reports each verdict to the gateway, and keeps count of tries.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use wayproof_engine::{Policy, TaskName};
use wayproof_ledger::{Clock, JobClosed};
use wayproof_proof::Proven;
use wayproof_receipt::{Envelope, SigningKey, Verdict};
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

use super::{
    Order,
    agents::{Agent, Pointing},
};
use crate::{
    gateway::{self, Admin, ForWork, OpenJob, OpenedJob, ProofReport, Running},
    ledgers, pages,
    proving::{self, Audience, Proving, repo_mistake},
    review::{self, Settled},
    sealing::{self, Owed, Sealed},
    settings, terminal,
};

/// How often a refuted agent is sent back to work where nobody says otherwise.
pub(crate) const TRIES: u32 = 3;

/// How long a gateway that does not answer is left alone before it is asked again.
const GATEWAY_PAUSE: Duration = Duration::from_secs(1);

/// A verdict about one tree.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// The one thing the agent needs to know.
    pub(crate) fact: String,
    tree: String,
    /// Whether only a person's review is missing, which the agent can do nothing about.
    awaits_review: bool,
}

/// What one claim of being done came to.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) class: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) verdict: Verdict,
    pub(crate) cost_nano_usd: Option<i64>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) verdict: Verdict,
    pub(crate) job: String,
    pub(crate) rounds: Vec<Round>,
    pub(crate) causes: Vec<String>,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) cost_nano_usd: Option<i64>,
}

/// The judge of one run.
#[derive(Debug)]
pub(crate) struct Judge {
    repo: Repo,
    data: PathBuf,
    policy: Policy,
    task: Option<TaskName>,
    base: Commit,
    key: SigningKey,
    obligation: Option<Envelope>,
    admin: Admin,
    job: OpenedJob,
    ask: Option<String>,
    tries_allowed: Option<u32>,
    tries: u32,
    last: Option<Judged>,
    rounds: Vec<Round>,
    spent: i64,
    sealed: Option<Sealed>,
    session: Option<String>,
    audience: Audience,
    /// The gateway of our own, when there was none.
    own_gateway: Option<Running>,
}

impl Judge {
    /// Takes the state of things before the agent starts: base, policy, gateway, job and, where the task is known, the obligation.
    pub(crate) async fn prepare(order: Order, agent: Agent, prompt: Option<&str>) -> Result<Self> {
        let repo = Repo::discover(&order.repo).map_err(repo_mistake)?;
        let before = repo.snapshot().map_err(repo_mistake)?;
        let base = Commit {
            id: before.commit,
            tree: before.tree,
        };
        let policy = settings::policy_at(&repo, base.id.as_str())?;
        let key = sealing::own_key(&order.data)?;
        let task = match &order.task {
            Some(name) => Some(settings::known_task(&policy, name)?),
            None => prompt.map(|ask| settings::classified(&policy, ask)),
        };
        let (admin, own_gateway) = gateway::for_work(ForWork {
            named: order.gateway.as_deref(),
            providers: &order.providers,
            policy: &policy,
            data: &order.data,
            ledger: order.ledger.clone(),
            key: order.key.as_deref(),
        })
        .await?;
        let wanted = OpenJob {
            task: task.as_ref().map(ToString::to_string),
            repo: repo.root().to_string_lossy().into_owned(),
            base: base.id.to_string(),
            agent: format!("{agent:?}"),
            freezes: true,
        };
        let job = admin.open_job(&wanted).await?;
        let mut judge = Self {
            repo,
            data: order.data,
            policy,
            task: None,
            base,
            key,
            obligation: None,
            admin,
            job,
            ask: prompt.map(str::to_owned),
            tries_allowed: order.tries,
            tries: 0,
            last: None,
            rounds: Vec::new(),
            spent: 0,
            sealed: None,
            session: None,
            audience: order.audience,
            own_gateway,
        };
        if let Some(task) = task {
            judge.freeze(task).await?;
        }
        Ok(judge)
    }

    /// Waits for the agent's first ask, where the command line did not have it, and tells its task.
    pub(crate) async fn first_task(&self) -> Result<TaskName> {
        loop {
            match self.admin.task_due(&self.job.job).await {
                Ok(Some(task)) => return settings::known_task(&self.policy, &task),
                // A gateway that was started anew waits for nobody; the obligation is fixed at the first claim.
                Ok(None) => return std::future::pending().await,
                // A gateway that is away for a moment is no reason to end the agent.
                Err(error) => {
                    tracing::warn!(%error, "the gateway does not say what the job's task is");
                    tokio::time::sleep(GATEWAY_PAUSE).await;
                }
            }
        }
    }

    /// Whether it is fixed what the job owes.
    pub(crate) const fn is_frozen(&self) -> bool {
        self.obligation.is_some()
    }

    /// Signs the obligation and has it recorded, once the task is known. The gateway lets no answer out before.
    pub(crate) async fn freeze(&mut self, task: TaskName) -> Result<()> {
        let owed = Owed {
            policy: &self.policy,
            task: &task,
            base: &self.base,
            ask: self.ask.as_deref(),
            job: Some(&self.job.job),
        };
        let obligation = sealing::obligation(&owed, Clock::system().now_us(), &self.key)?;
        let frozen = ledgers::frozen(&self.policy, &task, &self.base, &obligation.digest());
        self.admin.freeze(&self.job.job, &frozen).await?;
        self.tell(&format!(
            "job {} is a {task} and owes {}",
            self.job.job,
            proving::owed(&self.policy, &task)
        ));
        self.obligation = Some(obligation);
        self.task = Some(task);
        Ok(())
    }

    /// Where the agent's stop hook finds this run: a short path, as sockets want it, in a folder of our own.
    pub(crate) fn socket_path(&self) -> PathBuf {
        std::env::temp_dir().join(format!("wayproof-{}.sock", self.job.job))
    }

    /// What the agent must know.
    pub(crate) fn pointing(&self, agent: Agent) -> Result<Pointing> {
        let program =
            std::env::current_exe().context("finding this program for the agent's hook")?;
        Ok(Pointing {
            gateway: self.admin.base().to_owned(),
            key: self.job.key.clone(),
            hook: format!(
                "'{}' hook stop",
                program.to_string_lossy().replace('\'', "'\\''")
            ),
            socket: self.socket_path().to_string_lossy().into_owned(),
            keeps_sign_in: settings::has_sign_in(agent),
            has_model: settings::variable("COPILOT_MODEL").is_some(),
            in_messages: settings::variable("COPILOT_PROVIDER_TYPE").as_deref()
                == Some("anthropic"),
        })
    }

    /// Proves the tree as it is now; the same tree is not proven twice in a row.
    pub(crate) async fn judge(&mut self) -> Result<Judged> {
        let job = self.admin.job(&self.job.job).await?;
        if self.task.is_none() {
            let task = job.task().unwrap_or_else(|| TaskName::GENERAL.to_owned());
            self.freeze(settings::known_task(&self.policy, &task)?)
                .await?;
        }
        let now = self
            .repo
            .snapshot_after(&self.base.id)
            .context("taking a snapshot of the working tree")?;
        let head = Commit {
            id: now.commit,
            tree: now.tree,
        };
        let tree = head.tree.to_string();
        let known = self.last.as_ref().filter(|last| last.tree == tree).cloned();
        let judged = match known {
            Some(judged) => judged,
            None => self.prove(&head).await?,
        };
        // The last look, when the agent has ended, is no new claim of being done.
        let claims = usize::try_from(self.tries)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        if self.rounds.len() < claims {
            let (class, target) = job.newest();
            let total = job.cost_nano_usd();
            let cost_nano_usd = total.map(|total| total - self.spent);
            self.spent = total.unwrap_or(self.spent);
            self.rounds.push(Round {
                class,
                target,
                verdict: judged.verdict,
                cost_nano_usd,
            });
        }
        self.last = Some(judged.clone());
        Ok(judged)
    }

    /// Runs the proof, seals what was found, and tells the gateway, so that the next turn is routed by it.
    async fn prove(&mut self, head: &Commit) -> Result<Judged> {
        let (Some(task), Some(obligation)) = (self.task.clone(), self.obligation.clone()) else {
            anyhow::bail!("the job has no task to prove");
        };
        let mut proven = proving::run(Proving {
            repo: self.repo.root().to_owned(),
            policy: self.policy.clone(),
            task: task.clone(),
            base: self.base.id.to_string(),
            head: head.id.to_string(),
            obligation: obligation.digest(),
            pages: Some(pages::of_task(
                (&self.policy, &task),
                &self.data,
                Reachable::Public,
            )?),
            audience: self.audience,
            kept: None,
            watched: Some((self.admin.clone(), self.job.job.clone())),
        })
        .await?;
        let owed = Owed {
            policy: &self.policy,
            task: &task,
            base: &self.base,
            ask: None,
            job: None,
        };
        let settled = review::settle(
            &mut proven,
            (&self.repo, &owed),
            (&self.base, head),
            &self.key.public(),
        )?;
        self.keep(&proven, &obligation, head).await?;
        let tree = head.tree.to_string();
        Ok(Judged {
            verdict: proven.proof.verdict,
            fact: proven.one_fact,
            tree,
            awaits_review: settled == Settled::AwaitsReview,
        })
    }

    async fn keep(&mut self, proven: &Proven, obligation: &Envelope, head: &Commit) -> Result<()> {
        if sealing::is_sealed(proven.proof.verdict) {
            let spend = self.admin.job(&self.job.job).await?.spend();
            let at = Clock::system().now_us();
            let bundle = sealing::receipt(proven, obligation, Some(spend), at, &self.key)?;
            self.sealed = Some(sealing::keep(bundle, &self.data, &self.repo, head)?);
        } else {
            self.sealed = None;
        }
        let report = ProofReport::new(proven, head, self.sealed.as_ref(), &self.key.public())?;
        self.admin.report(&self.job.job, &report).await
    }

    /// Whether the agent is sent back: not proven, not the machine's fault, and tries are left.
    pub(crate) fn may_go_on(&self, judged: &Judged) -> bool {
        let is_open = match judged.verdict {
            Verdict::Refuted | Verdict::Unproven => true,
            Verdict::Proven | Verdict::ProvenWithGaps | Verdict::InvalidInfra => false,
        };
        is_open && !judged.awaits_review && self.tries < self.tries_allowed()
    }

    fn tries_allowed(&self) -> u32 {
        let task = self.task.as_ref().and_then(|task| self.policy.task(task));
        self.tries_allowed
            .or_else(|| task.and_then(|task| task.tries))
            .unwrap_or(TRIES)
    }

    /// Counts that the agent is sent back, and says so.
    pub(crate) fn send_back(&mut self, judged: &Judged) {
        self.tries += 1;
        let (tries, allowed) = (self.tries, self.tries_allowed());
        self.tell(&format!(
            "{} (sent back {tries} of {allowed}): {}",
            judged.verdict, judged.fact
        ));
    }

    /// Whether anything was judged yet.
    pub(crate) fn last(&self) -> Option<&Judged> {
        self.last.as_ref()
    }

    /// Remembers the agent's own session, by which it is called again.
    pub(crate) fn note_session(&mut self, session: Option<String>) {
        self.session = session.or(self.session.take());
    }

    /// The agent's session, as its hook or its requests tell it.
    pub(crate) async fn session(&mut self) -> Result<Option<String>> {
        if self.session.is_none() {
            self.session = self.admin.job(&self.job.job).await?.session();
        }
        Ok(self.session.clone())
    }

    /// Tells whoever watches; while an agent has the terminal, nobody does.
    pub(crate) fn tell(&self, words: &str) {
        if self.audience == Audience::Told {
            terminal::tell(&format!("wayproof: {}", terminal::plain(words)));
        }
    }

    /// Closes the job. A claim that was refused to the end is UNPROVEN, said plainly.
    pub(crate) async fn settle(mut self, last: Option<Judged>) -> Result<Finished> {
        let fact = last.as_ref().map_or_else(
            || "nothing was judged".to_owned(),
            |judged| judged.fact.clone(),
        );
        let judged = last.map_or(Verdict::Unproven, |judged| judged.verdict);
        let is_exhausted = judged == Verdict::Refuted && self.tries > 0;
        let verdict = if is_exhausted {
            Verdict::Unproven
        } else {
            judged
        };
        let why = Some(fact.clone());
        self.admin
            .close(
                &self.job.job,
                &JobClosed {
                    verdict: Some(verdict),
                    why,
                },
            )
            .await?;
        let job = self.admin.job(&self.job.job).await?;
        if let Some(gateway) = self.own_gateway.take() {
            gateway.stop().await?;
        }
        Ok(Finished {
            verdict,
            cost_nano_usd: job.cost_nano_usd(),
            causes: job
                .escalations()
                .into_iter()
                .map(|moved| moved.cause)
                .collect(),
            job: self.job.job,
            rounds: self.rounds,
            sealed: self.sealed,
        })
    }
}
