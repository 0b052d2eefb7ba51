//! What goes on: jobs in flight, providers, what the last month's work cost.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use wayproof_ledger::{EventBody, JobRow, Page};

use super::budgets::{BudgetSeen, budgets};
use super::connect::{Ways, base, ways};
use super::{Badge, badge};
use crate::desk::{Desk, ProofSeen, ProviderSeen};
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::money::{listed, per};
use crate::show::text::{counted, or_none, repo, short};
use crate::show::time::{DAY_US, ago, clock};

/// Jobs in flight that the page has room for.
const ROOM: u32 = 30;

/// A job in which nothing happened for so long is not in flight any more.
const QUIET_US: i64 = 15 * 60 * 1_000_000;

#[derive(Template)]
#[template(path = "now.html")]
struct NowPage {
    frame: Frame,
    fragment: String,
    figures: Vec<Figure>,
    /// How the first agent comes here, while nothing has happened.
    ways: Option<Ways>,
    base: String,
}

/// One number with its name.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

#[derive(Template)]
#[template(path = "now_live.html")]
struct LivePart {
    at: String,
    /// Those in flight that there is room for, and how many there are.
    jobs: Vec<InFlight>,
    in_flight: i64,
    is_cut: bool,
    providers: Vec<ProviderSeen>,
    recent: Vec<Recent>,
    /// Budgets near their limit.
    near: Vec<BudgetSeen>,
    has_budgets: bool,
}

/// A job in flight.
struct InFlight {
    id: String,
    task: String,
    class: String,
    agent: String,
    repo: String,
    cause: Option<String>,
    turns: String,
    listed: String,
    state: Badge,
    ago: String,
    /// What is being done to prove it.
    step: Option<String>,
}

/// The last word on a job.
struct Recent {
    id: String,
    task: String,
    state: Badge,
    listed: String,
    ago: String,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_new = desk.ledger().size().await? == 0;
    page(&NowPage {
        fragment: fragment(&desk).await?,
        figures: if is_new {
            Vec::new()
        } else {
            figures(&desk).await?
        },
        base: base(&headers),
        ways: is_new.then(|| ways(&base(&headers), desk.house().wants_key())),
        frame,
    })
}

/// The part that moves.
pub(crate) async fn fragment(desk: &Desk) -> Result<String, Problem> {
    // To ten seconds, so that a page on which only time passes is not sent to everybody every second.
    let now_us = desk.now_us();
    let now_us = now_us - now_us.rem_euclid(10_000_000);
    let since = now_us.saturating_sub(QUIET_US);
    let jobs = desk.ledger().jobs_in_flight(since, ROOM).await?;
    let shown = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
    let in_flight = if jobs.len() < ROOM as usize {
        shown
    } else {
        desk.ledger().in_flight(since).await?
    };
    let ids: Vec<String> = jobs.iter().map(|job| job.id.clone()).collect();
    let moves = desk.ledger().last_moves(&ids).await?;
    let cause = |id: &str| {
        moves.iter().find_map(|stored| match &stored.event.body {
            EventBody::Escalated(escalated) if stored.event.job.as_deref() == Some(id) => {
                Some(escalated.cause.as_str().to_owned())
            }
            _ => None,
        })
    };
    let budgets = budgets(desk).await?;
    let proofs = desk.house().proofs();
    let part = LivePart {
        has_budgets: !budgets.is_empty(),
        near: budgets.into_iter().filter(|one| one.is_near).collect(),
        // To the minute while nothing happens, so that an idle page is not sent again and again.
        at: clock(now_us - now_us.rem_euclid(60_000_000)),
        jobs: jobs
            .iter()
            .map(|job| InFlight {
                step: step(&proofs, &job.id),
                ..seen(job, cause(&job.id), now_us)
            })
            .collect(),
        in_flight,
        is_cut: in_flight > shown,
        providers: desk.house().providers(),
        recent: recent(desk, now_us).await?,
    };
    Ok(part.render()?)
}

/// The last receipts with their jobs.
async fn recent(desk: &Desk, now_us: i64) -> Result<Vec<Recent>, Problem> {
    let page = Page {
        limit: 6,
        before: None,
    };
    let mut recent = Vec::new();
    for receipt in desk.ledger().receipts_issued(None, page).await? {
        let row = match &receipt.job {
            Some(id) => desk.ledger().job_short(id).await?,
            None => None,
        };
        recent.extend(row.map(|row| Recent {
            id: row.id.clone(),
            task: or_none(row.task.as_deref()),
            state: badge(receipt.issued.verdict.name()),
            listed: listed(&row.money),
            ago: ago(now_us, receipt.at_us),
        }));
    }
    Ok(recent)
}

fn seen(job: &JobRow, cause: Option<String>, now_us: i64) -> InFlight {
    let state = job.verdict.as_deref().map_or(
        Badge {
            tone: "open",
            mark: "•",
            name: "not proven yet".to_owned(),
        },
        badge,
    );
    InFlight {
        id: job.id.clone(),
        task: or_none(job.task.as_deref()),
        class: or_none(job.class.as_deref()),
        agent: or_none(job.agent.as_deref()),
        repo: job.repo.as_deref().map(repo).unwrap_or_default(),
        cause: cause.map(|cause| short(&cause)),
        turns: counted(job.exchanges, "turn", "turns"),
        listed: listed(&job.money),
        state,
        ago: ago(now_us, job.last_us),
        step: None,
    }
}

/// What is being done to prove a job.
fn step(proofs: &[ProofSeen], job: &str) -> Option<String> {
    let proof = proofs.iter().find(|proof| proof.job == job)?;
    proof.steps.last().map(|(_, words)| short(words))
}

/// Days over which the first page adds up.
pub(crate) const MONTH: i64 = 30;

/// What a month of work came to.
async fn figures(desk: &Desk) -> Result<Vec<Figure>, Problem> {
    let records = desk.tasks().await?.value;
    let sum =
        |value: fn(&wayproof_ledger::TaskRecord) -> i64| records.iter().map(value).sum::<i64>();
    let (jobs, proven) = (sum(|record| record.jobs), sum(|record| record.proven));
    let today = desk.now_us().div_euclid(DAY_US);
    let days = desk.spend().await?.value.days(&(today - MONTH..=today));
    let listed_sum = days
        .iter()
        .filter_map(|day| day.money.listed_nano_usd)
        .reduce(i64::saturating_add);
    let unknown: i64 = days.iter().map(|day| day.money.listed_unknown).sum();
    let at_first = sum(|record| record.proven_at_first);
    let judged = sum(wayproof_ledger::TaskRecord::judged);
    let priced = counted(
        unknown,
        "request without a price",
        "requests without a price",
    );
    Ok(vec![
        Figure {
            name: "Cost per proven change",
            value: per(listed_sum, proven),
            note: "all listed spend of 30 days, failed work included".to_owned(),
        },
        Figure {
            name: "Proven changes",
            value: crate::show::text::count(proven),
            note: format!("of {} in 30 days", counted(jobs, "job", "jobs")),
        },
        Figure {
            name: "Proven at first",
            value: crate::show::text::percent(at_first, judged),
            note: format!(
                "of {} judged, without moving up",
                counted(judged, "job", "jobs")
            ),
        },
        Figure {
            name: "Listed spend",
            value: listed_sum.map_or_else(|| "–".to_owned(), crate::show::money::usd),
            note: priced,
        },
    ])
}
