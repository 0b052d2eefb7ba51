//! Pieces of work as a person looks for them: several conditions, an order, a page at a time.
//!
//! No page looks at more than the newest [`WINDOW`] jobs below its cursor, whatever is asked for; where there may be
//! more it says where to go on. So a page costs the same over a thousand jobs and over a million.

use sqlx::any::AnyArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::page::{JOB_COLUMNS, JobRow, job};
use crate::error::LedgerError;
use crate::ledger::Ledger;

/// Jobs that one page looks at, at most.
pub const WINDOW: i64 = 20_000;

/// What to look for. Empty fields take all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobSearch {
    /// Of this row of the policy.
    pub task: Option<String>,
    /// In, or ended in, this class.
    pub class: Option<String>,
    /// With this verdict.
    pub verdict: Option<String>,
    /// Of this agent.
    pub agent: Option<String>,
    /// In this repository.
    pub repo: Option<String>,
    /// Opened at this time or later.
    pub since_us: Option<i64>,
    /// With these words in a name, a revision or an id.
    pub words: Option<String>,
    /// Still open, or closed.
    pub state: JobPhase,
}

/// Whether a job goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JobPhase {
    /// Either.
    #[default]
    Any,
    /// Not closed.
    Open,
    /// Closed.
    Closed,
}

/// What comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JobOrder {
    /// The last one opened.
    #[default]
    Newest,
    /// The one with the highest listed price; unknown prices come last.
    Dearest,
    /// The one with the most requests.
    Busiest,
    /// The one that moved to another class most often.
    Escalated,
}

