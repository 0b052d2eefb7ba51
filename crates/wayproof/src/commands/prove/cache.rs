//! Proofs kept in the data directory, each signed with its key: who can write in a repository cannot make one up.
//!
//! It holds a bounded number of bounded files, the oldest leave first, and a file that is not whole is no file.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use wayproof_ledger::Clock;
use wayproof_proof::{KeptProof, ProofCache};
use wayproof_receipt::{SigningKey, sha256_hex};
use wayproof_redact::redact_json;

/// How many proofs and how many single checks are kept, and how large one may be.
const MOST: usize = 128;
const MOST_CHECKS: usize = 512;
const LARGEST: u64 = 8 << 20;

/// What a file says; the signature is over everything else in it.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    key: String,
    at_us: i64,
    body: String,
    signature: String,
}

impl Signed {
    fn message(key: &str, at_us: i64, body: &str) -> Vec<u8> {
        let digest = sha256_hex(body.as_bytes());
        format!("wayproof proof cache 1\n{key}\n{at_us}\n{digest}").into_bytes()
    }
}

/// A folder of kept proofs, and one of kept checks.
#[derive(Debug)]
pub(crate) struct KeptProofs {
    folder: PathBuf,
    checks: PathBuf,
    key: SigningKey,
}

impl KeptProofs {
    /// The folders in the data directory, read and written with the data directory's own key.
    pub(crate) fn new(data: &Path, key: SigningKey) -> Self {
        Self {
            folder: data.join("proofs"),
            checks: data.join("checks"),
            key,
        }
    }

    /// The folder of a key. Checks are many and must not push proofs out.
    fn folder_of(&self, key: &str) -> (PathBuf, usize) {
        if key.starts_with("check-") {
            (self.checks.clone(), MOST_CHECKS)
        } else {
            (self.folder.clone(), MOST)
        }
    }

    fn place(&self, key: &str) -> PathBuf {
        self.folder_of(key).0.join(format!("{key}.json"))
    }

    fn read(&self, key: &str) -> Option<Signed> {
        let place = self.place(key);
        // A link could lead anywhere.
        let data = place.symlink_metadata().ok()?;
        if !data.is_file() || data.len() > LARGEST {
            return None;
        }
        let signed: Signed = serde_json::from_slice(&fs::read(&place).ok()?).ok()?;
        let signature: [u8; 64] = hex(&signed.signature)?.try_into().ok()?;
        let message = Signed::message(key, signed.at_us, &signed.body);
        let is_ours = signed.key == key && self.key.public().verifies(&message, &signature);
        is_ours.then_some(signed)
    }

    fn write(&self, key: &str, bytes: &[u8]) -> std::io::Result<()> {
        let at_us = Clock::system().now_us();
        let body = redact_json(&String::from_utf8_lossy(bytes)).into_owned();
        let signature = self.key.sign(&Signed::message(key, at_us, &body));
        let signed = Signed {
            key: key.to_owned(),
            at_us,
            body,
            signature: signature.map(|byte| format!("{byte:02x}")).concat(),
        };
        let text = serde_json::to_vec(&signed)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST {
            return Ok(());
        }
        let (folder, most) = self.folder_of(key);
        fs::create_dir_all(&folder)?;
        let unfinished = folder.join(format!("{key}.{}.tmp", std::process::id()));
        fs::write(&unfinished, text)?;
        fs::rename(&unfinished, self.place(key))?;
        thin_out(&folder, most)
    }
}

/// Takes away the oldest files of a folder that has too many.
fn thin_out(folder: &Path, most: usize) -> std::io::Result<()> {
    let dated = |entry: fs::DirEntry| {
        let data = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((data.modified().ok()?, entry.path()))
    };
    let mut files: Vec<(SystemTime, PathBuf)> =
        fs::read_dir(folder)?.flatten().filter_map(dated).collect();
    files.sort();
    let surplus = files.len().saturating_sub(most);
    for (_, file) in files.into_iter().take(surplus) {
        // Another proof may have been faster.
        match fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl ProofCache for KeptProofs {
    fn get(&self, key: &str) -> Option<KeptProof> {
        let Signed { at_us, body, .. } = self.read(key)?;
        Some(KeptProof {
            bytes: body.into_bytes(),
            at_us,
        })
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        if let Err(error) = self.write(key, bytes) {
            tracing::warn!(%error, folder = %self.folder.display(), "a proof is not kept");
        }
    }
}

/// The bytes of hexadecimal digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use wayproof_proof::ProofCache as _;
    use wayproof_receipt::SigningKey;

    use super::{KeptProofs, MOST, MOST_CHECKS};

    fn kept(folder: &Path, seed: u8) -> KeptProofs {
        KeptProofs::new(folder, SigningKey::from_seed(&[seed; 32]))
    }

    #[test]
    fn what_was_kept_comes_back_and_only_that() {
        let folder = tempfile::tempdir().unwrap();
        let cache = kept(folder.path(), 1);
        assert!(cache.get("a").is_none());
        cache.put("a", b"kept");
        assert_eq!(cache.get("a").unwrap().bytes, b"kept");
        let place = cache.place("a");
        let text = fs::read_to_string(&place).unwrap();
        let bent = [
            text.replace("kept", "bent"),
            text.replace("\"at_us\":", "\"at_us\":1"),
            text.get(..text.len() / 2).unwrap().to_owned(),
            String::new(),
        ];
        for bent in bent {
            assert_ne!(bent, text);
            fs::write(&place, bent).unwrap();
            assert!(cache.get("a").is_none());
        }
        // Under another name, or by another key, it is nobody's.
        fs::write(cache.place("b"), &text).unwrap();
        assert!(cache.get("b").is_none());
        fs::write(&place, &text).unwrap();
        assert!(cache.get("a").is_some() && kept(folder.path(), 2).get("a").is_none());
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&place, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        assert!(cache.get("a").is_none());
    }

    #[test]
    fn it_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let cache = kept(folder.path(), 1);
        for number in 0..MOST + 9 {
            cache.put(&format!("{number}"), b"{}");
        }
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), MOST);
        assert!(cache.get(&format!("{}", MOST + 8)).is_some());
        // Checks lie apart, and push no proof out.
        for number in 0..MOST_CHECKS + 9 {
            cache.put(&format!("check-{number}"), b"{}");
        }
        assert_eq!(fs::read_dir(&cache.checks).unwrap().count(), MOST_CHECKS);
        assert!(cache.get("check-520").is_some() && cache.get(&format!("{}", MOST + 8)).is_some());
    }
}
