//! The admin pages of a gateway, from the outside: open a job, freeze what it owes, report its proof, close it.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wayproof_engine::{Cause, Evidence, EvidenceKind, Failure, Grade, Outcome};
use wayproof_ledger::{JobClosed, ObligationFrozen, ProofFinished, ReviewRecorded};
use wayproof_proof::Proven;
use wayproof_receipt::{
    PublicKey, Verdict,
    predicate::{AgentSession, Escalation, ModelSpend, PriceBasis, Spend},
};
use wayproof_repo::Commit;

use super::http;
use crate::{sealing::Sealed, terminal};

/// A gateway's admin pages.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    base: String,
    authorization: String,
}

/// A job that is wanted.
#[derive(Debug, Serialize)]
pub(crate) struct OpenJob {
    pub(crate) task: Option<String>,
    pub(crate) repo: String,
    pub(crate) base: String,
    pub(crate) agent: String,
    /// That whoever opens the job fixes what it owes as soon as its task is known.
    pub(crate) freezes: bool,
}

/// A job that was opened, with the key that binds exchanges to it.
#[derive(Debug, Deserialize)]
pub(crate) struct OpenedJob {
    pub(crate) job: String,
    pub(crate) key: String,
}

/// What a job in hand is taken for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskPage {
    pub(crate) job: String,
    pub(crate) task: String,
    pub(crate) class: String,
    pub(crate) rule: String,
    pub(crate) confidence_pm: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) runner_up: Option<(String, u16)>,
    pub(crate) ask: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<String>,
}

/// Whether it is to be fixed what a job owes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "obligation")]
enum Owed {
    Unknown,
    Due { task: String },
    Settled,
}

/// A provider as its gateway sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct ProviderHealth {
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) is_healthy: bool,
}

/// A proof on its way to the gateway.
#[derive(Debug, Serialize)]
pub(crate) struct ProofReport {
    #[serde(flatten)]
    finished: ProofFinished,
    receipt: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
}

impl ProofReport {
    /// What a proof showed and, where it was sealed, its receipt.
    pub(crate) fn new(
        proven: &Proven,
        head: &Commit,
        sealed: Option<&Sealed>,
        key: &PublicKey,
    ) -> Result<Self> {
        let receipt = match sealed {
            Some(sealed) => Some(json!({
                "bundle": std::str::from_utf8(&sealed.bytes).context("reading the receipt as text")?,
                "commit": head.id.as_str(), "tree": head.tree.as_str(), "key_id": key.keyid(),
            })),
            None => None,
        };
        let finished = ProofFinished {
            verdict: proven.proof.verdict,
            task: proven.proof.task.clone(),
            head_tree: Some(head.tree.to_string()),
            receipt_digest: None,
            one_fact: Some(proven.one_fact.clone()),
            wall_us: None,
        };
        Ok(Self {
            finished,
            receipt,
            evidence: causes_of(proven),
        })
    }
}

/// What a proof that showed nothing has to say to the router, by the codes of its gaps.
fn causes_of(proven: &Proven) -> Vec<Evidence> {
    const CAUSES: [(&str, Cause); 2] = [
        ("FLAKY", Cause::FlakyTest),
        ("LOW_COVERAGE", Cause::LowCoverage),
    ];
    if proven.proof.verdict != Verdict::Unproven {
        return Vec::new();
    }
    let gaps = &proven.proof.gaps;
    let named = CAUSES
        .iter()
        .filter(|(gap, _)| gaps.iter().any(|found| found == gap));
    named
        .map(|(_, cause)| Evidence {
            kind: EvidenceKind::Proof,
            tool: "wayproof".to_owned(),
            grade: Grade::Executed,
            outcome: Outcome::Failed,
            counts: None,
            failures: vec![Failure {
                name: cause.as_str().to_owned(),
                location: None,
                message: proven.one_fact.clone(),
            }],
            diagnostics: Vec::new(),
        })
        .collect()
}

/// A job as its gateway sees it.
#[derive(Debug, Clone)]
pub(crate) struct JobState(Value);

impl JobState {
    /// The task of its exchanges, once there are any.
    pub(crate) fn task(&self) -> Option<String> {
        let tasks = self
            .exchanges()
            .filter_map(|exchange| exchange["task"].as_str());
        tasks
            .filter(|task| *task != "housekeeping")
            .map(str::to_owned)
            .next()
    }

    /// The agent's own name of its newest session.
    pub(crate) fn session(&self) -> Option<String> {
        self.exchanges()
            .find_map(|exchange| exchange["session"].as_str())
            .map(str::to_owned)
    }

    /// What it cost by the price list; nothing where no exchange has a known price.
    pub(crate) fn cost_nano_usd(&self) -> Option<i64> {
        self.0["job"]["money"]["listed_nano_usd"].as_i64()
    }

