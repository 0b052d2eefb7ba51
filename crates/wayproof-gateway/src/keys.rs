//! Keys of this gateway: what they look like, how they are kept, how they are compared.
//!
//! Only SHA-256 digests are kept, and they are compared in constant time. A key is 32 bytes of
//! the operating system's randomness, so its digest needs no salt and no stretching.

use std::fmt;

use http::{HeaderMap, HeaderName, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use wayproof_upstream::{GATEWAY_KEY_HEADER, GOOGLE_KEY_HEADER, bearer};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How the key of one job begins; its id and the secret follow.
const JOB_KEY_PREFIX: &str = "wp_job_";

/// How a key that operators give out begins; its id and the secret follow.
const GIVEN_KEY_PREFIX: &str = "wp_key_";

/// The digest of a key.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Digests a key as it is shown by a caller.
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads a digest from hexadecimal.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Writes the digest in hexadecimal.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Compares in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// A key that an operator gave to a caller.
#[derive(Clone, Debug)]
pub struct CallerKey {
    /// Who the key was given to, as the ledger calls it.
    pub name: String,
    /// The digest of the key.
    pub digest: KeyDigest,
}

/// What a request shows as its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a> {
    /// The key.
    pub(crate) key: &'a [u8],
    /// Whether it is in the header that is meant for us, so that the other credential
    /// headers are the client's own.
    pub(crate) is_beside: bool,
}

/// Finds the key that a request shows.
pub(crate) fn shown(headers: &HeaderMap) -> Option<Shown<'_>> {
    if let Some(value) = headers.get(GATEWAY_KEY_HEADER) {
        return Some(Shown {
            key: bearer(value.as_bytes()),
            is_beside: true,
        });
    }
    let value = headers
        .get(header::AUTHORIZATION)
        .or_else(|| headers.get(X_API_KEY))
        .or_else(|| headers.get(GOOGLE_KEY_HEADER))?;
    Some(Shown {
        key: bearer(value.as_bytes()),
        is_beside: false,
    })
}

/// Makes the key of a job.
pub(crate) fn mint_job_key(job: &str) -> Result<String, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(format!("{JOB_KEY_PREFIX}{job}_{}", hex(&secret)))
}

/// Makes a key to be given out: its id, which may be seen, and the whole of it, which is shown once.
///
/// # Errors
/// When the system gives no randomness.
pub fn mint_key() -> Result<(String, String), getrandom::Error> {
    let mut bytes = [0; 38];
    getrandom::fill(&mut bytes)?;
    let (id, secret) = bytes.split_at(6);
    let id = hex(id);
    let key = key_of(&id, secret);
    Ok((id, key))
}

/// Makes another key with the same id.
///
/// # Errors
/// When the system gives no randomness.
pub fn mint_key_again(id: &str) -> Result<String, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(key_of(id, &secret))
}

fn key_of(id: &str, secret: &[u8]) -> String {
    format!("{GIVEN_KEY_PREFIX}{id}_{}", hex(secret))
}

/// The id of the given-out key that a caller claims to have.
pub(crate) fn claimed_key(key: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(key)
        .ok()?
        .strip_prefix(GIVEN_KEY_PREFIX)?;
    rest.rsplit_once('_').map(|(id, _)| id)
}

/// The job that a key claims to belong to.
pub(crate) fn claimed_job(key: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(key)
        .ok()?
        .strip_prefix(JOB_KEY_PREFIX)?;
    rest.rsplit_once('_').map(|(job, _)| job)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(
                DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'),
            ));
        }
    }
    text
}
