//! The review desk: what waits for a person, and how well people decided.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use wayproof_ledger::{EventBody, ReviewRecorded};

use super::{Badge, badge};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::guard::{Signed, Visit};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::reviews::{Month, Place, Reviews, Waiting};
use crate::show::text::{count, cut, or_none, percent, repo, short};
use crate::show::time::{ago, month};

/// A job in which nothing happened for so long is not sent back from here.
const QUIET_US: i64 = 24 * 60 * 60 * 1_000_000;
const JOBS: u32 = 30;
/// Recorded reviews that are looked at for those that sent work back.
const MOST_REVIEWS: u32 = 2_000;

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    frame: Frame,
    is_set_up: bool,
    waiting: Vec<Line>,
    approved: Vec<Line>,
    months: Vec<Quality>,
    jobs: Vec<Job>,
    problem: Option<String>,
    note: Option<String>,
}

struct Line {
    href: String,
    repo: String,
    branch: String,
    subject: String,
    why: String,
    files: String,
    findings: String,
    state: Option<Badge>,
    missing: Vec<String>,
    ago: String,
}

struct Quality {
    name: String,
    approved: String,
    rejected: String,
    share: String,
    answered: String,
    overturned: String,
    people: String,
    strangers: String,
    redone: String,
}

/// A job that can be sent back.
struct Job {
    id: String,
    task: String,
    class: String,
    repo: String,
    ago: String,
}

/// The desk, or why there is none.
pub(crate) fn reviews(desk: &Desk) -> Result<&dyn Reviews, Problem> {
    desk.parts().reviews.as_deref().ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::NOT_FOUND,
            "No repository",
            "This gateway was started without a repository to review; start it inside one, or name it by --repo.",
        )
    })
}

/// A mistake or a refusal in one sentence.
pub(crate) fn refused(sentence: String) -> Problem {
    Problem::new(
        axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        "Not possible",
        sentence,
    )
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let now_us = desk.now_us();
    let (mut waiting, mut months, mut problem) = (Vec::new(), Vec::new(), None);
    if let Some(reviews) = desk.parts().reviews.as_deref() {
        match reviews.waiting().await {
            Ok(found) => waiting = found,
            Err(sentence) => problem = Some(sentence),
        }
        match reviews.record().await {
            Ok(found) => months = found,
            Err(sentence) => problem = problem.or(Some(sentence)),
        }
    }
    add_redone(&desk, &mut months).await?;
    let (approved, waiting): (Vec<Waiting>, Vec<Waiting>) =
        waiting.into_iter().partition(|one| one.missing.is_empty());
    let jobs = desk
        .ledger()
        .jobs_in_flight(now_us.saturating_sub(QUIET_US), JOBS)
        .await?;
    let job = |job: wayproof_ledger::JobRow| Job {
        task: or_none(job.task.as_deref()),
        class: or_none(job.class.as_deref()),
        repo: job.repo.as_deref().map(repo).unwrap_or_default(),
        ago: ago(now_us, job.last_us),
        id: job.id,
    };
    let note = params.get("sent").map(|id| {
        format!(
            "Job {} is sent back; its next turn is routed by that.",
            short(&id)
        )
    });
    page(&ReviewPage {
        is_set_up: desk.parts().reviews.is_some(),
        waiting: waiting.into_iter().map(|one| line(one, now_us)).collect(),
        approved: approved.into_iter().map(|one| line(one, now_us)).collect(),
        months: months.into_iter().map(quality).collect(),
        jobs: jobs.into_iter().map(job).collect(),
        problem,
        note,
        frame,
    })
}

/// Counts how often work was sent back, which leaves no signed decision and is in the ledger only.
async fn add_redone(desk: &Desk, months: &mut Vec<Month>) -> Result<(), Problem> {
    for stored in desk.ledger().reviews_recorded(MOST_REVIEWS).await? {
        let EventBody::ReviewRecorded(review) = &stored.event.body else {
            continue;
        };
        if review.decision != ReviewRecorded::REDO {
            continue;
        }
        let name = month(stored.event.at_us);
        match months.iter_mut().find(|month| month.name == name) {
            Some(month) => month.redone += 1,
            None => months.push(Month {
                name,
                redone: 1,
                ..Month::default()
            }),
        }
    }
    months.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(())
}

/// Sends a job back.
pub(crate) async fn redo(
    State(desk): State<Desk>,
    Extension(visit): Extension<Visit>,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let Some(job) = form.get("job") else {
        return Err(refused("The form names no job.".to_owned()));
    };
    let by = visit.reader.map_or_else(
        || "somebody on this machine".to_owned(),
        |reader| reader.name,
    );
    let remark = form.get("comment");
    let reviews = reviews(&desk)?;
    reviews
        .redo(job.clone(), by, remark)
        .await
        .map_err(refused)?;
    Ok(Redirect::to(&address("/review", &[("sent", Some(&job))])).into_response())
}

/// The address of a change.
pub(crate) fn href(place: &Place) -> String {
    address(
        "/review/change",
        &[
            ("repo", Some(&place.repo)),
            ("base", Some(&place.base)),
            ("head", Some(&place.head)),
            ("task", Some(&place.task)),
        ],
    )
}

fn line(one: Waiting, now_us: i64) -> Line {
    Line {
        href: href(&one.place),
        repo: repo(&one.repo),
        branch: short(&one.branch),
        subject: cut(&one.subject, 120),
        why: cut(&one.why, 200),
        files: count(i64::try_from(one.files).unwrap_or(i64::MAX)),
        findings: one
            .findings
            .map_or_else(|| "nobody looked".to_owned(), |found| found.to_string()),
        state: one.verdict.map(|verdict| badge(verdict.name())),
        missing: one.missing,
        ago: ago(now_us, one.at_us),
    }
}

fn quality(month: Month) -> Quality {
    let number = |value: usize| count(i64::try_from(value).unwrap_or(i64::MAX));
    let whole = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    Quality {
        share: percent(
            whole(month.rejected),
            whole(month.approved + month.rejected),
        ),
        name: month.name,
        approved: number(month.approved),
        rejected: number(month.rejected),
        answered: number(month.answered),
        overturned: number(month.overturned),
        people: number(month.people),
        strangers: number(month.strangers),
        redone: number(month.redone),
    }
}