    /// Class and target of the newest exchange that counts.
    pub(crate) fn newest(&self) -> (Option<String>, Option<String>) {
        let found = self
            .exchanges()
            .find(|exchange| exchange["class"].is_string());
        let text = |name: &str| {
            found
                .and_then(|exchange| exchange[name].as_str())
                .map(str::to_owned)
        };
        let target = text("provider")
            .zip(text("model"))
            .map(|(provider, model)| format!("{provider}/{model}"));
        (text("class"), target)
    }

    /// The tree that was last put to the proof.
    pub(crate) fn last_proven_tree(&self) -> Option<&str> {
        self.last_of("proof-finished")?["head_tree"].as_str()
    }

    /// The commit that its last receipt is about.
    pub(crate) fn receipt_commit(&self) -> Option<String> {
        let commit = self.last_of("receipt-issued")?["commit"].as_str()?;
        Some(commit.to_owned())
    }

    /// What its last event of a kind says.
    fn last_of(&self, kind: &str) -> Option<&Value> {
        let story = self.0["story"].as_array()?;
        let last = story.iter().rev().find(|event| event["type"] == kind)?;
        Some(&last["data"])
    }

    /// Moves to another class, oldest first: from, to, cause.
    pub(crate) fn escalations(&self) -> Vec<Escalation> {
        let story = self.0["story"].as_array().into_iter().flatten();
        story
            .map(|event| &event["data"])
            .filter(|data| data["cause"].is_string() && data["from"].is_string())
            .map(|data| Escalation {
                from: data["from"].as_str().unwrap_or_default().to_owned(),
                to: data["to"].as_str().unwrap_or_default().to_owned(),
                cause: data["cause"].as_str().unwrap_or_default().to_owned(),
                at_index: None,
            })
            .collect()
    }

    /// The spend line of a receipt.
    pub(crate) fn spend(&self) -> Spend {
        let mut sessions: Vec<AgentSession> = Vec::new();
        for exchange in self.exchanges() {
            let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
            let id = text("session");
            let at = sessions
                .iter()
                .position(|session| session.session_id == id)
                .unwrap_or_else(|| {
                    sessions.push(AgentSession {
                        agent: text("agent"),
                        session_id: id,
                        ..AgentSession::default()
                    });
                    sessions.len() - 1
                });
            if let Some(session) = sessions.get_mut(at) {
                add_exchange(&mut session.models, exchange);
            }
        }
        Spend {
            sessions,
            escalations: self.escalations(),
            ..Spend::default()
        }
    }

    fn exchanges(&self) -> impl Iterator<Item = &Value> {
        self.0["exchanges"].as_array().into_iter().flatten()
    }
}

/// Adds one exchange to what its model did; what is unknown stays out of the sums and is counted.
fn add_exchange(models: &mut Vec<ModelSpend>, exchange: &Value) {
    let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
    let (provider, served) = (text("provider"), text("model"));
    let at = models
        .iter()
        .position(|one| one.provider == provider && one.served.as_ref() == Some(&served));
    let at = at.unwrap_or_else(|| {
        let requested = text("requested_model");
        models.push(ModelSpend {
            requested,
            served: Some(served),
            provider,
            ..ModelSpend::default()
        });
        models.len() - 1
    });
    let Some(model) = models.get_mut(at) else {
        return;
    };
    let bucket = |index: usize| exchange["tokens"][index].as_u64();
    let add = |sum: &mut Option<u64>, more: Option<u64>| {
        if let Some(more) = more {
            *sum = Some(sum.unwrap_or_default().saturating_add(more));
        }
    };
    model.calls += 1;
    model.calls_with_usage += u64::from(bucket(0).is_some());
    add(&mut model.input_tokens, bucket(0));
    add(&mut model.cache_read_tokens, bucket(1));
    add(&mut model.cache_write_tokens, bucket(2));
    add(&mut model.output_tokens, bucket(3));
    add(&mut model.reasoning_tokens, bucket(4));
    if let Some(cost) = exchange["listed_nano_usd"].as_i64() {
        model.cost_nano_usd = Some(model.cost_nano_usd.unwrap_or_default().saturating_add(cost));
        model.price_basis = PriceBasis::Listed;
    }
}

impl Admin {
    /// The admin pages at a base URL, with their token.
    pub(crate) fn new(base: String, token: &str) -> Self {
        Self {
            base,
            authorization: format!("Bearer {token}"),
        }
    }

    /// The gateway's base URL.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether somebody answers who knows the token.
    pub(crate) async fn check(&self) -> Result<()> {
        self.get("health").await.map(|_| ())
    }

    /// The providers that the gateway has at hand.
    pub(crate) async fn providers(&self) -> Result<Vec<ProviderHealth>> {
        #[derive(Deserialize)]
        struct Health {
            providers: Vec<ProviderHealth>,
        }
        let answer = self.get("health").await?;
        let health: Health =
            serde_json::from_slice(&answer.body).context("reading how the gateway is")?;
        Ok(health.providers)
    }

