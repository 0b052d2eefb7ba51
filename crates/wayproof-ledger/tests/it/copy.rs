//! Copies between databases, either way: everything arrives, verifies, and goes on.

use wayproof_engine::Budget;
use wayproof_ledger::{Clock, Ledger, Location, SpendBy};

use crate::engine::Place;
use crate::fixture::{NOON_US, about, exchange, job_opened, key, listed};

async fn filled(place: &Place) -> Ledger {
    let ledger = place.open().await;
    let about = about("s", Some("j"), None);
    ledger
        .append(&ledger.event(about, job_opened("bug-fix")))
        .await
        .expect("recorded");
    for number in 0..700 {
        exchange(
            &ledger,
            &format!("s{}", number % 7),
            Some("j"),
            listed(number),
        )
        .await;
    }
    ledger
        .keep("a receipt with 'quotes' and ümlauts\n")
        .await
        .expect("kept");
    let budget = Budget {
        subject: "team:web".parse().expect("a subject"),
        window: "month".parse().expect("a window"),
        limit_nano_usd: 5_000_000_000,
        soft_nano_usd: None,
    };
    ledger.books().put_budget(budget).await.expect("set");
    ledger.flush().await.expect("flushed");
    ledger
}

/// Copies there and back again, into a third place of the first kind.
async fn there_and_back(from: Place, to: Place, back: Place) {
    let ledger = filled(&from).await;
    let first = ledger.verify().await.expect("read");
    let copied = ledger.copy_to(&to.location).await.expect("copied");
    assert!(copied.is_whole(), "{copied:?}");
    assert_eq!((&copied.root, copied.events), (&first.root, first.events));

    let there = to.open().await;
    for by in [SpendBy::Model, SpendBy::Task] {
        assert_eq!(
            there.spend(by, 0).await.expect("read"),
            ledger.spend(by, 0).await.expect("read")
        );
    }
    let events = ledger.events(0, 5_000).await.expect("read");
    let texts = |events: Vec<wayproof_ledger::StoredEvent>| -> Vec<String> {
        events.into_iter().map(|stored| stored.text).collect()
    };
    assert_eq!(
        texts(there.events(0, 5_000).await.expect("read")),
        texts(events)
    );
    let register = there.books().fresh(0).await.expect("read");
    assert_eq!(register.budgets.len(), 1);
    // It goes on there.
    exchange(&there, "s", Some("j"), listed(3)).await;
    there.flush().await.expect("flushed");
    let report = there.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    let again = there.copy_to(&back.location).await.expect("copied");
    assert!(
        again.is_whole() && again.events == first.events + 2,
        "{again:?}"
    );
    ledger.close().await.expect("closed");
    there.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sqlite_to_postgres_and_back() {
    there_and_back(Place::sqlite(), Place::postgres(), Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_postgres_to_sqlite_and_back() {
    there_and_back(Place::postgres(), Place::sqlite(), Place::postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_with_events_is_not_written_over() {
    let (from, to) = (Place::sqlite(), Place::sqlite());
    let ledger = filled(&from).await;
    let other = filled(&to).await;
    other.close().await.expect("closed");
    let refused = ledger.copy_to(&to.location).await.expect_err("filled");
    assert!(
        refused
            .to_string()
            .contains("a copy goes to an empty place"),
        "{refused}"
    );
    let other = to.open().await;
    assert!(other.verify().await.expect("read").is_whole());
    other.close().await.expect("closed");
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_ledger_makes_no_copy() {
    let (from, to) = (Place::sqlite(), Place::sqlite());
    let ledger = filled(&from).await;
    from.sql("UPDATE events SET body = REPLACE(body, 'anthropic', 'anthropiC') WHERE seq = 77")
        .await;
    let report = ledger.copy_to(&to.location).await.expect("read");
    assert_eq!(report.problem.and_then(|problem| problem.seq), Some(77));
    ledger.close().await.expect("closed");
    let to = Ledger::open(to.location.clone(), Clock::fixed(NOON_US), Some(key()))
        .await
        .expect("opens");
    assert!(
        to.events(0, 1).await.expect("read").is_empty(),
        "nothing is left of it"
    );
    assert!(to.verify().await.expect("read").is_whole());
    to.close().await.expect("closed");
}

#[tokio::test]
async fn a_place_that_cannot_be_reached_is_said_to_be() {
    let from = Place::sqlite();
    let ledger = from.open().await;
    let nowhere = Location::Postgres("postgres://me:secret@127.0.0.1:9/wayproof".to_owned());
    let refused = ledger.copy_to(&nowhere).await.expect_err("nobody listens");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    ledger.close().await.expect("closed");
}
