//! The proof loop around an agent: it is done when the proof says so.
//!
//! `prepare → (agent → prove → tell)* → settle`. An agent with a stop hook is sent back to work in place;
//! any other is called again with the one fact it needs. The verdict is always of the tree as it is at the end.

pub(crate) mod agents;
mod judge;
pub(crate) mod stop_socket;

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use anyhow::{Context, Result};
use tokio::process::{Child, Command};
use wayproof_receipt::Verdict;
use wayproof_upstream::Provider;

use self::{
    agents::{Agent, Launch, Pointing, prompt_of},
    judge::{Judge, Judged},
    stop_socket::{Answer, StopSocket},
};
use crate::{exit::Mistake, proving::Audience};

pub(crate) use self::judge::{Finished, TRIES};

/// What to run, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The agent's command line.
    pub(crate) command: Vec<String>,
    /// Where the agent works.
    pub(crate) repo: PathBuf,
    pub(crate) task: Option<String>,
    pub(crate) tries: Option<u32>,
    /// The gateway to use.
    pub(crate) gateway: Option<String>,
    /// Providers of a gateway of our own.
    pub(crate) providers: Vec<Provider>,
    pub(crate) data: PathBuf,
    pub(crate) ledger: Option<String>,
    /// The given-out key that the job is opened with, where it is not opened as an operator.
    pub(crate) key: Option<String>,
    pub(crate) audience: Audience,
}

/// Runs an agent until its change is proven, or tries or budget are used up.
pub(crate) async fn run(order: Order) -> Result<Finished> {
    let agent = order
        .command
        .first()
        .map_or(Agent::Other, |program| Agent::of(program));
    let prompt = prompt_of(&order.command).map(str::to_owned);
    let (command, place) = (order.command.clone(), order.repo.clone());
    let mut judge = Judge::prepare(order, agent, prompt.as_deref()).await?;
    let socket =
        StopSocket::listen(&judge.socket_path()).context("opening the socket of the run")?;
    let point = judge.pointing(agent)?;
    let worker = Worker {
        agent,
        command: &command,
        place: &place,
        point: &point,
        socket: &socket,
    };
    let last = worker.work(&mut judge).await;
    drop(socket);
    judge.settle(last?).await
}

/// An agent at work.
struct Worker<'a> {
    agent: Agent,
    command: &'a [String],
    place: &'a PathBuf,
    point: &'a Pointing,
    socket: &'a StopSocket,
}

impl Worker<'_> {
    /// Starts the agent, and again with what the proof found, until nothing more is to be said.
    async fn work(&self, judge: &mut Judge) -> Result<Option<Judged>> {
        let mut launch = self
            .agent
            .launch(self.command, self.point)
            .map_err(Mistake)?;
        loop {
            let status = self.attend(&launch, judge).await?;
            let was_answered = self.agent.has_stop_hook() && judge.last().is_some();
            let judged = judge.judge().await?;
            if !status.success() {
                judge.tell(&format!("the agent ended with {status}"));
                return Ok(Some(judged));
            }
            if was_answered || !judge.may_go_on(&judged) {
                return Ok(Some(judged));
            }
            let session = judge.session().await?;
            let again = self.agent.again(
                self.command,
                self.point,
                &judged.message(),
                session.as_deref(),
            );
            let Some(again) = again else {
                return Ok(Some(judged));
            };
            judge.send_back(&judged);
            launch = again;
        }
    }

    /// Lets one process of the agent run to its end and answers its stop hook meanwhile.
    async fn attend(&self, launch: &Launch, judge: &mut Judge) -> Result<ExitStatus> {
        let mut child = self.start(launch)?;
        loop {
            let waiting = tokio::select! {
                status = child.wait() => return status.context("waiting for the agent"),
                task = judge.first_task(), if !judge.is_frozen() => {
                    judge.freeze(task?).await?;
                    continue;
                }
                waiting = self.socket.next() => waiting.context("listening for the agent's stop hook")?,
            };
            judge.note_session(waiting.stopping.session.clone());
            let judged = judge.judge().await?;
            let answer = if judge.may_go_on(&judged) {
                judge.send_back(&judged);
                Answer::GoOn(judged.message())
            } else {
                Answer::MayStop
            };
            if let Err(error) = waiting.answer(&answer).await {
                tracing::warn!(%error, "the agent did not wait for the verdict");
            }
        }
    }

    fn start(&self, launch: &Launch) -> Result<Child> {
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.place)
            .stdin(Stdio::inherit())
            .kill_on_drop(true);
        let missing = |error| {
            Mistake(format!(
                "the agent {} cannot be started: {error}",
                launch.program
            ))
        };
        Ok(command.spawn().map_err(missing)?)
    }
}

impl Judged {
    fn message(&self) -> String {
        message(self.verdict, &self.fact)
    }
}

/// What the agent is told: what is wrong, and that it is not done.
pub(crate) fn message(verdict: Verdict, fact: &str) -> String {
    format!(
        "Wayproof: the proof that this job owes came out {verdict}. {fact} \
         Fix this in the code under test, not in what the tests expect, and say when you are done; the proof then runs again.",
    )
}
