//! The Merkle tree's hashes, stored in rows of 256 as C2SP tiles have them.
//!
//! Only hashes of leaves and of complete subtrees whose level is a multiple of eight are stored; the rest is worked
//! out from them. The arithmetic is `wayproof-receipt`'s.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sqlx::AnyConnection;
use wayproof_receipt::log::{Frontier, Hash, Node, TILE_HEIGHT, TILE_WIDTH};

use crate::error::LedgerError;
use crate::store::Store;

/// A tile's place: its level among tiles and its index in the level.
pub(crate) type Place = (u8, u64);

/// Hashes by the tile they belong to.
pub(crate) type Tiles = BTreeMap<Place, Vec<Hash>>;

/// The tile a hash is stored in, if it is stored at all.
pub(crate) fn place_of(node: Node) -> Option<Place> {
    let is_stored = node.level.is_multiple_of(TILE_HEIGHT);
    is_stored.then(|| (node.level / TILE_HEIGHT, node.index / u64::from(TILE_WIDTH)))
}

/// Appends leaves to the tree and writes the tiles they change.
pub(crate) async fn grow(
    connection: &mut AnyConnection,
    frontier: &mut Frontier,
    leaves: &[Hash],
    store: &Store,
) -> Result<(), LedgerError> {
    let before = frontier.size();
    let mut tiles = Tiles::new();
    for leaf in leaves {
        frontier.append_with(*leaf, |node, hash| {
            if let Some(place) = place_of(node) {
                tiles.entry(place).or_default().push(*hash);
            }
        });
    }
    for (place, added) in &tiles {
        let there = width_at(before, *place);
        let mut hashes = if there == 0 {
            Vec::new()
        } else {
            load(connection, *place, store).await?
        };
        if hashes.len() < there {
            return Err(LedgerError::Inconsistent(format!(
                "tile {}/{} is too short",
                place.0, place.1
            )));
        }
        hashes.truncate(there);
        hashes.extend_from_slice(added);
        save(connection, *place, &hashes)
            .await
            .map_err(store.failed("write to"))?;
    }
    Ok(())
}

/// How many hashes a tile holds in a tree of `size` leaves.
pub(crate) fn width_at(size: u64, (level, index): Place) -> usize {
    let row = size
        .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
        .unwrap_or(0);
    let width = row
        .saturating_sub(index * u64::from(TILE_WIDTH))
        .min(u64::from(TILE_WIDTH));
    usize::try_from(width).unwrap_or(0)
}

/// Reads a tile; one that is not there is empty.
pub(crate) async fn load(
    connection: &mut AnyConnection,
    (level, index): Place,
    store: &Store,
) -> Result<Vec<Hash>, LedgerError> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT hashes FROM tiles WHERE level = $1 AND idx = $2")
            .bind(i64::from(level))
            .bind(i64::try_from(index).unwrap_or(i64::MAX))
            .fetch_optional(connection)
            .await
            .map_err(store.failed("read"))?;
    decode(text.as_deref().unwrap_or_default())
        .ok_or_else(|| LedgerError::Inconsistent(format!("tile {level}/{index} cannot be read")))
}

async fn save(
    connection: &mut AnyConnection,
    (level, index): Place,
    hashes: &[Hash],
) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO tiles (level, idx, hashes) VALUES ($1, $2, $3)
        ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes";
    sqlx::query(SQL)
        .bind(i64::from(level))
        .bind(i64::try_from(index).unwrap_or(i64::MAX))
        .bind(encode(hashes))
        .execute(connection)
        .await
        .map(|_| ())
}

fn encode(hashes: &[Hash]) -> String {
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    STANDARD.encode(bytes)
}

/// Reads the text of a tile.
pub(crate) fn decode(text: &str) -> Option<Vec<Hash>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| hashes.iter().map(|hash| Hash(*hash)).collect())
}
