//! Keys on disk, SSH keys, and keys as text.

use std::{fs, path::Path};

use rstest::rstest;
use ssh_key::{
    Cipher, Kdf, LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use wayproof_receipt::{KeyError, PublicKey, PublicKeyError, SigningKey, Trust, TrustError};

use crate::fixture::{prover, reviewer};

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    set_mode(path, 0o600);
}

#[test]
fn a_key_is_made_once_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state/keys/signing");
    let first = SigningKey::load_or_create(&path).unwrap();
    let second = SigningKey::load_or_create(&path).unwrap();
    assert_eq!(first.public(), second.public());
    let names: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(names, ["signing"], "no draft is left behind");
    #[cfg(unix)]
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn many_that_start_at_once_share_one_key() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("keys/signing");
    let keys: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| SigningKey::load_or_create(&path).unwrap().public()))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|key| key == &keys[0]));
}

#[cfg(unix)]
#[rstest]
#[case::group(0o640)]
#[case::world(0o604)]
#[case::writable(0o620)]
fn a_key_that_others_reach_is_refused(#[case] open: u32) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("signing");
    SigningKey::load_or_create(&path).unwrap();
    set_mode(&path, open);
    let refused = SigningKey::load_or_create(&path).unwrap_err();
    let expected = format!(
        "{} can be read by others (mode {open:04o}); run `chmod 600` on it, or make a new key",
        path.display()
    );
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_file_that_is_no_key_is_refused_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("signing");
    write_private(&path, "not a key\n");
    assert!(matches!(
        SigningKey::load_or_create(&path),
        Err(KeyError::Malformed { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a key\n");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let refused = SigningKey::load_or_create(&home.path().join("file/keys/signing")).unwrap_err();
    assert!(matches!(refused, KeyError::File { .. }), "{refused:?}");
}

#[test]
fn an_encrypted_ssh_key_opens_with_its_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("id_ed25519");
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&[7; 32]));
    let kdf = Kdf::Bcrypt {
        salt: vec![9; 16],
        rounds: 1,
    };
    let key = PrivateKey::new(pair, "ada")
        .unwrap()
        .encrypt_with(Cipher::Aes256Ctr, kdf, 5, "open sesame")
        .unwrap();
    write_private(&path, &key.to_openssh(LineEnding::LF).unwrap());
    assert!(matches!(
        SigningKey::from_ssh(&path, None),
        Err(KeyError::Encrypted { .. })
    ));
    assert!(matches!(
        SigningKey::from_ssh(&path, Some("wrong")),
        Err(KeyError::Passphrase { .. })
    ));
    let opened = SigningKey::from_ssh(&path, Some("open sesame")).unwrap();
    assert_eq!(opened.public(), SigningKey::from_seed(&[7; 32]).public());
}

#[test]
fn a_private_key_never_shows() {
    let shown = format!("{:?}", prover());
    assert_eq!(
        shown,
        format!("SigningKey(PublicKey({}))", prover().public())
    );
}

#[test]
fn a_public_key_has_two_forms_and_a_fingerprint() {
    // Made with OpenSSH: `ssh-keygen -y` and `ssh-keygen -l` over the key of this seed.
    let key = SigningKey::from_seed(&[7; 32]).public();
    insta::assert_snapshot!(format!(
        "{key}\n{}\n{}",
        key.to_openssh(),
        key.fingerprint()
    ));
    assert_eq!(key.to_string().parse(), Ok(key));
    assert_eq!(format!("{} ada@laptop", key.to_openssh()).parse(), Ok(key));
    assert_eq!(key.keyid(), key.to_string());
}

#[rstest]
#[case::word("hello", PublicKeyError::Form)]
#[case::type_only("ssh-ed25519", PublicKeyError::Form)]
#[case::rsa("ssh-rsa AAAA", PublicKeyError::KeyType("ssh-rsa".into()))]
#[case::short("ed25519:AAAA", PublicKeyError::Encoding)]
#[case::not_base64("ed25519:!", PublicKeyError::Encoding)]
#[case::small_order(
    "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    PublicKeyError::Point
)]
fn texts_that_name_no_key(#[case] text: &str, #[case] expected: PublicKeyError) {
    assert_eq!(text.parse::<PublicKey>(), Err(expected));
}

#[test]
fn a_trust_file_pins_signers() {
    let (ci, ada) = (prover().public(), reviewer().public());
    let words = ci.to_string().replace(':', " ");
    let text = format!(
        "# people\n\nci {words} # the build\nada {} ada@laptop\n",
        ada.to_openssh()
    );
    let trust = Trust::parse(&text).unwrap();
    assert_eq!(
        (trust.name(&ci), trust.name(&ada)),
        (Some("ci"), Some("ada"))
    );
    assert_eq!(Trust::parse(&trust.to_string()).unwrap(), trust);
    assert_eq!(
        Trust::parse(&format!("ci {ci}")).unwrap().name(&ci),
        Some("ci")
    );
    assert_eq!(Trust::with(&ci).name(&ada), None);
}

#[test]
fn a_trust_file_marks_reviewers() {
    let (ci, ada) = (prover().public(), reviewer().public());
    let text = format!(
        "ci {ci}\n@reviewer ada {} Ada@Example.org @ada @acme/security laptop # comment@x\n",
        ada.to_openssh()
    );
    let trust = Trust::parse(&text).unwrap();
    assert_eq!(trust.name(&ada), Some("ada"));
    assert!(trust.is_prover(&ci) && !trust.is_prover(&ada));
    assert_eq!(trust.reviewer(&ci), None);
    let known = trust.reviewer(&ada).unwrap();
    assert_eq!(known.mails, ["ada@example.org"]);
    assert_eq!(known.handles, ["@ada", "@acme/security"]);
    assert_eq!(trust.reviewers().collect::<Vec<_>>(), ["ada"]);
    assert_eq!(Trust::parse(&trust.to_string()).unwrap(), trust);
    let both = Trust::parse(&format!("{text}ada {ada}\n")).unwrap();
    assert!(both.is_prover(&ada) && both.reviewer(&ada).is_some());
    assert!(Trust::parse("@reviewer ada\n").is_err());
}

#[rstest]
#[case::nothing("# nobody\n", "the trust file names no signer")]
#[case::one_word("# x\n\nada\n", "line 3: expected `<name> <key type> <base64>`")]
#[case::two_words("ada ed25519", "line 1: expected `<name> <key type> <base64>`")]
#[case::rsa(
    "ada ssh-rsa AAAA",
    "line 1: key type `ssh-rsa` is not supported; use an Ed25519 key"
)]
#[case::broken(
    "ada ed25519 AAAA",
    "line 1: the base64 is not an Ed25519 public key of 32 bytes"
)]
fn trust_files_that_are_refused(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(Trust::parse(text).unwrap_err().to_string(), expected);
}

#[test]
fn one_key_has_one_name() {
    let key = prover().public();
    let text = format!("ci {key}\nci {key}\nmallory {key}\n");
    assert_eq!(
        Trust::parse(&text),
        Err(TrustError::Renamed {
            line: 3,
            name: "ci".into()
        })
    );
}
