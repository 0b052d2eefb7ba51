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
use wayproof_ledger::{About, Clock, CrossBy, Event, EventBody, JobClosed, JobOpened, Ledger};
use wayproof_receipt::Verdict;

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
/// An answer begins within this, at the median.
const FIRST: Duration = Duration::from_millis(50);
/// And is there within this, at the worst.
const ALL: Duration = Duration::from_millis(300);
const BYTES: usize = 150 << 10;
const DIMENSIONS: [&str; 8] = [
    "task", "class", "provider", "model", "agent", "repo", "verdict", "day",
];
/// Live pages that are open.
const WATCHERS: usize = 500;
const ROUNDS: usize = 5;
/// Exchanges recorded in one round.
const EXCHANGES: u32 = 16_000;
/// What live pages may cost at most.
const MOST_PERCENT: f64 = 5.0;

async fn client(ledger: Ledger, client: u64) {
    let mut words = Words::plain("");
    let jobs = EVENTS / (2 * JOB + 2) / CLIENTS;
    for number in 0..jobs {
        words.job = format!("job-{client}-{number}");
        ["bug-fix", "documentation", "migration", "small-edit"]
            [usize::try_from(number % 4).unwrap()]
        .clone_into(&mut words.task);
        let varied = |names: u64| (client * 7 + number) % names;
        words.repo = format!("https://example.org/team/shop-{}.git", varied(40));
        words.agent = ["claude-code", "codex", "copilot", "gemini", "aider", "pi"]
            [usize::try_from(varied(6)).unwrap()]
        .to_owned();
        // Jobs of a year, from the oldest to the newest.
        let ago = i64::try_from((jobs - number) * 360 / jobs).unwrap() * 86_400_000_000;
        let at_us = ledger.clock().now_us() - ago;
        let event = |about: About, body: EventBody| Event {
            at_us,
            ..ledger.event(about, body)
        };
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
        ledger.note(&event(about(None), opening)).unwrap();
        for turn in 0..JOB {
            let class = if turn < varied(6) { "fast" } else { "strong" };
            words.model = format!("claude-{class}-{}", varied(3));
            let id = ledger.ids().next().to_string();
            let opening = event(about(Some(&id)), opened(&words, class));
            ledger.append_written(&opening).await.unwrap();
            let body = settled(&words, class, Some(1_500_000));
            ledger.note(&event(about(Some(&id)), body)).unwrap();
        }
        let verdict = [Verdict::Proven, Verdict::Refuted, Verdict::ProvenWithGaps];
        let closed = JobClosed {
            verdict: verdict.get(usize::try_from(varied(4)).unwrap()).copied(),
            why: None,
        };
        ledger
            .note(&event(about(None), EventBody::JobClosed(closed)))
            .unwrap();
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

/// Pages whose addresses are always the same.
const PATHS: [&str; 22] = [
    "/",
    "/jobs",
    "/jobs?task=bug-fix",
    "/jobs?verdict=REFUTED",
    "/jobs?agent=nobody",
    "/jobs?q=nowhere",
    "/jobs?sort=cost",
    "/jobs?since=day&class=fast",
    "/jobs?repo=shop-7&sort=turns",
    "/jobs?seq=500000",
    "/jobs/job-of-a-story",
    "/jobs/job-3-7",
    "/receipts",
    "/review",
    "/spend",
    "/policy",
    "/models",
    "/models?q=claude",
    "/models?one=anthropic/claude-haiku-5-5&two=anthropic/claude-opus-5-5",
    "/status",
    "/settings",
    "/docs/policy",
];

/// Those, spend by any two dimensions, and what a job left.
fn paths(left: &story::Left) -> Vec<String> {
    let mut paths: Vec<String> = PATHS.iter().map(|path| (*path).to_owned()).collect();
    paths.push(format!("/exchanges/{}", left.exchange));
    paths.push(format!("/receipts/{}", left.receipt));
    for one in DIMENSIONS {
        for two in DIMENSIONS {
            paths.push(format!("/spend?one={one}&two={two}&days=365"));
        }
    }
    paths
}

/// Pages by their addresses; the answers must begin, end and fit within limits.
async fn pages(stage: &Stage, left: &story::Left) -> bool {
    let mut is_good = true;
    println!(
        "{:<44} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "page", "first look", "first ms", "p50 ms", "worst ms", "bytes"
    );
    for path in &paths(left) {
        let (mut firsts, mut times, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..RUNS {
            let (first, all, size) = measure(stage, path).await;
            firsts.push(first);
            times.push(all);
            bytes = size;
        }
        let look = times[0];
        firsts.sort_unstable();
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let (first, worst) = (firsts[RUNS / 2], times[RUNS - 1]);
        let fits = first <= FIRST && worst <= ALL && bytes <= BYTES;
        is_good &= fits;
        println!(
            "{path:<44.44} {:>10.2} {:>10.2} {:>10.2} {:>10.2} {bytes:>10}{}",
            ms(look),
            ms(first),
            ms(times[RUNS / 2]),
            ms(worst),
            if fits { "" } else { "  over the limit" }
        );
    }
    is_good
}

/// Reads a live page until it is told to stop.
async fn watch(router: axum::Router, stop: CancellationFlag) {
    let mut router = router;
    let mut request = stage::request("GET", "/live").body(Body::empty()).unwrap();
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 50_000));
    request
        .extensions_mut()
        .insert(axum::extract::ConnectInfo(peer));
    let response = tower_service::Service::call(&mut router, request)
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        // A live page says something every fifteen seconds at least; nobody waits here for that.
        let frame = tokio::time::timeout(Duration::from_millis(500), body.frame()).await;
        drop(frame);
    }
}

