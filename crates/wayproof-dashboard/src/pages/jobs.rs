//! Jobs: filtered, searched, sorted, a page at a time.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use wayproof_ledger::{JobCursor, JobOrder, JobPhase, JobRow, JobSearch, JobSpan, WINDOW};

use super::{Badge, job_badge};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::show::money::listed;
use crate::show::text::{abbreviated, count, or_none, repo, short};
use crate::show::time::{DAY_US, ago, at, stamp};

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    frame: Frame,
    filter: Filter,
    tasks: Vec<String>,
    classes: Vec<String>,
    orders: Vec<Choice>,
    jobs: Vec<Line>,
    next: Option<String>,
    is_filtered: bool,
    is_later: bool,
    /// How far was looked, where not all was.
    looked: Option<String>,
}

/// The form as it was sent.
#[derive(Debug, Default)]
struct Filter {
    words: String,
    task: String,
    class: String,
    verdict: String,
    agent: String,
    repo: String,
    since: String,
    sort: String,
}

/// A link that changes one thing.
#[derive(Debug)]
struct Choice {
    name: &'static str,
    href: String,
    is_chosen: bool,
}

struct Line {
    id: String,
    short_id: String,
    task: String,
    class: String,
    agent: String,
    repo: String,
    state: Badge,
    escalations: i64,
    turns: String,
    listed: String,
    opened: String,
    stamp: String,
    ago: String,
}

const ORDERS: [(&str, &str, JobOrder); 4] = [
    ("newest", "Newest", JobOrder::Newest),
    ("cost", "Dearest", JobOrder::Dearest),
    ("turns", "Most turns", JobOrder::Busiest),
    ("escalations", "Most escalated", JobOrder::Escalated),
];

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let filter = Filter::of(&params);
    if let Some(id) = params.get("q")
        && is_id(&id)
        && desk.ledger().job_short(&id).await?.is_some()
    {
        return Ok(Redirect::to(&format!("/jobs/{id}")).into_response());
    }
    let order = ORDERS
        .iter()
        .find(|(name, _, _)| *name == filter.sort)
        .map_or(JobOrder::Newest, |(_, _, order)| *order);
    let after = params.int("seq").map(|seq| JobCursor {
        value: params.int("value").unwrap_or(0),
        seq,
    });
    let now_us = desk.now_us();
    let search = filter.search(now_us);
    let span = JobSpan::new(after, ROWS);
    let found = desk.ledger().find_jobs(&search, order, span).await?;
    let policy = desk.house().policy();
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let tasks = policy.as_ref().map(|policy| {
        let tasks = policy.tasks().iter().map(|task| task.name.as_str());
        names(tasks.chain(["general"]).collect())
    });
    let classes = policy.as_ref().map(|policy| {
        names(
            policy
                .classes()
                .iter()
                .map(|class| class.name.as_str())
                .collect(),
        )
    });
    let next = found.next.map(|next| filter.href(None, Some(next)));
    let looked = found.is_cut.then(|| count(i64::from(WINDOW)));
    page(&JobsPage {
        is_filtered: search != JobSearch::default(),
        is_later: after.is_some(),
        orders: filter.orders(),
        tasks: tasks.unwrap_or_default(),
        classes: classes.unwrap_or_default(),
        jobs: found.rows.iter().map(|row| line(row, now_us)).collect(),
        next,
        looked,
        filter,
        frame,
    })
}

/// Ids are plain, so that one that is typed in leads straight to its job.
fn is_id(text: &str) -> bool {
    text.len() >= 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn line(row: &JobRow, now_us: i64) -> Line {
    Line {
        id: row.id.clone(),
        short_id: abbreviated(&row.id),
        task: or_none(row.task.as_deref()),
        class: or_none(row.class.as_deref()),
        agent: or_none(row.agent.as_deref()),
        repo: row.repo.as_deref().map_or_else(|| "–".to_owned(), repo),
        state: job_badge(row.verdict.as_deref(), row.closed_us.is_some()),
        escalations: row.escalations,
        turns: count(row.exchanges),
        listed: listed(&row.money),
        opened: at(row.opened_us),
        stamp: stamp(row.opened_us),
        ago: ago(now_us, row.opened_us),
    }
}

impl Filter {
    fn of(params: &Params) -> Self {
        let value = |name| params.get(name).unwrap_or_default();
        Self {
            words: value("q"),
            task: value("task"),
            class: value("class"),
            verdict: value("verdict"),
            agent: value("agent"),
            repo: value("repo"),
            since: value("since"),
            sort: value("sort"),
        }
    }

    fn search(&self, now_us: i64) -> JobSearch {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let (verdict, state) = match self.verdict.as_str() {
            "open" => (None, JobPhase::Open),
            "none" => (None, JobPhase::Closed),
            _ => (some(&self.verdict), JobPhase::Any),
        };
        let days = match self.since.as_str() {
            "day" => Some(1),
            "week" => Some(7),
            "month" => Some(30),
            _ => None,
        };
        JobSearch {
            task: some(&self.task),
            class: some(&self.class),
            verdict,
            agent: some(&self.agent),
            repo: some(&self.repo),
            since_us: days.map(|days| now_us.saturating_sub(days * DAY_US)),
            words: some(&self.words),
            state,
        }
    }

    fn orders(&self) -> Vec<Choice> {
        let choices = ORDERS.iter().map(|(name, words, order)| Choice {
            name: words,
            href: self.href(Some(name), None),
            is_chosen: self.sort == *name || (self.sort.is_empty() && *order == JobOrder::Newest),
        });
        choices.collect()
    }

    fn href(&self, sort: Option<&str>, after: Option<JobCursor>) -> String {
        let some = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let cursor = after.map(|cursor| (cursor.value.to_string(), cursor.seq.to_string()));
        let values = [
            ("q", some(&self.words)),
            ("task", some(&self.task)),
            ("class", some(&self.class)),
            ("verdict", some(&self.verdict)),
            ("agent", some(&self.agent)),
            ("repo", some(&self.repo)),
            ("since", some(&self.since)),
            ("sort", sort.map(str::to_owned).or_else(|| some(&self.sort))),
            ("value", cursor.as_ref().map(|(value, _)| value.clone())),
            ("seq", cursor.as_ref().map(|(_, seq)| seq.clone())),
        ];
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, value.as_deref()))
            .collect();
        address("/jobs", &values)
    }

    /// Whether an option of a list is the chosen one.
    fn has(&self, list: &str, option: &str) -> bool {
        let chosen = match list {
            "task" => &self.task,
            "class" => &self.class,
            "verdict" => &self.verdict,
            _ => &self.since,
        };
        short(chosen) == option
    }
}
