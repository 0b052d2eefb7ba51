//! Signatures as `ssh-keygen -Y sign` makes them, so that a person's key need never leave its agent.
//!
//! The blob is kept whole as an envelope's signature. It covers the same bytes as any other signature of the envelope,
//! under a namespace of ours; a signature made for git, for files or for a login is refused.

mod sign;

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256, Sha512};
use thiserror::Error;

use crate::key::PublicKey;

pub use sign::ssh_signature;

/// What `ssh-keygen -Y sign -n` is told, so that no signature for something else can be taken for one of these.
pub const SSH_NAMESPACE: &str = "wayproof";
/// How the blob begins.
pub(crate) const SSH_MAGIC: &[u8] = b"SSHSIG";
/// A longer text is no signature of an Ed25519 key.
const MAX_TEXT_BYTES: usize = 4096;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// The only version there is.
const VERSION: [u8; 4] = [0, 0, 0, 1];
const ED25519: &[u8] = b"ssh-ed25519";

/// Why a text is no usable SSH signature.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SshSignatureError {
    /// The text is something else.
    #[error("the text is no SSH signature; paste everything from `{BEGIN}` to its end")]
    Form,
    /// Another kind of key signed.
    #[error("a key of the type {0} signed; only ssh-ed25519 keys review")]
    KeyType(String),
    /// It was made for something else.
    #[error("the signature was made for `{0}`; sign with `-n {SSH_NAMESPACE}`")]
    Namespace(String),
}

/// An SSH signature under our namespace, by an Ed25519 key. Nothing says yet what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSignature {
    key: PublicKey,
    blob: Vec<u8>,
}

impl FromStr for SshSignature {
    type Err = SshSignatureError;

    fn from_str(text: &str) -> Result<Self, SshSignatureError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(SshSignatureError::Form);
        }
        let armoured = text.trim().strip_prefix(BEGIN);
        let inside = armoured.and_then(|rest| rest.strip_suffix(END));
        let encoded: String = inside
            .ok_or(SshSignatureError::Form)?
            .split_ascii_whitespace()
            .collect();
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| SshSignatureError::Form)?;
        let read = Read::of(&blob).ok_or(SshSignatureError::Form)?;
        if read.key_type != ED25519 {
            let named = String::from_utf8_lossy(read.key_type);
            let named = named.chars().take(60).collect();
            return Err(SshSignatureError::KeyType(named));
        }
        if read.namespace != SSH_NAMESPACE.as_bytes() {
            let named = String::from_utf8_lossy(read.namespace);
            let named = named.chars().take(60).collect();
            return Err(SshSignatureError::Namespace(named));
        }
        let key = read.key().ok_or(SshSignatureError::Form)?;
        Ok(Self { key, blob })
    }
}

impl SshSignature {
    /// The key that it says it is by.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    pub(crate) fn into_blob(self) -> Vec<u8> {
        self.blob
    }
}

/// The parts of a blob (PROTOCOL.sshsig of OpenSSH).
struct Read<'a> {
    key_type: &'a [u8],
    /// The key without its type.
    key: &'a [u8],
    namespace: &'a [u8],
    hash: &'a [u8],
    signature_type: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Read<'a> {
    fn of(blob: &'a [u8]) -> Option<Self> {
        let mut rest = blob.strip_prefix(SSH_MAGIC)?.strip_prefix(&VERSION)?;
        let mut key = string(&mut rest)?;
        let namespace = string(&mut rest)?;
        let reserved = string(&mut rest)?;
        let hash = string(&mut rest)?;
        let mut signature = string(&mut rest)?;
        let key_type = string(&mut key)?;
        let signature_type = string(&mut signature)?;
        (rest.is_empty() && reserved.is_empty()).then_some(Self {
            key_type,
            key,
            namespace,
            hash,
            signature_type,
            signature,
        })
    }

    fn key(&self) -> Option<PublicKey> {
        let mut rest = self.key;
        let bytes = string(&mut rest)?.try_into().ok()?;
        let key = PublicKey::from_bytes(&bytes).ok()?;
        (self.key_type == ED25519 && rest.is_empty()).then_some(key)
    }

    /// What the signature has to be over.
    fn signed(&self, message: &[u8]) -> Option<Vec<u8>> {
        let digest = match self.hash {
            b"sha256" => Sha256::digest(message).to_vec(),
            b"sha512" => Sha512::digest(message).to_vec(),
            _ => return None,
        };
        let mut signed = SSH_MAGIC.to_vec();
        for part in [self.namespace, b"", self.hash, &digest] {
            signed.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            signed.extend_from_slice(part);
        }
        Some(signed)
    }
}

