//! One job or one exchange with its whole story, from the stored events.

use serde_json::value::RawValue;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::page::{ExchangeFilter, ExchangeRow, JobRow, Page};
use crate::error::LedgerError;
use crate::event::{Event, EventBody, ExchangeOpened, ExchangeSettled};
use crate::ledger::Ledger;

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its place: the first event has 0.
    pub seq: i64,
    /// The text as stored and hashed.
    pub text: String,
    /// What it says.
    pub event: Event,
}

/// A piece of work with everything that happened in it.
#[derive(Debug, Clone)]
pub struct JobDetail {
    /// The job in short.
    pub job: JobRow,
    /// Obligation, evidence, escalations, proofs, receipts and reviews, oldest first.
    pub story: Vec<StoredEvent>,
    /// Its requests, newest first, at most 1,000.
    pub exchanges: Vec<ExchangeRow>,
}

/// A request with its decision and its end.
#[derive(Debug, Clone)]
pub struct ExchangeDetail {
    /// The exchange in short.
    pub exchange: ExchangeRow,
    /// How it began.
    pub opened: Option<ExchangeOpened>,
    /// How it ended, once it has.
    pub settled: Option<ExchangeSettled>,
}

impl ExchangeDetail {
    /// The engine's decision as stored: the JSON of a `wayproof_engine::Decision`.
    pub fn decision(&self) -> Option<&str> {
        self.opened.as_ref()?.decision.as_deref().map(RawValue::get)
    }
}

/// A job's requests that are listed with it.
const JOB_EXCHANGES: u32 = 1_000;

/// Events of one page at most.
const MAX_EVENTS: u32 = 10_000;

impl Ledger {
    /// One piece of work.
    pub async fn job(&self, id: &str) -> Result<Option<JobDetail>, LedgerError> {
        const STORY: &str = "SELECT events.seq, events.body FROM milestones
            JOIN events ON events.seq = milestones.seq WHERE milestones.job = $1 ORDER BY milestones.seq";
        let Some(job) = self.job_row(id).await? else {
            return Ok(None);
        };
        let rows = sqlx::query(STORY)
            .bind(id.to_owned())
            .fetch_all(&self.0.readers)
            .await;
        let rows = rows.map_err(self.0.store.failed("read"))?;
        let story = rows
            .iter()
            .map(|row| self.stored(row))
            .collect::<Result<_, _>>()?;
        let filter = ExchangeFilter {
            job: Some(id.to_owned()),
            ..ExchangeFilter::default()
        };
        let exchanges = self
            .exchanges(
                &filter,
                Page {
                    limit: JOB_EXCHANGES,
                    before: None,
                },
            )
            .await?;
        Ok(Some(JobDetail {
            job,
            story,
            exchanges,
        }))
    }

    /// One piece of work without its story.
    pub async fn job_short(&self, id: &str) -> Result<Option<JobRow>, LedgerError> {
        self.job_row(id).await
    }

    /// One request.
    pub async fn exchange(&self, id: &str) -> Result<Option<ExchangeDetail>, LedgerError> {
        let Some(exchange) = self.exchange_row(id).await? else {
            return Ok(None);
        };
        let mut detail = ExchangeDetail {
            exchange,
            opened: None,
            settled: None,
        };
        let places = [Some(detail.exchange.seq), detail.exchange.settled_seq];
        for seq in places.into_iter().flatten() {
            match self.event_at(seq).await?.map(|stored| stored.event.body) {
                Some(EventBody::ExchangeOpened(opened)) => detail.opened = Some(*opened),
                Some(EventBody::ExchangeSettled(settled)) => detail.settled = Some(*settled),
                _ => {}
            }
        }
        Ok(Some(detail))
    }

    /// The event at a place of the log.
    pub async fn event_at(&self, seq: i64) -> Result<Option<StoredEvent>, LedgerError> {
        Ok(self
            .events(seq, 1)
            .await?
            .into_iter()
            .find(|stored| stored.seq == seq))
    }

    /// Events from a place of the log on, in their order; at most 10,000.
    pub async fn events(&self, from: i64, limit: u32) -> Result<Vec<StoredEvent>, LedgerError> {
        let rows =
            sqlx::query("SELECT seq, body FROM events WHERE seq >= $1 ORDER BY seq LIMIT $2")
                .bind(from)
                .bind(i64::from(limit.min(MAX_EVENTS)))
                .fetch_all(&self.0.readers)
                .await
                .map_err(self.0.store.failed("read"))?;
        rows.iter().map(|row| self.stored(row)).collect()
    }

    /// Events at these places of the log, in their order; places without one are left out.
    pub async fn events_at(&self, places: &[i64]) -> Result<Vec<StoredEvent>, LedgerError> {
        let places = places.get(..MAX_EVENTS as usize).unwrap_or(places);
        if places.is_empty() {
            return Ok(Vec::new());
        }
        // Numbers of our own, so they may stand in the text.
        let list: Vec<String> = places.iter().map(i64::to_string).collect();
        let sql = format!(
            "SELECT seq, body FROM events WHERE seq IN ({}) ORDER BY seq",
            list.join(", ")
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        rows.iter().map(|row| self.stored(row)).collect()
    }

    fn stored(&self, row: &AnyRow) -> Result<StoredEvent, LedgerError> {
        let seq = row.try_get(0).map_err(self.0.store.failed("read"))?;
        let text: String = row.try_get(1).map_err(self.0.store.failed("read"))?;
        let event = Event::parse(&text)?;
        Ok(StoredEvent { seq, text, event })
    }
}
