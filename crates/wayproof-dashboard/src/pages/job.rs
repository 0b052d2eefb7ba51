//! One job: what it came to, what it cost by whom, and its story.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use std::collections::BTreeMap;
use wayproof_ledger::{ExchangeRow, JobDetail, JobRow};

use super::said;
use super::story::{self, Entry};
use super::{Badge, job_badge};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::money::{listed, told};
use crate::show::text::{count, cut, or_none};
use crate::show::time::{ago, at, clock, lasted};

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    id: String,
    task: String,
    fragment: String,
    /// What was asked, where it was kept and the reader may see it.
    ask: Option<String>,
    verdict: String,
    receipt: Option<String>,
    money: String,
    story: String,
    is_open: bool,
}

/// What each class and model cost.
#[derive(Template)]
#[template(path = "job_money.html")]
struct MoneyPart {
    attempts: Vec<AttemptLine>,
    is_long: bool,
}

/// What happened.
#[derive(Template)]
#[template(path = "job_story.html")]
struct StoryPart {
    entries: Vec<Entry>,
    is_cut: bool,
}

/// All that moves, as it is sent to a page that is open.
#[derive(Template)]
#[template(path = "job_sent.html")]
struct SentPart<'a> {
    moving: String,
    money: &'a str,
    story: &'a str,
}

/// The parts that change only when something happens, and what they were made of.
#[derive(Clone)]
pub(crate) struct Told {
    of: JobRow,
    money: String,
    story: String,
}

