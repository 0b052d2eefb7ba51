//! A ledger of a million events: how soon each page begins and ends, and how much it sends.
//!
//! `cargo bench -p wayproof-dashboard`; the limits are in docs/reference/performance.md.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run stops, and says what it measured"
)]

use std::time::{Duration, Instant};

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use wayproof_ledger::{About, Clock, EventBody, JobOpened, Ledger};

#[path = "../tests/it/stage.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod stage;
#[path = "../tests/it/story.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod story;

use stage::Stage;
use story::{Words, opened, settled, tell};

const EVENTS: u64 = 1_000_000;
const CLIENTS: u64 = 32;
/// Requests of one job: few, so that there are many jobs.
const JOB: u64 = 5;
const RUNS: usize = 30;

async fn client(ledger: Ledger, client: u64) {
    let mut words = Words::plain("");
    let jobs = EVENTS / (2 * JOB + 1) / CLIENTS;
    for number in 0..jobs {
        words.job = format!("job-{client}-{number}");
        ["bug-fix", "documentation", "migration", "small-edit"]
            [usize::try_from(number % 4).unwrap()]
        .clone_into(&mut words.task);
        let about = |exchange: Option<&str>| About {
            session: Some(format!("session-{client}-{}", number / 4)),
            job: Some(words.job.clone()),
            exchange: exchange.map(str::to_owned),
        };
        let opening = EventBody::JobOpened(JobOpened {
            task: words.task.clone(),
            class: Some("fast".into()),
            agent: Some(words.agent.clone()),
            repo: Some(words.repo.clone()),
            ..JobOpened::default()
        });
        ledger.note(&ledger.event(about(None), opening)).unwrap();
        for _ in 0..JOB {
            let id = ledger.ids().next().to_string();
            let event = ledger.event(about(Some(&id)), opened(&words, "fast"));
            ledger.append_written(&event).await.unwrap();
            let event = ledger.event(about(Some(&id)), settled(&words, "fast", Some(1_500_000)));
            ledger.note(&event).unwrap();
        }
    }
}

async fn fill(stage: &Stage) -> story::Left {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(stage.ledger.clone(), number));
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    tell(&stage.ledger, &Words::plain("job-of-a-story")).await
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn measure(stage: &Stage, path: &str) -> (Duration, Duration, usize) {
    let began = Instant::now();
    let request = stage::request("GET", path).body(Body::empty()).unwrap();
    let response = stage.raw([127, 0, 0, 1], request).await;
    assert_eq!(response.status(), 200, "{path}");
    let first = began.elapsed();
    let size = response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .len();
    (first, began.elapsed(), size)
}

fn main() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let stage = Stage::with(|_| {}, Clock::system()).await;
        let left = fill(&stage).await;
        println!("{} events", stage.ledger.size().await.unwrap());
        let (exchange, receipt) = (
            format!("/exchanges/{}", left.exchange),
            format!("/receipts/{}", left.receipt),
        );
        println!(
            "{:<44} {:>10} {:>10} {:>10}",
            "page", "p50 ms", "worst ms", "bytes"
        );
        for path in [
            "/",
            "/jobs",
            "/jobs?task=bug-fix",
            "/jobs?verdict=REFUTED",
            "/jobs?agent=nobody",
            "/jobs?q=nowhere",
            "/jobs?sort=cost",
            "/jobs?since=day&class=fast",
            "/jobs?seq=500000",
            "/jobs/job-of-a-story",
            "/jobs/job-3-7",
            &exchange,
            "/receipts",
            &receipt,
            "/spend",
            "/spend?one=repo&two=agent&days=365",
            "/policy",
            "/models",
            "/status",
            "/settings",
            "/docs/policy",
        ] {
            let mut times = Vec::new();
            let mut bytes = 0;
            for _ in 0..RUNS {
                let (_first, all, size) = measure(&stage, path).await;
                times.push(all);
                bytes = size;
            }
            times.sort_unstable();
            let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
            println!(
                "{path:<44.44} {:>10.2} {:>10.2} {bytes:>10}",
                ms(times[RUNS / 2]),
                ms(times[RUNS - 1])
            );
        }
        stage.ledger.close().await.unwrap();
    });
}
