//! Signed notes, checkpoints and textual log proofs.

use rstest::rstest;
use wayproof_receipt::log::{
    Checkpoint, CheckpointError, Frontier, Hash, Node, Note, NoteError, NoteKey, TlogProof,
    TlogProofError, inclusion_proof, leaf_hash,
};

use crate::fixture::{prover, stranger};

const ORIGIN: &str = "wayproof.example/log";

fn log_key() -> NoteKey {
    NoteKey::new(ORIGIN, prover().public()).unwrap()
}

/// A log of five entries and the proof of the fourth.
fn proof() -> (Hash, TlogProof) {
    let leaves: Vec<_> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|entry| leaf_hash(entry.as_bytes()))
        .collect();
    let mut frontier = Frontier::new();
    let mut nodes = std::collections::BTreeMap::new();
    for leaf in &leaves {
        frontier.append_with(*leaf, |node, hash| {
            nodes.insert(node, *hash);
        });
    }
    let hashes = inclusion_proof(5, 3, &|node: Node| nodes.get(&node).copied()).unwrap();
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: 5,
        root: frontier.root(),
    };
    let checkpoint = checkpoint.sign(&prover()).unwrap();
    (
        leaves[3],
        TlogProof {
            index: 3,
            extra: None,
            hashes,
            checkpoint,
        },
    )
}

#[test]
fn a_log_proof_verifies_offline() {
    let (leaf, proof) = proof();
    let text = proof.to_string();
    let read: TlogProof = text.parse().unwrap();
    assert_eq!(read, proof);
    let checkpoint = read.verify(&leaf, &log_key()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.origin.as_str()), (5, ORIGIN));
    insta::assert_snapshot!(text);
}

#[test]
fn a_log_proof_carries_extra_bytes_that_nobody_believes() {
    let (leaf, mut proof) = proof();
    proof.extra = Some(b"context".to_vec());
    let read: TlogProof = proof.to_string().parse().unwrap();
    assert_eq!(read.extra.as_deref(), Some(b"context".as_slice()));
    assert!(read.verify(&leaf, &log_key()).is_ok());
}

#[test]
fn every_flipped_bit_of_a_log_proof_is_noticed() {
    let (leaf, proof) = proof();
    let bytes = proof.to_string().into_bytes();
    for position in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        let is_good = String::from_utf8(flipped)
            .ok()
            .and_then(|text| text.parse::<TlogProof>().ok())
            .is_some_and(|proof| proof.verify(&leaf, &log_key()).is_ok());
        assert!(!is_good, "bit {position} went unnoticed");
    }
}

#[test]
fn every_flipped_bit_of_a_note_is_noticed() {
    let bytes = Note::sign("size 5\n\nroot\n", ORIGIN, &prover())
        .unwrap()
        .to_string()
        .into_bytes();
    for position in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        let note = String::from_utf8(flipped)
            .ok()
            .and_then(|text| Note::parse(&text).ok());
        let is_good = note.is_some_and(|note| note.verify(&[log_key()]).is_ok());
        assert!(!is_good, "bit {position} went unnoticed");
    }
}

#[test]
fn a_wrong_line_of_a_known_key_spoils_the_note() {
    let good = Note::sign("text\n", ORIGIN, &prover()).unwrap();
    let other = Note::sign("other\n", ORIGIN, &prover())
        .unwrap()
        .to_string();
    let wrong_line = other.lines().last().unwrap();
    let note = Note::parse(&format!("{good}{wrong_line}\n")).unwrap();
    assert_eq!(
        note.verify(&[log_key()]),
        Err(NoteError::BadSignature(ORIGIN.into()))
    );
}

#[test]
fn an_unknown_signer_is_nobody() {
    let note = Note::sign("text\n", ORIGIN, &stranger()).unwrap();
    assert_eq!(note.verify(&[log_key()]), Err(NoteError::UnknownSigner));
    assert_eq!(note.verify(&[]), Err(NoteError::UnknownSigner));
}

#[test]
fn signing_again_replaces_the_line() {
    let mut note = Note::sign("text\n", ORIGIN, &prover()).unwrap();
    note.add_signature(ORIGIN, &prover()).unwrap();
    assert_eq!(note.signatures().len(), 1);
    note.add_signature("witness.example", &stranger()).unwrap();
    assert_eq!(note.signatures().len(), 2);
    assert_eq!(Note::parse(&note.to_string()).unwrap(), note);
}

#[rstest]
#[case::no_newline("text")]
#[case::control("te\u{1b}xt\n")]
#[case::carriage_return("text\r\n")]
fn texts_that_cannot_be_signed(#[case] text: &str) {
    assert!(matches!(
        Note::sign(text, ORIGIN, &prover()),
        Err(NoteError::Malformed(_))
    ));
}

#[rstest]
#[case::space("two words")]
#[case::plus("a+b")]
#[case::empty("")]
#[case::newline("a\nb")]
#[case::unicode_space("a\u{2003}b")]
fn names_that_cannot_sign(#[case] name: &str) {
    assert!(matches!(
        Note::sign("text\n", name, &prover()),
        Err(NoteError::Malformed(_))
    ));
}

#[rstest]
#[case::no_blank_line("text\n— a AAAAAAA=\n")]
#[case::no_signature("text\n\n")]
#[case::cut("text\n\n— a AAAAAAA=")]
#[case::not_a_line("text\n\n- a AAAAAAA=\n")]
#[case::not_base64("text\n\n— a !!!!\n")]
#[case::id_only("text\n\n— a AAAAAA==\n")]
fn notes_that_are_not_notes(#[case] note: &str) {
    assert!(
        matches!(Note::parse(note), Err(NoteError::Malformed(_))),
        "{note:?}"
    );
}

#[rstest]
#[case::leading_zero("log\n05\n{root}\n")]
#[case::sign("log\n+5\n{root}\n")]
#[case::too_large("log\n18446744073709551616\n{root}\n")]
#[case::no_origin("\n5\n{root}\n")]
#[case::short_root("log\n5\nAAAA\n")]
#[case::empty_extension("log\n5\n{root}\n\n")]
#[case::two_lines("log\n5\n")]
fn checkpoints_that_are_not_checkpoints(#[case] text: &str) {
    let text = text.replace("{root}", &leaf_hash(b"").to_string());
    assert!(
        matches!(Checkpoint::parse(&text), Err(CheckpointError::Malformed(_))),
        "{text:?}"
    );
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let checkpoint = Checkpoint {
        origin: "elsewhere.example/log".into(),
        size: 0,
        root: leaf_hash(b""),
    };
    // The key and the name fit; what the text says does not.
    let note = Note::sign(&checkpoint.text(), ORIGIN, &prover()).unwrap();
    let opened = Checkpoint::open(&note.to_string(), &log_key());
    assert!(matches!(opened, Err(CheckpointError::Origin { .. })));
}

#[test]
fn a_proof_for_another_entry_is_refused() {
    let (_, proof) = proof();
    let verified = proof.verify(&leaf_hash(b"another entry"), &log_key());
    assert!(matches!(verified, Err(TlogProofError::Inclusion(_))));
}
