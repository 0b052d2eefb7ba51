//! Signatures that `ssh-keygen -Y verify` reads, over bytes as they lie in a file.
//!
//! The form is OpenSSH's PROTOCOL.sshsig.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha512};

use crate::key::{SigningKey, ssh_blob};

use super::SSH_MAGIC as MAGIC;
const HASH: &[u8] = b"sha512";
/// Letters of a line of the armour.
const LINE: usize = 70;

/// An armoured SSH signature of a message for a namespace, such as `receipt@wayproof.dev`.
pub fn ssh_signature(key: &SigningKey, namespace: &str, message: &[u8]) -> String {
    let namespace = namespace.as_bytes();
    let mut signed = MAGIC.to_vec();
    for part in [namespace, b"", HASH, &Sha512::digest(message)] {
        put(&mut signed, part);
    }
    let mut signature = Vec::new();
    put(&mut signature, b"ssh-ed25519");
    put(&mut signature, &key.sign(&signed));
    let mut blob = MAGIC.to_vec();
    blob.extend([0, 0, 0, 1]);
    let public = ssh_blob(key.public().as_bytes());
    for part in [&public, namespace, b"", HASH, &signature] {
        put(&mut blob, part);
    }
    let text = STANDARD.encode(blob);
    let mut armour = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        armour.push_str(line);
        armour.push('\n');
        rest = more;
    }
    armour.push_str("-----END SSH SIGNATURE-----\n");
    armour
}

/// A string of the SSH protocol: its length, then its bytes.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend(length.to_be_bytes());
    to.extend(bytes);
}
