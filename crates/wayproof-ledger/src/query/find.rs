//! Pieces of work as a person looks for them: several conditions, an order, a page at a time.
//!
//! No page looks at more than the next [`WINDOW`] jobs in its order, whatever is asked for; where there are more it says
//! where to go on. So a page costs the same over a thousand jobs and over a million, and pages together leave none out.

use sqlx::any::AnyArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::page::{JOB_COLUMNS, JobRow, job};
use crate::error::LedgerError;
use crate::ledger::Ledger;

/// Jobs that one page looks at, at most: more than a million events have.
pub const WINDOW: u32 = 50_000;

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
    /// What is compared before the place in the log, as SQL; there is an index of each.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::Newest => None,
            Self::Dearest => Some("COALESCE(listed_nano_usd, -1)"),
            Self::Busiest => Some("exchanges"),
            Self::Escalated => Some("escalations"),
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Newest => "seq DESC",
            Self::Dearest => "COALESCE(listed_nano_usd, -1) DESC, seq DESC",
            Self::Busiest => "exchanges DESC, seq DESC",
            Self::Escalated => "escalations DESC, seq DESC",
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
    /// Whether it ends before it is full, because enough was looked at.
    pub is_cut: bool,
}

/// How much of the jobs that fit is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSpan {
    /// Where the page before ended.
    pub after: Option<JobCursor>,
    /// Rows at most.
    pub limit: u32,
    /// Jobs that are looked at, at most.
    pub window: u32,
}

impl JobSpan {
    /// So many rows from a place on.
    pub const fn new(after: Option<JobCursor>, limit: u32) -> Self {
        Self {
            after,
            limit,
            window: WINDOW,
        }
    }
}

impl Ledger {
    /// A page of the jobs that fit.
    pub async fn find_jobs(
        &self,
        search: &JobSearch,
        order: JobOrder,
        span: JobSpan,
    ) -> Result<JobPage, LedgerError> {
        // A text with NUL is in no column, and PostgreSQL would refuse it.
        if search.has_nul() {
            return Ok(JobPage {
                rows: Vec::new(),
                next: None,
                is_cut: false,
            });
        }
        let floor = match search.since_us {
            Some(at_us) => self.first_job_at(at_us).await?,
            None => 0,
        };
        let query = Query {
            search,
            order,
            span,
            floor,
        };
        let mut rows = self.run(&query).await?;
        let limit = span.limit as usize;
        if rows.len() > limit {
            rows.truncate(limit);
            let next = rows.last().map(|last| JobCursor {
                value: order.value(last),
                seq: last.seq,
            });
            return Ok(JobPage {
                rows,
                next,
                is_cut: false,
            });
        }
        let next = self.edge(&query).await?;
        Ok(JobPage {
            rows,
            is_cut: next.is_some(),
            next,
        })
    }

    async fn run(&self, query: &Query<'_>) -> Result<Vec<JobRow>, LedgerError> {
        let failed = || self.0.store.failed("read");
        let (sql, arguments) = query.sql().map_err(failed())?;
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        rows.iter().map(|row| job(row).map_err(failed())).collect()
    }

    /// The last job that a page looks at, if there are more behind it.
    async fn edge(&self, query: &Query<'_>) -> Result<Option<JobCursor>, LedgerError> {
        let failed = || self.0.store.failed("read");
        let (sql, arguments) = query.edge().map_err(failed())?;
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let [last, _] = rows.as_slice() else {
            return Ok(None);
        };
        let read = || {
            Ok(JobCursor {
                value: last.try_get(0)?,
                seq: last.try_get(1)?,
            })
        };
        read().map(Some).map_err(failed())
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
    span: JobSpan,
    /// The first place that fits the time.
    floor: i64,
}

/// Columns that are searched for words.
const WORDS_IN: &str = "LOWER(id || ' ' || COALESCE(task, '') || ' ' || COALESCE(class, '') || ' ' || \
    COALESCE(repo, '') || ' ' || COALESCE(agent, '') || ' ' || COALESCE(base, '') || ' ' || \
    COALESCE(session, '') || ' ' || COALESCE(receipt_digest, ''))";

impl Query<'_> {
    /// The jobs a page looks at, as conditions: below its cursor, in its order.
    fn looked_at(&self, bound: &mut Bound) -> Result<String, sqlx::Error> {
        let mut conditions = vec![format!("seq >= {}", bound.int(self.floor)?)];
        if let Some(JobCursor { value, seq }) = self.span.after {
            conditions.push(match self.order.column() {
                None => format!("seq < {}", bound.int(seq)?),
                Some(column) => {
                    let (value, seq) = (bound.int(value)?, bound.int(seq)?);
                    format!("({column}, seq) < ({value}, {seq})")
                }
            });
        }
        Ok(conditions.join(" AND "))
    }

    /// Names of columns are ours; values are bound.
    fn sql(&self) -> Result<(String, AnyArguments), sqlx::Error> {
        let mut bound = Bound::default();
        let looked_at = self.looked_at(&mut bound)?;
        let window = bound.int(i64::from(self.span.window))?;
        let mut conditions = vec!["1 = 1".to_owned()];
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
        let limit = bound.int(i64::from(self.span.limit) + 1)?;
        let (conditions, order) = (conditions.join(" AND "), self.order.sql());
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM (SELECT * FROM jobs WHERE {looked_at} ORDER BY {order} LIMIT {window}) AS looked
            WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        );
        Ok((sql, bound.0))
    }

    /// The last job that is looked at, and the next one behind it.
    fn edge(&self) -> Result<(String, AnyArguments), sqlx::Error> {
        let mut bound = Bound::default();
        let looked_at = self.looked_at(&mut bound)?;
        let skipped = bound.int(i64::from(self.span.window.saturating_sub(1)))?;
        let (value, order) = (self.order.column().unwrap_or("0"), self.order.sql());
        let sql = format!(
            "SELECT CAST({value} AS BIGINT), seq FROM jobs WHERE {looked_at}
            ORDER BY {order} LIMIT 2 OFFSET {skipped}"
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
