//! One key signs a ledger, whoever shares it.

use wayproof_ledger::{Clock, EventBody, Former, Ledger, LedgerError};
use wayproof_receipt::SigningKey;

use crate::engine::Place;
use crate::fixture::{NOON_US, about, exchange, job_opened, key, listed};

fn other() -> SigningKey {
    SigningKey::from_seed(&[8; 32])
}

async fn open(place: &Place, key: SigningKey) -> Result<Ledger, LedgerError> {
    Ledger::open(place.location.clone(), Clock::fixed(NOON_US), Some(key)).await
}

async fn visit(place: &Place, key: SigningKey) -> Ledger {
    Ledger::visit(place.location.clone(), Clock::fixed(NOON_US), Some(key))
        .await
        .expect("the ledger opens")
}

async fn whole(ledger: &Ledger) {
    ledger.flush().await.expect("flushed");
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
}

/// A second gateway with a key of its own is told before it writes, and what a visitor records is signed by the first.
async fn another_key_does_not_sign(place: Place) {
    let first = place.open().await;
    exchange(&first, "s", None, listed(1)).await;
    whole(&first).await;
    let refused = open(&place, other()).await.expect_err("another key");
    let told = refused.to_string();
    for part in [key().public(), other().public()] {
        assert!(told.contains(&part.to_string()), "{told}");
    }
    assert!(told.contains("copy keys/ledger"), "{told}");

    let visitor = visit(&place, other()).await;
    exchange(&visitor, "t", None, listed(2)).await;
    visitor.close().await.expect("closed");
    exchange(&first, "s", None, listed(3)).await;
    whole(&first).await;
    let report = first.verify().await.expect("read");
    assert!(report.is_signed && report.events == 6, "{report:?}");
    first.close().await.expect("closed");

    // Whoever has no key of it checks against the one it names, and says that this is not the same.
    let visitor = visit(&place, other()).await;
    let report = visitor.verify().await.expect("read");
    assert!(report.is_whole() && !report.is_signed, "{report:?}");
    assert_eq!(report.signer, Some(key().public().to_string()));
    let report = visitor.verify_with(Some(&key().public())).await;
    assert!(report.is_ok_and(|report| report.is_whole() && report.is_signed));
    visitor.close().await.expect("closed");
}

/// A lost key is replaced: everything is signed anew, the log says so, and the former key signs no more.
async fn a_key_is_replaced(place: Place) {
    let ledger = place.open().await;
    for number in 0..3 {
        exchange(&ledger, "s", None, listed(number)).await;
        whole(&ledger).await;
    }
    let visitor = visit(&place, other()).await;
    let report = visitor
        .rekey(&other(), Some("ana".to_owned()), Former::Checked)
        .await
        .expect("signed anew");
    assert!(report.is_whole() && report.is_signed, "{report:?}");
    assert_eq!(report.signer, Some(other().public().to_string()));
    let events = visitor.events(0, 100).await.expect("read");
    let told = events.iter().any(|stored| {
        matches!(&stored.event.body, EventBody::BooksChanged(changed)
            if changed.change == "log-key-set" && changed.by.as_deref() == Some("ana"))
    });
    assert!(told);
    visitor.close().await.expect("closed");

    // One that runs with the former key records on, and its signature is not put beside the new ones.
    exchange(&ledger, "s", None, listed(9)).await;
    ledger.flush().await.expect("flushed");
    let report = ledger.verify().await.expect("read");
    assert!(!report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
    assert!(matches!(
        open(&place, key()).await,
        Err(LedgerError::OtherSigner { .. })
    ));
    let ledger = open(&place, other()).await.expect("the ledger opens");
    exchange(&ledger, "s", None, listed(10)).await;
    whole(&ledger).await;
    ledger.close().await.expect("closed");
}

/// A ledger of before its key was written down is its newest signer's; one that several signed is signed anew.
async fn an_older_ledger_shows_its_key(place: Place) {
    let ledger = place.open().await;
    exchange(&ledger, "s", None, listed(1)).await;
    ledger.close().await.expect("closed");
    place.sql("UPDATE log SET signer = NULL").await;
    let refused = open(&place, other()).await.expect_err("another key");
    assert!(
        refused.to_string().contains("newest checkpoint"),
        "{refused}"
    );
    place.open().await.close().await.expect("closed");
    assert!(open(&place, other()).await.is_err());

    // As if the other key had signed the next checkpoint.
    let key = other().public();
    place.sql(&format!("UPDATE log SET signer = '{key}'")).await;
    let ledger = open(&place, other()).await.expect("the ledger opens");
    exchange(&ledger, "s", None, listed(2)).await;
    ledger.flush().await.expect("flushed");
    let report = ledger.rekey(&other(), None, Former::Checked).await;
    let report = report.expect("read");
    assert!(
        report
            .problem
            .is_some_and(|problem| problem.what.starts_with("the checkpoint at "))
    );
    let report = ledger.rekey(&other(), None, Former::GivenUp).await;
    assert!(report.is_ok_and(|report| report.is_whole()));
    ledger.close().await.expect("closed");
}

/// A new ledger on a server waits for its gateway, whoever comes by first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_of_a_server_does_not_claim_it() {
    let place = Place::postgres();
    let visitor = visit(&place, other()).await;
    let about = about("s", Some("j"), None);
    let event = visitor.event(about, job_opened("bug-fix"));
    visitor.append(&event).await.expect("recorded");
    visitor.close().await.expect("closed");
    let gateway = place.open().await;
    exchange(&gateway, "s", None, listed(1)).await;
    whole(&gateway).await;
    gateway.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_does_not_sign_sqlite() {
    another_key_does_not_sign(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_does_not_sign_postgres() {
    another_key_does_not_sign(Place::postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_sqlite() {
    a_key_is_replaced(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_postgres() {
    a_key_is_replaced(Place::postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_ledger_shows_its_key_sqlite() {
    an_older_ledger_shows_its_key(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_ledger_shows_its_key_postgres() {
    an_older_ledger_shows_its_key(Place::postgres()).await;
}
