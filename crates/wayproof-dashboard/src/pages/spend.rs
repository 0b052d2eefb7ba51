//! Where the money went, by two dimensions, and what a proven change costs from week to week.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_ledger::{CrossBy, DayRecord, Money, SpendCell, SpendCube};

use super::budgets::{BudgetSeen, budgets};
use super::caching::{Cached, caching};
use crate::desk::Desk;
use crate::figures::told_age;
use crate::forecast;
use crate::frame::{Frame, page};
use crate::params::Params;
use crate::problem::Problem;
use crate::show::chart::{Chart, Mark, Shape};
use crate::show::money::{listed, per, told, usd};
use crate::show::text::{count, counted, percent, repo, short};
use crate::show::time::{DAY_US, day};

const ROWS: usize = 200;

const DIMENSIONS: [(&str, &str, CrossBy); 11] = [
    ("task", "Task", CrossBy::Task),
    ("class", "Class", CrossBy::Class),
    ("provider", "Provider", CrossBy::Provider),
    ("model", "Model", CrossBy::Model),
    ("agent", "Agent", CrossBy::Agent),
    ("repo", "Repository", CrossBy::Repo),
    ("person", "Person", CrossBy::Person),
    ("team", "Team", CrossBy::Team),
    ("key", "Key", CrossBy::Key),
    ("verdict", "Verdict", CrossBy::Verdict),
    ("day", "Day", CrossBy::Day),
];

const PERIODS: [(&str, &str, i64); 4] = [
    ("7", "7 days", 7),
    ("30", "30 days", 30),
    ("90", "90 days", 90),
    ("365", "a year", 365),
];

#[derive(Template)]
#[template(path = "spend.html")]
struct SpendPage {
    frame: Frame,
    one: Axis,
    two: Axis,
    days: i64,
    choices: [(&'static str, &'static str, CrossBy); 11],
    periods: [(&'static str, &'static str, i64); 4],
    rows: Vec<Line>,
    is_cut: bool,
    total: Line,
    listed_sum: String,
    listed_note: String,
    by_proof: Vec<(String, String, String)>,
    caching: Vec<Cached>,
    daily: String,
    weekly: String,
    weeks: Vec<Week>,
    budgets: Vec<BudgetSeen>,
    /// How old the figures are, where that is worth a word.
    age: String,
    month: String,
    outlooks: Vec<Outlook>,
    unpriced_days: String,
}

/// What a month will come to, in one kind of money.
struct Outlook {
    kind: &'static str,
    so_far: String,
    expected: String,
    interval: String,
}

/// One of the two dimensions.
struct Axis {
    name: &'static str,
    words: &'static str,
    by: CrossBy,
}

#[derive(Default)]
struct Line {
    one: String,
    two: String,
    requests: String,
    jobs: String,
    proven: String,
    listed: String,
    billed: String,
    subscription: String,
    per_proven: String,
}

/// Seven days.
struct Week {
    from: String,
    listed: String,
    proven: String,
    per_proven: String,
}

/// What spend is laid out by, and over how many days, where nobody says otherwise.
const FIRST: &str = "task";
const SECOND: &str = "model";
const PERIOD: i64 = 30;

fn axis(named: Option<String>, otherwise: &'static str) -> Axis {
    let wanted = named.unwrap_or_default();
    let by_name = |name: &str| DIMENSIONS.iter().find(|(known, _, _)| *known == name);
    let found = by_name(&wanted).or_else(|| by_name(otherwise));
    let (name, words, by) = found.copied().unwrap_or(("task", "Task", CrossBy::Task));
    Axis { name, words, by }
}

/// The days looked at: those of a period offered, else thirty.
fn period(params: &Params) -> i64 {
    let wanted = params.int("days").unwrap_or(PERIOD);
    PERIODS
        .iter()
        .find(|(_, _, days)| *days == wanted)
        .map_or(PERIOD, |(_, _, days)| *days)
}

/// A column of money.
type Column = fn(&Money) -> Option<i64>;

