//! Advice on the policy, with its intervals and as a patch to copy. Nothing is changed here.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::policy::in_force;
use crate::advice::{AdviceSeen, Advised};
use crate::desk::Desk;
use crate::figures::told_age;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::show::text::{abbreviated, counted, cut, short};

const LONGEST_DIFF: usize = 20_000;

#[derive(Template)]
#[template(path = "advice.html")]
struct AdvicePage {
    frame: Frame,
    digest: String,
    age: String,
    proposals: Vec<Proposed>,
    silent: Vec<Silent>,
}

/// A proposal in words.
struct Proposed {
    task: String,
    today: String,
    to: String,
    gain: String,
    cost: String,
    rests: String,
    gate: String,
    diff: String,
    download: String,
}

/// The patch of one proposal.
pub(crate) async fn patch(State(desk): State<Desk>, params: Params) -> Result<Response, Problem> {
    let policy = in_force(&desk)?;
    let task = params.get("task").unwrap_or_default();
    let none = || Problem::not_found("advice on task", &task);
    let (advice, _) = desk
        .advice(&policy)
        .await
        .ok_or_else(none)?
        .map_err(super::review::refused)?;
    let found = advice.iter().find(|one| one.task == task);
    match found.map(|one| &one.advised) {
        Some(Advised::Change(change)) => Ok(super::what_if::download(change.diff.clone())),
        _ => Err(none()),
    }
}

/// A task of which nothing is said.
struct Silent {
    task: String,
    jobs: String,
    why: String,
}

/// The page.
pub(crate) async fn show(State(desk): State<Desk>, frame: Frame) -> Result<Response, Problem> {
    let policy = in_force(&desk)?;
    let none = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No advice",
            "This gateway gives no advice; `wayproof policy advise` does.",
        )
    };
    let (advice, age) = desk
        .advice(&policy)
        .await
        .ok_or_else(none)?
        .map_err(super::review::refused)?;
    let (mut proposals, mut silent) = (Vec::new(), Vec::new());
    for one in advice.iter() {
        match &one.advised {
            Advised::NotEnough { why } => silent.push(Silent {
                task: short(&one.task),
                jobs: jobs(one.jobs),
                why: cut(why, 300),
            }),
            Advised::Change(_) => proposals.extend(proposed(one)),
        }
    }
    page(&AdvicePage {
        digest: abbreviated(policy.digest()),
        age: told_age(age),
        proposals,
        silent,
        frame,
    })
}

fn jobs(count: usize) -> String {
    counted(i64::try_from(count).unwrap_or(i64::MAX), "job", "jobs")
}

fn proposed(one: &AdviceSeen) -> Option<Proposed> {
    let Advised::Change(change) = &one.advised else {
        return None;
    };
    let (low, high) = change.gain_points;
    let (least, most) = change.cost_percent;
    let (accepted, wrong) = change.leaked;
    Some(Proposed {
        task: short(&one.task),
        today: one
            .today
            .as_deref()
            .map_or_else(|| "nothing known".to_owned(), |today| cut(today, 200)),
        to: cut(&change.to, 200),
        gain: format!("{low:+.1} to {high:+.1} points"),
        cost: format!("{least:.0} to {most:.0} % of today's"),
        rests: format!(
            "{}, {} of unknown outcome read against the change",
            jobs(change.tasks),
            change.undetermined
        ),
        gate: format!(
            "may accept up to {:.0} % of wrong work; known to have accepted {accepted} of {wrong}",
            change.leak_percent
        ),
        diff: cut(&change.diff, LONGEST_DIFF),
        download: address("/policy/advice/patch", &[("task", Some(&one.task))]),
    })
}
