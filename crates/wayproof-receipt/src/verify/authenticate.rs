//! Who signed an envelope.
//! A key id that spells out a key only says which key to try; whether it is believed is up to trust.

use crate::{
    envelope::{Envelope, Signature},
    key::PublicKey,
    trust::{Signer, Trust},
};

/// Everybody whose signature fits. A signature that names its key and does not fit spoils the line;
/// one with a foreign key id is tried against the pinned keys and otherwise passed over.
pub(super) fn signers(
    envelope: &Envelope,
    trust: Option<&Trust>,
) -> Result<Vec<Signer>, &'static str> {
    let mut signers: Vec<Signer> = Vec::new();
    for signature in envelope.signatures() {
        let key = match signature.key() {
            Some(key) if envelope.is_signed_by(signature, &key) => key,
            Some(_) => {
                return Err("the signature does not fit: the line was changed after it was signed");
            }
            None => match pinned(envelope, signature, trust) {
                Some(key) => key,
                None => continue,
            },
        };
        if signers.iter().all(|signer| signer.key != key) {
            signers.push(Trust::signer(trust, key));
        }
    }
    if signers.is_empty() {
        Err("it has no signature that can be checked")
    } else {
        Ok(signers)
    }
}

fn pinned(envelope: &Envelope, signature: &Signature, trust: Option<&Trust>) -> Option<PublicKey> {
    trust?
        .keys()
        .find(|key| envelope.is_signed_by(signature, key))
        .copied()
}
