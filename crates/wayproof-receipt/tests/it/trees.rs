//! Trees, proofs and tiles against a naive reading of RFC 6962.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wayproof_receipt::log::{
    Frontier, FrontierError, Hash, Node, ProofError, TILE_HEIGHT, Tile, consistency_plan,
    empty_root, hash_in_tile, inclusion_plan, inclusion_proof, leaf_hash, node_hash, root_plan,
    tile_of, verify_consistency, verify_inclusion,
};

/// MTH of RFC 6962, section 2.1, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

struct Log {
    leaves: Vec<Hash>,
    frontiers: Vec<Frontier>,
    nodes: BTreeMap<Node, Hash>,
}

impl Log {
    fn of(size: u64) -> Self {
        let mut frontier = Frontier::new();
        let mut log = Self {
            leaves: Vec::new(),
            frontiers: vec![frontier.clone()],
            nodes: BTreeMap::new(),
        };
        for index in 0..size {
            let leaf = leaf_hash(&index.to_be_bytes());
            log.leaves.push(leaf);
            frontier.append_with(leaf, |node, hash| {
                assert_eq!(log.nodes.insert(node, *hash), None);
            });
            log.frontiers.push(frontier.clone());
        }
        log
    }

    fn hash_of(&self, node: Node) -> Option<Hash> {
        self.nodes.get(&node).copied()
    }

    fn root(&self, size: u64) -> Hash {
        self.frontiers[usize::try_from(size).unwrap()].root()
    }
}

#[test]
fn frontier_has_the_naive_root_at_every_size() {
    let log = Log::of(520);
    for (size, frontier) in log.frontiers.iter().enumerate() {
        assert_eq!(
            frontier.root(),
            naive_root(&log.leaves[..size]),
            "size {size}"
        );
        assert_eq!(frontier.size(), size as u64);
        let assembled = root_plan(size as u64)
            .assemble(&|node| log.hash_of(node))
            .unwrap();
        assert_eq!(assembled, [frontier.root()]);
    }
}

