//! Checkpoints (c2sp.org/tlog-checkpoint): the signed size and root of a log.
//! Refuses a text that could be read as two different checkpoints.

use thiserror::Error;

use super::{
    merkle::Hash,
    note::{Note, NoteError, NoteKey},
};
use crate::key::SigningKey;

/// Why a checkpoint is refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CheckpointError {
    /// The note that carries it is not good.
    #[error("the checkpoint's note is not good")]
    Note(#[from] NoteError),
    /// The text is not that of a checkpoint.
    #[error("malformed checkpoint: {0}")]
    Malformed(&'static str),
    /// It belongs to another log.
    #[error("the checkpoint is of log `{found}`, not `{expected}`")]
    Origin {
        /// The log it should be of.
        expected: String,
        /// The log it says it is of.
        found: String,
    },
}

/// What a log stands by: so many entries, with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's identity.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads a note text; extension lines are passed over, as nobody audits them.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Malformed("it does not end in a newline"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Malformed("it has fewer than three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(CheckpointError::Malformed("a line is empty"));
        }
        let size = parse_decimal(size).ok_or(CheckpointError::Malformed(
            "the size is not a decimal number",
        ))?;
        let root = root
            .parse()
            .map_err(|_| CheckpointError::Malformed("the root is not a base64 hash"))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// Signs the checkpoint under the log's own name.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, CheckpointError> {
        Self::parse(&self.text())?;
        Ok(Note::sign(&self.text(), &self.origin, key)?)
    }

    /// Reads a signed checkpoint that the given log key vouches for.
    pub fn open(note: &str, log: &NoteKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(std::slice::from_ref(log))?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == log.name() {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Origin {
                expected: log.name().to_owned(),
                found: checkpoint.origin,
            })
        }
    }
}

/// Reads a decimal number that is written in the one way it can be.
pub(super) fn parse_decimal(text: &str) -> Option<u64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_canonical && is_digits {
        text.parse().ok()
    } else {
        None
    }
}
