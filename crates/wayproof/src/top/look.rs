//! What goes on, read from the ledger: jobs in flight and budgets in their present windows.

use anyhow::{Context as _, Result};
use serde::Serialize;
use wayproof_engine::show_usd;
use wayproof_ledger::{EventBody, ExchangeFilter, JobRow, Ledger, Money, Page};

use crate::{
    commands::budget_lines,
    terminal::{dollars, plain},
};

/// A job in which nothing happened for so long is not in flight any more.
const QUIET_US: i64 = 15 * 60 * 1_000_000;
const MOST_JOBS: u32 = 100;
/// Names longer than this are cut in a table.
const LONGEST: usize = 40;

/// What a table of jobs says.
pub(super) const HEAD: [&str; 8] = [
    "task", "class", "model", "cause", "spend", "proof", "turns", "last",
];
/// What a table of budgets says.
pub(super) const BUDGET_HEAD: [&str; 5] = ["budget", "window", "used", "limit", "share"];

/// What goes on at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub(super) at_us: i64,
    pub(super) jobs: Vec<Job>,
    pub(super) budgets: Vec<BudgetSeen>,
    /// Why this is not the newest.
    pub(super) problem: Option<String>,
}

/// A job in flight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) task: Option<String>,
    pub(super) class: Option<String>,
    /// Who answered last, as `provider/model`.
    pub(super) model: Option<String>,
    /// Why it moved up last.
    pub(super) cause: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) repo: Option<String>,
    /// What it cost by the price list; unknown is none, and is counted beside it.
    pub(super) listed_nano_usd: Option<i64>,
    pub(super) listed_unknown: i64,
    /// The last verdict; none before the first.
    pub(super) verdict: Option<String>,
    pub(super) turns: i64,
    pub(super) last_us: i64,
}

/// A budget in its present window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct BudgetSeen {
    pub(super) subject: String,
    pub(super) window: String,
    pub(super) spent_nano_usd: i64,
    pub(super) held_nano_usd: i64,
    pub(super) limit_nano_usd: i64,
    /// Spent and held, in whole percent of the limit.
    pub(super) percent: i64,
}

/// Reads what goes on.
pub(super) async fn look(ledger: &Ledger) -> Result<Snapshot> {
    let now_us = ledger.clock().now_us();
    let rows = ledger
        .jobs_in_flight(now_us.saturating_sub(QUIET_US), MOST_JOBS)
        .await
        .context("reading jobs")?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let moves = ledger.last_moves(&ids).await.context("reading causes")?;
    let mut jobs = Vec::new();
    for row in rows {
        let cause = moves.iter().find_map(|stored| match &stored.event.body {
            EventBody::Escalated(moved) if stored.event.job.as_ref() == Some(&row.id) => {
                Some(moved.cause.as_str().to_owned())
            }
            _ => None,
        });
        let model = model(ledger, &row.id).await?;
        jobs.push(job(row, model, cause));
    }
    ledger
        .books()
        .fresh(1_000_000)
        .await
        .context("reading the books")?;
    let lines = budget_lines(ledger).await?;
    let budgets = lines.into_iter().map(|(budget, account)| {
        let balance = account.as_ref().map(|account| account.balance);
        let balance = balance.unwrap_or_default();
        BudgetSeen {
            subject: account.map_or_else(|| budget.subject.to_string(), |account| account.subject),
            window: budget.window.to_string(),
            spent_nano_usd: balance.spent_nano_usd,
            held_nano_usd: balance.held_nano_usd,
            limit_nano_usd: budget.limit_nano_usd,
            percent: percent(balance.used(), budget.limit_nano_usd),
        }
    });
    let mut budgets: Vec<BudgetSeen> = budgets.collect();
    budgets.sort_by_key(|budget| std::cmp::Reverse(budget.percent));
    Ok(Snapshot {
        at_us: now_us,
        jobs,
        budgets,
        problem: None,
    })
}

async fn model(ledger: &Ledger, job: &str) -> Result<Option<String>> {
    let filter = ExchangeFilter {
        job: Some(job.to_owned()),
        ..ExchangeFilter::default()
    };
    let page = Page {
        limit: 1,
        ..Page::default()
    };
    let rows = ledger.exchanges(&filter, page).await;
    let rows = rows.context("reading requests")?;
    Ok(rows.into_iter().next().and_then(|row| {
        let (provider, model) = row.provider.zip(row.model)?;
        Some(format!("{provider}/{model}"))
    }))
}

fn job(row: JobRow, model: Option<String>, cause: Option<String>) -> Job {
    let Money {
        listed_nano_usd,
        listed_unknown,
        ..
    } = row.money;
    Job {
        id: row.id,
        task: row.task,
        class: row.class,
        model,
        cause,
        agent: row.agent,
        repo: row.repo,
        listed_nano_usd,
        listed_unknown,
        verdict: row.verdict,
        turns: row.exchanges,
        last_us: row.last_us,
    }
}

fn percent(part: i64, whole: i64) -> i64 {
    let share = i128::from(part.max(0)) * 100 / i128::from(whole.max(1));
    i64::try_from(share).unwrap_or(i64::MAX)
}

impl Job {
    /// What a table says of it.
    pub(super) fn cells(&self, now_us: i64) -> [String; 8] {
        let spend = match (self.listed_nano_usd, self.listed_unknown) {
            (None, 0) => "-".to_owned(),
            (None, _) => "unknown".to_owned(),
            (Some(nano), 0) => dollars(nano),
            (Some(nano), _) => format!("{}+?", dollars(nano)),
        };
        let seconds = now_us.saturating_sub(self.last_us).max(0) / 1_000_000;
        [
            shown(self.task.as_deref()),
            shown(self.class.as_deref()),
            shown(self.model.as_deref()),
            shown(self.cause.as_deref()),
            spend,
            self.verdict
                .as_deref()
                .map_or_else(|| "not proven yet".to_owned(), plain),
            self.turns.to_string(),
            if seconds < 60 {
                format!("{seconds} s")
            } else {
                format!("{} min", seconds / 60)
            },
        ]
    }

    /// Whether some column, its agent or its repository has the text in it.
    pub(super) fn has(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let words = [
            Some(self.id.as_str()),
            self.task.as_deref(),
            self.class.as_deref(),
            self.model.as_deref(),
            self.cause.as_deref(),
            self.agent.as_deref(),
            self.repo.as_deref(),
            Some(self.verdict.as_deref().unwrap_or("not proven yet")),
        ];
        let mut words = words.into_iter().flatten();
        words.any(|word| word.to_lowercase().contains(&text))
    }
}

impl BudgetSeen {
    /// What a table says of it.
    pub(super) fn cells(&self) -> [String; 5] {
        [
            cut(&self.subject),
            self.window.clone(),
            show_usd(self.spent_nano_usd.saturating_add(self.held_nano_usd)),
            show_usd(self.limit_nano_usd),
            format!("{} %", self.percent),
        ]
    }
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), cut)
}

/// A name that steers no terminal and fits.
fn cut(text: &str) -> String {
    let text = plain(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).collect::<String>() + "…"
}