#[test]
fn frontier_survives_storage_and_goes_on() {
    let log = Log::of(300);
    for size in [0, 1, 2, 3, 255, 256, 257, 299] {
        let stored = log.frontiers[size].to_bytes();
        let mut restored = Frontier::from_bytes(&stored).unwrap();
        assert_eq!(restored, log.frontiers[size]);
        let json = serde_json::to_string(&restored).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&json).unwrap(), restored);
        for leaf in &log.leaves[size..] {
            restored.append(*leaf);
        }
        assert_eq!(restored.root(), log.root(300));
    }
    let stored = log.frontiers[7].to_bytes();
    assert_eq!(
        Frontier::from_bytes(&stored[..stored.len() - 1]),
        Err(FrontierError::Truncated)
    );
    assert_eq!(
        Frontier::from_bytes(&stored[..40]),
        Err(FrontierError::Length {
            needed: 3,
            found: 1
        })
    );
    assert!(serde_json::from_str::<Frontier>(r#"{"size":1,"peaks":[]}"#).is_err());
}

#[test]
fn every_entry_is_provably_in_every_tree() {
    let log = Log::of(130);
    for size in 1..=130 {
        let root = log.root(size);
        for index in 0..size {
            let leaf = &log.leaves[usize::try_from(index).unwrap()];
            let proof = inclusion_proof(size, index, &|node| log.hash_of(node)).unwrap();
            assert_eq!(
                verify_inclusion(size, index, leaf, &root, &proof),
                Ok(()),
                "{index} of {size}"
            );
            let other = (index + 1) % size;
            if other != index {
                assert!(verify_inclusion(size, other, leaf, &root, &proof).is_err());
            }
        }
    }
}

#[test]
fn every_pair_of_sizes_is_provably_consistent() {
    let log = Log::of(300);
    for new in 0..=300 {
        for old in 0..=new {
            let proof = consistency_plan(old, new)
                .unwrap()
                .assemble(&|node| log.hash_of(node))
                .unwrap();
            let (old_root, new_root) = (log.root(old), log.root(new));
            assert_eq!(
                verify_consistency((old, &old_root), (new, &new_root), &proof),
                Ok(()),
                "{old} in {new}"
            );
            let wrong = leaf_hash(b"another history");
            assert!(verify_consistency((old, &wrong), (new, &new_root), &proof).is_err());
            if old != 0 {
                assert!(verify_consistency((old, &old_root), (new, &wrong), &proof).is_err());
            }
        }
    }
}

#[test]
fn proofs_refuse_what_does_not_fit() {
    let log = Log::of(9);
    let hash_of = |node: Node| log.hash_of(node);
    assert_eq!(
        inclusion_plan(9, 9).unwrap_err(),
        ProofError::OutOfRange { index: 9, size: 9 }
    );
    assert_eq!(
        consistency_plan(9, 8).unwrap_err(),
        ProofError::Shrinks { old: 9, new: 8 }
    );
    let missing = inclusion_plan(9, 0).unwrap().assemble(&|_| None);
    assert_eq!(
        missing.unwrap_err(),
        ProofError::Missing(Node { level: 0, index: 1 })
    );
    let mut proof = inclusion_proof(9, 8, &hash_of).unwrap();
    proof.push(log.leaves[0]);
    let verified = verify_inclusion(9, 8, &log.leaves[8], &log.root(9), &proof);
    assert_eq!(
        verified.unwrap_err(),
        ProofError::Length {
            needed: 1,
            found: 2
        }
    );
    let verified = verify_consistency((3, &log.root(3)), (9, &log.root(9)), &[]);
    assert!(matches!(
        verified.unwrap_err(),
        ProofError::Length { found: 0, .. }
    ));
}

#[test]
fn tiles_hold_every_complete_subtree() {
    let size = 70_000;
    let mut tiles: BTreeMap<(u8, u64), Vec<Hash>> = BTreeMap::new();
    let mut frontier = Frontier::new();
    let mut nodes = BTreeMap::new();
    for index in 0..size {
        frontier.append_with(leaf_hash(&u64::to_be_bytes(index)), |node, hash| {
            nodes.insert(node, *hash);
            if node.level % TILE_HEIGHT == 0 {
                tiles
                    .entry((node.level / TILE_HEIGHT, node.index / 256))
                    .or_default()
                    .push(*hash);
            }
        });
    }
    for (node, hash) in nodes {
        let Tile {
            level,
            index,
            width,
        } = tile_of(node, size).expect("a complete subtree has a tile");
        let stored = &tiles[&(level, index)];
        assert_eq!(stored.len(), usize::from(width));
        assert_eq!(hash_in_tile(node, stored), Some(hash));
    }
    assert_eq!(
        tile_of(
            Node {
                level: 0,
                index: size
            },
            size
        ),
        None
    );
    assert_eq!(
        tile_of(
            Node {
                level: 16,
                index: 1
            },
            size
        ),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn large_trees_prove_inclusion_and_consistency(size in 1u64..20_000, index: prop::sample::Index, old: prop::sample::Index) {
        let log = Log::of(size);
        let at = index.index(usize::try_from(size).unwrap());
        let proof = inclusion_proof(size, at as u64, &|node| log.hash_of(node)).unwrap();
        prop_assert_eq!(verify_inclusion(size, at as u64, &log.leaves[at], &log.root(size), &proof), Ok(()));
        let old = old.index(usize::try_from(size).unwrap()) as u64;
        let proof = consistency_plan(old, size).unwrap().assemble(&|node| log.hash_of(node)).unwrap();
        prop_assert_eq!(verify_consistency((old, &log.root(old)), (size, &log.root(size)), &proof), Ok(()));
    }

    #[test]
    fn every_flipped_bit_of_a_proof_is_noticed(size in 2u64..600, index: prop::sample::Index, bit: prop::sample::Index) {
        let log = Log::of(size);
        let at = index.index(usize::try_from(size).unwrap());
        let mut proof = inclusion_proof(size, at as u64, &|node| log.hash_of(node)).unwrap();
        let bit = bit.index(proof.len() * 256);
        proof[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        let verified = verify_inclusion(size, at as u64, &log.leaves[at], &log.root(size), &proof);
        prop_assert_eq!(verified, Err(ProofError::RootMismatch));
    }

    #[test]
    fn hostile_proofs_never_panic(size: u64, index: u64, old: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let hashes: Vec<_> = hashes.into_iter().map(Hash).collect();
        let root = leaf_hash(b"root");
        prop_assert!(verify_inclusion(size, index, &root, &empty_root(), &hashes).is_err());
        let (old, new) = (old.min(size), old.max(size));
        prop_assert!(verify_consistency((old, &root), (new, &empty_root()), &hashes).is_err());
    }
}
