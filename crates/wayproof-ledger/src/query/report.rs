//! Reports: what was spent, on what, and what came of it, by any few dimensions.
//!
//! Sums come from the table of usage by day, a few rows a job, and never from the exchanges themselves. Money is first
//! summed for each job, so that counting jobs is not multiplied by their days and models. A job belongs to every group
//! it spent in, with its last verdict; failed attempts are in its sum.

use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::page::{Money, money};
use crate::error::LedgerError;
use crate::ledger::Ledger;

/// What a report is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The policy's rows.
    Task,
    /// Classes.
    Class,
    /// Models.
    Model,
    /// Who serves them.
    Provider,
    /// Repositories, or else the directory worked in.
    Repo,
    /// Coding harnesses.
    Agent,
    /// Pieces of work.
    Job,
    /// Days, as the number of days since 1970.
    Day,
    /// `gateway` or `imported`.
    Source,
    /// The people whose keys were shown.
    Person,
    /// Their teams; who is in several is a group of its own.
    Team,
    /// Keys of the gateway, by name.
    Key,
}

impl Dimension {
    const fn column(self) -> &'static str {
        match self {
            Self::Task => "u.task",
            Self::Class => "u.class",
            Self::Model => "u.model",
            Self::Provider => "u.provider",
            Self::Repo => "COALESCE(jobs.repo, sessions.repo, sessions.cwd, '')",
            Self::Agent => "COALESCE(jobs.agent, sessions.agent, '')",
            Self::Job => "u.job",
            Self::Day => "CAST(u.day AS TEXT)",
            Self::Source => "CASE WHEN u.source = '' THEN 'gateway' ELSE u.source END",
            Self::Person => "u.person",
            Self::Team => "u.team",
            Self::Key => "u.key_name",
        }
    }
}

/// Whole days, UTC, as numbers of days since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// The first one; none for all there are.
    pub from: Option<i64>,
    /// The first one that is not meant any more.
    pub until: Option<i64>,
}

/// Which sources a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// Everything.
    All,
    /// What went through the gateway.
    Gateway,
    /// What agents' own logs tell.
    Imported,
}

/// What one group spent and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// The group, one value a dimension; empty for what has none.
    pub group: Vec<String>,
    /// Answers.
    pub exchanges: i64,
    /// Those whose tokens are known.
    pub with_usage: i64,
    /// Those that come from agents' own logs.
    pub imported: i64,
    /// Tokens by bucket: fresh input, cache read, cache written, output, reasoning.
    pub tokens: [Option<i64>; 5],
    /// What they cost.
    pub money: Money,
    /// What went through the gateway of it; agents' own logs know no proofs.
    pub gateway: Money,
    /// What the gateway carried outside of any job.
    pub jobless: Money,
    /// What was spent on jobs that are not PROVEN.
    pub unproven: Money,
    /// What was spent on jobs that were escalated.
    pub escalated: Money,
    /// Jobs that took part.
    pub jobs: i64,
    /// Those of them whose last verdict says something about the change; shares are taken of these.
    pub judged: i64,
    /// Those that ended PROVEN.
    pub proven: i64,
    /// Those that were PROVEN by their first proof, without moving up.
    pub proven_at_first: i64,
    /// Those that ended PROVEN_WITH_GAPS.
    pub proven_with_gaps: i64,
    /// Those that ended REFUTED.
    pub refuted: i64,
    /// Those that ended UNPROVEN.
    pub ended_unproven: i64,
    /// Those that moved up a class.
    pub escalated_jobs: i64,
    /// Those that moved up a class and ended PROVEN.
    pub escalated_proven: i64,
}

impl ReportRow {
    /// Listed money of the gateway for each job that ended PROVEN; unknown without one, or with nothing priced.
    pub fn listed_per_proven_nano_usd(&self) -> Option<i64> {
        self.gateway.listed_nano_usd?.checked_div(self.proven)
    }
}

