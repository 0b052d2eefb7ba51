//! What a job is taken for, and the user's correction of it.
//!
//! The ask is told to the holder of the admin token alone; it is in this process's memory and in no event.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use wayproof_engine::{JobState, Noted, TaskName, correct};
use wayproof_ledger::{EventBody, JobOpened};

use crate::admin::jobs::{append, body};
use crate::admin::{Admin, Problem};
use crate::gateway::Shared;
use crate::sessions::Session;

/// A job in hand.
#[derive(Debug, Serialize)]
pub(crate) struct TaskPage {
    job: String,
    task: String,
    class: String,
    rule: String,
    confidence_pm: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner_up: Option<(TaskName, u16)>,
    /// The first two kilobytes of what the user asked for.
    ask: String,
    /// What the job was taken for before it was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
}

impl TaskPage {
    fn of(job: &JobState, was: Option<TaskName>) -> Self {
        Self {
            job: job.id.clone(),
            task: job.task.to_string(),
            class: job.class.to_string(),
            rule: job.rule.clone(),
            confidence_pm: job.confidence_pm,
            runner_up: job.runner_up.clone(),
            ask: job.ask.clone(),
            was: was.map(|task| task.to_string()),
        }
    }
}

/// The task that a job is from now on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correction {
    task: String,
}

/// Tells what a job is taken for.
pub(crate) async fn show(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<TaskPage>, Problem> {
    let shared = admin.shared()?;
    let session = in_hand(&shared, &id)?;
    let state = session.lock();
    let job = state.job.as_ref().ok_or_else(|| unheard(&id))?;
    Ok(Json(TaskPage::of(job, None)))
}

/// Takes in the user's correction; the job's next turn is routed by it.
pub(crate) async fn set(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    correction: Result<Json<Correction>, JsonRejection>,
) -> Result<Json<TaskPage>, Problem> {
    let shared = admin.shared()?;
    let task = TaskName::new(body(correction)?.task);
    let (page, noted) = corrected(&shared, &id, &task)?;
    if let Some(Noted::JobOpened {
        task, class, rule, ..
    }) = noted
    {
        let opened = JobOpened {
            task: task.to_string(),
            class: Some(class.to_string()),
            rule: Some(rule),
            ..JobOpened::default()
        };
        append(&shared, &id, EventBody::JobOpened(opened)).await?;
    }
    Ok(Json(page))
}

fn corrected(
    shared: &Shared,
    id: &str,
    task: &TaskName,
) -> Result<(TaskPage, Option<Noted>), Problem> {
    let policy = shared.policy.load();
    if task.as_str() == TaskName::HOUSEKEEPING || policy.task(task).is_none() {
        let sentence = format!("there is no task `{task}` in the policy that a job could be");
        return Err(Problem::new(StatusCode::BAD_REQUEST, sentence));
    }
    let session = in_hand(shared, id)?;
    let mut state = session.lock();
    let was = state.job.as_ref().map(|job| job.task.clone());
    let noted = correct(&policy, &mut state, task);
    let job = state.job.as_ref().ok_or_else(|| unheard(id))?;
    Ok((TaskPage::of(job, was), noted))
}

/// The memory of a job that is in hand.
fn in_hand(shared: &Shared, id: &str) -> Result<Arc<Session>, Problem> {
    let opened = shared.jobs.find(id).map(|job| Arc::clone(&job.session));
    opened
        .or_else(|| shared.sessions.of_job(id))
        .ok_or_else(|| Problem::not_found("job in hand", id))
}

fn unheard(id: &str) -> Problem {
    let sentence = format!("job {id} has not been asked for anything yet");
    Problem::new(StatusCode::CONFLICT, sentence)
}