/// The part that moves.
#[derive(Template)]
#[template(path = "job_live.html")]
struct LivePart {
    task: String,
    state: Badge,
    facts: Vec<(&'static str, String)>,
    steps: Vec<StepLine>,
}

/// A step of the proof that is under way.
struct StepLine {
    at: String,
    words: String,
    /// How long it took; nothing while it goes on.
    took: Option<String>,
}

/// What one class and model did in the job.
struct AttemptLine {
    class: String,
    target: String,
    turns: String,
    failed: String,
    tokens: String,
    listed: String,
    billed: String,
    subscription: String,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    frame: Frame,
) -> Result<Response, Problem> {
    let detail = find(&desk, &id).await?;
    let told = tell(&desk, &detail).await?;
    let ask = if said::may_read(frame.role) {
        said::ask(&desk, &detail.exchanges).await?
    } else {
        None
    };
    let job = &detail.job;
    let digest = job.receipt_digest.as_deref();
    page(&JobPage {
        task: or_none(job.task.as_deref()),
        verdict: badge_of(job).name,
        fragment: moving(&desk, job)?,
        ask,
        receipt: digest.map(story::plain_digest),
        money: told.money,
        story: told.story,
        is_open: job.closed_us.is_none(),
        id,
        frame,
    })
}

fn badge_of(job: &JobRow) -> Badge {
    job_badge(job.verdict.as_deref(), job.closed_us.is_some())
}

/// Money and story of a job.
async fn tell(desk: &Desk, detail: &JobDetail) -> Result<Told, Problem> {
    let (entries, is_cut) = story::tell(desk, detail).await?;
    let money = MoneyPart {
        attempts: attempts(&detail.exchanges),
        is_long: i64::try_from(detail.exchanges.len()).unwrap_or(i64::MAX) < detail.job.exchanges,
    };
    Ok(Told {
        of: detail.job.clone(),
        money: money.render()?,
        story: StoryPart { entries, is_cut }.render()?,
    })
}

/// What a page that is open is sent, made of what was told before where nothing has happened since.
pub(crate) async fn fragment(
    desk: &Desk,
    id: &str,
    known: Option<Told>,
) -> Result<(String, Told), Problem> {
    let unknown = || Problem::not_found("job", id);
    let job = desk.ledger().job_short(id).await?.ok_or_else(unknown)?;
    let told = if let Some(told) = known.filter(|told| told.of == job) {
        told
    } else {
        let detail = desk.ledger().job(id).await?.ok_or_else(unknown)?;
        tell(desk, &detail).await?
    };
    let sent = SentPart {
        moving: moving(desk, &job)?,
        money: &told.money,
        story: &told.story,
    };
    Ok((sent.render()?, told))
}

/// Whether there is such a job; one that was written down just now is waited for.
pub(crate) async fn is_known(desk: &Desk, id: &str) -> Result<bool, Problem> {
    if id.contains('\0') {
        return Ok(false);
    }
    if desk.ledger().job_short(id).await?.is_some() {
        return Ok(true);
    }
    desk.ledger().flush().await?;
    Ok(desk.ledger().job_short(id).await?.is_some())
}

fn moving(desk: &Desk, job: &JobRow) -> Result<String, Problem> {
    let proof = desk.house().proofs().into_iter();
    let steps = proof.filter(|proof| proof.job == job.id).flat_map(|proof| {
        let ends: Vec<Option<i64>> = proof
            .steps
            .iter()
            .skip(1)
            .map(|(at, _)| Some(*at))
            .collect();
        let ends = ends.into_iter().chain([None]);
        let lines = proof.steps.into_iter().zip(ends);
        lines
            .map(|((at_us, words), end)| StepLine {
                at: clock(at_us),
                words: cut(&words, 200),
                took: end.map(|end| lasted(end - at_us)),
            })
            .collect::<Vec<_>>()
    });
    let part = LivePart {
        task: or_none(job.task.as_deref()),
        state: badge_of(job),
        facts: facts(job, desk.now_us()),
        steps: steps.collect(),
    };
    Ok(part.render()?)
}

/// The job; one that the ledger has written down but not carried over yet is waited for.
async fn find(desk: &Desk, id: &str) -> Result<JobDetail, Problem> {
    let unknown = || Problem::not_found("job", id);
    if id.contains('\0') {
        return Err(unknown());
    }
    if let Some(detail) = desk.ledger().job(id).await? {
        return Ok(detail);
    }
    desk.ledger().flush().await?;
    desk.ledger().job(id).await?.ok_or_else(unknown)
}

fn facts(job: &JobRow, now_us: i64) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Listed", listed(&job.money)),
        ("Billed", told(job.money.billed_nano_usd)),
        ("Subscription", told(job.money.subscription_nano_usd)),
        ("Class", or_none(job.class.as_deref())),
        ("Turns", count(job.exchanges)),
        ("Moved up", count(job.escalations)),
        ("Proofs", count(job.proofs)),
        ("Agent", or_none(job.agent.as_deref())),
        ("Repository", or_none(job.repo.as_deref())),
        ("Base", or_none(job.base.as_deref())),
        (
            "Opened",
            format!("{} ({})", at(job.opened_us), ago(now_us, job.opened_us)),
        ),
    ];
    facts.push(match job.closed_us {
        Some(closed) => ("Took", lasted(closed - job.opened_us)),
        None => ("Last seen", ago(now_us, job.last_us)),
    });
    facts
}

/// Money by class and target, in the order in which they came in.
fn attempts(exchanges: &[ExchangeRow]) -> Vec<AttemptLine> {
    let mut order: Vec<(String, String)> = Vec::new();
    let mut by: BTreeMap<(String, String), Vec<&ExchangeRow>> = BTreeMap::new();
    for row in exchanges.iter().rev() {
        let key = (or_none(row.class.as_deref()), story::target(row));
        if !by.contains_key(&key) {
            order.push(key.clone());
        }
        by.entry(key).or_default().push(row);
    }
    let lines = order.into_iter().filter_map(|key| {
        let rows = by.remove(&key)?;
        let (class, target) = key;
        let failed = rows.iter().filter(|row| {
            row.outcome
                .as_deref()
                .is_some_and(|outcome| outcome != "completed")
        });
        let money = story::money(&rows);
        Some(AttemptLine {
            class,
            target,
            turns: rows.len().to_string(),
            failed: failed.count().to_string(),
            tokens: story::in_and_out(&rows),
            listed: listed(&money),
            billed: told(money.billed_nano_usd),
            subscription: told(money.subscription_nano_usd),
        })
    });
    lines.collect()
}
