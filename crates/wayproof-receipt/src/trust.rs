//! The trust file: who is believed, one signer a line.
//! Refuses a line it cannot read and a key under two names; never guesses.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use thiserror::Error;

use crate::key::{PublicKey, PublicKeyError};

/// Why a trust file is refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum TrustError {
    /// A line has fewer than its three words.
    #[error("line {line}: expected `<name> <key type> <base64>`")]
    Words {
        /// The line.
        line: usize,
    },
    /// A line's key cannot be used.
    #[error("line {line}: {source}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong with the key.
        #[source]
        source: PublicKeyError,
    },
    /// A key has two names, so nobody could say who signed.
    #[error("line {line}: this key already belongs to `{name}`")]
    Renamed {
        /// The line.
        line: usize,
        /// The earlier name.
        name: String,
    },
    /// Nobody is trusted.
    #[error("the trust file names no signer")]
    Empty,
}

/// Somebody who signed, and the name the trust file has for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    /// The key that signed.
    pub key: PublicKey,
    /// The name, if the key is pinned.
    pub name: Option<String>,
}

/// The signers that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Names by key; the order of keys is that of their bytes.
    names: BTreeMap<[u8; 32], (PublicKey, String)>,
}

impl Trust {
    /// Reads a trust file: a name, a key type (`ed25519` or `ssh-ed25519`) and base64 a line;
    /// what follows is a comment, and so is a line that starts with `#`.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let mut words = content.split_whitespace();
            let (Some(name), Some(key_type)) = (words.next(), words.next()) else {
                return Err(TrustError::Words { line });
            };
            let key = match (key_type.contains(':'), words.next()) {
                (true, _) => key_type.parse(),
                (false, Some(encoded)) => PublicKey::from_words(key_type, encoded),
                (false, None) => return Err(TrustError::Words { line }),
            };
            let key = key.map_err(|source| TrustError::Key { line, source })?;
            match trust.names.insert(*key.as_bytes(), (key, name.to_owned())) {
                Some((_, earlier)) if earlier != name => {
                    return Err(TrustError::Renamed {
                        line,
                        name: earlier,
                    });
                }
                _ => {}
            }
        }
        if trust.names.is_empty() {
            Err(TrustError::Empty)
        } else {
            Ok(trust)
        }
    }

    /// Trust in one key.
    pub fn with(key: &PublicKey) -> Self {
        Self::default().and("wayproof", key)
    }

    /// Adds a signer; a later name of the same key replaces an earlier one.
    #[must_use]
    pub fn and(mut self, name: &str, key: &PublicKey) -> Self {
        // A name is one word of a line, so what would end the word cannot stay in it.
        let name = name.replace(
            |character: char| character.is_whitespace() || character == '#',
            "-",
        );
        self.names.insert(*key.as_bytes(), (*key, name));
        self
    }

    /// The name of a key, if it is pinned.
    pub fn name(&self, key: &PublicKey) -> Option<&str> {
        self.names
            .get(key.as_bytes())
            .map(|(_, name)| name.as_str())
    }

    /// Every key that is pinned.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.names.values().map(|(key, _)| key)
    }
}

impl fmt::Display for Trust {
    /// Writes a trust file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, name) in self.names.values() {
            let key = key.to_string();
            let (key_type, encoded) = key.split_once(':').unwrap_or(("", &key));
            writeln!(f, "{name} {key_type} {encoded}")?;
        }
        Ok(())
    }
}
