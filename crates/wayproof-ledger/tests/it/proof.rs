//! Log proofs that others can check, and content kept beside the log.

use std::str::FromStr;

use wayproof_ledger::{Cost, EventBody, LedgerError, ReceiptIssued, Standing};
use wayproof_receipt::log::{Checkpoint, NoteKey, TlogProof, leaf_hash};
use wayproof_receipt::{SigningKey, Verdict};

use crate::engine::Place;
use crate::fixture::{about, exchange, key};
use crate::on_both;

on_both! {
    what_stands_in_the_log_is_worked_out_anew
    every_event_proves_that_it_is_in_the_log
    a_receipt_is_found_by_its_digest_and_proven
}

async fn every_event_proves_that_it_is_in_the_log(place: Place) {
    let ledger = place.open().await;
    for number in 0..140 {
        exchange(&ledger, "s", None, Cost::default()).await;
        if number % 33 == 0 {
            ledger.flush().await.expect("flushed");
        }
    }
    assert!(
        ledger.inclusion_proof(279).await.expect("read").is_none(),
        "not under a checkpoint yet"
    );
    ledger.flush().await.expect("flushed");
    let log =
        NoteKey::new(&ledger.origin().await.expect("read"), key().public()).expect("a log key");
    for stored in ledger.events(0, 1_000).await.expect("read") {
        let proof = ledger
            .inclusion_proof(stored.seq)
            .await
            .expect("read")
            .expect("covered");
        let read = TlogProof::from_str(&proof.to_string()).expect("the text is a proof");
        let checkpoint = read
            .verify(&leaf_hash(stored.text.as_bytes()), &log)
            .expect("proven");
        assert_eq!(checkpoint.size, 280);
        read.verify(&leaf_hash(b"something else"), &log)
            .expect_err("not in the log");
    }
    assert!(ledger.inclusion_proof(280).await.expect("read").is_none());
    assert!(ledger.inclusion_proof(-1).await.expect("read").is_none());
    ledger.close().await.expect("closed");
}

async fn what_stands_in_the_log_is_worked_out_anew(place: Place) {
    let ledger = place.open().await;
    for _ in 0..3 {
        exchange(&ledger, "s", None, Cost::default()).await;
    }
    ledger.flush().await.expect("flushed");
    let standing = ledger.standing(2).await.expect("read");
    let Standing::Logged(logged) = standing else {
        panic!("{standing:?}");
    };
    let log = logged.key.as_ref().expect("it was opened with a key");
    let read = TlogProof::from_str(&logged.proof.to_string()).expect("the text is a proof");
    let text = read.extra.clone().expect("it carries the event");
    assert_eq!(text, logged.event.text.as_bytes());
    let checkpoint = read.verify(&leaf_hash(&text), log).expect("proven");
    assert_eq!((checkpoint.size, logged.size), (6, 6));
    assert!(matches!(
        ledger.standing(6).await.expect("read"),
        Standing::Uncovered
    ));

    place
        .sql("UPDATE events SET body = REPLACE(body, 'fast', 'slow') WHERE seq = 2")
        .await;
    let broken = |standing| match standing {
        Standing::Broken(why) => why,
        other => panic!("{other:?}"),
    };
    let why = broken(ledger.standing(2).await.expect("read"));
    assert!(why.contains("does not lead to the root"), "{why}");
    // Whoever can write to the database can make another root, but not sign it.
    let strange = Checkpoint {
        origin: ledger.origin().await.expect("read"),
        size: 6,
        root: checkpoint.root,
    };
    let note = strange
        .sign(&SigningKey::from_seed(&[77; 32]))
        .expect("signs");
    place
        .sql(&format!(
            "UPDATE checkpoints SET note = '{note}' WHERE size = 6"
        ))
        .await;
    let why = broken(ledger.standing(4).await.expect("read"));
    assert!(why.contains("not signed by the log's key"), "{why}");
    ledger.close().await.expect("closed");
}

async fn a_receipt_is_found_by_its_digest_and_proven(place: Place) {
    let ledger = place.open().await;
    let digest = ledger.keep("the bundle").await.expect("kept");
    assert_eq!(ledger.keep("the bundle").await.expect("kept again"), digest);
    let issued = ReceiptIssued {
        receipt_digest: digest.clone(),
        verdict: Verdict::Proven,
        commit: None,
        tree: None,
        key_id: None,
    };
    ledger
        .append(&ledger.event(
            about("s", Some("j"), None),
            EventBody::ReceiptIssued(issued),
        ))
        .await
        .expect("recorded");
    ledger.flush().await.expect("flushed");
    let receipt = ledger.receipt(&digest).await.expect("read").expect("known");
    assert_eq!(receipt.content.as_deref(), Some("the bundle"));
    assert_eq!(receipt.job.as_deref(), Some("j"));
    let proof = ledger
        .receipt_inclusion_proof(&digest)
        .await
        .expect("read")
        .expect("covered");
    assert_eq!(proof.index, receipt.seq.unsigned_abs());
    assert!(ledger.receipt("00").await.expect("read").is_none());

    place
        .sql("UPDATE contents SET content = 'another bundle'")
        .await;
    let error = ledger
        .kept(&digest)
        .await
        .expect_err("the content was changed");
    assert!(matches!(error, LedgerError::Inconsistent(_)), "{error}");
    ledger.close().await.expect("closed");
}