/// Every job has one verdict, so this adds up to everything.
const BY_VERDICT: [CrossBy; 2] = [CrossBy::Verdict, CrossBy::Verdict];

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let (one, two) = (
        axis(params.get("one"), FIRST),
        axis(params.get("two"), SECOND),
    );
    let days = period(&params);
    let today = desk.now_us().div_euclid(DAY_US);
    let spend = desk.spend().await?;
    let since = desk.since(days - 1);
    let cells = spend.value.by_two([one.by, two.by], since, ROWS + 1);
    let by_verdict = spend.value.by_two(BY_VERDICT, since, ROWS);
    let record = spend.value.days(since);
    let (total, sums) = total(&by_verdict);
    let filled = filled(&record, today - days + 1, today);
    let weeks = weeks(&filled);
    let (month, outlooks, unpriced_days) = outlook(&spend.value, today);
    page(&SpendPage {
        is_cut: cells.len() > ROWS,
        rows: cells
            .iter()
            .take(ROWS)
            .map(|cell| line(cell, &one, &two))
            .collect(),
        listed_sum: told(sums.listed_nano_usd),
        listed_note: unpriced(&sums),
        total,
        by_proof: by_proof(&by_verdict),
        caching: caching(
            &spend.value.input(since),
            &desk.parts().catalog,
            desk.now_us(),
        ),
        daily: chart("Listed spend by day", filled.iter().map(daily), Shape::Bars),
        weekly: chart(
            "Cost per proven change by week",
            weeks.iter().map(|(from, sum)| weekly(*from, sum)),
            Shape::Line,
        ),
        weeks: weeks.iter().rev().map(week).collect(),
        budgets: budgets(&desk).await?,
        age: told_age(spend.age),
        month,
        outlooks,
        unpriced_days,
        choices: DIMENSIONS,
        periods: PERIODS,
        one,
        two,
        days,
        frame,
    })
}

