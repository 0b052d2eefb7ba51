//! Signed notes (c2sp.org/signed-note): a text, a blank line, signature lines.
//! Refuses control characters, unknown signers, and a note in which a known signer's line is wrong.

use std::{fmt, fmt::Write as _, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::key::{PublicKey, SigningKey};

/// The signature type of plain Ed25519.
const ED25519: u8 = 1;
/// Larger notes are not read.
const MAX_NOTE_BYTES: usize = 1024 * 1024;
/// More signature lines than this are not read; the specification asks for at least 16.
const MAX_SIGNATURES: usize = 64;

/// Why a note is refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum NoteError {
    /// The text breaks the note's form.
    #[error("malformed note: {0}")]
    Malformed(&'static str),
    /// No signature line belongs to a known key.
    #[error("the note has no signature by a known key")]
    UnknownSigner,
    /// A known key's signature does not fit the text.
    #[error("the signature by `{0}` does not fit the note")]
    BadSignature(String),
}

/// Why a verifier key text is refused.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("expected a note key `<name>+<key id>+<base64>` for Ed25519 whose key id fits")]
pub struct NoteKeyError;

/// A named public key that verifies notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    key: PublicKey,
}

impl NoteKey {
    /// Names a key; a name is not empty and has neither spaces nor a plus sign.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        if is_key_name(name) {
            Ok(Self {
                name: name.to_owned(),
                key,
            })
        } else {
            Err(NoteError::Malformed(
                "a key name is empty or has a space or a plus sign",
            ))
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The short id of name and key that a signature line begins with.
    pub fn id(&self) -> u32 {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id(),
            STANDARD.encode(typed)
        )
    }
}

impl FromStr for NoteKey {
    type Err = NoteKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteKeyError);
        };
        let typed = STANDARD.decode(encoded).map_err(|_| NoteKeyError)?;
        let Some((&ED25519, bytes)) = typed.split_first() else {
            return Err(NoteKeyError);
        };
        let bytes = bytes.try_into().map_err(|_| NoteKeyError)?;
        let key = PublicKey::from_bytes(&bytes).map_err(|_| NoteKeyError)?;
        let key = Self::new(name, key).map_err(|_| NoteKeyError)?;
        if format!("{:08x}", key.id()) == id {
            Ok(key)
        } else {
            Err(NoteKeyError)
        }
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The signer's name.
    pub name: String,
    /// The short id of the signer's key.
    pub id: u32,
    /// The signature's bytes, in the form its type has.
    pub bytes: Vec<u8>,
}

/// A text with its signature lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Takes an unsigned text that ends in a newline.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("the text does not end in a newline"));
        }
        if has_control(text) {
            return Err(NoteError::Malformed("the text has a control character"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        })
    }

    /// Signs a text once.
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Self, NoteError> {
        let mut note = Self::new(text)?;
        note.add_signature(name, key)?;
        Ok(note)
    }

    /// Adds one more signature, replacing an earlier one of the same name and key.
    pub fn add_signature(&mut self, name: &str, key: &SigningKey) -> Result<(), NoteError> {
        let signer = NoteKey::new(name, key.public())?;
        let id = signer.id();
        self.signatures
            .retain(|line| line.name != name || line.id != id);
        let bytes = key.sign(self.text.as_bytes()).to_vec();
        self.signatures.push(NoteSignature {
            name: signer.name,
            id,
            bytes,
        });
        Ok(())
    }

    /// Reads a note; its signatures are not verified yet.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed("it is larger than 1 MiB"));
        }
        if has_control(note) {
            return Err(NoteError::Malformed("it has a control character"));
        }
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or(NoteError::Malformed("it has no blank line"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("it does not end in a newline"))?;
        let signatures = lines
            .split('\n')
            .map(parse_signature)
            .collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(NoteError::Malformed("a signature line is not one"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has more than 64 signatures"));
        }
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// The text, with its final newline. Nothing vouches for it until [`Self::verify`] did.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies the note against known keys and names those that signed it.
    ///
    /// Lines of unknown keys are ignored; a wrong line of a known key spoils the whole note.
    pub fn verify<'k>(&self, known: &'k [NoteKey]) -> Result<Vec<&'k NoteKey>, NoteError> {
        let mut signers: Vec<&NoteKey> = Vec::new();
        for line in &self.signatures {
            for key in known
                .iter()
                .filter(|key| key.name == line.name && key.id() == line.id)
            {
                let fits = <&[u8; 64]>::try_from(line.bytes.as_slice())
                    .is_ok_and(|signature| key.key.verifies(self.text.as_bytes(), signature));
                if !fits {
                    return Err(NoteError::BadSignature(key.name.clone()));
                }
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        if signers.is_empty() {
            Err(NoteError::UnknownSigner)
        } else {
            Ok(signers)
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            let mut identified = id.to_be_bytes().to_vec();
            identified.extend_from_slice(bytes);
            f.write_char('—')?;
            writeln!(f, " {name} {}", STANDARD.encode(identified))?;
        }
        Ok(())
    }
}

fn parse_signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    if !is_key_name(name) {
        return None;
    }
    let decoded = STANDARD.decode(encoded).ok()?;
    let (id, bytes) = decoded.split_first_chunk::<4>()?;
    if bytes.is_empty() {
        return None;
    }
    Some(NoteSignature {
        name: name.to_owned(),
        id: u32::from_be_bytes(*id),
        bytes: bytes.to_vec(),
    })
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('+')
        && !name.chars().any(char::is_whitespace)
        && !has_control(name)
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}
