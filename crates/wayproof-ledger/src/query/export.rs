//! What leaves the ledger: pages of exchanges as text, days with records, and the log as a directory of tiles.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use sqlx::Row as _;
use wayproof_receipt::log::{
    Frontier, Hash, Note, NoteKey, TILE_WIDTH, Tile, entries_path, leaf_hash,
};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::query::report::Days;
use crate::tile::{self, Place, place_of};
use crate::verify::read_pruned;

/// The columns of exported exchanges.
pub const EXCHANGE_COLUMNS: [&str; 28] = [
    "id",
    "session",
    "job",
    "agent",
    "protocol",
    "task",
    "class",
    "requested_model",
    "provider",
    "model",
    "opened_us",
    "outcome",
    "status",
    "attempts",
    "total_us",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "reasoning",
    "listed_nano_usd",
    "billed_nano_usd",
    "subscription_nano_usd",
    "provider_request_id",
    "imported",
    "person",
    "team",
    "key_name",
];

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// Events read at a time.
const PAGE: u32 = 1000;

/// A log in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TileLog {
    /// Its identity.
    pub origin: String,
    /// Events in it.
    pub events: u64,
    /// The root of the tree over them.
    pub root: String,
    /// The key that signed it, as C2SP signed-note spells verifier keys; absent where this ledger has no key.
    pub verifier_key: Option<String>,
}

