//! Pages: newest first, a filter, a limit and where to go on.
//!
//! A page costs what it shows, not what the ledger holds: every filter is served by an index or by the row's number.

use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Arguments, AssertSqlSafe, Row as _};

use crate::error::LedgerError;
use crate::ledger::Ledger;

/// Sums of the three kinds of money. Unknown parts are counted, not guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// What price lists say, over the exchanges with a known price.
    pub listed_nano_usd: Option<i64>,
    /// Exchanges whose listed price is unknown.
    pub listed_unknown: i64,
    /// What providers said they charged.
    pub billed_nano_usd: Option<i64>,
    /// What price lists say of the part that callers' own subscriptions paid for.
    pub subscription_nano_usd: Option<i64>,
}

impl Money {
    /// What of the listed money somebody pays for by use: budgets draw on this.
    #[must_use]
    pub fn by_use_nano_usd(&self) -> Option<i64> {
        let by_plan = self.subscription_nano_usd.unwrap_or(0);
        Some(self.listed_nano_usd?.saturating_sub(by_plan))
    }

    /// Adds each kind to its own; the sum of what is unknown on both sides stays unknown.
    pub fn add(&mut self, part: &Self) {
        add(&mut self.listed_nano_usd, part.listed_nano_usd);
        add(&mut self.billed_nano_usd, part.billed_nano_usd);
        add(&mut self.subscription_nano_usd, part.subscription_nano_usd);
        self.listed_unknown = self.listed_unknown.saturating_add(part.listed_unknown);
    }
}

/// Adds what is known to what is known.
pub(super) fn add(sum: &mut Option<i64>, part: Option<i64>) {
    if let Some(part) = part {
        *sum = Some(sum.unwrap_or(0).saturating_add(part));
    }
}

/// An agent's conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// Place of its first event; a page goes on `before` it.
    pub seq: i64,
    /// Its identifier.
    pub id: String,
    /// The coding harness.
    pub agent: Option<String>,
    /// Its version.
    pub agent_version: Option<String>,
    /// The conversation that started it.
    pub parent: Option<String>,
    /// Where the agent works.
    pub cwd: Option<String>,
    /// The repository.
    pub repo: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// When it was first seen.
    pub started_us: i64,
    /// When it was last seen.
    pub last_us: i64,
    /// Requests opened.
    pub exchanges: i64,
    /// Requests settled.
    pub settled: i64,
    /// What it cost.
    pub money: Money,
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobRow {
    /// Place of its first event; a page goes on `before` it.
    pub seq: i64,
    /// Its identifier.
    pub id: String,
    /// The conversation it belongs to.
    pub session: Option<String>,
    /// The policy's row.
    pub task: Option<String>,
    /// The class it is in, or ended in.
    pub class: Option<String>,
    /// The repository.
    pub repo: Option<String>,
    /// The commit it started from.
    pub base: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// When it was opened.
    pub opened_us: i64,
    /// When something last happened.
    pub last_us: i64,
    /// When it was closed.
    pub closed_us: Option<i64>,
    /// The last verdict.
    pub verdict: Option<String>,
    /// The last receipt.
    pub receipt_digest: Option<String>,
    /// How often it moved to another class.
    pub escalations: i64,
    /// How many proofs ran.
    pub proofs: i64,
    /// Requests opened.
    pub exchanges: i64,
    /// Requests settled.
    pub settled: i64,
    /// What it cost.
    pub money: Money,
}

/// A client request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeRow {
    /// Place of its opening event; a page goes on `before` it.
    pub seq: i64,
    /// Its identifier.
    pub id: String,
    /// The conversation it belongs to.
    pub session: Option<String>,
    /// The piece of work it belongs to.
    pub job: Option<String>,
    /// The client's dialect.
    pub protocol: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The policy's row.
    pub task: Option<String>,
    /// The class.
    pub class: Option<String>,
    /// The model asked for.
    pub requested_model: Option<String>,
    /// The provider that answered, or is being asked.
    pub provider: Option<String>,
    /// The model that answered, or is being asked.
    pub model: Option<String>,
    /// When it was opened.
    pub opened_us: i64,
    /// Place of its settling event.
    pub settled_seq: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// The status the client got.
    pub status: Option<i64>,
    /// Upstream tries.
    pub attempts: Option<i64>,
    /// How long it took.
    pub total_us: Option<i64>,
    /// Tokens by bucket: fresh input, cache read, cache written, output, reasoning.
    pub tokens: [Option<i64>; 5],
    /// The listed price.
    pub listed_nano_usd: Option<i64>,
    /// What the provider charged.
    pub billed_nano_usd: Option<i64>,
    /// The listed price again, where the caller's own subscription paid for it.
    pub subscription_nano_usd: Option<i64>,
    /// The person whose key was shown.
    pub person: Option<String>,
    /// Their teams.
    pub team: Option<String>,
    /// The key's name.
    pub key_name: Option<String>,
}

