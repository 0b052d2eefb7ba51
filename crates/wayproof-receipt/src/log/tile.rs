//! Tiles (c2sp.org/tlog-tiles): the tree cut into rows of 256 hashes, and where each is stored.
//! Reads no storage; it only says which tile holds a hash and how to take the hash out.

use std::fmt::Write as _;

use super::merkle::{Hash, Node, node_hash};

/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 256;

/// A row of up to 256 hashes at one level of tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Level among tiles: its hashes are complete subtrees of level `8 * level`.
    pub level: u8,
    /// Position within the level.
    pub index: u64,
    /// Number of hashes, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The path under the log's prefix, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, index_path(self.index, self.width))
    }
}

/// The path of the bundle that holds the entries of a tile of level 0.
pub fn entries_path(index: u64, width: u16) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

fn index_path(index: u64, width: u16) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let mut path = groups.join("/");
    if width < TILE_WIDTH {
        // Writing to a `String` has no failure to report.
        let _ = write!(path, ".p/{width}");
    }
    path
}

/// The tile that holds a complete subtree in a tree of `size` entries, as wide as the tree allows;
/// `None` if the subtree is not complete at that size.
pub fn tile_of(node: Node, size: u64) -> Option<Tile> {
    let level = node.level / TILE_HEIGHT;
    let first = node
        .index
        .checked_shl(u32::from(node.level % TILE_HEIGHT))?;
    let row = size
        .checked_shr(u32::from(level * TILE_HEIGHT))
        .unwrap_or(0);
    let last = first + (1 << (node.level % TILE_HEIGHT));
    if last > row {
        return None;
    }
    let index = first / u64::from(TILE_WIDTH);
    let available = row - index * u64::from(TILE_WIDTH);
    let width = u16::try_from(available)
        .unwrap_or(TILE_WIDTH)
        .min(TILE_WIDTH);
    Some(Tile {
        level,
        index,
        width,
    })
}

/// Takes the hash of a subtree out of the hashes of its tile.
pub fn hash_in_tile(node: Node, hashes: &[Hash]) -> Option<Hash> {
    let height = node.level % TILE_HEIGHT;
    let first = usize::try_from((node.index << height) % u64::from(TILE_WIDTH)).ok()?;
    let mut row = hashes.get(first..first + (1 << height))?.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .filter_map(|pair| Some(node_hash(pair.first()?, pair.get(1)?)))
            .collect();
    }
    row.first().copied()
}

/// The partial tiles at the right edge of a tree of `size` entries.
pub fn partial_tiles(size: u64) -> Vec<Tile> {
    let width = u64::from(TILE_WIDTH);
    let mut tiles = Vec::new();
    let (mut row, mut level) = (size, 0);
    while row > 0 {
        if let Ok(partial @ 1..) = u16::try_from(row % width) {
            tiles.push(Tile {
                level,
                index: row / width,
                width: partial,
            });
        }
        row /= width;
        level += 1;
    }
    tiles
}