/// What one group spent on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayRow {
    /// The group.
    pub group: Vec<String>,
    /// The day, since 1970.
    pub day: i64,
    /// Listed money of the day.
    pub listed_nano_usd: Option<i64>,
    /// Answers.
    pub exchanges: i64,
}

/// What agents did, as their own logs tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivityRow {
    /// The coding harness.
    pub agent: String,
    /// Conversations.
    pub sessions: i64,
    /// Asks of the user.
    pub asks: i64,
    /// Tools called.
    pub tool_calls: i64,
    /// Tools that reported a failure.
    pub tool_failures: i64,
    /// Files changed, once a change.
    pub edits: i64,
    /// Lines added.
    pub lines_added: i64,
    /// Lines removed.
    pub lines_removed: i64,
    /// Tool calls that were allowed.
    pub accepted: i64,
    /// Tool calls that were rejected.
    pub rejected: i64,
    /// Parts of logs that could not be taken in.
    pub gaps: i64,
}

/// Rows of days at most.
const MAX_DAYS: i64 = 100_000;

/// A sum over the parts that a condition picks out.
fn summed(name: &str, condition: &str) -> String {
    let part = |column: &str| {
        if condition.is_empty() {
            format!("CAST(SUM({column}) AS BIGINT)")
        } else {
            format!("CAST(SUM(CASE WHEN {condition} THEN {column} END) AS BIGINT)")
        }
    };
    format!(
        "{}, COALESCE({}, 0), {}, {} /* {name} */",
        part("listed"),
        part("listed_unknown"),
        part("billed"),
        part("subscription")
    )
}

fn counted(condition: &str) -> String {
    format!("CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT)")
}

struct Grouping {
    /// `…  AS k0, … AS k1`.
    selected: String,
    /// `k0, k1`.
    keys: String,
    width: usize,
}

impl Grouping {
    fn new(by: &[Dimension]) -> Self {
        let selected = by
            .iter()
            .enumerate()
            .map(|(at, dimension)| format!("{} AS k{at}", dimension.column()));
        let keys = (0..by.len()).map(|at| format!("k{at}"));
        let (mut selected, mut keys): (Vec<_>, Vec<_>) = (selected.collect(), keys.collect());
        if by.is_empty() {
            selected.push("'' AS k0".to_owned());
            keys.push("k0".to_owned());
        }
        Self {
            selected: selected.join(", "),
            keys: keys.join(", "),
            width: by.len(),
        }
    }

    fn group(&self, row: &AnyRow) -> Result<Vec<String>, sqlx::Error> {
        (0..self.width).map(|at| row.try_get(at)).collect()
    }

    /// Columns before the first sum.
    fn skip(&self) -> usize {
        self.width.max(1)
    }
}

const FROM: &str = "FROM usage_days u LEFT JOIN jobs ON jobs.id = u.job LEFT JOIN sessions ON sessions.id = u.session
    WHERE u.day >= $1 AND u.day < $2";

fn only(sources: Sources) -> &'static str {
    match sources {
        Sources::All => "",
        Sources::Gateway => "AND u.source = ''",
        Sources::Imported => "AND u.source = 'imported'",
    }
}

impl Ledger {
    /// What each group spent and what came of it, the dearest first; at most `limit` groups.
    pub async fn report(
        &self,
        by: &[Dimension],
        days: Days,
        sources: Sources,
        limit: u32,
    ) -> Result<Vec<ReportRow>, LedgerError> {
        let grouping = Grouping::new(by);
        let sql = report_sql(&grouping, sources);
        let rows = self.days_query(sql, days, i64::from(limit)).await?;
        rows.iter()
            .map(|row| report_row(&grouping, row).map_err(self.0.store.failed("read")))
            .collect()
    }