type CancellationFlag = std::sync::Arc<std::sync::atomic::AtomicBool>;

/// How many exchanges a second are recorded, with so many live pages open.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn recorded(stage: &Stage, round: usize, watchers: usize) -> f64 {
    let stop = CancellationFlag::default();
    let mut watching = JoinSet::new();
    for _ in 0..watchers {
        watching.spawn(watch(stage.router.clone(), stop.clone()));
    }
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..8_u64 {
        let ledger = stage.ledger.clone();
        clients.spawn(async move {
            let mut words = Words::plain("");
            words.job = format!("live-{round}-{watchers}-{number}");
            let about = |exchange: &str| About {
                session: Some(words.job.clone()),
                job: Some(words.job.clone()),
                exchange: Some(exchange.to_owned()),
            };
            for _ in 0..EXCHANGES / 8 {
                let id = ledger.ids().next().to_string();
                let event = ledger.event(about(&id), opened(&words, "fast"));
                ledger.append_written(&event).await.unwrap();
                let event = ledger.event(about(&id), settled(&words, "fast", Some(1_500_000)));
                ledger.note(&event).unwrap();
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let took = began.elapsed();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    while let Some(ended) = watching.join_next().await {
        ended.unwrap();
    }
    stage.ledger.flush().await.unwrap();
    f64::from(EXCHANGES) / took.as_secs_f64()
}

/// How long it takes to read what all figures are made of, which pages do not wait for.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn reading(stage: &Stage) {
    let began = Instant::now();
    let cube = stage.ledger.spend_cube(0).await.unwrap();
    let read = began.elapsed();
    let laid_out = Instant::now();
    let cells = cube.by_two([CrossBy::Repo, CrossBy::Day], &(0..=i64::MAX), usize::MAX);
    println!(
        "spend read in {:.0} ms, {} cells of repository and day in {:.0} ms more",
        read.as_secs_f64() * 1_000.0,
        cells.len(),
        laid_out.elapsed().as_secs_f64() * 1_000.0
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let is_good = runtime.block_on(async {
        let stage = Stage::with(|_| {}, Clock::system()).await;
        let left = fill(&stage).await;
        println!("{} events", stage.ledger.size().await.unwrap());
        reading(&stage).await;
        let mut is_good = pages(&stage, &left).await;
        let (mut alone, mut watched) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            alone.push(recorded(&stage, round, 0).await);
            watched.push(recorded(&stage, round, WATCHERS).await);
        }
        let (alone, watched) = (median(alone), median(watched));
        let cost = (1.0 - watched / alone) * 100.0;
        println!(
            "{alone:.0} exchanges a second recorded, {watched:.0} with {WATCHERS} live pages open: {cost:.1} % less"
        );
        is_good &= cost <= MOST_PERCENT;
        stage.ledger.close().await.unwrap();
        is_good
    });
    assert!(is_good, "some limit is passed");
}
