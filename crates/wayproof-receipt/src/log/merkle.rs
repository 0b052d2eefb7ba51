//! RFC 6962 hashing and the frontier: the few hashes from which a tree goes on growing.
//! Refuses a stored frontier whose hashes do not fit its size.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest;

/// One SHA-256 hash of the tree, written in base64 as the C2SP texts do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash in lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        digest::to_hex(&self.0)
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        digest::from_hex(text).map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text).map_err(|_| HashError)?;
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The hash of an entry: SHA-256 of a zero byte and the entry's stored bytes.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .finalize()
            .into(),
    )
}

/// The hash of an inner node: SHA-256 of a one byte and both children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1u8; 65];
    let (_, children) = input.split_at_mut(1);
    let (first, second) = children.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

/// The root of the tree without entries: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// A complete subtree: the `index`-th from the left of those that span `2^level` entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves; a leaf has level 0.
    pub level: u8,
    /// Position among the complete subtrees of this level.
    pub index: u64,
}

/// A text is not a hash.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("expected the base64 of a 32-byte hash")]
pub struct HashError;

/// Why a stored frontier cannot be used.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum FrontierError {
    /// The bytes or the list do not hold one hash for each set bit of the size.
    #[error("a frontier of this size needs {needed} hashes, not {found}")]
    Length {
        /// Set bits of the size.
        needed: usize,
        /// Hashes that were there.
        found: usize,
    },
    /// The stored bytes end inside a number or a hash.
    #[error("the stored frontier is cut short")]
    Truncated,
}

/// The right edge of a growing tree: one hash for every complete subtree, largest first.
///
/// Appending costs two hashes on average and the state stays below 64 hashes, so a ledger can
/// store it with every batch and go on from there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a size and its peaks, largest first.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, FrontierError> {
        let needed = size.count_ones() as usize;
        if peaks.len() == needed {
            Ok(Self { size, peaks })
        } else {
            Err(FrontierError::Length {
                needed,
                found: peaks.len(),
            })
        }
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds one entry by its leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _| ());
    }

    /// Adds one entry and hands over every subtree it completes, the leaf first.
    ///
    /// Those whose level is a multiple of [`TILE_HEIGHT`](super::TILE_HEIGHT) are what tiles store.
    pub fn append_with(&mut self, leaf: Hash, mut completed: impl FnMut(Node, &Hash)) {
        let mut hash = leaf;
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        completed(node, &hash);
        // Each trailing one bit of the size is a peak of that level waiting for its sibling.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
            };
            completed(node, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root hash of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(smallest) => peaks.fold(*smallest, |right, left| node_hash(left, &right)),
        }
    }

    /// The state as bytes: the size in big-endian order, then the peaks.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.peaks.len() * 32);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            bytes.extend_from_slice(&peak.0);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or(FrontierError::Truncated)?;
        let chunks = rest.chunks_exact(32);
        if !chunks.remainder().is_empty() {
            return Err(FrontierError::Truncated);
        }
        let peaks = chunks
            .filter_map(|chunk| chunk.try_into().ok().map(Hash))
            .collect();
        Self::from_parts(u64::from_be_bytes(*size), peaks)
    }
}

impl<'de> Deserialize<'de> for Frontier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            size: u64,
            peaks: Vec<Hash>,
        }
        let Stored { size, peaks } = Stored::deserialize(deserializer)?;
        Self::from_parts(size, peaks).map_err(D::Error::custom)
    }
}