/// Takes one string with its length off the front.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (taken, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// Whether a blob is that key's signature over the message, under our namespace.
pub(crate) fn fits(blob: &[u8], key: &PublicKey, message: &[u8]) -> bool {
    let Some(read) = Read::of(blob) else {
        return false;
    };
    let mut rest = read.signature;
    let bytes = string(&mut rest).and_then(|bytes| <&[u8; 64]>::try_from(bytes).ok());
    let bytes = bytes.filter(|_| rest.is_empty());
    let is_ours = read.namespace == SSH_NAMESPACE.as_bytes()
        && read.signature_type == ED25519
        && read.key().is_some_and(|own| own == *key);
    match (read.signed(message), bytes) {
        (Some(signed), Some(bytes)) if is_ours => key.verifies(&signed, bytes),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::{HashAlg, LineEnding, PrivateKey, private::Ed25519Keypair};

    use super::*;
    use crate::{Envelope, PAYLOAD_TYPE, SigningKey, Trust, VerifyOutcome, pae, verify};

    const PAYLOAD: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"tree","digest":{"gitTree":"aa"}}],"predicateType":"https://wayproof.dev/review/v1","predicate":{"reviewer":"ana","decision":"approved"}}"#;

    fn signed(namespace: &str, message: &[u8]) -> String {
        let pair = Ed25519Keypair::from_seed(&[7; 32]);
        let key = PrivateKey::from(pair);
        let made = key.sign(namespace, HashAlg::Sha512, message).unwrap();
        made.to_pem(LineEnding::LF).unwrap()
    }

    #[test]
    fn an_envelope_takes_a_signature_that_covers_it() {
        let text = signed(SSH_NAMESPACE, &pae(PAYLOAD_TYPE, PAYLOAD));
        let key = SigningKey::from_seed(&[7; 32]).public();
        for text in [
            text.clone(),
            text.replace('\n', "\r\n"),
            format!("\n  {text}  "),
        ] {
            let signature: SshSignature = text.parse().unwrap();
            assert_eq!(signature.key(), key);
            let envelope = Envelope::with_ssh_signature(PAYLOAD_TYPE, PAYLOAD.to_vec(), signature);
            let envelope = envelope.unwrap();
            let line = Envelope::parse(envelope.to_line()).unwrap();
            assert!(line.is_signed_by(&line.signatures()[0], &key));
            let other = SigningKey::from_seed(&[8; 32]).public();
            assert!(!line.is_signed_by(&line.signatures()[0], &other));
            let trust = Trust::default().and("ana", &key);
            let seen = verify(line.to_line().as_bytes(), Some(&trust));
            assert_ne!(
                seen.outcome,
                VerifyOutcome::SignerNotPinned,
                "{:?}",
                seen.problems
            );
            assert_eq!(seen.statements[0].signers[0].name.as_deref(), Some("ana"));
            let bent = line.to_line().replacen("eyJf", "eyJg", 1);
            assert!(verify(bent.as_bytes(), Some(&trust)).statements.is_empty());
        }
    }

    #[test]
    fn a_signature_for_something_else_is_refused() {
        let text = signed("git", &pae(PAYLOAD_TYPE, PAYLOAD));
        let wrong = text.parse::<SshSignature>().unwrap_err();
        assert_eq!(wrong, SshSignatureError::Namespace("git".to_owned()));
        let other = signed(SSH_NAMESPACE, b"something else").parse().unwrap();
        assert!(Envelope::with_ssh_signature(PAYLOAD_TYPE, PAYLOAD.to_vec(), other).is_err());
        let raw = signed(SSH_NAMESPACE, PAYLOAD).parse().unwrap();
        assert!(Envelope::with_ssh_signature(PAYLOAD_TYPE, PAYLOAD.to_vec(), raw).is_err());
    }

    #[test]
    fn what_is_no_signature_is_said_so() {
        let good = signed(SSH_NAMESPACE, b"x");
        let long = format!("{BEGIN}\n{}", "A".repeat(5000));
        for text in [
            "",
            "<script>",
            "ssh-ed25519 AAAA",
            good.get(..80).unwrap(),
            &long,
            &good.replace("U1NI", "U1NJ"),
        ] {
            assert_eq!(
                text.parse::<SshSignature>(),
                Err(SshSignatureError::Form),
                "{text}"
            );
        }
    }
}
