//! A ledger of a million events: how long it takes to verify, and how long its pages take.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use wayproof_ledger::{Clock, ExchangeFilter, JobFilter, Ledger, Location, Page, SpendBy};

#[path = "../tests/it/fixture.rs"]
mod fixture;

const EXCHANGES: u64 = 500_000;
const CLIENTS: u64 = 32;
/// Requests of one job.
const JOB: u64 = 25;

async fn client(ledger: Ledger, client: u64) {
    for number in 0..EXCHANGES / CLIENTS {
        let session = format!("session-{client}-{}", number / (4 * JOB));
        let job = format!("job-{client}-{}", number / JOB);
        if number % JOB == 0 {
            let about = fixture::about(&session, Some(&job), None);
            ledger
                .note(&ledger.event(about, fixture::job_opened("bug-fix")))
                .expect("recorded");
        }
        let cost = if number % 10 == 0 {
            fixture::listed(0)
        } else {
            fixture::listed(1_500)
        };
        fixture::exchange(&ledger, &session, Some(&job), cost).await;
    }
}

async fn fill(ledger: &Ledger) {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(ledger.clone(), number));
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client");
    }
    ledger.flush().await.expect("flushed");
}

#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
fn million(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let location = Location::Sqlite(directory.path().to_owned());
    let ledger = runtime
        .block_on(Ledger::open(
            location,
            Clock::system(),
            Some(fixture::key()),
        ))
        .expect("a ledger");
    runtime.block_on(fill(&ledger));
    let page = Page::default();
    criterion.bench_function("verify 1,000,000 events", |bench| {
        bench.iter(|| {
            let report = runtime.block_on(ledger.verify()).expect("read");
            assert!(report.is_whole(), "{report:?}");
        });
    });
    criterion.bench_function("page of exchanges", |bench| {
        bench.iter(|| {
            runtime
                .block_on(ledger.exchanges(&ExchangeFilter::default(), page))
                .expect("a page")
        });
    });
    criterion.bench_function("page of exchanges of a job", |bench| {
        let filter = ExchangeFilter {
            job: Some("job-7-3".to_owned()),
            ..ExchangeFilter::default()
        };
        bench.iter(|| {
            runtime
                .block_on(ledger.exchanges(&filter, page))
                .expect("a page")
        });
    });
    criterion.bench_function(
        "page of exchanges of an unused model (worst case)",
        |bench| {
            let filter = ExchangeFilter {
                model: Some("none".to_owned()),
                ..ExchangeFilter::default()
            };
            bench.iter(|| {
                runtime
                    .block_on(ledger.exchanges(&filter, page))
                    .expect("a page")
            });
        },
    );
    criterion.bench_function("page of jobs with no such verdict (worst case)", |bench| {
        let filter = JobFilter {
            verdict: Some("REFUTED".to_owned()),
            ..JobFilter::default()
        };
        bench.iter(|| {
            runtime
                .block_on(ledger.jobs(&filter, page))
                .expect("a page")
        });
    });
    criterion.bench_function("spend by model", |bench| {
        bench.iter(|| {
            runtime
                .block_on(ledger.spend(SpendBy::Model, 0))
                .expect("a page")
        });
    });
    criterion.bench_function("spend by repository", |bench| {
        bench.iter(|| {
            runtime
                .block_on(ledger.spend(SpendBy::Repo, 0))
                .expect("a page")
        });
    });
    runtime.block_on(ledger.close()).expect("closed");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(10));
    targets = million
}
criterion_main!(benches);
