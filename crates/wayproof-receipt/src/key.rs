//! Ed25519 keys: making one on first use, reading an SSH key, naming a key in text.
//! Refuses a private key that others on the machine can read, and never prints one.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use ed25519_dalek::{Signer as _, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::digest;

/// A private key larger than this is not one.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Why a key could not be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file or its directory could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's own word.
        source: io::Error,
    },
    /// Somebody other than the owner may read the private key.
    #[error(
        "{path} can be read by others (mode {mode:04o}); run `chmod 600` on it, or make a new key"
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a private key in OpenSSH form.
    #[error("{path} is not a private key in OpenSSH form")]
    Malformed {
        /// The key file.
        path: PathBuf,
        /// What the reader said.
        source: Option<ssh_key::Error>,
    },
    /// The key is protected and no passphrase was given.
    #[error("{path} is encrypted; its passphrase is needed")]
    Encrypted {
        /// The key file.
        path: PathBuf,
    },
    /// The passphrase does not open the key.
    #[error("the passphrase does not open {path}")]
    Passphrase {
        /// The key file.
        path: PathBuf,
    },
    /// Only Ed25519 keys sign receipts.
    #[error("{path} is a {algorithm} key; receipts are signed with Ed25519 keys only")]
    Algorithm {
        /// The key file.
        path: PathBuf,
        /// What it is instead.
        algorithm: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes to make a key from")]
    Random(#[source] getrandom::Error),
    /// A new key could not be written in OpenSSH form.
    #[error("cannot encode a new key")]
    Encode(#[source] ssh_key::Error),
}

/// A text does not name a public key.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PublicKeyError {
    /// The text has none of the accepted forms.
    #[error("expected `ed25519:<base64>` or `ssh-ed25519 <base64>`")]
    Form,
    /// The key type is not Ed25519.
    #[error("key type `{0}` is not supported; use an Ed25519 key")]
    KeyType(String),
    /// The base64 does not decode to a key of the right length.
    #[error("the base64 is not an Ed25519 public key of 32 bytes")]
    Encoding,
    /// The bytes are not a usable point of the curve.
    #[error("the bytes are not a usable Ed25519 public key")]
    Point,
}

/// The key that signs statements and checkpoints.
///
/// The file is an ordinary OpenSSH private key, so `ssh-keygen` can read it and a person's own
/// SSH key can take its place.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl SigningKey {
    /// Makes the key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Makes a key from the system's random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(KeyError::Random)?;
        Ok(Self::from_seed(&seed))
    }

    /// Reads the key of a file, making the file (0600) and its directory (0700) on first use.
    ///
    /// Two processes that start at once end up with the same key.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match Self::from_ssh(path, None) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                Self::from_ssh(path, None)
            }
            loaded => loaded,
        }
    }

    /// Reads an Ed25519 private key in OpenSSH form.
    pub fn from_ssh(path: &Path, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let text = read_private(path)?;
        let malformed = |source| KeyError::Malformed {
            path: path.into(),
            source,
        };
        let mut key =
            PrivateKey::from_openssh(text.as_slice()).map_err(|error| malformed(Some(error)))?;
        if key.is_encrypted() {
            let passphrase = passphrase.ok_or_else(|| KeyError::Encrypted { path: path.into() })?;
            key = key
                .decrypt(passphrase)
                .map_err(|_| KeyError::Passphrase { path: path.into() })?;
        }
        let Some(pair) = key.key_data().ed25519() else {
            return Err(KeyError::Algorithm {
                path: path.into(),
                algorithm: key.algorithm().to_string(),
            });
        };
        let seed = Zeroizing::new(pair.private.to_bytes());
        let signing = Self::from_seed(&seed);
        if signing.0.verifying_key().as_bytes() != &pair.public.0 {
            // A file whose halves disagree would sign with a key nobody can pin.
            return Err(malformed(None));
        }
        Ok(signing)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message with plain Ed25519 (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The public half of a key: who signed.
///
/// Its text is `ed25519:<base64 of the 32 bytes>`; that text is also the key id in an envelope,
/// so authenticity can be checked offline before anybody is pinned.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Takes the 32 bytes of a key; points of small order are refused.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PublicKeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::Point)?;
        if key.is_weak() {
            Err(PublicKeyError::Point)
        } else {
            Ok(Self(key))
        }
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The id an envelope carries: the key itself, as text.
    pub fn keyid(&self) -> String {
        self.to_string()
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:<base64>`.
    pub fn fingerprint(&self) -> String {
        let blob = ssh_blob(self.as_bytes());
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest::sha256(&blob)))
    }

    /// The key as a line of an SSH `authorized_keys` file: `ssh-ed25519 <base64>`.
    pub fn to_openssh(&self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(ssh_blob(self.as_bytes())))
    }

    /// Whether the signature over the message was made by this key (strict verification).
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }

    /// Reads a key from its type and its base64, as two words of a line.
    pub(crate) fn from_words(key_type: &str, encoded: &str) -> Result<Self, PublicKeyError> {
        let decoded = STANDARD
            .decode(encoded)
            .map_err(|_| PublicKeyError::Encoding)?;
        match key_type {
            "ed25519" => {
                let bytes = decoded.try_into().map_err(|_| PublicKeyError::Encoding)?;
                Self::from_bytes(&bytes)
            }
            "ssh-ed25519" => {
                let key = ssh_key::PublicKey::from_bytes(&decoded)
                    .map_err(|_| PublicKeyError::Encoding)?;
                let key = key.key_data().ed25519().ok_or(PublicKeyError::Encoding)?;
                Self::from_bytes(&key.0)
            }
            other => Err(PublicKeyError::KeyType(other.to_owned())),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", STANDARD.encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((key_type, encoded)) = text.split_once(':') {
            return Self::from_words(key_type, encoded);
        }
        // An OpenSSH line may end in a comment, which names nobody.
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some(key_type), Some(encoded)) => Self::from_words(key_type, encoded),
            _ => Err(PublicKeyError::Form),
        }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The SSH wire form of an Ed25519 public key (RFC 8709): two length-prefixed strings.
pub(crate) fn ssh_blob(key: &[u8; 32]) -> Vec<u8> {
    const NAME: &[u8] = b"ssh-ed25519";
    let mut blob = Vec::with_capacity(51);
    blob.extend_from_slice(&[0, 0, 0, 11]);
    blob.extend_from_slice(NAME);
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(key);
    blob
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |source| KeyError::File {
        action: "read",
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    // Permissions are those of the file that was opened, so a swap in between gains nothing.
    refuse_exposed(&file, path)?;
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_KEY_FILE_BYTES)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// Writes a new key beside its place and links it there, so that no reader meets half a key
/// and the first of two creators wins.
fn create(path: &Path) -> Result<(), KeyError> {
    let failed = |action, path: &Path| {
        let path = path.to_path_buf();
        move |source| KeyError::File {
            action,
            path,
            source,
        }
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_private_directory(directory).map_err(failed("create", directory))?;
    let key = SigningKey::generate()?;
    let pair = Ed25519Keypair::from_seed(&key.0.to_bytes());
    let text = PrivateKey::new(KeypairData::Ed25519(pair), "wayproof")
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(KeyError::Encode)?;
    let mut nonce = [0u8; 8];
    getrandom::fill(&mut nonce).map_err(KeyError::Random)?;
    let draft = directory.join(format!(".key-{}", digest::to_hex(&nonce)));
    let written =
        write_private(&draft, text.as_bytes()).and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let removed = fs::remove_file(&draft);
    written.map_err(failed("write", path))?;
    removed.map_err(failed("remove", &draft))?;
    // The name must survive a power cut as well as the bytes do.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync", directory))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|source| KeyError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    // The owner's bits alone may be set.
    if mode & !0o700 == 0 {
        Ok(())
    } else {
        Err(KeyError::Exposed {
            path: path.into(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_file: &File, _path: &Path) -> Result<(), KeyError> {
    Ok(())
}
