//! The tree recomputed: leaf hashes against tiles, roots against checkpoints.

use sqlx::{AnyConnection, Row as _};
use wayproof_receipt::log::{Checkpoint, Frontier, Hash, Note, NoteKey, TILE_WIDTH};

use super::chunk::Digested;
use super::{Problem, Stop, short};
use crate::error::LedgerError;
use crate::log_row::Log;
use crate::store::Store;
use crate::tile::{self, Tiles};

/// Checks the tree while it grows.
pub(super) struct Tree {
    frontier: Frontier,
    /// Hashes above the leaves, which the higher tiles must hold.
    above: Tiles,
    log_key: Option<NoteKey>,
    checkpoints: u64,
    last_checkpoint: u64,
}

impl Tree {
    pub(super) fn new(log_key: Option<NoteKey>) -> Self {
        Self {
            frontier: Frontier::new(),
            above: Tiles::new(),
            log_key,
            checkpoints: 0,
            last_checkpoint: 0,
        }
    }

    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(super) fn checkpoints(&self) -> u64 {
        self.checkpoints
    }

    /// Checks one chunk against its tiles and the checkpoints that end in it.
    pub(super) fn check_chunk(&mut self, chunk: &Digested, beside: &Beside) -> Result<(), Problem> {
        check_leaves(chunk, &beside.leaves)?;
        let mut notes = beside.notes.iter().peekable();
        for leaf in &chunk.leaves {
            let above = &mut self.above;
            self.frontier.append_with(*leaf, |node, hash| {
                if let Some((level @ 1.., index)) = tile::place_of(node) {
                    above.entry((level, index)).or_default().push(*hash);
                }
            });
            while let Some((size, note)) = notes.next_if(|(size, _)| *size == self.frontier.size())
            {
                self.check_note(*size, note)?;
            }
        }
        Ok(())
    }

    /// The log's row tells its size and its newest checkpoint a second time.
    fn check_log(&self, log: &Log) -> Result<(), Problem> {
        let is_size = u64::try_from(log.stored_size) == Ok(log.frontier.size());
        let is_signed = u64::try_from(log.checkpoint_size) == Ok(self.last_checkpoint);
        if is_size && is_signed {
            return Ok(());
        }
        Err(Problem::new(
            "the log's row contradicts its tree or its checkpoints",
        ))
    }

    fn check_note(&mut self, size: u64, text: &str) -> Result<(), Problem> {
        let broken =
            |why: String| Problem::new(format!("the checkpoint at {size} events is broken: {why}"));
        let checkpoint = if let Some(key) = &self.log_key {
            Checkpoint::open(text, key).map_err(|error| broken(chain(&error)))?
        } else {
            let note = Note::parse(text).map_err(|error| broken(error.to_string()))?;
            Checkpoint::parse(note.text()).map_err(|error| broken(error.to_string()))?
        };
        if checkpoint.size != size {
            return Err(broken(format!("it says {} events", checkpoint.size)));
        }
        let root = self.frontier.root();
        if checkpoint.root != root {
            return Err(self.between(size, &checkpoint.root, &root));
        }
        self.checkpoints += 1;
        self.last_checkpoint = size;
        Ok(())
    }

    /// Events and tiles agree with each other but not with what was signed: all that is known is where.
    fn between(&self, size: u64, signed: &Hash, found: &Hash) -> Problem {
        let first = self.last_checkpoint;
        let what = format!(
            "an event between {first} and {} was changed together with its tile: the checkpoint signed {}…, the events give {}…",
            size.saturating_sub(1),
            short(signed),
            short(found)
        );
        Problem {
            what,
            seq: i64::try_from(first).ok(),
            id: None,
        }
    }

    /// Checks what is only known at the end: the higher tiles, the log's row and checkpoints beyond the log.
    pub(super) async fn finish(
        &self,
        connection: &mut AnyConnection,
        log: &Log,
        store: &Store,
    ) -> Result<(), Stop> {
        if self.frontier != log.frontier {
            return Err(Problem::new("the log's stored frontier is not that of its events").into());
        }
        self.check_log(log)?;
        check_places(connection, log, store).await?;
        for (place, expected) in &self.above {
            let stored = tile::load(connection, *place, store).await?;
            if stored != *expected {
                let (level, index) = place;
                return Err(Problem::new(format!(
                    "tile {level}/{index} does not fit the events below it"
                ))
                .into());
            }
        }
        let beyond = read_notes(connection, (log.size(), i64::MAX), store).await?;
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT at_us FROM checkpoints ORDER BY size DESC LIMIT 1")
                .fetch_optional(&mut *connection)
                .await
                .map_err(store.failed("read"))?;
        if newest.is_some_and(|at_us| at_us != log.checkpoint_us) {
            let what = "the log's row contradicts the time of its newest checkpoint";
            return Err(Problem::new(what).into());
        }
        match beyond.first() {
            Some((size, _)) => {
                let what = format!(
                    "a checkpoint was signed at {size} events, but the log has only {}",
                    log.size()
                );
                Err(Problem {
                    what,
                    seq: Some(log.size()),
                    id: None,
                }
                .into())
            }
            None => Ok(()),
        }
    }
}

