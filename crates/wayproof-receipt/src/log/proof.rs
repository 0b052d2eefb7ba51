//! Inclusion and consistency proofs: what to fetch, how to assemble it, how to verify it.
//! Refuses proofs of the wrong length; never accepts a hash it did not need.

use thiserror::Error;

use super::merkle::{Hash, Node, empty_root, node_hash};

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// The entry lies outside the tree.
    #[error("entry {index} is not in a tree of {size} entries")]
    OutOfRange {
        /// The entry asked for.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of {old} entries is not a beginning of one of {new}")]
    Shrinks {
        /// Size of the tree that should be the older one.
        old: u64,
        /// Size of the tree that should be the newer one.
        new: u64,
    },
    /// A hash that the plan asked for was not supplied.
    #[error("the hash of subtree {index} at level {level} is missing", level = .0.level, index = .0.index)]
    Missing(Node),
    /// The proof has too many or too few hashes.
    #[error("the proof has {found} hashes where {needed} are needed")]
    Length {
        /// Hashes a proof of this shape has.
        needed: usize,
        /// Hashes that were there.
        found: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root hash")]
    RootMismatch,
}

/// The subtrees a proof is made of, known before any of them is fetched.
///
/// A storage that answers asynchronously fetches [`Plan::nodes`] first and then assembles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One list a proof hash: complete subtrees, left to right, that fold into it.
    steps: Vec<Vec<Node>>,
}

impl Plan {
    /// Every subtree whose hash is needed.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        self.steps.iter().flatten().copied()
    }

    /// Number of hashes in the proof.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether the proof has no hashes.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Makes the proof from the hashes of the subtrees.
    pub fn assemble(
        &self,
        hash_of: &dyn Fn(Node) -> Option<Hash>,
    ) -> Result<Vec<Hash>, ProofError> {
        self.steps
            .iter()
            .map(|nodes| fold(nodes, hash_of))
            .collect()
    }
}

fn fold(nodes: &[Node], hash_of: &dyn Fn(Node) -> Option<Hash>) -> Result<Hash, ProofError> {
    let mut folded = None;
    for node in nodes.iter().rev() {
        let hash = hash_of(*node).ok_or(ProofError::Missing(*node))?;
        folded = Some(folded.map_or(hash, |right| node_hash(&hash, &right)));
    }
    Ok(folded.unwrap_or_else(empty_root))
}

/// The complete subtrees that cover `start..end`, where `start` is a multiple of the largest.
fn cover(start: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = start;
    while at < end {
        let level = (end - at).ilog2();
        // `ilog2` of a `u64` is below 64.
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        nodes.push(Node {
            level,
            index: at >> level,
        });
        at += 1 << level;
    }
    nodes
}

/// The largest power of two smaller than `n`, for `n` of at least two.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Plans the root of the first `size` entries; it assembles to exactly one hash.
pub fn root_plan(size: u64) -> Plan {
    Plan {
        steps: vec![cover(0, size)],
    }
}

/// Plans the proof that entry `index` is in the tree of `size` entries.
pub fn inclusion_plan(size: u64, index: u64) -> Result<Plan, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let (mut low, mut high) = (0, size);
    let mut steps = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            steps.push(cover(middle, high));
            high = middle;
        } else {
            steps.push(cover(low, middle));
            low = middle;
        }
    }
    steps.reverse();
    Ok(Plan { steps })
}

/// Plans the proof that the tree of `old` entries is a beginning of the one of `new` entries.
pub fn consistency_plan(old: u64, new: u64) -> Result<Plan, ProofError> {
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    let mut steps = Vec::new();
    if old == 0 || old == new {
        return Ok(Plan { steps });
    }
    let (mut low, mut high) = (0, new);
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            steps.push(cover(middle, high));
            high = middle;
        } else {
            steps.push(cover(low, middle));
            low = middle;
        }
    }
    if low != 0 {
        // The old tree's last subtree is not the whole old tree, so the verifier must be told it.
        steps.push(cover(low, high));
    }
    steps.reverse();
    Ok(Plan { steps })
}

/// Makes an inclusion proof where hashes are at hand.
pub fn inclusion_proof(
    size: u64,
    index: u64,
    hash_of: &dyn Fn(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, ProofError> {
    inclusion_plan(size, index)?.assemble(hash_of)
}

/// Verifies that the leaf is entry `index` of the tree with this size and root.
pub fn verify_inclusion(
    size: u64,
    index: u64,
    leaf: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let needed = inclusion_length(size, index);
    if proof.len() != needed {
        return Err(ProofError::Length {
            needed,
            found: proof.len(),
        });
    }
    let (mut position, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            // A right edge without siblings climbs until it meets one.
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Below the level where the entry and the last entry part, every level has a sibling; above it,
/// one for each subtree to the left.
fn inclusion_length(size: u64, index: u64) -> usize {
    let inner = 64 - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner + border) as usize
}

/// Verifies that the tree with the old size and root is a beginning of the one with the new.
pub fn verify_consistency(
    (old_size, old_root): (u64, &Hash),
    (new_size, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::Shrinks {
            old: old_size,
            new: new_size,
        });
    }
    let needed = consistency_plan(old_size, new_size)?.len();
    if proof.len() != needed {
        return Err(ProofError::Length {
            needed,
            found: proof.len(),
        });
    }
    if old_size == new_size {
        return if old_root == new_root {
            Ok(())
        } else {
            Err(ProofError::RootMismatch)
        };
    }
    if old_size == 0 {
        return if *old_root == empty_root() {
            Ok(())
        } else {
            Err(ProofError::RootMismatch)
        };
    }
    let (old_seen, new_seen) = replay(old_size, new_size, old_root, proof);
    if old_seen == *old_root && new_seen == *new_root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Computes both roots that a consistency proof of the right length leads to.
fn replay(old_size: u64, new_size: u64, old_root: &Hash, proof: &[Hash]) -> (Hash, Hash) {
    let (mut position, mut last) = (old_size - 1, new_size - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    // A power of two is itself a subtree of the new tree and starts the proof unspoken.
    let (seed, siblings) = match proof.split_first() {
        Some((first, rest)) if !old_size.is_power_of_two() => (first, rest),
        _ => (old_root, proof),
    };
    let (mut old_hash, mut new_hash) = (*seed, *seed);
    for sibling in siblings {
        if position & 1 == 1 || position == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    (old_hash, new_hash)
}