    /// A conversation as it stands, if the gateway knows it.
    pub(crate) async fn session(&self, id: &str) -> Result<Option<Value>> {
        // An id is a name, not a path.
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || !id.chars().all(is_name) || id.starts_with('.') {
            return Ok(None);
        }
        let url = format!("{}/wayproof/v1/sessions/{id}", self.base);
        let answer = http::get(&url, &[("authorization", &self.authorization)]).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = checked(answer)?;
        let page = serde_json::from_slice(&answer.body).context("reading the gateway's session")?;
        Ok(Some(page))
    }

    pub(crate) async fn open_job(&self, job: &OpenJob) -> Result<OpenedJob> {
        let answer = self.post("jobs", job).await?;
        serde_json::from_slice(&answer.body).context("reading the gateway's new job")
    }

    pub(crate) async fn freeze(&self, job: &str, owed: &ObligationFrozen) -> Result<()> {
        self.post(&format!("jobs/{job}/obligation"), owed)
            .await
            .map(|_| ())
    }

    /// Waits until the job's first ask says which task it is; nothing where nobody waits for its obligation.
    pub(crate) async fn task_due(&self, job: &str) -> Result<Option<String>> {
        loop {
            let answer = self.get(&format!("jobs/{job}/obligation")).await?;
            let owed = serde_json::from_slice(&answer.body).context("reading what the job owes")?;
            match owed {
                Owed::Unknown => {}
                Owed::Due { task } => return Ok(Some(task)),
                Owed::Settled => return Ok(None),
            }
        }
    }

    /// Says what is being done to prove a job, for whoever watches it; nothing at its end.
    pub(crate) async fn step(&self, job: &str, step: &str) -> Result<()> {
        self.post(&format!("jobs/{job}/proof/step"), &json!({ "step": step }))
            .await
            .map(|_| ())
    }

    pub(crate) async fn report(&self, job: &str, report: &ProofReport) -> Result<()> {
        self.post(&format!("jobs/{job}/proof"), report)
            .await
            .map(|_| ())
    }

    pub(crate) async fn review(&self, job: &str, reviewed: &ReviewRecorded) -> Result<()> {
        self.post(&format!("jobs/{job}/review"), reviewed)
            .await
            .map(|_| ())
    }

    pub(crate) async fn close(&self, job: &str, closed: &JobClosed) -> Result<()> {
        self.post(&format!("jobs/{job}/close"), closed)
            .await
            .map(|_| ())
    }

    /// The job that was opened last and is not closed.
    pub(crate) async fn newest_job(&self) -> Result<Option<String>> {
        let answer = self.get("jobs").await?;
        let jobs: Value =
            serde_json::from_slice(&answer.body).context("reading the gateway's jobs")?;
        let open = jobs.as_array().into_iter().flatten();
        let mut open = open.filter(|job| job["closed_us"].is_null());
        Ok(open.find_map(|job| Some(job["id"].as_str()?.to_owned())))
    }

    /// What a job in hand is taken for.
    pub(crate) async fn task(&self, job: &str) -> Result<TaskPage> {
        let answer = self.get(&format!("jobs/{job}/task")).await?;
        serde_json::from_slice(&answer.body).context("reading the job's task")
    }

    /// Says what a job in hand is.
    pub(crate) async fn set_task(&self, job: &str, task: &str) -> Result<TaskPage> {
        let page = format!("jobs/{job}/task");
        let answer = self.post(&page, &json!({ "task": task })).await?;
        serde_json::from_slice(&answer.body).context("reading the job's task")
    }

    /// The job of a conversation that was proven last and is closed.
    pub(crate) async fn last_proven(&self, session: &str) -> Result<Option<String>> {
        let answer = self.get("jobs").await?;
        let jobs: Value =
            serde_json::from_slice(&answer.body).context("reading the gateway's jobs")?;
        let mut jobs = jobs.as_array().into_iter().flatten();
        let found = jobs.find(|job| {
            job["session"] == session
                && !job["closed_us"].is_null()
                && !job["receipt_digest"].is_null()
        });
        Ok(found.and_then(|job| Some(job["id"].as_str()?.to_owned())))
    }

    pub(crate) async fn job(&self, job: &str) -> Result<JobState> {
        let answer = self.get(&format!("jobs/{job}")).await?;
        Ok(JobState(
            serde_json::from_slice(&answer.body).context("reading the gateway's job")?,
        ))
    }

    async fn get(&self, page: &str) -> Result<http::Answer> {
        let url = format!("{}/wayproof/v1/{page}", self.base);
        checked(http::get(&url, &[("authorization", &self.authorization)]).await?)
    }

    async fn post<T: Serialize + Sync>(&self, page: &str, body: &T) -> Result<http::Answer> {
        let url = format!("{}/wayproof/v1/{page}", self.base);
        let body = serde_json::to_string(body)?;
        checked(http::post(&url, &[("authorization", &self.authorization)], body).await?)
    }
}

fn checked(answer: http::Answer) -> Result<http::Answer> {
    if answer.status < 300 {
        return Ok(answer);
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let sentence = body["error"].as_str().unwrap_or("no reason given");
    bail!(
        "the gateway answered {}: {}",
        answer.status,
        terminal::plain(sentence)
    )
}
