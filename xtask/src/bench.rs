//! Measures the gateway beside direct access, nginx and any peer, in one run on two pinned cores, and what proofs cost.
//!
//! Targets are on one core, the provider and the load on the other. Rounds interleave the targets,
//! and every figure is the median of its rounds, so a machine that drifts moves all targets alike.

pub(crate) mod bodies;
mod cases;
mod disk;
pub(crate) mod load;
pub(crate) mod mock;
mod process;
mod proofs;
mod report;
mod targets;
pub(crate) mod watch;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::{
    cases::{CASES, Case, Mode},
    load::{Order, Outcome},
    process::{Pinned, cpu_seconds, on_core, resident_mib},
    targets::Target,
};
use crate::run::{self, command, root};

/// The core of the target, and the core of provider and load.
const TARGET_CORE: u32 = 0;
const LOAD_CORE: u32 = 1;

/// How the benchmark runs.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Interleaved rounds; figures are medians over them.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of a closed loop; constant rates run four times as long.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only cases whose name contains one of these, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A peer to measure as well: NAME=HOST:PORT,PID. It must forward to the provider printed at the start.
    #[arg(long = "peer", value_name = "SPEC")]
    peers: Vec<String>,
    /// A built program for the rows about proofs, instead of a release build; with `--only proof,receipt`.
    #[arg(long, value_name = "FILE", requires = "only", conflicts_with = "write")]
    program: Option<PathBuf>,
    /// Writes docs/reference/performance.md.
    #[arg(long)]
    write: bool,
}

/// Medians of one target in one case.
#[derive(Debug, Clone, Default)]
struct Figures {
    cpu_ms: f64,
    p50_us: f64,
    p99_us: f64,
    first_delta_p50_us: f64,
    first_delta_p99_us: f64,
    requests_per_second: f64,
    deltas_per_read: f64,
    failed: u64,
}

type Results = BTreeMap<(&'static str, String), Vec<Figures>>;

/// Runs the benchmark.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    if CASES.iter().all(|case| !is_wanted(args, case.name)) {
        return proofs_alone(args);
    }
    if args.program.is_some() {
        bail!("--program measures the rows about proofs alone: --only proof,receipt");
    }
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "wayproof",
        "--package",
        "xtask",
    ];
    run::run(&mut command("cargo", &build))?;
    let work = tempfile::tempdir().context("making a working folder")?;
    let release = targets::release_folder()?;
    let xtask = release.join("xtask").to_string_lossy().into_owned();
    let port_file = work.path().join("provider.port");
    let port_argument = port_file.to_string_lossy().into_owned();
    let mut provider = Pinned::start(
        LOAD_CORE,
        &xtask,
        &["bench-provider", &port_argument],
        &work.path().join("provider.log"),
    )?;
    let port = targets::read_port(&port_file, &mut provider, &work.path().join("provider.log"))?;
    println!(
        "the provider is at 127.0.0.1:{port}, on core {LOAD_CORE}; targets are on core {TARGET_CORE}"
    );
    let mut results = Results::new();
    let cases: Vec<&Case> = CASES
        .iter()
        .filter(|case| is_wanted(args, case.name))
        .collect();
    for round in 0..args.rounds {
        let mut targets = targets::start_all(&release, work.path(), port, &args.peers)?;
        if round % 2 == 1 {
            targets.reverse();
        }
        for case in &cases {
            for target in targets.iter().filter(|target| target.is_for(case)) {
                let figures = measure(case, target, &xtask, work.path(), args.seconds)?;
                println!(
                    "round {} {:24} {:12} {}",
                    round + 1,
                    case.name,
                    target.name,
                    figures.line()
                );
                results
                    .entry((case.name, target.name.clone()))
                    .or_default()
                    .push(figures);
            }
        }
    }
    let extra = targets::memory_and_start(&release, work.path(), port, &xtask)?;
    let conditions = Conditions {
        rounds: args.rounds,
        durable_writes_us: disk::durable_writes_us(work.path())?,
    };
    let decision = decision_microseconds()?;
    let proofs = proof_rows(args, &release.join("wayproof"), work.path())?;
    let page = report::page(&results, &extra, &decision, &conditions) + &proofs::section(&proofs);
    println!("\n{page}");
    if args.write {
        let place = root().join("docs/reference/performance.md");
        fs::write(&place, page).context("writing docs/reference/performance.md")?;
    }
    Ok(())
}

/// Measures the rows about proofs and nothing else.
fn proofs_alone(args: &BenchArgs) -> Result<()> {
    let program = if let Some(program) = &args.program {
        fs::canonicalize(program).with_context(|| format!("finding {}", program.display()))?
    } else {
        let build = ["build", "--release", "--locked", "--package", "wayproof"];
        run::run(&mut command("cargo", &build))?;
        targets::release_folder()?.join("wayproof")
    };
    let work = tempfile::tempdir().context("making a working folder")?;
    let rows = proof_rows(args, &program, work.path())?;
    if rows.is_empty() {
        bail!("there is no case of that name");
    }
    println!("{}", proofs::section(&rows));
    Ok(())
}

fn proof_rows(args: &BenchArgs, program: &Path, work: &Path) -> Result<Vec<proofs::Row>> {
    proofs::measure(program, work, args.rounds, &|name| is_wanted(args, name))
}

fn is_wanted(args: &BenchArgs, name: &str) -> bool {
    args.only.is_empty() || args.only.iter().any(|part| name.contains(part.as_str()))
}

