//! Reports on the ledger: what was spent, what came of it, and how good it was.

mod reverted;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{ActivityRow, DayRow, Days, Dimension, Ledger, Money, ReportRow, Sources};

use self::reverted::Reverted;
use super::ledger::at;
use crate::{
    cli::{By, From, ReportArgs},
    days::{date, days, words},
    terminal::{exact_dollars, plain, print, print_json_pretty, table},
};

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Spend,
    Outcomes,
    Quality,
}

/// Days that fit into a sparkline.
const SPARK_DAYS: i64 = 30;

/// Everything a report shows.
struct Report {
    days: Days,
    total: Option<ReportRow>,
    rows: Vec<ReportRow>,
    groups: i64,
    per_day: Vec<DayRow>,
    activity: Vec<ActivityRow>,
    reverted: Option<Reverted>,
}

/// Makes a report and prints it.
pub(crate) async fn run(kind: Kind, args: &ReportArgs) -> Result<()> {
    let ledger = at(&args.ledger).await?;
    let read = read(&ledger, kind, args).await;
    ledger.close().await?;
    let report = read?;
    let by = dimensions(kind, args);
    if args.json {
        return print_json_pretty(&value(kind, &by, &report));
    }
    tell(kind, &by, &report)
}

fn dimensions(kind: Kind, args: &ReportArgs) -> Vec<By> {
    let mut by = Vec::new();
    for dimension in &args.by {
        if !by.contains(dimension) {
            by.push(*dimension);
        }
    }
    if by.is_empty() {
        by.push(match kind {
            Kind::Spend => By::Model,
            Kind::Outcomes | Kind::Quality => By::Task,
        });
    }
    by
}

async fn read(ledger: &Ledger, kind: Kind, args: &ReportArgs) -> Result<Report> {
    let days = days(&args.period, ledger.clock().now_us())?;
    let sources = match args.source {
        From::All => Sources::All,
        From::Gateway => Sources::Gateway,
        From::Imported => Sources::Imported,
    };
    let by = dimensions(kind, args);
    let by: Vec<Dimension> = by.into_iter().map(dimension).collect();
    let reading = || "reading the ledger";
    let total = ledger.report(&[], days, sources, 1).await;
    let rows = ledger.report(&by, days, sources, args.limit).await;
    let groups = ledger.report_groups(&by, days, sources).await;
    // A line a day for each of thousands of jobs would say nothing.
    let is_fine = by.contains(&Dimension::Job) || by.contains(&Dimension::Day);
    let per_day = if is_fine || kind != Kind::Spend {
        Vec::new()
    } else {
        ledger
            .report_days(&by, days, sources)
            .await
            .with_context(reading)?
    };
    let (mut activity, mut reverted) = (Vec::new(), None);
    if kind == Kind::Quality {
        activity = ledger.activity(days).await.with_context(reading)?;
        reverted = reverted::reverted(ledger, days).await?;
    }
    Ok(Report {
        days,
        total: total.with_context(reading)?.pop(),
        rows: rows.with_context(reading)?,
        groups: groups.with_context(reading)?,
        per_day,
        activity,
        reverted,
    })
}

const fn dimension(by: By) -> Dimension {
    match by {
        By::Task => Dimension::Task,
        By::Class => Dimension::Class,
        By::Model => Dimension::Model,
        By::Provider => Dimension::Provider,
        By::Repo => Dimension::Repo,
        By::Agent => Dimension::Agent,
        By::Job => Dimension::Job,
        By::Day => Dimension::Day,
        By::Source => Dimension::Source,
        By::Person => Dimension::Person,
        By::Team => Dimension::Team,
        By::Key => Dimension::Key,
    }
}

const fn name(by: By) -> &'static str {
    match by {
        By::Task => "task",
        By::Class => "class",
        By::Model => "model",
        By::Provider => "provider",
        By::Repo => "repo",
        By::Agent => "agent",
        By::Job => "job",
        By::Day => "day",
        By::Source => "source",
        By::Person => "person",
        By::Team => "team",
        By::Key => "key",
    }
}

/// A group's value in one dimension, as it is shown.
fn shown(by: By, text: &str) -> String {
    match by {
        By::Day => text.parse().map_or_else(|_| plain(text), date),
        _ if text.is_empty() => "-".to_owned(),
        _ => plain(text),
    }
}

/// Parts of a thousand, rounded down; nothing of nothing is unknown.
fn per_mille(part: i64, whole: i64) -> Option<i64> {
    part.checked_mul(1_000)?.checked_div(whole)
}

fn percent(part: i64, whole: i64) -> String {
    per_mille(part, whole).map_or_else(
        || "-".to_owned(),
        |rate| format!("{}.{} %", rate / 10, rate % 10),
    )
}

