//! Opening jobs, freezing what they owe, taking in how their proof went, closing them.

use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use wayproof_engine::{Evidence, EvidenceKind, Failure, Grade, Outcome, TaskName};
use wayproof_ledger::{
    About, EventBody, JobClosed, JobOpened, ObligationFrozen, ProofFinished, ReceiptIssued,
    ReviewRecorded,
};

use crate::admin::guard::Asker;
use crate::admin::work::Work;
use crate::admin::{Admin, Problem};
use crate::gateway::Shared;
use crate::jobs::{Job, Obligation, sent_back};
use crate::keys::{KeyDigest, mint_job_key};
use crate::proofs::{MAX_STEP_BYTES, ProofStep};

/// A job that is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The task, if the caller knows it; otherwise the ask will tell.
    task: Option<String>,
    /// The repository, as its remote or its path.
    repo: Option<String>,
    /// Where the agent works.
    cwd: Option<String>,
    /// The commit the work starts from.
    base: Option<String>,
    /// The agent that will work on it.
    agent: Option<String>,
    /// Paths the work is about.
    #[serde(default)]
    paths: Vec<String>,
    /// Whether the caller fixes what the job owes as soon as its task is known. No answer goes out before.
    #[serde(default)]
    freezes: bool,
}

/// A job that was opened.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    job: String,
    /// The key, shown this once.
    key: String,
}

