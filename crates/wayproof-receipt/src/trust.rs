//! The trust file: who is believed, one signer a line; `@reviewer` marks a person whose review counts.
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
    /// Whether the key is pinned as a reviewer's.
    #[serde(
        default,
        rename = "reviewer",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub is_reviewer: bool,
}

/// A person whose review counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reviewer {
    /// Mail addresses under which they write commits, in lower case.
    pub mails: Vec<String>,
    /// Their handles and teams, as CODEOWNERS writes them: `@name` or `@organisation/team`.
    pub handles: Vec<String>,
}

/// The signers that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Pins by key; the order of keys is that of their bytes.
    pins: BTreeMap<[u8; 32], Pin>,
}

/// One key that is believed, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pin {
    key: PublicKey,
    name: String,
    /// Whether it may sign anything but reviews.
    is_prover: bool,
    reviewer: Option<Reviewer>,
}

/// How the line of a reviewer begins.
const REVIEWER_MARK: &str = "@reviewer";

impl Trust {
    /// Reads a trust file: a name, a key type (`ed25519` or `ssh-ed25519`) and base64 a line;
    /// what follows is a comment, and so is a line that starts with `#`.
    ///
    /// A line that starts with `@reviewer` is that of a person who may review; mail addresses and `@handles` after
    /// the key tell who they are elsewhere. Without another line of its own such a key signs reviews and nothing else.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        for (index, content) in text.lines().enumerate() {
            let content = content.trim();
            if !content.is_empty() && !content.starts_with('#') {
                trust.read_line(index + 1, content)?;
            }
        }
        if trust.pins.is_empty() {
            Err(TrustError::Empty)
        } else {
            Ok(trust)
        }
    }

    fn read_line(&mut self, line: usize, content: &str) -> Result<(), TrustError> {
        let mut words = content.split_whitespace().peekable();
        let is_reviewer = words.next_if_eq(&REVIEWER_MARK).is_some();
        let (Some(name), Some(key_type)) = (words.next(), words.next()) else {
            return Err(TrustError::Words { line });
        };
        let key = if key_type.contains(':') {
            key_type.parse()
        } else {
            let encoded = words.next().ok_or(TrustError::Words { line })?;
            PublicKey::from_words(key_type, encoded)
        };
        let key = key.map_err(|source| TrustError::Key { line, source })?;
        let pin = self.pins.entry(*key.as_bytes()).or_insert_with(|| Pin {
            key,
            name: name.to_owned(),
            is_prover: false,
            reviewer: None,
        });
        if pin.name != name {
            return Err(TrustError::Renamed {
                line,
                name: pin.name.clone(),
            });
        }
        if is_reviewer {
            pin.reviewer
                .get_or_insert_default()
                .add(words.take_while(|word| !word.starts_with('#')));
        } else {
            pin.is_prover = true;
        }
        Ok(())
    }

    /// Trust in one key.
    pub fn with(key: &PublicKey) -> Self {
        Self::default().and("wayproof", key)
    }

    /// Adds a signer; a later name of the same key replaces an earlier one.
    #[must_use]
    pub fn and(self, name: &str, key: &PublicKey) -> Self {
        self.pin(name, key, |pin| pin.is_prover = true)
    }

    /// Adds a person who reviews, with what is known of them.
    #[must_use]
    pub fn and_reviewer(self, name: &str, key: &PublicKey, reviewer: Reviewer) -> Self {
        self.pin(name, key, |pin| pin.reviewer = Some(reviewer))
    }

    fn pin(mut self, name: &str, key: &PublicKey, role: impl FnOnce(&mut Pin)) -> Self {
        // A name is one word of a line, so what would end the word cannot stay in it.
        let name = name.replace(
            |character: char| character.is_whitespace() || character == '#',
            "-",
        );
        let pin = self.pins.entry(*key.as_bytes()).or_insert_with(|| Pin {
            key: *key,
            name: String::new(),
            is_prover: false,
            reviewer: None,
        });
        pin.name = name;
        role(pin);
        self
    }

    /// The name of a key, if it is pinned.
    pub fn name(&self, key: &PublicKey) -> Option<&str> {
        self.pins.get(key.as_bytes()).map(|pin| pin.name.as_str())
    }

    /// Whether a key is pinned for more than reviews.
    pub fn is_prover(&self, key: &PublicKey) -> bool {
        self.pins
            .get(key.as_bytes())
            .is_some_and(|pin| pin.is_prover)
    }

    /// The person whose key it is, if they may review.
    pub fn reviewer(&self, key: &PublicKey) -> Option<&Reviewer> {
        self.pins.get(key.as_bytes())?.reviewer.as_ref()
    }

    /// Names of everybody who may review.
    pub fn reviewers(&self) -> impl Iterator<Item = &str> {
        let people = self.pins.values().filter(|pin| pin.reviewer.is_some());
        people.map(|pin| pin.name.as_str())
    }

    /// Every key that is pinned.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.pins.values().map(|pin| &pin.key)
    }

    /// Somebody who signed with a key.
    pub(crate) fn signer(trust: Option<&Self>, key: PublicKey) -> Signer {
        let pin = trust.and_then(|trust| trust.pins.get(key.as_bytes()));
        Signer {
            key,
            name: pin.map(|pin| pin.name.clone()),
            is_reviewer: pin.is_some_and(|pin| pin.reviewer.is_some()),
        }
    }
}

impl Reviewer {
    /// Takes the words after a key: mail addresses and handles; others are comment.
    fn add<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        for word in words {
            match word.find('@') {
                Some(0) if word.len() > 1 => self.handles.push(word.to_owned()),
                Some(at) if at > 0 && at + 1 < word.len() => {
                    self.mails.push(word.to_lowercase());
                }
                Some(_) | None => {}
            }
        }
    }
}

impl fmt::Display for Trust {
    /// Writes a trust file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for pin in self.pins.values() {
            let key = pin.key.to_string();
            let (key_type, encoded) = key.split_once(':').unwrap_or(("", &key));
            if pin.is_prover {
                writeln!(f, "{} {key_type} {encoded}", pin.name)?;
            }
            if let Some(Reviewer { mails, handles }) = &pin.reviewer {
                write!(f, "{REVIEWER_MARK} {} {key_type} {encoded}", pin.name)?;
                for word in mails.iter().chain(handles) {
                    write!(f, " {word}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