/// How much to show and where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows at most.
    pub limit: u32,
    /// Only rows whose `seq` is smaller.
    pub before: Option<i64>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: 50,
            before: None,
        }
    }
}

/// Which jobs. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this conversation.
    pub session: Option<String>,
    /// Of this row of the policy.
    pub task: Option<String>,
    /// With this verdict.
    pub verdict: Option<String>,
    /// Opened by the key with this digest.
    pub key_digest: Option<String>,
}

/// Which exchanges. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeFilter {
    /// Of this conversation.
    pub session: Option<String>,
    /// Of this job.
    pub job: Option<String>,
    /// Of this row of the policy.
    pub task: Option<String>,
    /// Answered by this model.
    pub model: Option<String>,
    /// Ended this way.
    pub outcome: Option<String>,
}

const SESSION_COLUMNS: &str =
    "seq, id, agent, agent_version, parent, cwd, repo, branch, started_us, last_us,
    exchanges, settled, listed_nano_usd, listed_unknown, billed_nano_usd, subscription_nano_usd";

pub(super) const JOB_COLUMNS: &str = "seq, id, session, task, class, repo, base, agent, opened_us, last_us, closed_us, verdict,
    receipt_digest, escalations, proofs, exchanges, settled, listed_nano_usd, listed_unknown, billed_nano_usd,
    subscription_nano_usd";

const EXCHANGE_COLUMNS: &str = "seq, id, session, job, protocol, agent, task, class, requested_model, provider, model,
    opened_us, settled_seq, outcome, status, attempts, total_us, input, cache_read, cache_write, output, reasoning,
    listed_nano_usd, billed_nano_usd, subscription_nano_usd, person, team, key_name";

impl Ledger {
    /// Conversations, newest first.
    pub async fn sessions(&self, page: Page) -> Result<Vec<SessionRow>, LedgerError> {
        let rows = self.page("sessions", SESSION_COLUMNS, &[], page).await?;
        rows.iter()
            .map(|row| session(row).map_err(self.0.store.failed("read")))
            .collect()
    }

    /// Pieces of work, newest first.
    pub async fn jobs(&self, filter: &JobFilter, page: Page) -> Result<Vec<JobRow>, LedgerError> {
        let wanted = [
            ("session", &filter.session),
            ("task", &filter.task),
            ("verdict", &filter.verdict),
            ("key_digest", &filter.key_digest),
        ];
        let rows = self.page("jobs", JOB_COLUMNS, &wanted, page).await?;
        rows.iter()
            .map(|row| job(row).map_err(self.0.store.failed("read")))
            .collect()
    }

    /// Client requests, newest first.
    pub async fn exchanges(
        &self,
        filter: &ExchangeFilter,
        page: Page,
    ) -> Result<Vec<ExchangeRow>, LedgerError> {
        let wanted = [
            ("session", &filter.session),
            ("job", &filter.job),
            ("task", &filter.task),
            ("model", &filter.model),
            ("outcome", &filter.outcome),
        ];
        let rows = self
            .page("exchanges", EXCHANGE_COLUMNS, &wanted, page)
            .await?;
        rows.iter()
            .map(|row| exchange(row).map_err(self.0.store.failed("read")))
            .collect()
    }

    /// One conversation.
    pub async fn session(&self, id: &str) -> Result<Option<SessionRow>, LedgerError> {
        let row = self.by_id("sessions", SESSION_COLUMNS, id).await?;
        row.map(|row| session(&row).map_err(self.0.store.failed("read")))
            .transpose()
    }

    pub(super) async fn job_row(&self, id: &str) -> Result<Option<JobRow>, LedgerError> {
        let row = self.by_id("jobs", JOB_COLUMNS, id).await?;
        row.map(|row| job(&row).map_err(self.0.store.failed("read")))
            .transpose()
    }

    pub(super) async fn exchange_row(&self, id: &str) -> Result<Option<ExchangeRow>, LedgerError> {
        let row = self.by_id("exchanges", EXCHANGE_COLUMNS, id).await?;
        row.map(|row| exchange(&row).map_err(self.0.store.failed("read")))
            .transpose()
    }

