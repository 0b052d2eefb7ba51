//! Bodies of requests and answers kept beside the log, compressed, under a digest that an event names.
//!
//! Each has a random part, so that the digest in the log cannot be used to guess a body that was forgotten.

mod retention;

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use wayproof_engine::Capture;

pub use self::retention::{Outlived, Retention};

use crate::error::LedgerError;
use crate::event::EventBody;
use crate::fold::read_event;
use crate::ledger::{About, Ledger};
use crate::privacy_event::ContentCaptured;
use crate::query::ExchangeRow;

/// How well bodies are packed: they are text that repeats itself.
const LEVEL: i32 = 6;

/// The most bytes a body may unpack to.
const MOST_BYTES: u64 = 256 << 20;

/// An exchange without a job has its bodies written down within so many events of its beginning.
const NEAR: i64 = 100_000;

/// A body on its way into the ledger.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// `request` or `answer`.
    pub part: &'static str,
    /// How it was prepared.
    pub capture: Capture,
    /// What to keep.
    pub bytes: Vec<u8>,
    /// The length it had.
    pub length: u64,
    /// Whether only its beginning is kept.
    pub is_cut: bool,
    /// The person whose key it came with, else the key's name.
    pub holder: Option<String>,
}

/// A body that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// What the log says of it.
    pub told: ContentCaptured,
    /// The body; `None` once it was forgotten.
    pub body: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    v: u32,
    salt: Uuid,
    zstd: String,
}

impl Ledger {
    /// Keeps a body, and says so in the log.
    pub async fn capture(&self, about: About, body: Body) -> Result<(), LedgerError> {
        let unwritable =
            |error: &dyn std::fmt::Display| LedgerError::Inconsistent(error.to_string());
        let packed = zstd::encode_all(body.bytes.as_slice(), LEVEL);
        let kept = Kept {
            v: 1,
            salt: Uuid::now_v7(),
            zstd: STANDARD.encode(packed.map_err(|error| unwritable(&error))?),
        };
        let text = serde_json::to_string(&kept).map_err(|error| unwritable(&error))?;
        let content_digest = self.keep(&text).await?;
        let told = EventBody::ContentCaptured(ContentCaptured {
            part: body.part.to_owned(),
            capture: body.capture,
            content_digest,
            bytes: body.length,
            is_cut: body.is_cut,
            holder: body.holder,
        });
        let noted = self.note(&self.event(about, told));
        noted.map_err(|error| unwritable(&error))
    }

    /// What was kept of an exchange.
    pub async fn captured(&self, exchange: &str) -> Result<Vec<Captured>, LedgerError> {
        const SQL: &str =
            "SELECT events.body FROM milestones JOIN events ON events.seq = milestones.seq
            WHERE milestones.kind = 'content-captured' AND milestones.seq >=
                COALESCE((SELECT MIN(seq) FROM exchanges WHERE id = $1), 0) AND events.body LIKE $2
            ORDER BY milestones.seq LIMIT 16";
        let failed = || self.0.store.failed("read");
        // Ids of exchanges are ours: letters, digits and dashes.
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !exchange.bytes().all(is_id) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(SQL)
            .bind(exchange.to_owned())
            .bind(format!("%\"exchange\":\"{exchange}\"%"))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        self.bodies(&rows, MOST_BYTES).await
    }

    /// What was kept of an exchange, of each body at most so many bytes. It looks near the exchange only, so that it
    /// costs the same in a large ledger.
    pub async fn captured_of(
        &self,
        exchange: &ExchangeRow,
        most_bytes: u64,
    ) -> Result<Vec<Captured>, LedgerError> {
        const OF_A_JOB: &str =
            "SELECT events.body FROM milestones JOIN events ON events.seq = milestones.seq
            WHERE milestones.job = $1 AND milestones.kind = 'content-captured' AND milestones.seq >= $2
                AND events.body LIKE $3 ORDER BY milestones.seq LIMIT 16";
        const OF_NONE: &str =
            "SELECT events.body FROM milestones JOIN events ON events.seq = milestones.seq
            WHERE milestones.seq < $1 AND milestones.kind = 'content-captured' AND milestones.seq >= $2
                AND events.body LIKE $3 ORDER BY milestones.seq LIMIT 16";
        let query = match &exchange.job {
            Some(job) => sqlx::query(OF_A_JOB).bind(job.clone()),
            None => sqlx::query(OF_NONE).bind(exchange.seq.saturating_add(NEAR)),
        };
        let rows = query
            .bind(exchange.seq)
            .bind(format!("%\"exchange\":\"{}\"%", exchange.id))
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        self.bodies(&rows, most_bytes).await
    }

    async fn bodies(&self, rows: &[AnyRow], most_bytes: u64) -> Result<Vec<Captured>, LedgerError> {
        let mut found = Vec::new();
        for row in rows {
            let text: String = row.try_get(0).map_err(self.0.store.failed("read"))?;
            let Some(event) = read_event(&text) else {
                continue;
            };
            if let EventBody::ContentCaptured(told) = event.body {
                let body = match self.kept(&told.content_digest).await? {
                    Some(text) => Some(unpack(&text, most_bytes)?),
                    None => None,
                };
                found.push(Captured { told, body });
            }
        }
        Ok(found)
    }
}

/// The body, or so many bytes of its beginning.
fn unpack(text: &str, most_bytes: u64) -> Result<Vec<u8>, LedgerError> {
    let broken = |error: &dyn std::fmt::Display| {
        LedgerError::Inconsistent(format!("a captured body cannot be read: {error}"))
    };
    let kept: Kept = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let packed = STANDARD.decode(kept.zstd).map_err(|error| broken(&error))?;
    let unpacked = zstd::stream::read::Decoder::new(packed.as_slice());
    let mut body = Vec::new();
    unpacked
        .and_then(|unpacked| unpacked.take(most_bytes).read_to_end(&mut body))
        .map_err(|error| broken(&error))?;
    Ok(body)
}
