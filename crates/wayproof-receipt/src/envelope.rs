//! The DSSE envelope: bytes, their type, and signatures over both.
//! Signs and verifies stored bytes and never re-serialises them; refuses oversized lines.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    digest::sha256_hex,
    key::{PublicKey, SigningKey},
    sshsig::{self, SSH_MAGIC, SshSignature},
    statement::{ResourceDescriptor, Statement, StatementError},
};

/// The payload type of every statement that is sealed here.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The media type of an envelope that another statement points to.
pub const DSSE_MEDIA_TYPE: &str = "application/vnd.in-toto+dsse";
/// A longer line is not an attestation anybody wants to read.
pub(crate) const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;
const MAX_SIGNATURES: usize = 16;

/// Why a line is not an envelope.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// The line is too long.
    #[error("the envelope has {0} bytes; at most {MAX_LINE_BYTES} are read")]
    TooLarge(usize),
    /// The line is not JSON of an envelope's shape.
    #[error("the line is not a DSSE envelope")]
    Json(#[source] serde_json::Error),
    /// The payload or a signature is not base64.
    #[error("the {0} is not base64")]
    Base64(&'static str),
    /// There is no signature, or there are too many.
    #[error("the envelope has {0} signatures; 1 to {MAX_SIGNATURES} are read")]
    Signatures(usize),
}

/// Why a statement was not sealed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The statement cannot be written as JSON.
    #[error("cannot write the statement as JSON")]
    Json(#[source] serde_json::Error),
    /// The statement could not be read back, so nobody could verify it.
    #[error("the statement would not be readable")]
    Statement(#[source] StatementError),
    /// The envelope would be refused by a reader.
    #[error("the envelope would not be readable")]
    Envelope(#[source] EnvelopeError),
    /// Somebody signed something else.
    #[error("the signature does not cover this")]
    Signature,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// A hint at the key; nothing authenticates it.
    pub keyid: Option<String>,
    /// The signature's bytes.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The key that the hint spells out, if it does.
    pub fn key(&self) -> Option<PublicKey> {
        self.keyid.as_deref()?.parse().ok()
    }
}

/// A payload with its signatures, and the very line it was read from or is written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    line: String,
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    payload_type: std::borrow::Cow<'a, str>,
    payload: std::borrow::Cow<'a, str>,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Signs a payload of any type.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Result<Self, SealError> {
        let bytes = key.sign(&pae(payload_type, &payload)).to_vec();
        Self::signed(payload_type, payload, (key.public(), bytes))
    }

    /// Takes a payload with the SSH signature that somebody made over it (over its [`pae`]).
    ///
    /// # Errors
    /// When the signature covers something else.
    pub fn with_ssh_signature(
        payload_type: &str,
        payload: Vec<u8>,
        signature: SshSignature,
    ) -> Result<Self, SealError> {
        let key = signature.key();
        let envelope = Self::signed(payload_type, payload, (key, signature.into_blob()))?;
        let mut signatures = envelope.signatures.iter();
        if signatures.all(|signature| envelope.is_signed_by(signature, &key)) {
            Ok(envelope)
        } else {
            Err(SealError::Signature)
        }
    }

    fn signed(
        payload_type: &str,
        payload: Vec<u8>,
        (key, bytes): (PublicKey, Vec<u8>),
    ) -> Result<Self, SealError> {
        let keyid = Some(key.keyid());
        let wire = Wire {
            payload_type: payload_type.into(),
            payload: STANDARD.encode(&payload).into(),
            signatures: vec![WireSignature {
                keyid: keyid.clone(),
                sig: STANDARD.encode(&bytes),
            }],
        };
        let line = serde_json::to_string(&wire).map_err(SealError::Json)?;
        if line.len() > MAX_LINE_BYTES {
            return Err(SealError::Envelope(EnvelopeError::TooLarge(line.len())));
        }
        let signatures = vec![Signature { keyid, bytes }];
        Ok(Self {
            line,
            payload_type: payload_type.to_owned(),
            payload,
            signatures,
        })
    }

    /// Reads an envelope from one line; a line break at its end is not part of it.
    pub fn parse(line: &str) -> Result<Self, EnvelopeError> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.len() > MAX_LINE_BYTES {
            return Err(EnvelopeError::TooLarge(line.len()));
        }
        let wire: Wire<'_> = serde_json::from_str(line).map_err(EnvelopeError::Json)?;
        if !(1..=MAX_SIGNATURES).contains(&wire.signatures.len()) {
            return Err(EnvelopeError::Signatures(wire.signatures.len()));
        }
        let payload = decode(&wire.payload).ok_or(EnvelopeError::Base64("payload"))?;
        let signatures = wire
            .signatures
            .into_iter()
            .map(|WireSignature { keyid, sig }| {
                let bytes = decode(&sig).ok_or(EnvelopeError::Base64("signature"))?;
                Ok(Signature { keyid, bytes })
            });
        let signatures = signatures.collect::<Result<_, _>>()?;
        Ok(Self {
            line: line.to_owned(),
            payload_type: wire.payload_type.into_owned(),
            payload,
            signatures,
        })
    }

    /// The line as it is stored, without a line break.
    pub fn to_line(&self) -> &str {
        &self.line
    }

    /// SHA-256 of the stored line, in hexadecimal: what others point to and what the ledger logs.
    pub fn digest(&self) -> String {
        sha256_hex(self.line.as_bytes())
    }

    /// A pointer to this envelope for another statement.
    pub fn descriptor(&self, name: &str) -> ResourceDescriptor {
        let pointer = ResourceDescriptor::pinned(name, "sha256", &self.digest());
        ResourceDescriptor {
            media_type: Some(DSSE_MEDIA_TYPE.to_owned()),
            ..pointer
        }
    }

    /// The type of the payload.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload as it was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures, not verified yet.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Whether the payload is an in-toto statement.
    pub fn is_statement(&self) -> bool {
        let kind = self.payload_type.strip_prefix("application/vnd.in-toto");
        kind.is_some_and(|rest| {
            rest == "+json" || (rest.starts_with('.') && rest.ends_with("+json"))
        })
    }

    /// Reads the payload as a statement. Nothing vouches for it until a signature was verified.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::parse(&self.payload)
    }

    /// Whether this signature is that key's.
    pub fn is_signed_by(&self, signature: &Signature, key: &PublicKey) -> bool {
        if signature.bytes.starts_with(SSH_MAGIC) && signature.bytes.len() != 64 {
            let message = pae(&self.payload_type, &self.payload);
            return sshsig::fits(&signature.bytes, key, &message);
        }
        let bytes = <&[u8; 64]>::try_from(signature.bytes.as_slice());
        bytes.is_ok_and(|bytes| key.verifies(&pae(&self.payload_type, &self.payload), bytes))
    }
}

/// Writes a statement as JSON and signs it.
pub fn seal(statement: &Statement, key: &SigningKey) -> Result<Envelope, SealError> {
    let payload = serde_json::to_vec(statement).map_err(SealError::Json)?;
    // What cannot be read back must not be signed: a receipt is written once and read for years.
    Statement::parse(&payload).map_err(SealError::Statement)?;
    Envelope::sign(PAYLOAD_TYPE, payload, key)
}

/// The bytes that a DSSE signature covers: the tag, then type and payload with their lengths.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Signers may use either alphabet of base64.
fn decode(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    alphabet.decode(text).ok()
}