    async fn by_id(
        &self,
        table: &str,
        columns: &str,
        id: &str,
    ) -> Result<Option<AnyRow>, LedgerError> {
        let sql = format!("SELECT {columns} FROM {table} WHERE id = $1");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(id.to_owned());
        query
            .fetch_optional(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))
    }

    /// Column and table names are ours; values are bound.
    async fn page(
        &self,
        table: &str,
        columns: &str,
        wanted: &[(&str, &Option<String>)],
        page: Page,
    ) -> Result<Vec<AnyRow>, LedgerError> {
        let failed = self.0.store.failed("read");
        let mut arguments = AnyArguments::default();
        let mut conditions = Vec::new();
        let mut outcome = Ok(());
        for (column, value) in wanted {
            if let Some(value) = value {
                outcome = outcome.and(arguments.add(value.clone()));
                conditions.push(format!("{column} = ${}", arguments.len()));
            }
        }
        if let Some(before) = page.before {
            outcome = outcome.and(arguments.add(before));
            conditions.push(format!("seq < ${}", arguments.len()));
        }
        outcome = outcome.and(arguments.add(i64::from(page.limit)));
        let limit = arguments.len();
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let sql =
            format!("SELECT {columns} FROM {table} {filter} ORDER BY seq DESC LIMIT ${limit}");
        let rows = match outcome {
            Ok(()) => {
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&self.0.readers)
                    .await
            }
            Err(error) => Err(sqlx::Error::Encode(error)),
        };
        rows.map_err(failed)
    }
}

fn session(row: &AnyRow) -> Result<SessionRow, sqlx::Error> {
    Ok(SessionRow {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        agent: row.try_get(2)?,
        agent_version: row.try_get(3)?,
        parent: row.try_get(4)?,
        cwd: row.try_get(5)?,
        repo: row.try_get(6)?,
        branch: row.try_get(7)?,
        started_us: row.try_get(8)?,
        last_us: row.try_get(9)?,
        exchanges: row.try_get(10)?,
        settled: row.try_get(11)?,
        money: money(row, 12)?,
    })
}

pub(super) fn job(row: &AnyRow) -> Result<JobRow, sqlx::Error> {
    Ok(JobRow {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        session: row.try_get(2)?,
        task: row.try_get(3)?,
        class: row.try_get(4)?,
        repo: row.try_get(5)?,
        base: row.try_get(6)?,
        agent: row.try_get(7)?,
        opened_us: row.try_get(8)?,
        last_us: row.try_get(9)?,
        closed_us: row.try_get(10)?,
        verdict: row.try_get(11)?,
        receipt_digest: row.try_get(12)?,
        escalations: row.try_get(13)?,
        proofs: row.try_get(14)?,
        exchanges: row.try_get(15)?,
        settled: row.try_get(16)?,
        money: money(row, 17)?,
    })
}

fn exchange(row: &AnyRow) -> Result<ExchangeRow, sqlx::Error> {
    Ok(ExchangeRow {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        session: row.try_get(2)?,
        job: row.try_get(3)?,
        protocol: row.try_get(4)?,
        agent: row.try_get(5)?,
        task: row.try_get(6)?,
        class: row.try_get(7)?,
        requested_model: row.try_get(8)?,
        provider: row.try_get(9)?,
        model: row.try_get(10)?,
        opened_us: row.try_get(11)?,
        settled_seq: row.try_get(12)?,
        outcome: row.try_get(13)?,
        status: row.try_get(14)?,
        attempts: row.try_get(15)?,
        total_us: row.try_get(16)?,
        tokens: [
            row.try_get(17)?,
            row.try_get(18)?,
            row.try_get(19)?,
            row.try_get(20)?,
            row.try_get(21)?,
        ],
        listed_nano_usd: row.try_get(22)?,
        billed_nano_usd: row.try_get(23)?,
        subscription_nano_usd: row.try_get(24)?,
        person: row.try_get(25)?,
        team: row.try_get(26)?,
        key_name: row.try_get(27)?,
    })
}

/// Four columns of sums, from `at` on.
pub(super) fn money(row: &AnyRow, at: usize) -> Result<Money, sqlx::Error> {
    Ok(Money {
        listed_nano_usd: row.try_get(at)?,
        listed_unknown: row.try_get(at + 1)?,
        billed_nano_usd: row.try_get(at + 2)?,
        subscription_nano_usd: row.try_get(at + 3)?,
    })
}