/// A sum of which parts may be unknown: never a bare zero for what nobody knows.
fn sum(nano: Option<i64>, unknown: i64) -> String {
    match (nano, unknown) {
        (None, 0) => "-".to_owned(),
        (None, unknown) => format!("{unknown} unknown"),
        (Some(nano), 0) => exact_dollars(nano),
        (Some(nano), unknown) => format!("{} + {unknown} unknown", exact_dollars(nano)),
    }
}

fn listed(money: &Money) -> String {
    sum(money.listed_nano_usd, money.listed_unknown)
}

fn or_dash(nano: Option<i64>) -> String {
    nano.map_or_else(|| "-".to_owned(), exact_dollars)
}

fn value(kind: Kind, by: &[By], report: &Report) -> Value {
    let mut value = json!({
        "by": by.iter().map(|by| name(*by)).collect::<Vec<_>>(),
        "since": report.days.from.map(date),
        "until": report.days.until.map(|until| date(until - 1)),
        "listed_per_proven_nano_usd": report.total.as_ref().and_then(ReportRow::listed_per_proven_nano_usd),
        "total": report.total.as_ref().map(|row| row_value(&[], row)),
        "groups": report.groups,
        "rows": report.rows.iter().map(|row| row_value(by, row)).collect::<Vec<_>>(),
    });
    let day_value = |row: &DayRow| {
        json!({
            "group": group_value(by, &row.group),
            "day": date(row.day),
            "listed_nano_usd": row.listed_nano_usd,
            "exchanges": row.exchanges,
        })
    };
    match kind {
        Kind::Spend => value["per_day"] = report.per_day.iter().map(day_value).collect(),
        Kind::Quality => {
            value["activity"] = json!(report.activity);
            value["reverted"] = json!(report.reverted.as_ref().map(Reverted::value));
        }
        Kind::Outcomes => {}
    }
    value
}

