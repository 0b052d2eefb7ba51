//! Where the money went, by two dimensions, and what a proven change costs from week to week.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_ledger::{CrossBy, DayRecord, Money, SpendCell};

use super::budgets::{BudgetSeen, budgets};
use super::caching::{Cached, caching};
use super::outlook::{Outlook, filled, outlook};
use super::window::Window;
use crate::desk::Desk;
use crate::figures::told_age;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
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
    near: Option<Near>,
    is_one_day: bool,
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

/// Days that are looked at closely, and the ways on from them.
struct Near {
    words: String,
    from: String,
    to: String,
    earlier: Option<String>,
    later: Option<String>,
    out: String,
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

/// What stays the same while one looks at other days.
struct Ways<'a> {
    one: &'a str,
    two: &'a str,
    days: i64,
}

impl Ways<'_> {
    /// The way to some days; without them, to all of the period.
    fn to(&self, window: Option<&Window>) -> String {
        let (days, ends) = (self.days.to_string(), window.map(Window::ends));
        address(
            "/spend",
            &[
                ("one", Some(self.one)),
                ("two", Some(self.two)),
                ("days", Some(&days)),
                ("from", ends.as_ref().map(|(from, _)| from.as_str())),
                ("to", ends.as_ref().map(|(_, to)| to.as_str())),
            ],
        )
    }

    fn near(&self, window: &Window) -> Option<Near> {
        let (from, to) = window.ends();
        window.is_near().then(|| Near {
            words: window.words(),
            from,
            to,
            earlier: window.before().map(|window| self.to(Some(&window))),
            later: window.after().map(|window| self.to(Some(&window))),
            out: self.to(None),
        })
    }
}

/// The days looked at: those of a period offered, else thirty.
fn period(params: &Params) -> i64 {
    let wanted = params.int("days").unwrap_or(PERIOD);
    PERIODS
        .iter()
        .find(|(_, _, days)| *days == wanted)
        .map_or(PERIOD, |(_, _, days)| *days)
}

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
    let window = Window::of(&params, days, today);
    let ways = Ways {
        one: one.name,
        two: two.name,
        days,
    };
    let cells = spend
        .value
        .by_two([one.by, two.by], &window.days(), ROWS + 1);
    let by_verdict = spend.value.by_two(BY_VERDICT, &window.days(), ROWS);
    let (total, sums) = total(&by_verdict);
    let filled = filled(&spend.value.days(&window.days()), window.days());
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
            &spend.value.input(&window.days()),
            &desk.parts().catalog,
            desk.now_us(),
        ),
        near: ways.near(&window),
        is_one_day: window.length() == 1,
        daily: daily_chart(&filled, &window, &ways),
        weekly: weekly_chart(&weeks, &window, &ways),
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

/// Sums of seven days that end with the last of them.
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

/// Each day, which leads to itself.
fn daily_chart(days: &[DayRecord], window: &Window, ways: &Ways<'_>) -> String {
    let marks = days.iter().map(|record| Mark {
        name: day(record.day),
        tick: day(record.day),
        value: record.money.listed_nano_usd,
        words: listed(&record.money),
        way: window
            .part(record.day, record.day)
            .map(|part| ways.to(Some(&part))),
    });
    chart("Listed spend by day", marks, Shape::Bars)
}

/// Each week, which leads to its days.
fn weekly_chart(weeks: &[(i64, DayRecord)], window: &Window, ways: &Ways<'_>) -> String {
    // The first one may be short, and ends where the second begins.
    let ends = weeks.iter().skip(1).map(|(from, _)| from - 1);
    let ends = ends.chain([i64::MAX]);
    let marks = weeks.iter().zip(ends).map(|((from, sum), to)| {
        let value = sum
            .money
            .listed_nano_usd
            .and_then(|listed| listed.checked_div(sum.proven));
        Mark {
            name: format!("week of {}", day(*from)),
            tick: day(*from),
            value,
            words: value.map_or_else(|| "no proven change".to_owned(), usd),
            way: window.part(*from, to).map(|part| ways.to(Some(&part))),
        }
    });
    chart("Cost per proven change by week", marks, Shape::Line)
}

impl Axis {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }
}