fn measure(
    case: &Case,
    target: &Target,
    xtask: &str,
    work: &Path,
    seconds: f64,
) -> Result<Figures> {
    let body_file = work.join(format!(
        "{:?}-{:?}-{}.json",
        case.speech, case.size, case.is_streaming
    ));
    if !body_file.exists() {
        fs::write(
            &body_file,
            bodies::build(case.speech, case.size, case.is_streaming),
        )?;
    }
    let (connections, rate) = match case.mode {
        Mode::Closed { connections } => (connections, None),
        Mode::Rate { per_second } => (16, Some(per_second)),
    };
    let mut headers = case.headers();
    if rate.is_some() && case.is_streaming {
        headers.push(("x-bench-paced".to_owned(), "1".to_owned()));
    }
    let order = Order {
        address: target.address,
        path: case.speech.path().to_owned(),
        body_file: body_file.to_string_lossy().into_owned(),
        headers,
        connections,
        rate,
        seconds: 0.3,
        most: None,
        vary: case.vary,
        is_streaming: case.is_streaming,
    };
    send(xtask, &order)?;
    let seconds = if rate.is_some() {
        seconds * 4.0
    } else {
        seconds
    };
    let _watchers = watchers(case, target, xtask, work)?;
    let before = target.id.map(cpu_seconds);
    let outcome = send(xtask, &Order { seconds, ..order })?;
    let used = target
        .id
        .zip(before)
        .map(|(id, before)| cpu_seconds(id) - before);
    Ok(Figures::of(&outcome, used.unwrap_or_default()))
}

/// Readers of the dashboard in a process of their own, if the case wants any; ended when dropped.
fn watchers(case: &Case, target: &Target, xtask: &str, work: &Path) -> Result<Option<Pinned>> {
    if case.live_pages == 0 {
        return Ok(None);
    }
    let (ready, log) = (work.join("watchers.ready"), work.join("watchers.log"));
    if ready.exists() {
        fs::remove_file(&ready).context("forgetting earlier watchers")?;
    }
    let (address, pages) = (target.address.to_string(), case.live_pages.to_string());
    let place = ready.to_string_lossy().into_owned();
    let args = ["bench-watch", &address, &pages, &place];
    let mut watchers = Pinned::start(LOAD_CORE, xtask, &args, &log)?;
    for _ in 0..1_000 {
        watchers.check(&log)?;
        if ready.exists() {
            return Ok(Some(watchers));
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    bail!("the live pages were not answered in ten seconds")
}

/// Runs one order in a process of its own on the load's core.
fn send(xtask: &str, order: &Order) -> Result<Outcome> {
    let order = serde_json::to_string(order)?;
    let mut load = on_core(LOAD_CORE, xtask, &["bench-load", &order]);
    let output = load
        .stderr(Stdio::inherit())
        .output()
        .context("starting the load")?;
    if !output.status.success() {
        bail!("the load failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("reading what the load measured")
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are small")]
    fn of(outcome: &Outcome, cpu_seconds: f64) -> Self {
        let sent = outcome.sent.max(1) as f64;
        Self {
            cpu_ms: cpu_seconds / sent * 1_000.0,
            p50_us: percentile(&outcome.latency_us, 50),
            p99_us: percentile(&outcome.latency_us, 99),
            first_delta_p50_us: percentile(&outcome.first_delta_us, 50),
            first_delta_p99_us: percentile(&outcome.first_delta_us, 99),
            requests_per_second: outcome.sent as f64 / outcome.seconds.max(1e-9),
            deltas_per_read: outcome.deltas as f64 / outcome.delta_reads.max(1) as f64,
            failed: outcome.failed + outcome.incomplete_streams,
        }
    }

    fn line(&self) -> String {
        format!(
            "cpu {:.4} s/1000  p50 {:.0} us  p99 {:.0} us  {:.0}/s  failed {}",
            self.cpu_ms, self.p50_us, self.p99_us, self.requests_per_second, self.failed
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "latencies are small")]
fn percentile(values: &[u64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default() as f64
}

/// The engine's own benchmarks of classifying, folding evidence and deciding.
const DECISIONS: [&str; 4] = [
    "first request, short ask",
    "first request, 3 KB ask",
    "next turn, a file read",
    "next turn, a test run",
];

/// Runs them; medians in microseconds, in their order.
fn decision_microseconds() -> Result<Vec<(&'static str, f64)>> {
    let bench = [
        "bench",
        "--locked",
        "--package",
        "wayproof-engine",
        "--bench",
        "decide",
        "--",
        "--quick",
    ];
    run::run(&mut command("cargo", &bench))?;
    let folder = targets::release_folder()?.join("../criterion");
    let median = |name: &'static str| {
        let place = folder.join(name).join("new/estimates.json");
        let text = fs::read_to_string(&place)
            .with_context(|| format!("the engine's benchmark left no {}", place.display()))?;
        let estimates: serde_json::Value = serde_json::from_str(&text)?;
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        let nanoseconds =
            nanoseconds.with_context(|| format!("{} has no median", place.display()))?;
        Ok((name, nanoseconds / 1_000.0))
    };
    DECISIONS.into_iter().map(median).collect()
}

/// What a reader must know to judge the figures.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub(crate) rounds: u32,
    pub(crate) durable_writes_us: Vec<u64>,
}

/// Memory of a target before and after many exchanges, and its time to the first answer.
#[derive(Debug, Clone)]
pub(crate) struct Extra {
    pub(crate) name: String,
    pub(crate) idle_mib: f64,
    pub(crate) after_mib: f64,
    pub(crate) start_ms: f64,
}

pub(crate) fn memory_of(target: &Target) -> f64 {
    target.id.map(resident_mib).unwrap_or_default()
}