    /// How many groups there are.
    pub async fn report_groups(
        &self,
        by: &[Dimension],
        days: Days,
        sources: Sources,
    ) -> Result<i64, LedgerError> {
        let grouping = Grouping::new(by);
        let (selected, only) = (&grouping.selected, only(sources));
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT DISTINCT {selected} {FROM} {only}) AS found LIMIT $3"
        );
        let rows = self.days_query(sql, days, 1).await?;
        rows.first().map_or(Ok(0), |row| {
            row.try_get(0).map_err(self.0.store.failed("read"))
        })
    }

    /// What each group spent day by day, oldest first; at most 100,000 rows.
    pub async fn report_days(
        &self,
        by: &[Dimension],
        days: Days,
        sources: Sources,
    ) -> Result<Vec<DayRow>, LedgerError> {
        let grouping = Grouping::new(by);
        let (selected, keys, only) = (&grouping.selected, &grouping.keys, only(sources));
        let sql = format!(
            "SELECT {selected}, u.day AS day, CAST(SUM(u.listed_nano_usd) AS BIGINT),
                CAST(SUM(u.exchanges) AS BIGINT)
            {FROM} {only} GROUP BY {keys}, u.day ORDER BY day, {keys} LIMIT $3"
        );
        let rows = self.days_query(sql, days, MAX_DAYS).await?;
        rows.iter()
            .map(|row| {
                let at = grouping.skip();
                let read = || {
                    Ok(DayRow {
                        group: grouping.group(row)?,
                        day: row.try_get(at)?,
                        listed_nano_usd: row.try_get(at + 1)?,
                        exchanges: row.try_get(at + 2)?,
                    })
                };
                read().map_err(self.0.store.failed("read"))
            })
            .collect()
    }

    /// What agents did, as their own logs tell.
    pub async fn activity(&self, days: Days) -> Result<Vec<ActivityRow>, LedgerError> {
        let sums = [
            "asks",
            "tool_calls",
            "tool_failures",
            "edits",
            "lines_added",
            "lines_removed",
            "accepted",
            "rejected",
            "gaps",
        ]
        .map(|column| format!("CAST(SUM({column}) AS BIGINT)"))
        .join(", ");
        let sql = format!(
            "SELECT agent, CAST(COUNT(DISTINCT session) AS BIGINT), {sums} FROM activity
            WHERE day >= $1 AND day < $2 GROUP BY agent ORDER BY agent LIMIT $3"
        );
        let rows = self.days_query(sql, days, MAX_DAYS).await?;
        rows.iter()
            .map(|row| activity_row(row).map_err(self.0.store.failed("read")))
            .collect()
    }

    async fn days_query(
        &self,
        sql: String,
        days: Days,
        limit: i64,
    ) -> Result<Vec<AnyRow>, LedgerError> {
        let mut arguments = AnyArguments::default();
        let bound = arguments
            .add(days.from.unwrap_or(i64::MIN))
            .and_then(|()| arguments.add(days.until.unwrap_or(i64::MAX)))
            .and_then(|()| arguments.add(limit));
        let rows = match bound {
            Ok(()) => {
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&self.0.readers)
                    .await
            }
            Err(error) => Err(sqlx::Error::Encode(error)),
        };
        rows.map_err(self.0.store.failed("read"))
    }
}

/// Sums for each group and job.
fn parts_sql(grouping: &Grouping, only: &str) -> String {
    let (selected, keys) = (&grouping.selected, &grouping.keys);
    format!(
            "SELECT {selected}, u.job AS job, u.source AS source, jobs.verdict AS verdict, jobs.proofs AS proofs,
                jobs.escalations AS moves, SUM(u.exchanges) AS exchanges, SUM(u.with_usage) AS with_usage,
                SUM(CASE WHEN u.source = '' THEN 0 ELSE u.exchanges END) AS imported, SUM(u.input) AS input,
                SUM(u.cache_read) AS cache_read, SUM(u.cache_write) AS cache_write, SUM(u.output) AS output,
                SUM(u.reasoning) AS reasoning, SUM(u.listed_nano_usd) AS listed,
                SUM(u.listed_unknown) AS listed_unknown, SUM(u.billed_nano_usd) AS billed,
                SUM(u.subscription_nano_usd) AS subscription
            {FROM} {only} GROUP BY {keys}, u.job, u.source, jobs.verdict, jobs.proofs, jobs.escalations"
        )
}