impl Ledger {
    /// Exchanges from a place of the log on, as texts in the order of [`EXCHANGE_COLUMNS`]; what is unknown is absent.
    pub async fn exchange_texts(
        &self,
        from: i64,
        days: Days,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<Option<String>>)>, LedgerError> {
        let columns = EXCHANGE_COLUMNS
            .map(|column| format!("CAST({column} AS TEXT)"))
            .join(", ");
        let sql = format!(
            "SELECT seq, {columns} FROM exchanges
            WHERE seq >= $1 AND opened_us >= $2 AND opened_us < $3 ORDER BY seq LIMIT $4"
        );
        let bound =
            |day: Option<i64>, open: i64| day.map_or(open, |day| day.saturating_mul(DAY_US));
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(from)
            .bind(bound(days.from, i64::MIN))
            .bind(bound(days.until, i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.0.store.failed("read"))?;
        rows.iter()
            .map(|row| {
                let read = || {
                    let seq = row.try_get(0)?;
                    let texts = (1..=EXCHANGE_COLUMNS.len()).map(|at| row.try_get(at));
                    Ok((seq, texts.collect::<Result<_, _>>()?))
                };
                read().map_err(self.0.store.failed("read"))
            })
            .collect()
    }

    /// The days of a period with any record of usage, oldest first.
    pub async fn usage_days(&self, days: Days) -> Result<Vec<i64>, LedgerError> {
        sqlx::query_scalar(
            "SELECT DISTINCT day FROM usage_days WHERE day >= $1 AND day < $2 ORDER BY day",
        )
        .bind(days.from.unwrap_or(i64::MIN))
        .bind(days.until.unwrap_or(i64::MAX))
        .fetch_all(&self.0.readers)
        .await
        .map_err(self.0.store.failed("read"))
    }

    /// Writes the log up to its newest checkpoint into an empty directory: checkpoint, tiles and entries.
    pub async fn export_tiles(&self, directory: &Path) -> Result<TileLog, LedgerError> {
        const SQL: &str = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1";
        let failed = || self.0.store.failed("read");
        let row = sqlx::query(SQL)
            .fetch_optional(&self.0.readers)
            .await
            .map_err(failed())?;
        let Some(row) = row else {
            let why = "it has no signed checkpoint, and nothing can be checked without one";
            return Err(LedgerError::Inconsistent(why.to_owned()));
        };
        let size: i64 = row.try_get(0).map_err(failed())?;
        let note: String = row.try_get(1).map_err(failed())?;
        let mut writer = TileWriter::new(directory)?;
        let replaced = self.replaced().await?;
        let mut at = self.export_pruned(&mut writer, size).await?;
        while at < size {
            let events = self.events(at, PAGE).await?;
            for event in events.iter().take_while(|event| event.seq < size) {
                if event.seq != at {
                    break;
                }
                if replaced.is_replaced(at, &event.text) {
                    writer.add_pruned(self.leaf(at).await?)?;
                } else {
                    writer.add(event.text.as_bytes())?;
                }
                at += 1;
            }
            if events.first().is_none_or(|event| event.seq >= at) {
                let why = format!("event {at} is missing");
                return Err(LedgerError::Inconsistent(why));
            }
        }
        let root = writer.frontier.root();
        let is_signed = note.split('\n').nth(2) == Some(root.to_string().as_str());
        if !is_signed {
            let why = format!("the checkpoint over {size} events is not over these");
            return Err(LedgerError::Inconsistent(why));
        }
        writer.finish()?;
        write(directory, "checkpoint", note.as_bytes())?;
        self.tile_log(&note, root, at)
    }

    /// The hash of an event as the tree has it.
    async fn leaf(&self, seq: i64) -> Result<Hash, LedgerError> {
        let failed = || self.0.store.failed("read");
        let mut connection = self.0.readers.acquire().await.map_err(failed())?;
        let place = u64::try_from(seq).unwrap_or(0);
        let width = u64::from(TILE_WIDTH);
        let hashes = tile::load(&mut connection, (0, place / width), &self.0.store).await?;
        let at = usize::try_from(place % width).unwrap_or(usize::MAX);
        hashes
            .get(at)
            .copied()
            .ok_or_else(|| LedgerError::Inconsistent(format!("the hash of event {seq} is missing")))
    }

    /// Hashes are all that is left of pruned events; their entries are not in the directory.
    async fn export_pruned(
        &self,
        writer: &mut TileWriter<'_>,
        size: i64,
    ) -> Result<i64, LedgerError> {
        let failed = || self.0.store.failed("read");
        let mut connection = self.0.readers.acquire().await.map_err(failed())?;
        let pruned = read_pruned(&mut connection).await.map_err(failed())?;
        let before = pruned.map_or(0, |pruned| pruned.before).min(size);
        let mut at = 0;
        while at < before {
            let index = u64::try_from(at).unwrap_or(0) / u64::from(TILE_WIDTH);
            let hashes = tile::load(&mut connection, (0, index), &self.0.store).await?;
            let wanted = usize::try_from(before - at).unwrap_or(usize::MAX);
            if hashes.is_empty() {
                let why = format!("the hash of event {at} is missing");
                return Err(LedgerError::Inconsistent(why));
            }
            for hash in hashes.into_iter().take(wanted) {
                writer.add_pruned(hash)?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn tile_log(&self, note: &str, root: Hash, size: i64) -> Result<TileLog, LedgerError> {
        let contradicts = |why: String| LedgerError::Inconsistent(why);
        let note = Note::parse(note).map_err(|error| contradicts(error.to_string()))?;
        let origin = note
            .text()
            .split('\n')
            .next()
            .unwrap_or_default()
            .to_owned();
        let key = self.0.log_key.map(|key| NoteKey::new(&origin, key));
        let key = key
            .transpose()
            .map_err(|error| contradicts(error.to_string()))?;
        Ok(TileLog {
            origin,
            events: u64::try_from(size).unwrap_or(0),
            root: root.to_string(),
            verifier_key: key.map(|key| key.to_string()),
        })
    }
}

/// Writes tiles and bundles of entries as soon as they are full.
struct TileWriter<'a> {
    directory: &'a Path,
    frontier: Frontier,
    tiles: BTreeMap<Place, Vec<Hash>>,
    bundle: Vec<u8>,
    /// Something of the bundle was pruned.
    is_incomplete: bool,
}

impl<'a> TileWriter<'a> {
    fn new(directory: &'a Path) -> Result<Self, LedgerError> {
        let failed = |error| LedgerError::file("write to", directory, error);
        fs::create_dir_all(directory).map_err(failed)?;
        if fs::read_dir(directory).map_err(failed)?.next().is_some() {
            let there = io::Error::new(io::ErrorKind::DirectoryNotEmpty, "it is not empty");
            return Err(LedgerError::file("write a log to", directory, there));
        }
        Ok(Self {
            directory,
            frontier: Frontier::new(),
            tiles: BTreeMap::new(),
            bundle: Vec::new(),
            is_incomplete: false,
        })
    }

    fn add(&mut self, entry: &[u8]) -> Result<(), LedgerError> {
        let length = u16::try_from(entry.len()).map_err(|_| {
            LedgerError::Inconsistent("an event is longer than events are".to_owned())
        })?;
        self.bundle.extend(length.to_be_bytes());
        self.bundle.extend(entry);
        self.add_leaf(leaf_hash(entry))
    }

    /// An entry of which only the hash is left; the bundle it was in is left out.
    fn add_pruned(&mut self, leaf: Hash) -> Result<(), LedgerError> {
        self.is_incomplete = true;
        self.add_leaf(leaf)
    }

    fn add_leaf(&mut self, leaf: Hash) -> Result<(), LedgerError> {
        let index = self.frontier.size() / u64::from(TILE_WIDTH);
        let tiles = &mut self.tiles;
        self.frontier.append_with(leaf, |node, hash| {
            if let Some(place) = place_of(node) {
                tiles.entry(place).or_default().push(*hash);
            }
        });
        if self.frontier.size().is_multiple_of(u64::from(TILE_WIDTH)) {
            self.write_bundle(&entries_path(index, TILE_WIDTH))?;
            self.write_tiles(|width| width == TILE_WIDTH)?;
        }
        Ok(())
    }

    fn write_bundle(&mut self, path: &str) -> Result<(), LedgerError> {
        if !self.is_incomplete {
            write(self.directory, path, &self.bundle)?;
        }
        self.bundle.clear();
        self.is_incomplete = false;
        Ok(())
    }

    /// Writes what is left at the right edge.
    fn finish(mut self) -> Result<(), LedgerError> {
        let size = self.frontier.size();
        let width = u16::try_from(size % u64::from(TILE_WIDTH)).unwrap_or(0);
        if width > 0 {
            let path = entries_path(size / u64::from(TILE_WIDTH), width);
            self.write_bundle(&path)?;
        }
        self.write_tiles(|_| true)
    }

    fn write_tiles(&mut self, is_due: impl Fn(u16) -> bool) -> Result<(), LedgerError> {
        let width = |hashes: &Vec<Hash>| u16::try_from(hashes.len()).unwrap_or(TILE_WIDTH);
        for ((level, index), hashes) in &self.tiles {
            let tile = Tile {
                level: *level,
                index: *index,
                width: width(hashes),
            };
            if is_due(tile.width) {
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                write(self.directory, &tile.path(), &bytes)?;
            }
        }
        self.tiles.retain(|_, hashes| !is_due(width(hashes)));
        Ok(())
    }
}

fn write(directory: &Path, name: &str, content: &[u8]) -> Result<(), LedgerError> {
    let path = directory.join(name);
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| File::create(&path))
        .and_then(|mut file| file.write_all(content));
    written.map_err(|error| LedgerError::file("write", &path, error))
}
