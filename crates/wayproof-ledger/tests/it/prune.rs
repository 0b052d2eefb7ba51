//! Pruning: texts go, hashes stay, and whoever verifies is told.

use wayproof_ledger::{Clock, EventBody, Ledger, SpendBy};
use wayproof_receipt::log::{NoteKey, leaf_hash};

use crate::engine::Place;
use crate::fixture::{NOON_US, about, exchange, job_opened, key, listed, opened};
use crate::on_both;

on_both! {
    old_events_go_and_the_ledger_still_verifies
    nothing_old_is_nothing_pruned
    a_prune_after_a_prune_goes_on
    events_that_vanish_without_a_prune_are_missed
    what_is_kept_instead_cannot_be_changed
}

const HOUR_US: i64 = 3_600_000_000;

/// A ledger whose first 61 events are an hour older than the rest; an exchange is open across.
async fn filled(place: &Place) -> Ledger {
    let ledger = place.open_at(NOON_US - HOUR_US).await;
    let about_job = || about("s", Some("j"), None);
    ledger
        .append(&ledger.event(about_job(), job_opened("bug-fix")))
        .await
        .expect("recorded");
    for number in 0..30 {
        exchange(&ledger, "s", Some("j"), listed(number)).await;
    }
    let across = about("s", Some("j"), Some("across"));
    ledger
        .append(&ledger.event(across, opened("bug-fix", "fast", "m")))
        .await
        .expect("recorded");
    ledger.flush().await.expect("flushed");
    ledger.close().await.expect("closed");
    let ledger = place.open_at(NOON_US).await;
    for number in 0..20 {
        exchange(&ledger, "s", Some("j"), listed(number)).await;
    }
    ledger.flush().await.expect("flushed");
    ledger
}

async fn old_events_go_and_the_ledger_still_verifies(place: Place) {
    let ledger = filled(&place).await;
    let third = ledger.event_at(3).await.expect("read").expect("there");
    let leaf = leaf_hash(third.text.as_bytes());
    let spend = ledger.spend(SpendBy::Model, 0).await.expect("read");
    let would = ledger.would_prune(NOON_US).await.expect("read");
    let pruned = ledger
        .prune(NOON_US, Some("operator".to_owned()))
        .await
        .expect("pruned");
    assert_eq!((pruned.events, pruned.before), (62, 62));
    assert_eq!((would.events, would.bytes), (62, pruned.bytes));
    let report = pruned.report.expect("verified");
    assert!(report.is_whole(), "{report:?}");
    let told = report.pruned.expect("told");
    assert_eq!(told.before, 62);
    // 62 old events, 40 new ones and the prune's own.
    assert_eq!(report.events, 103);

    assert!(ledger.event_at(3).await.expect("read").is_none());
    assert_eq!(ledger.events(0, 10).await.expect("read")[0].seq, 62);
    assert_eq!(ledger.spend(SpendBy::Model, 0).await.expect("read"), spend);
    let last = ledger.event_at(102).await.expect("read").expect("there");
    let EventBody::EventsPruned(event) = last.event.body else {
        panic!("{last:?}");
    };
    assert_eq!(event.snapshot_digest, told.snapshot_digest);
    assert_eq!(event.by.as_deref(), Some("operator"));
    // Who kept a pruned event can still prove that it was recorded.
    let proof = ledger
        .inclusion_proof(3)
        .await
        .expect("read")
        .expect("signed");
    let log = NoteKey::new(&report.origin, key().public()).expect("a key");
    proof.verify(&leaf, &log).expect("in the log");

    // The ledger goes on, over another opening too.
    exchange(&ledger, "s", Some("j"), listed(1)).await;
    ledger.close().await.expect("closed");
    let ledger = place.open_at(NOON_US + 1).await;
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole() && report.events == 105, "{report:?}");
    let directory = tempfile::tempdir().expect("a directory");
    let log = ledger
        .export_tiles(directory.path())
        .await
        .expect("exported");
    assert_eq!(log.events, 105);
    ledger.close().await.expect("closed");
}

async fn nothing_old_is_nothing_pruned(place: Place) {
    let ledger = filled(&place).await;
    let pruned = ledger
        .prune(NOON_US - 2 * HOUR_US, None)
        .await
        .expect("read");
    assert_eq!((pruned.events, pruned.report), (0, None));
    assert_eq!(ledger.events(0, 1000).await.expect("read").len(), 102);
    ledger.close().await.expect("closed");
}

async fn a_prune_after_a_prune_goes_on(place: Place) {
    let ledger = filled(&place).await;
    ledger.prune(NOON_US, None).await.expect("pruned");
    let pruned = ledger.prune(NOON_US + 1, None).await.expect("pruned");
    assert_eq!((pruned.events, pruned.before), (41, 103));
    let report = pruned.report.expect("verified");
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(report.pruned.expect("told").before, 103);
    ledger.close().await.expect("closed");
}

async fn events_that_vanish_without_a_prune_are_missed(place: Place) {
    let ledger = filled(&place).await;
    let pruned = ledger
        .prune(NOON_US - HOUR_US + 1, None)
        .await
        .expect("pruned");
    assert_eq!(pruned.before, 62);
    place.sql("DELETE FROM events WHERE seq = 62").await;
    let problem = ledger
        .verify()
        .await
        .expect("read")
        .problem
        .expect("noticed");
    assert_eq!(problem.what, "event 62 is missing");
    ledger.close().await.expect("closed");
}

async fn what_is_kept_instead_cannot_be_changed(place: Place) {
    let ledger = filled(&place).await;
    ledger.prune(NOON_US, None).await.expect("pruned");
    let tamperings = [
        (
            "UPDATE contents SET content = REPLACE(content, 'bug-fix', 'bug-fax')",
            "what was kept of the events before 62 is not what it was",
        ),
        (
            "DELETE FROM contents",
            "what was kept of the events before 62 is missing",
        ),
        ("DELETE FROM pruned", "event 0 is missing"),
        (
            "UPDATE jobs SET exchanges = exchanges - 1",
            "the row of j in the table of jobs disagrees with the events",
        ),
    ];
    let backup = ["contents", "pruned", "jobs"];
    for table in backup {
        let sql = format!("CREATE TABLE backup_{table} AS SELECT * FROM {table}");
        place.sql(&sql).await;
    }
    for (tampering, expected) in tamperings {
        place.sql(tampering).await;
        let problem = ledger
            .verify()
            .await
            .expect("read")
            .problem
            .expect("noticed");
        assert_eq!(problem.what, expected, "{tampering}");
        for table in backup {
            place.sql(&format!("DELETE FROM {table}")).await;
            let sql = format!("INSERT INTO {table} SELECT * FROM backup_{table}");
            place.sql(&sql).await;
        }
        let report = ledger.verify().await.expect("read");
        assert!(report.is_whole(), "{report:?}");
    }
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pruned_texts_are_not_in_the_file_any_more() {
    let place = Place::sqlite();
    let ledger = filled(&place).await;
    let needle = ledger.event_at(1).await.expect("read").expect("there");
    let needle = needle.event.id.to_string();
    let file = place.data().join("ledger.db");
    ledger.prune(NOON_US, None).await.expect("pruned");
    ledger.close().await.expect("closed");
    let bytes = std::fs::read(file).expect("read");
    let found = bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes());
    assert!(!found, "the text of a pruned event is still in the file");
    let again = Ledger::open(place.location.clone(), Clock::fixed(NOON_US), Some(key()))
        .await
        .expect("opens");
    assert!(again.verify().await.expect("read").is_whole());
    again.close().await.expect("closed");
}