impl JobOrder {
    /// What is compared, as SQL; `None` where the place in the log is all.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::Newest => None,
            Self::Dearest => Some("COALESCE(listed_nano_usd, -1)"),
            Self::Busiest => Some("exchanges"),
            Self::Escalated => Some("escalations"),
        }
    }

    const fn value(self, row: &JobRow) -> i64 {
        match self {
            Self::Newest => 0,
            Self::Dearest => match row.money.listed_nano_usd {
                Some(listed) => listed,
                None => -1,
            },
            Self::Busiest => row.exchanges,
            Self::Escalated => row.escalations,
        }
    }
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCursor {
    /// The last row's value in the order asked for; 0 for the newest first.
    pub value: i64,
    /// The last row's place, or the place down to which was looked.
    pub seq: i64,
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPage {
    /// The jobs.
    pub rows: Vec<JobRow>,
    /// Where to go on, if there may be more.
    pub next: Option<JobCursor>,
    /// Whether older jobs were not looked at.
    pub is_cut: bool,
}

impl Ledger {
    /// A page of the jobs that fit.
    pub async fn find_jobs(
        &self,
        search: &JobSearch,
        order: JobOrder,
        after: Option<JobCursor>,
        limit: u32,
    ) -> Result<JobPage, LedgerError> {
        // A text with NUL is in no column, and PostgreSQL would refuse it.
        if search.has_nul() {
            return Ok(JobPage {
                rows: Vec::new(),
                next: None,
                is_cut: false,
            });
        }
        let before = match (order, after) {
            (JobOrder::Newest, Some(cursor)) => cursor.seq,
            _ => i64::MAX,
        };
        let oldest = self.oldest_of_window(before).await?;
        let since = match search.since_us {
            Some(at_us) => self.first_job_at(at_us).await?,
            None => 0,
        };
        let is_cut = oldest > since && oldest > self.first_seq().await?;
        let query = Query {
            search,
            order,
            after,
            before,
            floor: oldest.max(since),
        };
        let mut rows = self.run(&query, limit.saturating_add(1)).await?;
        let is_full = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match (rows.last(), is_full) {
            (Some(last), true) => Some(JobCursor {
                value: order.value(last),
                seq: last.seq,
            }),
            _ if is_cut && order == JobOrder::Newest => Some(JobCursor {
                value: 0,
                seq: oldest,
            }),
            _ => None,
        };
        Ok(JobPage {
            rows,
            next,
            is_cut: is_cut && !is_full,
        })
    }

    async fn run(&self, query: &Query<'_>, limit: u32) -> Result<Vec<JobRow>, LedgerError> {
        let failed = || self.0.store.failed("read");
        let (sql, arguments) = query.sql(limit).map_err(failed())?;
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        rows.iter().map(|row| job(row).map_err(failed())).collect()
    }

    /// The place of the oldest job that a page below `before` looks at.
    async fn oldest_of_window(&self, before: i64) -> Result<i64, LedgerError> {
        const SQL: &str = "SELECT MIN(seq) FROM
            (SELECT seq FROM jobs WHERE seq < $1 ORDER BY seq DESC LIMIT $2) AS newest";
        let oldest: Option<i64> = sqlx::query_scalar(SQL)
            .bind(before)
            .bind(WINDOW)
            .fetch_one(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        Ok(oldest.unwrap_or(0))
    }

    async fn first_seq(&self) -> Result<i64, LedgerError> {
        let first: Option<i64> = sqlx::query_scalar("SELECT MIN(seq) FROM jobs")
            .fetch_one(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        Ok(first.unwrap_or(0))
    }

    /// The place of the first job opened at a time or later, found by halving: places grow with time.
    pub(super) async fn first_job_at(&self, at_us: i64) -> Result<i64, LedgerError> {
        const SQL: &str = "SELECT seq, opened_us FROM jobs WHERE seq >= $1 ORDER BY seq LIMIT 1";
        let failed = || self.0.store.failed("read");
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(seq) FROM jobs")
            .fetch_one(&self.0.readers)
            .await
            .map_err(failed())?;
        let (mut low, mut high) = (0, last.unwrap_or(0).saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let found = sqlx::query(SQL)
                .bind(middle)
                .fetch_optional(&self.0.readers)
                .await
                .map_err(failed())?;
            let Some(row) = found else {
                high = middle;
                continue;
            };
            let (seq, opened): (i64, i64) = (
                row.try_get(0).map_err(failed())?,
                row.try_get(1).map_err(failed())?,
            );
            if opened >= at_us {
                high = middle;
            } else {
                low = seq + 1;
            }
        }
        Ok(low)
    }
}

impl JobSearch {
    fn texts(&self) -> [(&'static str, Option<&String>); 5] {
        [
            ("task", self.task.as_ref()),
            ("class", self.class.as_ref()),
            ("verdict", self.verdict.as_ref()),
            ("agent", self.agent.as_ref()),
            ("repo", self.repo.as_ref()),
        ]
    }

    fn has_nul(&self) -> bool {
        let words = self.words.iter();
        let mut texts = self.texts().into_iter().filter_map(|(_, text)| text);
        texts.any(|text| text.contains('\0')) || words.clone().any(|text| text.contains('\0'))
    }
}

struct Query<'a> {
    search: &'a JobSearch,
    order: JobOrder,
    after: Option<JobCursor>,
    before: i64,
    floor: i64,
}

/// Columns that are searched for words.
const WORDS_IN: &str = "LOWER(id || ' ' || COALESCE(task, '') || ' ' || COALESCE(class, '') || ' ' || \
    COALESCE(repo, '') || ' ' || COALESCE(agent, '') || ' ' || COALESCE(base, '') || ' ' || \
    COALESCE(session, '') || ' ' || COALESCE(receipt_digest, ''))";

impl Query<'_> {
    /// Names of columns are ours; values are bound.
    fn sql(&self, limit: u32) -> Result<(String, AnyArguments), sqlx::Error> {
        let mut bound = Bound::default();
        let mut conditions = vec![
            format!("seq < {}", bound.int(self.before)?),
            format!("seq >= {}", bound.int(self.floor)?),
        ];
        for (column, wanted) in self.search.texts() {
            if let Some(wanted) = wanted {
                conditions.push(format!("{column} = {}", bound.text(wanted.clone())?));
            }
        }
        if let Some(words) = &self.search.words {
            let pattern = bound.text(like(words))?;
            conditions.push(format!("{WORDS_IN} LIKE {pattern} ESCAPE '!'"));
        }
        match self.search.state {
            JobPhase::Any => {}
            JobPhase::Open => conditions.push("closed_us IS NULL".to_owned()),
            JobPhase::Closed => conditions.push("closed_us IS NOT NULL".to_owned()),
        }
        let order = match self.order.column() {
            None => "seq DESC".to_owned(),
            Some(column) => {
                if let Some(JobCursor { value, seq }) = self.after {
                    let (below, same) = (bound.int(value)?, bound.int(value)?);
                    let place = bound.int(seq)?;
                    conditions.push(format!(
                        "({column} < {below} OR ({column} = {same} AND seq < {place}))"
                    ));
                }
                format!("{column} DESC, seq DESC")
            }
        };
        let limit = bound.int(i64::from(limit))?;
        let conditions = conditions.join(" AND ");
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        );
        Ok((sql, bound.0))
    }
}

/// A pattern that finds the words as they are.
fn like(words: &str) -> String {
    let mut pattern = String::from("%");
    for character in words.trim().chars().flat_map(char::to_lowercase) {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Values of a statement with their numbers.
#[derive(Default)]
struct Bound(AnyArguments);

impl Bound {
    fn int(&mut self, value: i64) -> Result<String, sqlx::Error> {
        self.0.add(value).map_err(sqlx::Error::Encode)?;
        Ok(format!("${}", self.0.len()))
    }

    fn text(&mut self, value: String) -> Result<String, sqlx::Error> {
        self.0.add(value).map_err(sqlx::Error::Encode)?;
        Ok(format!("${}", self.0.len()))
    }
}