/// The sums of a report: every kind of money over its part, and jobs by what came of them.
fn report_sql(grouping: &Grouping, sources: Sources) -> String {
    let (keys, only) = (&grouping.keys, only(sources));
    let parts = parts_sql(grouping, only);
    let sums = [
        "exchanges",
        "with_usage",
        "imported",
        "input",
        "cache_read",
        "cache_write",
        "output",
        "reasoning",
    ]
    .map(|column| format!("CAST(SUM({column}) AS BIGINT)"))
    .join(", ");
    let monies = [
        summed("all", ""),
        summed("gateway", "source = ''"),
        summed("jobless", "job = '' AND source = ''"),
        summed(
            "unproven",
            "job <> '' AND COALESCE(verdict, '') <> 'PROVEN'",
        ),
        summed("escalated", "moves > 0"),
    ]
    .join(", ");
    let counts = [
        "job <> ''",
        "verdict IN ('PROVEN', 'PROVEN_WITH_GAPS', 'UNPROVEN', 'REFUTED')",
        "verdict = 'PROVEN'",
        "verdict = 'PROVEN' AND proofs = 1 AND moves = 0",
        "verdict = 'PROVEN_WITH_GAPS'",
        "verdict = 'REFUTED'",
        "verdict = 'UNPROVEN'",
        "moves > 0",
        "moves > 0 AND verdict = 'PROVEN'",
    ]
    .map(counted)
    .join(", ");
    format!(
        "WITH parts AS ({parts}) SELECT {keys}, {sums}, {monies}, {counts}
            FROM parts GROUP BY {keys} ORDER BY COALESCE(SUM(listed), 0) DESC, {keys} LIMIT $3"
    )
}

fn report_row(grouping: &Grouping, row: &AnyRow) -> Result<ReportRow, sqlx::Error> {
    let at = grouping.skip();
    let mut tokens = [None; 5];
    for (index, count) in tokens.iter_mut().enumerate() {
        *count = row.try_get(at + 3 + index)?;
    }
    Ok(ReportRow {
        group: grouping.group(row)?,
        exchanges: row.try_get(at)?,
        with_usage: row.try_get(at + 1)?,
        imported: row.try_get(at + 2)?,
        tokens,
        money: money(row, at + 8)?,
        gateway: money(row, at + 12)?,
        jobless: money(row, at + 16)?,
        unproven: money(row, at + 20)?,
        escalated: money(row, at + 24)?,
        jobs: row.try_get(at + 28)?,
        judged: row.try_get(at + 29)?,
        proven: row.try_get(at + 30)?,
        proven_at_first: row.try_get(at + 31)?,
        proven_with_gaps: row.try_get(at + 32)?,
        refuted: row.try_get(at + 33)?,
        ended_unproven: row.try_get(at + 34)?,
        escalated_jobs: row.try_get(at + 35)?,
        escalated_proven: row.try_get(at + 36)?,
    })
}

fn activity_row(row: &AnyRow) -> Result<ActivityRow, sqlx::Error> {
    Ok(ActivityRow {
        agent: row.try_get(0)?,
        sessions: row.try_get(1)?,
        asks: row.try_get(2)?,
        tool_calls: row.try_get(3)?,
        tool_failures: row.try_get(4)?,
        edits: row.try_get(5)?,
        lines_added: row.try_get(6)?,
        lines_removed: row.try_get(7)?,
        accepted: row.try_get(8)?,
        rejected: row.try_get(9)?,
        gaps: row.try_get(10)?,
    })
}
