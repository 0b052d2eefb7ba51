//! Offline inclusion proofs as text (c2sp.org/tlog-proof@v1).
//! Refuses a proof that could be read in two ways; the `extra` bytes are carried and never believed.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;

use super::{
    checkpoint::{Checkpoint, CheckpointError, parse_decimal},
    merkle::Hash,
    note::{Note, NoteKey},
    proof::{ProofError, verify_inclusion},
};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// A tree of 2^64 entries needs no more.
const MAX_HASHES: usize = 64;

/// Why a textual proof is refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum TlogProofError {
    /// The text is not that of a proof.
    #[error("malformed log proof: {0}")]
    Malformed(&'static str),
    /// Its checkpoint is not good.
    #[error("the proof's checkpoint is not good")]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in the checkpointed tree.
    #[error("the entry is not in the checkpointed log")]
    Inclusion(#[from] ProofError),
}

/// The proof that one entry is in a log, with the checkpoint it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Position of the entry.
    pub index: u64,
    /// Bytes with a meaning of their own to the application; nothing authenticates them.
    pub extra: Option<Vec<u8>>,
    /// Sibling hashes from the leaf up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as it was issued.
    pub checkpoint: Note,
}

impl TlogProof {
    /// Verifies that the log vouches for an entry with this leaf hash, and returns its checkpoint.
    pub fn verify(&self, leaf: &Hash, log: &NoteKey) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint.to_string(), log)?;
        verify_inclusion(
            checkpoint.size,
            self.index,
            leaf,
            &checkpoint.root,
            &self.hashes,
        )?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = TlogProofError::Malformed;
        let rest = text
            .strip_prefix(HEADER)
            .ok_or(malformed("the first line is not `c2sp.org/tlog-proof@v1`"))?;
        let (head, note) = rest
            .split_once("\n\n")
            .ok_or(malformed("it has no blank line"))?;
        let mut lines = head.split('\n').peekable();
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra
            .and_then(|line| line.strip_prefix("extra "))
            .map(|encoded| STANDARD.decode(encoded));
        let extra = extra
            .transpose()
            .map_err(|_| malformed("the extra line is not base64"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal);
        let index = index.ok_or(malformed("it has no index line"))?;
        let hashes = lines.map(str::parse).collect::<Result<Vec<Hash>, _>>();
        let hashes = hashes.map_err(|_| malformed("a proof line is not a base64 hash"))?;
        if hashes.len() > MAX_HASHES {
            return Err(malformed("it has more than 64 hashes"));
        }
        let checkpoint = Note::parse(note).map_err(CheckpointError::from)?;
        Ok(Self {
            index,
            extra,
            hashes,
            checkpoint,
        })
    }
}