/// Opens a job and gives it a key.
pub(crate) async fn open(
    State(admin): State<Admin>,
    Extension(asker): Extension<Asker>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<Opened>, Problem> {
    let shared = admin.shared()?;
    let wanted = body(wanted)?;
    let task = wanted.task.map(TaskName::new);
    if let Some(task) = task
        .as_ref()
        .filter(|task| shared.policy.load().task(task).is_none())
    {
        let sentence = format!("there is no task `{}` in the policy", task.as_str());
        return Err(Problem::new(StatusCode::BAD_REQUEST, sentence));
    }
    let id = shared.ids.next().to_string();
    let key = mint_job_key(&id).map_err(|error| {
        let sentence = format!("the system gives no randomness: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
    })?;
    let digest = KeyDigest::of(key.as_bytes());
    let opened = JobOpened {
        task: task
            .as_ref()
            .map_or(TaskName::GENERAL, TaskName::as_str)
            .to_owned(),
        key_digest: Some(digest.to_hex()),
        opened_with: match asker {
            Asker::Operator => None,
            Asker::Holder(holder) => Some(holder.id.clone()),
        },
        repo: wanted.repo.or(wanted.cwd),
        base: wanted.base,
        agent: wanted.agent,
        ..JobOpened::default()
    };
    append(&shared, &id, EventBody::JobOpened(opened.clone())).await?;
    let obligation = match (&task, wanted.freezes) {
        (_, false) => Obligation::Settled,
        (None, true) => Obligation::Unknown,
        (Some(task), true) => Obligation::Due(task.clone()),
    };
    let job = Job::new(id.clone(), digest, task, wanted.paths, obligation).opened_by(&opened);
    shared.jobs.open(job);
    Ok(Json(Opened { job: id, key }))
}

/// Fixes what a job owes, before its first edit.
pub(crate) async fn freeze(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    obligation: Result<Json<ObligationFrozen>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let shared = admin.shared()?;
    let obligation = body(obligation)?;
    let work = Work::find(&shared, &id).await?;
    append(&shared, &id, EventBody::ObligationFrozen(obligation)).await?;
    if let Work::Opened(job) = work {
        job.frozen();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether it is to be fixed what a job owes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "obligation")]
pub(crate) enum Owed {
    /// No ask is known yet; asking again is right.
    Unknown,
    /// Now, and for this task.
    Due { task: String },
    /// No more.
    Settled,
}

/// How long a caller is kept waiting for the task, before it asks again.
const TASK_PATIENCE: Duration = Duration::from_secs(5);

/// Tells a job's task as soon as its first ask is known, for whoever fixes what the job owes.
pub(crate) async fn owed(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<Owed>, Problem> {
    let job = admin.shared()?.jobs.find(&id);
    let job = job.ok_or_else(|| Problem::not_found("open job", &id))?;
    Ok(Json(match job.obligation_within(TASK_PATIENCE).await {
        Obligation::Unknown => Owed::Unknown,
        Obligation::Due(task) => Owed::Due {
            task: task.as_str().to_owned(),
        },
        Obligation::Settled => Owed::Settled,
    }))
}

/// How a job's proof went.
#[derive(Debug, Deserialize)]
pub(crate) struct Proven {
    #[serde(flatten)]
    finished: ProofFinished,
    /// What the checks showed.
    #[serde(default)]
    evidence: Vec<Evidence>,
    /// The receipt that was sealed.
    receipt: Option<Receipt>,
}

/// A receipt and what it is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Receipt {
    /// The bundle, one envelope a line.
    bundle: String,
    commit: Option<String>,
    tree: Option<String>,
    key_id: Option<String>,
}

/// A step of a job's proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What is done, in words; empty at the end.
    step: String,
}

/// Takes in what is being done to prove a job. It is shown while it goes on, and kept nowhere.
pub(crate) async fn step(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    step: Result<Json<Step>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let shared = admin.shared()?;
    let Step { mut step } = body(step)?;
    Work::find(&shared, &id).await?;
    if step.is_empty() {
        shared.proofs.ended(&id);
        return Ok(StatusCode::NO_CONTENT);
    }
    let end = step.floor_char_boundary(MAX_STEP_BYTES);
    step.truncate(end);
    let step = ProofStep {
        at_us: shared.clock.now_us(),
        words: step,
    };
    shared.proofs.stepped(&id, step);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes in how a job's proof went; its next turn is routed by that.
pub(crate) async fn prove(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    proven: Result<Json<Proven>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let shared = admin.shared()?;
    let Proven {
        mut finished,
        evidence,
        receipt,
    } = body(proven)?;
    let work = Work::find(&shared, &id).await?;
    shared.proofs.ended(&id);
    work.fold(&shared, &id, executed(&finished, evidence));
    let mut issued = None;
    if let Some(receipt) = receipt {
        let digest = shared.ledger.keep(&receipt.bundle).await?;
        finished.receipt_digest = Some(digest.clone());
        issued = Some(ReceiptIssued {
            receipt_digest: digest,
            verdict: finished.verdict,
            commit: receipt.commit,
            tree: receipt.tree,
            key_id: receipt.key_id,
        });
    }
    append(&shared, &id, EventBody::ProofFinished(finished)).await?;
    if let Some(issued) = issued {
        append(&shared, &id, EventBody::ReceiptIssued(issued)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes in what a reviewer decided about a job's work. One who sends it back moves its next turn up.
pub(crate) async fn review(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    reviewed: Result<Json<ReviewRecorded>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let shared = admin.shared()?;
    let reviewed = body(reviewed)?;
    let work = Work::find(&shared, &id).await?;
    let sent_back = sent_back(&reviewed);
    append(&shared, &id, EventBody::ReviewRecorded(reviewed)).await?;
    if let Some(evidence) = sent_back {
        work.fold(&shared, &id, vec![evidence]);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a job.
pub(crate) async fn close(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    closed: Result<Json<JobClosed>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let shared = admin.shared()?;
    let closed = body(closed)?;
    Work::find(&shared, &id).await?.end(&shared, &id);
    append(&shared, &id, EventBody::JobClosed(closed)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a proof showed, as the engine takes it in: executed, and with a verdict on the whole.
fn executed(finished: &ProofFinished, posted: Vec<Evidence>) -> Vec<Evidence> {
    // Whatever grade was posted: a proof that Wayproof ran is executed, and nothing more.
    let mut evidence: Vec<Evidence> = posted
        .into_iter()
        .map(|found| Evidence {
            grade: found.grade.min(Grade::Executed),
            ..found
        })
        .collect();
    let outcome = match finished.verdict.name() {
        "PROVEN" | "PROVEN_WITH_GAPS" => Outcome::Passed,
        "REFUTED" => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    let is_said = evidence
        .iter()
        .any(|found| found.kind == EvidenceKind::Proof);
    if !is_said {
        let failures = finished.one_fact.iter().map(|fact| Failure {
            name: finished.task.clone(),
            location: None,
            message: fact.clone(),
        });
        evidence.push(Evidence {
            kind: EvidenceKind::Proof,
            tool: "wayproof".to_owned(),
            grade: Grade::Executed,
            outcome,
            counts: None,
            failures: failures.collect(),
            diagnostics: Vec::new(),
        });
    }
    evidence
}

pub(super) async fn append(shared: &Shared, job: &str, body: EventBody) -> Result<(), Problem> {
    let event = shared.ledger.event(about(job), body);
    Ok(shared.ledger.append(&event).await?)
}

pub(super) fn about(job: &str) -> About {
    About {
        session: None,
        job: Some(job.to_owned()),
        exchange: None,
    }
}

pub(super) fn body<T>(posted: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    match posted {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
    }
}