/// Every tile of the database is one that a tree of this size has, as wide as it is there.
async fn check_places(
    connection: &mut AnyConnection,
    log: &Log,
    store: &Store,
) -> Result<(), Stop> {
    const SQL: &str = "SELECT level, idx, LENGTH(hashes) FROM tiles ORDER BY level, idx";
    let rows = sqlx::query(SQL)
        .fetch_all(connection)
        .await
        .map_err(store.failed("read"))?;
    for row in &rows {
        let level: i64 = row.try_get(0).map_err(store.failed("read"))?;
        let index: i64 = row.try_get(1).map_err(store.failed("read"))?;
        let length: i64 = row.try_get(2).map_err(store.failed("read"))?;
        let width = match (u8::try_from(level), u64::try_from(index)) {
            (Ok(level), Ok(index)) if level < 8 => {
                tile::width_at(log.frontier.size(), (level, index))
            }
            _ => 0,
        };
        // Base64 of so many hashes.
        let expected = i64::try_from((width * 32).div_ceil(3) * 4).unwrap_or(0);
        if width == 0 || length != expected {
            let what = format!("tile {level}/{index} is not as wide as in a tree of this size");
            return Err(Problem::new(what).into());
        }
    }
    Ok(())
}

/// What is kept beside a run of events: the hashes of its leaves, and the checkpoints that end in it.
pub(super) struct Beside {
    pub(super) leaves: Vec<Hash>,
    notes: Vec<(u64, String)>,
}

impl Beside {
    /// Reads what is beside the events from `first` up to before `end`.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        (first, end): (i64, i64),
        store: &Store,
    ) -> Result<Self, LedgerError> {
        let skipped = first % i64::from(TILE_WIDTH);
        let mut leaves = read_leaves(connection, (first - skipped, end), store).await?;
        let skipped = usize::try_from(skipped).unwrap_or(0).min(leaves.len());
        leaves.drain(..skipped);
        leaves.truncate(usize::try_from(end - first).unwrap_or(0));
        let notes = read_notes(connection, (first, end), store).await?;
        Ok(Self { leaves, notes })
    }
}

/// The hashes of leaves as the tiles of the lowest level have them, as far as they follow each other.
async fn read_leaves(
    connection: &mut AnyConnection,
    (first, end): (i64, i64),
    store: &Store,
) -> Result<Vec<Hash>, LedgerError> {
    const SQL: &str =
        "SELECT idx, hashes FROM tiles WHERE level = 0 AND idx >= $1 AND idx < $2 ORDER BY idx";
    let width = i64::from(TILE_WIDTH);
    let first_tile = first / width;
    let end_tile = end.saturating_add(width - 1) / width;
    let rows = sqlx::query(SQL)
        .bind(first_tile)
        .bind(end_tile)
        .fetch_all(connection)
        .await;
    let rows = rows.map_err(store.failed("read"))?;
    let mut leaves = Vec::new();
    for (row, expected) in rows.iter().zip(first_tile..) {
        let index: i64 = row.try_get(0).map_err(store.failed("read"))?;
        let text: String = row.try_get(1).map_err(store.failed("read"))?;
        let hashes = tile::decode(&text).unwrap_or_default();
        let is_full = hashes.len() == usize::from(TILE_WIDTH);
        if index != expected {
            break;
        }
        leaves.extend(hashes);
        if !is_full {
            break;
        }
    }
    Ok(leaves)
}

/// Compares the hashes of events with those that the tiles have.
fn check_leaves(chunk: &Digested, stored: &[Hash]) -> Result<(), Problem> {
    for (at, (seq, leaf)) in (chunk.first..).zip(&chunk.leaves).enumerate() {
        match stored.get(at) {
            Some(hash) if hash == leaf => {}
            Some(_) => return Err(Problem::at(seq, chunk.id(seq), "is not what was recorded")),
            None => return Err(Problem::at(seq, chunk.id(seq), "has no hash in the tree")),
        }
    }
    Ok(())
}

/// Checkpoints of trees larger than `after` and at most `end` events.
async fn read_notes(
    connection: &mut AnyConnection,
    (after, end): (i64, i64),
    store: &Store,
) -> Result<Vec<(u64, String)>, LedgerError> {
    let rows = sqlx::query(
        "SELECT size, note FROM checkpoints WHERE size > $1 AND size <= $2 ORDER BY size",
    )
    .bind(after)
    .bind(end)
    .fetch_all(connection)
    .await
    .map_err(store.failed("read"))?;
    let mut notes = Vec::with_capacity(rows.len());
    for row in &rows {
        let size: i64 = row.try_get(0).map_err(store.failed("read"))?;
        let note = row.try_get(1).map_err(store.failed("read"))?;
        notes.push((u64::try_from(size).unwrap_or(0), note));
    }
    Ok(notes)
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
