//! What an exchange costs in the ledger: CPU time of the whole process for its two events, recorded by 32 clients at
//! once, with journal, database, tree and projections included. The upstream that a real exchange waits for is absent.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use wayproof_ledger::{Clock, Ledger, Location};

#[path = "../tests/it/fixture.rs"]
mod fixture;

const CLIENTS: u64 = 32;

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// How sessions are spread over exchanges.
#[derive(Clone, Copy)]
enum Sessions {
    /// One for each client.
    Few,
    /// A new one for each exchange.
    Many,
}

async fn client(ledger: Ledger, client: u64, exchanges: u64, sessions: Sessions) {
    for number in 0..exchanges {
        let session = match sessions {
            Sessions::Few => format!("session-{client}"),
            Sessions::Many => format!("session-{client}-{number}-{}", ledger.ids().next()),
        };
        let job = format!("job-{session}");
        if matches!(sessions, Sessions::Many) {
            let about = fixture::about(&session, Some(&job), None);
            ledger
                .note(&ledger.event(about, fixture::job_opened("bug-fix")))
                .expect("recorded");
        }
        fixture::exchange(&ledger, &session, Some(&job), fixture::listed(1_500)).await;
    }
}

async fn run(ledger: &Ledger, exchanges: u64, sessions: Sessions) {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let share = exchanges / CLIENTS + u64::from(number < exchanges % CLIENTS);
        clients.spawn(client(ledger.clone(), number, share, sessions));
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client");
    }
    ledger.flush().await.expect("flushed");
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, sessions: Sessions) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let location = Location::Sqlite(directory.path().to_owned());
    let ledger = runtime
        .block_on(Ledger::open(
            location,
            Clock::system(),
            Some(fixture::key()),
        ))
        .expect("a ledger");
    criterion.bench_function(name, |bench| {
        bench.iter_custom(|exchanges| {
            let before = cpu();
            runtime.block_on(run(&ledger, exchanges, sessions));
            cpu().saturating_sub(before)
        });
    });
    runtime.block_on(ledger.close()).expect("closed");
}

fn append(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    measure(
        criterion,
        "CPU of an exchange, few sessions",
        &runtime,
        Sessions::Few,
    );
    measure(
        criterion,
        "CPU of an exchange, a new session and job each",
        &runtime,
        Sessions::Many,
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(8));
    targets = append
}
criterion_main!(benches);
