//! A run of consecutive events, read as one value and then hashed and parsed.
//!
//! Fetching a million rows one by one costs more than everything that is done with them, so the database joins the
//! texts of a run. The separator cannot be part of JSON, and a text that has it nevertheless does not fit its hash.

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use wayproof_receipt::log::{Hash, leaf_hash};

use super::{Problem, Stop};
use crate::event::Event;
use crate::fold::read_event;
use crate::forgotten::Replaced;
use crate::store::Store;

/// Events of one chunk; a multiple of a tile's width.
pub(super) const CHUNK: i64 = 1024;

/// What stands between joined texts: a control character, which JSON has only escaped.
pub(super) const SEPARATOR: char = '\u{1e}';

/// Texts of consecutive events.
pub(super) struct Texts {
    first: i64,
    count: usize,
    joined: String,
}

impl Texts {
    /// Reads events from `first` on, as far as they follow each other without a gap.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        first: i64,
        end: i64,
        store: &Store,
    ) -> Result<Self, Stop> {
        let until = end.min(first.saturating_add(CHUNK));
        let wanted = usize::try_from(until - first).unwrap_or(0);
        let texts = Self::join(connection, (first, until), store).await?;
        if texts.count == wanted {
            return Ok(texts);
        }
        let until = first_gap(connection, (first, until), store).await?;
        Self::join(connection, (first, until), store).await
    }

    async fn join(
        connection: &mut AnyConnection,
        (first, until): (i64, i64),
        store: &Store,
    ) -> Result<Self, Stop> {
        let sql = format!(
            "SELECT COUNT(*), {}, string_agg(body, '{SEPARATOR}') FROM
            (SELECT body FROM events WHERE seq >= $1 AND seq < $2 ORDER BY seq) AS run",
            store.count_of_no_texts(&["body"])
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(first)
            .bind(until)
            .fetch_one(&mut *connection)
            .await
            .map_err(store.failed("read"))?;
        let count: i64 = row.try_get(0).map_err(store.failed("read"))?;
        let no_texts: i64 = row.try_get(1).map_err(store.failed("read"))?;
        match row.try_get::<Option<String>, _>(2) {
            Ok(joined) if no_texts == 0 => Ok(Self {
                first,
                count: usize::try_from(count).unwrap_or(0),
                joined: joined.unwrap_or_default(),
            }),
            _ => Err(no_text(connection, (first, until), store).await.into()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.count).unwrap_or(i64::MAX)
    }
}

/// The first place of a run without an event.
async fn first_gap(
    connection: &mut AnyConnection,
    (first, until): (i64, i64),
    store: &Store,
) -> Result<i64, Stop> {
    let there: Vec<i64> =
        sqlx::query_scalar("SELECT seq FROM events WHERE seq >= $1 AND seq < $2 ORDER BY seq")
            .bind(first)
            .bind(until)
            .fetch_all(connection)
            .await
            .map_err(store.failed("read"))?;
    let follows = |(seq, expected): &(&i64, i64)| *seq == expected;
    let whole = there.iter().zip(first..).take_while(follows).count();
    Ok(first + i64::try_from(whole).unwrap_or(0))
}

/// Names the event of a run that cannot be read as text.
async fn no_text(
    connection: &mut AnyConnection,
    (first, until): (i64, i64),
    store: &Store,
) -> Problem {
    for seq in first..until {
        let sql = format!(
            "SELECT {}, MAX(body) FROM events WHERE seq = $1",
            store.count_of_no_texts(&["body"])
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(seq)
            .fetch_one(&mut *connection)
            .await;
        let is_text = row.is_ok_and(|row| {
            matches!(row.try_get(0), Ok(0_i64)) && row.try_get::<Option<String>, _>(1).is_ok()
        });
        if !is_text {
            return Problem::at(seq, None, "cannot be read as text");
        }
    }
    Problem::new(format!(
        "the events between {first} and {} cannot be read as text",
        until - 1
    ))
}

/// What the checks need of a chunk.
pub(super) struct Digested {
    pub(super) first: i64,
    pub(super) leaves: Vec<Hash>,
    pub(super) events: Vec<Option<Event>>,
}

impl Texts {
    /// The places whose text stands for a forgotten one; their hash is the one that the tree has.
    pub(super) fn replaced(&self, replaced: &Replaced) -> Vec<i64> {
        let texts = self.joined.split(SEPARATOR).take(self.count);
        let places = (self.first..).zip(texts);
        places
            .filter(|(seq, text)| replaced.is_replaced(*seq, text))
            .map(|(seq, _)| seq)
            .collect()
    }
}

impl Digested {
    /// Hashes and parses; the expensive part, done away from the reader.
    pub(super) fn new(texts: &Texts) -> Self {
        let mut leaves = Vec::with_capacity(texts.count);
        let mut events = Vec::with_capacity(texts.count);
        for text in texts.joined.split(SEPARATOR).take(texts.count) {
            leaves.push(leaf_hash(text.as_bytes()));
            events.push(read_event(text));
        }
        Self {
            first: texts.first,
            leaves,
            events,
        }
    }

    /// The same, with the hashes of the tree where a text stands for a forgotten one.
    pub(super) fn with_leaves(mut self, replaced: &[i64], leaves: &[Hash]) -> Self {
        for seq in replaced {
            let at = usize::try_from(seq - self.first).unwrap_or(usize::MAX);
            if let (Some(own), Some(leaf)) = (self.leaves.get_mut(at), leaves.get(at)) {
                *own = *leaf;
            }
        }
        self
    }

    /// Leaves whose events were pruned: their hashes are all there is.
    pub(super) fn pruned(first: i64, leaves: Vec<Hash>) -> Self {
        Self {
            first,
            leaves,
            events: Vec::new(),
        }
    }

    /// The place after the last one.
    pub(super) fn end(&self) -> i64 {
        self.first + i64::try_from(self.leaves.len()).unwrap_or(0)
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
