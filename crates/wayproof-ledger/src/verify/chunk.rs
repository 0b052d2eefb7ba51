//! A run of consecutive events, read and then hashed and parsed.

use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::log::{Hash, leaf_hash};

use crate::error::LedgerError;
use crate::event::Event;
use crate::fold::read_event;
use crate::store::Store;

/// Events of one chunk; a multiple of a tile's width.
const CHUNK: i64 = 4096;

/// Texts of consecutive events.
pub(super) struct Texts {
    first: i64,
    texts: Vec<String>,
}

impl Texts {
    /// Reads events from `first` on, as far as they follow each other without a gap.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        first: i64,
        end: i64,
        store: &Store,
    ) -> Result<Self, LedgerError> {
        let rows = sqlx::query(
            "SELECT seq, body FROM events WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
        )
        .bind(first)
        .bind(end)
        .bind(CHUNK)
        .fetch_all(connection)
        .await
        .map_err(store.failed("read"))?;
        let mut texts = Vec::with_capacity(rows.len());
        for (row, expected) in rows.iter().zip(first..) {
            let seq: i64 = row.try_get(0).map_err(store.failed("read"))?;
            if seq != expected {
                break;
            }
            texts.push(row.try_get(1).map_err(store.failed("read"))?);
        }
        Ok(Self { first, texts })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.texts.len()).unwrap_or(i64::MAX)
    }
}

/// What the checks need of a chunk.
pub(super) struct Digested {
    pub(super) first: i64,
    pub(super) leaves: Vec<Hash>,
    pub(super) events: Vec<Option<Event>>,
}

impl Digested {
    /// Hashes and parses; the expensive part, done away from the reader.
    pub(super) fn new(texts: &Texts) -> Self {
        let leaves = texts
            .texts
            .iter()
            .map(|text| leaf_hash(text.as_bytes()))
            .collect();
        let events = texts.texts.iter().map(|text| read_event(text)).collect();
        Self {
            first: texts.first,
            leaves,
            events,
        }
    }

    /// The identifier of an event of the chunk, where it can be read.
    pub(super) fn id(&self, seq: i64) -> Option<String> {
        let index = usize::try_from(seq - self.first).ok()?;
        self.events
            .get(index)?
            .as_ref()
            .map(|event| event.id.to_string())
    }
}
