//! A transparency log's arithmetic: hashing, the growing edge, proofs, signed checkpoints, tiles.
//! Follows RFC 6962 and the C2SP texts (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof).
//! Stores nothing: the owner of the log brings hashes when a plan asks for them.

mod checkpoint;
mod merkle;
mod note;
mod proof;
mod tile;
mod tlog_proof;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use merkle::{
    Frontier, FrontierError, Hash, HashError, Node, empty_root, leaf_hash, node_hash,
};
pub use note::{Note, NoteError, NoteKey, NoteKeyError, NoteSignature};
pub use proof::{
    Plan, ProofError, consistency_plan, inclusion_plan, inclusion_proof, root_plan,
    verify_consistency, verify_inclusion,
};
pub use tile::{TILE_HEIGHT, TILE_WIDTH, Tile, entries_path, hash_in_tile, partial_tiles, tile_of};
pub use tlog_proof::{TlogProof, TlogProofError};
