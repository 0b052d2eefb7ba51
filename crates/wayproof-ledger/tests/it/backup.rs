//! Copies of a ledger: made while it is written to, verified, refused when broken, and usable again.

use std::fs;

use wayproof_ledger::{Clock, Days, Ledger, LedgerError, Location, Sources};

use crate::engine::Place;
use crate::fixture::{NOON_US, exchange, key, listed};

async fn fill(ledger: &Ledger, exchanges: u32) {
    for _ in 0..exchanges {
        exchange(ledger, "s", Some("j"), listed(7)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_everything_and_becomes_a_ledger() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    fill(&ledger, 300).await;
    ledger.keep("a receipt").await.expect("kept");
    let mut writing = tokio::task::JoinSet::new();
    let writer = ledger.clone();
    writing.spawn(async move { fill(&writer, 300).await });
    let file = place.data().join("copy.wayproof");
    let report = ledger.backup(&file).await.expect("copied");
    writing.join_all().await;
    assert!(report.is_whole() && report.is_signed, "{report:?}");
    assert!(report.events >= 600, "{report:?}");
    assert!(
        matches!(ledger.backup(&file).await, Err(LedgerError::File { .. })),
        "not over another file"
    );
    let origin = ledger.origin().await.expect("read");
    ledger.close().await.expect("closed");

    let elsewhere = place.data().join("elsewhere");
    let public = key().public();
    let (restored, aside) = Ledger::restore(&file, &elsewhere, Some(&public), false)
        .await
        .expect("restored");
    assert_eq!((restored.events, aside), (report.events, None));
    let again = Ledger::open(
        Location::Sqlite(elsewhere.clone()),
        Clock::fixed(NOON_US),
        Some(key()),
    )
    .await
    .expect("opens");
    assert_eq!(again.origin().await.expect("read"), origin);
    let rows = again
        .report(&[], Days::default(), Sources::All, 1)
        .await
        .expect("read");
    assert!(rows[0].exchanges >= 300, "{rows:?}");
    fill(&again, 3).await;
    again.flush().await.expect("flushed");
    assert!(again.verify().await.expect("read").is_whole(), "it goes on");

    // In use it is not replaced; afterwards it is set aside.
    let in_use = Ledger::restore(&file, &elsewhere, Some(&public), true).await;
    assert!(
        matches!(in_use, Err(LedgerError::Locked { .. })),
        "{in_use:?}"
    );
    again.close().await.expect("closed");
    let refused = Ledger::restore(&file, &elsewhere, Some(&public), false).await;
    assert!(
        matches!(refused, Err(LedgerError::File { .. })),
        "{refused:?}"
    );
    let (_, aside) = Ledger::restore(&file, &elsewhere, Some(&public), true)
        .await
        .expect("restored");
    assert!(aside.expect("set aside").join("ledger.db").is_file());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_copy_is_no_ledger() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    fill(&ledger, 200).await;
    let file = place.data().join("copy");
    ledger.backup(&file).await.expect("copied");
    ledger.close().await.expect("closed");
    let whole = fs::read(&file).expect("read");
    let needle = b"\"total_us\":2100000";
    // Pages keep what they held before in their free space, so every place that looks like an event is bent.
    let mut bent = whole.clone();
    let mut places = 0;
    for at in 0..whole.len() - needle.len() {
        if whole[at..].starts_with(needle) {
            bent[at + 11] = b'9';
            places += 1;
        }
    }
    assert!(places >= 200, "{places}");
    fs::write(&file, &bent).expect("written");
    let elsewhere = place.data().join("elsewhere");
    let public = key().public();
    let (report, _) = Ledger::restore(&file, &elsewhere, Some(&public), false)
        .await
        .expect("read");
    assert!(!report.is_whole(), "{report:?}");
    assert!(
        !elsewhere.join("ledger.db").exists(),
        "nothing is put in place"
    );

    fs::write(&file, &whole).expect("written");
    let other = wayproof_receipt::SigningKey::from_seed(&[9; 32]).public();
    let (report, _) = Ledger::restore(&file, &elsewhere, Some(&other), false)
        .await
        .expect("read");
    assert!(!report.is_whole(), "another ledger's key: {report:?}");
    for content in [
        b"".as_slice(),
        b"no database at all, but long enough to be one".as_slice(),
        &whole[..5000],
    ] {
        fs::write(&file, content).expect("written");
        let outcome = Ledger::restore(&file, &elsewhere, Some(&public), false).await;
        let is_refused = outcome
            .as_ref()
            .map_or(true, |(report, _)| !report.is_whole() || report.events == 0);
        assert!(is_refused, "{outcome:?}");
        assert!(content.is_empty() || !elsewhere.join("ledger.db").exists());
        drop(fs::remove_dir_all(&elsewhere));
    }
    let left: Vec<_> = fs::read_dir(place.data())
        .expect("read")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".making"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
