//! What is recorded is there, once, whole and in order.

use wayproof_ledger::{Cost, ExchangeFilter, JobFilter, Page};

use crate::engine::Place;
use crate::fixture::{about, exchange, job_opened, listed};
use crate::on_both;

on_both! { an_exchange_is_listed_with_its_job_and_session }

async fn an_exchange_is_listed_with_its_job_and_session(place: Place) {
    let ledger = place.open().await;
    let open = ledger.event(about("s1", Some("j1"), None), job_opened("bug-fix"));
    ledger.append(&open).await.expect("recorded");
    let first = exchange(&ledger, "s1", Some("j1"), listed(1_500)).await;
    let second = exchange(&ledger, "s1", Some("j1"), Cost::default()).await;
    ledger.flush().await.expect("flushed");

    let rows = ledger
        .exchanges(&ExchangeFilter::default(), Page::default())
        .await
        .expect("a page");
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, [second, first.clone()]);
    let jobs = ledger
        .jobs(&JobFilter::default(), Page::default())
        .await
        .expect("a page");
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].exchanges, jobs[0].settled), (2, 2));
    assert_eq!(jobs[0].money.listed_nano_usd, Some(1_500));
    assert_eq!(jobs[0].money.listed_unknown, 1);
    assert_eq!(jobs[0].money.billed_nano_usd, None);
    let detail = ledger.exchange(&first).await.expect("read").expect("found");
    assert!(
        detail
            .decision()
            .is_some_and(|decision| decision.contains("failing test"))
    );
    assert_eq!(
        detail
            .settled
            .and_then(|settled| settled.cost.listed_nano_usd),
        Some(1_500)
    );
    let story = ledger.job("j1").await.expect("read").expect("found").story;
    assert_eq!(story.len(), 1);
    ledger.close().await.expect("closed");
}
