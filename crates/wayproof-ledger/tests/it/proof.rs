//! Log proofs that others can check, and content kept beside the log.

use std::str::FromStr;

use wayproof_ledger::{Cost, EventBody, LedgerError, ReceiptIssued};
use wayproof_receipt::Verdict;
use wayproof_receipt::log::{NoteKey, TlogProof, leaf_hash};

use crate::engine::Place;
use crate::fixture::{about, exchange, key};
use crate::on_both;

on_both! {
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