fn group_value(by: &[By], group: &[String]) -> Value {
    by.iter()
        .zip(group)
        .map(|(by, text)| {
            let text = match by {
                By::Day => text.parse().map_or_else(|_| text.clone(), date),
                _ => text.clone(),
            };
            (name(*by).to_owned(), text.into())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn row_value(by: &[By], row: &ReportRow) -> Value {
    let mut value = json!(row);
    value["group"] = group_value(by, &row.group);
    value["listed_per_proven_nano_usd"] = json!(row.listed_per_proven_nano_usd());
    value["proven_at_first_pm"] = json!(per_mille(row.proven_at_first, row.judged));
    value["escalation_yield_pm"] = json!(per_mille(row.escalated_proven, row.escalated_jobs));
    value
}

fn tell(kind: Kind, by: &[By], report: &Report) -> Result<()> {
    let Some(total) = &report.total else {
        return print(&format!("nothing is recorded {}", words(report.days)));
    };
    headline(total, report.days)?;
    if let Some(reverted) = &report.reverted {
        print(&reverted.told())?;
    }
    let head = head(kind, by);
    let sparks = sparklines(&report.per_day);
    let lines: Vec<Vec<String>> = report
        .rows
        .iter()
        .map(|row| {
            let mut line: Vec<String> = by
                .iter()
                .zip(&row.group)
                .map(|(by, text)| shown(*by, text))
                .collect();
            line.extend(match kind {
                Kind::Spend => spend_cells(row, sparks.get(&row.group)),
                Kind::Outcomes => outcome_cells(row),
                Kind::Quality => quality_cells(row),
            });
            line
        })
        .collect();
    print(&format!("\n{}", table(&head, &lines)))?;
    let more = report.groups - i64::try_from(report.rows.len()).unwrap_or(i64::MAX);
    if more > 0 {
        print(&format!("and {more} more (--limit)"))?;
    }
    if !report.activity.is_empty() {
        tell_activity(&report.activity)?;
    }
    Ok(())
}

fn head(kind: Kind, by: &[By]) -> Vec<&'static str> {
    let mut head: Vec<_> = by.iter().map(|by| name(*by)).collect();
    head.extend(match kind {
        Kind::Spend => [
            "answers",
            "usage",
            "listed",
            "billed",
            "subscription",
            "per proven",
            "days",
        ]
        .as_slice(),
        Kind::Outcomes => &[
            "jobs",
            "proven",
            "at first",
            "gaps",
            "refuted",
            "listed",
            "per proven",
            "unproven spend",
        ],
        Kind::Quality => &[
            "jobs",
            "proven",
            "at first",
            "escalated",
            "yield",
            "for escalated",
        ],
    });
    head
}

fn headline(total: &ReportRow, days: Days) -> Result<()> {
    let per = total
        .listed_per_proven_nano_usd()
        .map_or_else(|| "unknown".to_owned(), exact_dollars);
    print(&format!(
        "cost per proven change: {per} listed, {}: {} over {} PROVEN of {} job(s)",
        words(days),
        listed(&total.gateway),
        total.proven,
        total.jobs
    ))?;
    print(&format!(
        "proven at the first attempt: {} of {} job(s) judged; escalation yield: {} of {}, for {}",
        percent(total.proven_at_first, total.judged),
        total.judged,
        percent(total.escalated_proven, total.escalated_jobs),
        total.escalated_jobs,
        listed(&total.escalated)
    ))?;
    print(&format!(
        "spent on jobs that are not PROVEN: {}; outside of jobs: {}",
        listed(&total.unproven),
        listed(&total.jobless)
    ))?;
    let imported = if total.imported == 0 {
        String::new()
    } else {
        format!(
            "; {} imported, which are not in the cost per proven change",
            total.imported
        )
    };
    print(&format!(
        "answers with usage: {} of {}{imported}",
        total.with_usage, total.exchanges
    ))
}

fn spend_cells(row: &ReportRow, spark: Option<&String>) -> Vec<String> {
    vec![
        row.exchanges.to_string(),
        format!("{}/{}", row.with_usage, row.exchanges),
        listed(&row.money),
        or_dash(row.money.billed_nano_usd),
        or_dash(row.money.subscription_nano_usd),
        or_dash(row.listed_per_proven_nano_usd()),
        spark.cloned().unwrap_or_default(),
    ]
}

fn outcome_cells(row: &ReportRow) -> Vec<String> {
    vec![
        row.jobs.to_string(),
        row.proven.to_string(),
        percent(row.proven_at_first, row.judged),
        row.proven_with_gaps.to_string(),
        row.refuted.to_string(),
        listed(&row.money),
        or_dash(row.listed_per_proven_nano_usd()),
        listed(&row.unproven),
    ]
}

fn quality_cells(row: &ReportRow) -> Vec<String> {
    vec![
        row.jobs.to_string(),
        percent(row.proven, row.judged),
        percent(row.proven_at_first, row.judged),
        row.escalated_jobs.to_string(),
        percent(row.escalated_proven, row.escalated_jobs),
        listed(&row.escalated),
    ]
}

fn tell_activity(rows: &[ActivityRow]) -> Result<()> {
    let head = [
        "agent", "sessions", "asks", "tools", "failed", "edits", "lines", "rejected", "gaps",
    ];
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                plain(&row.agent),
                row.sessions.to_string(),
                row.asks.to_string(),
                row.tool_calls.to_string(),
                percent(row.tool_failures, row.tool_calls),
                row.edits.to_string(),
                format!("+{} -{}", row.lines_added, row.lines_removed),
                percent(row.rejected, row.accepted.saturating_add(row.rejected)),
                row.gaps.to_string(),
            ]
        })
        .collect();
    print(&format!(
        "\nfrom agents' own logs\n{}",
        table(&head, &lines)
    ))
}

/// A line of bars a group, one bar a day, up to the last day that any group has.
fn sparklines(rows: &[DayRow]) -> BTreeMap<Vec<String>, String> {
    let Some(last) = rows.iter().map(|row| row.day).max() else {
        return BTreeMap::new();
    };
    let first = rows.iter().map(|row| row.day).min().unwrap_or(last);
    let first = first.max(last - SPARK_DAYS + 1);
    let mut by_group: BTreeMap<Vec<String>, Vec<i64>> = BTreeMap::new();
    let width = usize::try_from(last - first + 1).unwrap_or(1);
    for row in rows {
        let bars = by_group
            .entry(row.group.clone())
            .or_insert_with(|| vec![0; width]);
        let at = usize::try_from(row.day - first).ok();
        if let Some(bar) = at.and_then(|at| bars.get_mut(at)) {
            *bar = row.listed_nano_usd.unwrap_or(0).max(0);
        }
    }
    by_group
        .into_iter()
        .map(|(group, bars)| (group, sparkline(&bars)))
        .collect()
}

/// Bars as high as their value; nothing is a space.
fn sparkline(values: &[i64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = i128::from(values.iter().copied().max().unwrap_or(0)).max(1);
    values
        .iter()
        .map(|value| match i128::from(*value) {
            0 => ' ',
            value => usize::try_from((value * 8 - 1) / most)
                .ok()
                .and_then(|height| BARS.get(height).copied())
                .unwrap_or('█'),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_day() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparkline(&[i64::MAX, 1, 0]), "█▁ ");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn unknown_is_said_and_not_zero() {
        assert_eq!(sum(None, 3), "3 unknown");
        assert_eq!(sum(Some(1_500_000_001), 2), "$1.500000001 + 2 unknown");
        assert_eq!(sum(None, 0), "-");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "-");
    }
}