/// The month by its name, what it will come to in each kind of money, and what is not in it.
fn outlook(spend: &SpendCube, today: i64) -> (String, Vec<Outlook>, String) {
    let (first, last) = month_of(today);
    let since = first.min(today - forecast::DAYS);
    let record = spend.days(since.saturating_mul(DAY_US));
    let days = filled(&record, since, today);
    // Days before the first on which anything happened say nothing about those to come.
    let began = record.iter().map(|day| day.day).min().unwrap_or(today);
    let past = |day: &&DayRecord| day.day < today && day.day >= began.max(today - forecast::DAYS);
    let days_left = u32::try_from(last - today).unwrap_or(0);
    let kinds: [(&'static str, Column); 3] = [
        ("Listed", |money| money.listed_nano_usd),
        ("Billed", |money| money.billed_nano_usd),
        ("Subscription", |money| money.subscription_nano_usd),
    ];
    let outlooks = kinds.into_iter().map(|(kind, of)| {
        let month = days.iter().filter(|day| day.day >= first);
        let so_far = month
            .filter_map(|day| of(&day.money))
            .reduce(i64::saturating_add);
        let is_known = days.iter().any(|day| of(&day.money).is_some());
        let complete: Vec<i64> = days
            .iter()
            .filter(past)
            .map(|day| of(&day.money).unwrap_or(0))
            .collect();
        let seen = is_known
            .then(|| forecast::month_end(&complete, so_far.unwrap_or(0), days_left))
            .flatten();
        Outlook {
            kind,
            so_far: told(so_far),
            expected: told(seen.map(|seen| seen.expected)),
            interval: match seen {
                Some(seen) => format!("{} to {}", usd(seen.low), usd(seen.high)),
                None if is_known => "too few days".to_owned(),
                None => "nothing known".to_owned(),
            },
        }
    });
    let unknown = days
        .iter()
        .map(|day| day.money.listed_unknown)
        .fold(0, i64::saturating_add);
    let unpriced = if unknown == 0 {
        String::new()
    } else {
        counted(
            unknown,
            "request has no price and is",
            "requests have no price and are",
        ) + " not in it."
    };
    (
        day(first).chars().take(7).collect(),
        outlooks.collect(),
        unpriced,
    )
}

/// The first and the last day of the month of a day.
fn month_of(today: i64) -> (i64, i64) {
    let at = jiff::Timestamp::from_second(today.saturating_mul(86_400));
    let date = at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let Ok(date) = date else {
        return (today, today);
    };
    let first = today - i64::from(date.day() - 1);
    (first, first + i64::from(date.days_in_month()) - 1)
}

fn unpriced(sums: &Money) -> String {
    match sums.listed_unknown {
        0 => "by price lists".to_owned(),
        unknown => format!(
            "and {} without a price",
            counted(unknown, "request", "requests")
        ),
    }
}

fn week((from, sum): &(i64, DayRecord)) -> Week {
    Week {
        from: day(*from),
        listed: listed(&sum.money),
        proven: count(sum.proven),
        per_proven: per(sum.money.listed_nano_usd, sum.proven),
    }
}

fn named(name: &str, by: CrossBy) -> String {
    match (by, name) {
        (CrossBy::Verdict, "") => "no verdict".to_owned(),
        (_, "") | (CrossBy::Model, "/") => "none".to_owned(),
        (CrossBy::Repo, name) => repo(name),
        (CrossBy::Day, name) => name.parse().map_or_else(|_| short(name), day),
        (_, name) => short(name),
    }
}

fn line(cell: &SpendCell, one: &Axis, two: &Axis) -> Line {
    let [first, second] = &cell.names;
    Line {
        one: named(first, one.by),
        two: named(second, two.by),
        ..figures(cell.exchanges, cell.jobs, cell.proven, &cell.money)
    }
}

fn figures(requests: i64, jobs: i64, proven: i64, money: &Money) -> Line {
    Line {
        one: String::new(),
        two: String::new(),
        requests: count(requests),
        jobs: count(jobs),
        proven: count(proven),
        listed: listed(money),
        billed: told(money.billed_nano_usd),
        subscription: told(money.subscription_nano_usd),
        per_proven: per(money.listed_nano_usd, proven),
    }
}

/// Every job has one verdict, so rows by verdict count each job once.
fn total(by_verdict: &[SpendCell]) -> (Line, Money) {
    let mut money = Money::default();
    let (mut requests, mut jobs, mut proven) = (0_i64, 0_i64, 0_i64);
    for cell in by_verdict {
        money.add(&cell.money);
        requests = requests.saturating_add(cell.exchanges);
        jobs = jobs.saturating_add(cell.jobs);
        proven = proven.saturating_add(cell.proven);
    }
    (figures(requests, jobs, proven, &money), money)
}

/// What went into work that was proven, and into work that was not: name, sum, share.
fn by_proof(by_verdict: &[SpendCell]) -> Vec<(String, String, String)> {
    let sum = |fits: fn(&str) -> bool| {
        let fitting = by_verdict.iter().filter(|cell| fits(&cell.names[0]));
        fitting
            .filter_map(|cell| cell.money.listed_nano_usd)
            .fold(0, i64::saturating_add)
    };
    let parts = [
        ("Proven work", sum(|verdict| verdict == "PROVEN")),
        (
            "Work that was proven with gaps",
            sum(|verdict| verdict == "PROVEN_WITH_GAPS"),
        ),
        (
            "Work that was not proven",
            sum(|verdict| verdict == "UNPROVEN" || verdict == "REFUTED"),
        ),
        (
            "No verdict yet, or none owed",
            sum(|verdict| verdict.is_empty() || verdict == "INVALID_INFRA"),
        ),
    ];
    let all = parts
        .iter()
        .map(|(_, sum)| *sum)
        .fold(0, i64::saturating_add);
    // Millionths keep the shares exact without overflowing.
    let share = |part: i64| percent(part / 1_000, all / 1_000);
    parts
        .into_iter()
        .map(|(name, sum)| (name.to_owned(), usd(sum), share(sum)))
        .collect()
}

/// The days with those on which nothing happened.
fn filled(record: &[DayRecord], first: i64, last: i64) -> Vec<DayRecord> {
    let by_day: BTreeMap<i64, &DayRecord> = record.iter().map(|day| (day.day, day)).collect();
    (first..=last)
        .map(|day| {
            by_day.get(&day).map_or_else(
                || DayRecord {
                    day,
                    ..DayRecord::default()
                },
                |known| (*known).clone(),
            )
        })
        .collect()
}

/// Sums of seven days that end today.
fn weeks(days: &[DayRecord]) -> Vec<(i64, DayRecord)> {
    let mut weeks: Vec<(i64, DayRecord)> = days
        .rchunks(7)
        .filter_map(|week| {
            let mut sum = DayRecord::default();
            for day in week {
                sum.money.add(&day.money);
                sum.proven += day.proven;
            }
            Some((week.first()?.day, sum))
        })
        .collect();
    weeks.reverse();
    weeks
}

/// A chart of amounts.
fn chart(title: &str, marks: impl Iterator<Item = Mark>, shape: Shape) -> String {
    let marks: Vec<Mark> = marks.collect();
    let chart = Chart {
        title,
        marks: &marks,
        says: usd,
    };
    chart.draw(shape)
}

fn daily(record: &DayRecord) -> Mark {
    Mark {
        name: day(record.day),
        tick: day(record.day),
        value: record.money.listed_nano_usd,
        words: listed(&record.money),
    }
}

fn weekly(from: i64, sum: &DayRecord) -> Mark {
    let value = sum
        .money
        .listed_nano_usd
        .and_then(|listed| listed.checked_div(sum.proven));
    Mark {
        name: format!("week of {}", day(from)),
        tick: day(from),
        value,
        words: value.map_or_else(|| "no proven change".to_owned(), usd),
    }
}

impl Axis {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }
}
