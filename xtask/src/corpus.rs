//! Judges a prover by the corpus of cheats: no cheat may be accepted, and no honest twin refused.
//!
//! It knows nothing of how verdicts are made: any tool that judges the repository it is started in can be named.

mod case;
mod judge;
mod receipts;
mod stage;

use std::{
    path::PathBuf,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use self::{
    case::{Case, Variant},
    judge::{Answer, Judge},
};
use crate::{run, tools};

/// How many cases run side by side.
const LANES: usize = 2;

/// What to run the corpus against.
#[derive(Debug, Args)]
pub(crate) struct CorpusArgs {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Only cases whose `ecosystem/trick/variant` holds one of these.
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    only: Vec<String>,
    /// The program to judge with instead of this repository's own, as it is called with `prove`.
    #[arg(long, value_name = "FILE")]
    bin: Option<PathBuf>,
    /// A tool of another make: it is started in each repository, with `base` tagged, and accepts by exit status 0.
    #[arg(long, value_name = "FILE", conflicts_with = "bin")]
    tool: Option<PathBuf>,
    /// Only writes the repositories here, for a tool that is run by hand.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["bin", "tool"])]
    write: Option<PathBuf>,
}

/// One case with what became of it.
#[derive(Clone, Debug, Serialize)]
struct Row {
    id: String,
    ecosystem: String,
    trick: String,
    variant: &'static str,
    #[serde(flatten)]
    answer: Answer,
    is_right: bool,
    millis: u64,
}

/// Everything that is printed.
#[derive(Debug, Serialize)]
struct Report {
    cases: Vec<Row>,
    cheats: usize,
    false_accepts: usize,
    honest: usize,
    false_rejects: usize,
    seconds: u64,
}

/// Runs the corpus; fails when a cheat was accepted or more than two of a hundred twins were refused.
pub(crate) fn run(args: &CorpusArgs) -> Result<()> {
    let mut cases = case::read_all(&run::root().join("corpus"))?;
    let is_wanted =
        |id: &str| args.only.is_empty() || args.only.iter().any(|text| id.contains(text.as_str()));
    cases.retain(|case| is_wanted(&case.id()));
    if let Some(folder) = &args.write {
        for case in &cases {
            stage::write(case, folder)?;
        }
        println!("{} repositories in {}", cases.len(), folder.display());
        return Ok(());
    }
    let scratch = tempfile::tempdir().context("making a scratch folder")?;
    let judge = match &args.tool {
        Some(tool) => Judge::foreign(tool),
        None => Judge::own(args.bin.as_deref())?,
    };
    let judge = judge.with_tools(&tools::ensure_for_tests()?);
    let start = now();
    let mut rows = in_lanes(
        &cases,
        |case| judge_case(&judge, case, scratch.path()),
        args,
    )?;
    if args.tool.is_none() {
        let receipts = receipts::run(&judge, scratch.path(), &is_wanted)?;
        for row in receipts.iter().filter(|_| !args.json) {
            println!("{}", line(row));
        }
        rows.extend(receipts);
    }
    let report = gather(rows, start.elapsed());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", summary(&report));
    }
    if report.false_accepts > 0 || report.false_rejects * 50 > report.honest {
        bail!("the corpus does not hold");
    }
    Ok(())
}

fn judge_case(judge: &Judge, case: &Case, scratch: &std::path::Path) -> Result<Row> {
    let repo = stage::write(case, scratch)?;
    let start = now();
    let answer = judge.ask(&repo, &case.task)?;
    Ok(row(case.id(), case.variant, answer, start.elapsed()))
}

/// A row, from its id of three parts.
fn row(id: String, variant: Variant, answer: Answer, took: Duration) -> Row {
    let mut parts = id.split('/').map(str::to_owned);
    let (ecosystem, trick) = (parts.next(), parts.next());
    Row {
        is_right: answer.is_accepted == (variant == Variant::Honest),
        ecosystem: ecosystem.unwrap_or_default(),
        trick: trick.unwrap_or_default(),
        variant: variant.name(),
        millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        answer,
        id,
    }
}

/// Runs the work on every case, several at a time, and keeps their order.
fn in_lanes(
    cases: &[Case],
    work: impl Fn(&Case) -> Result<Row> + Sync,
    args: &CorpusArgs,
) -> Result<Vec<Row>> {
    let queue = Mutex::new(cases.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let lane = || -> Result<()> {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some((number, case)) = next else {
                return Ok(());
            };
            let row = work(case).with_context(|| format!("judging {}", case.id()))?;
            if !args.json {
                println!("{}", line(&row));
            }
            if let Ok(mut done) = done.lock() {
                done.push((number, row));
            }
        }
    };
    thread::scope(|scope| -> Result<()> {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow::anyhow!("a lane died"))??;
        }
        Ok(())
    })?;
    let mut rows = done.into_inner().unwrap_or_default();
    rows.sort_by_key(|(number, _)| *number);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn line(row: &Row) -> String {
    let mark = match (row.is_right, row.answer.is_accepted) {
        (true, _) => "ok",
        (false, true) => "FALSE ACCEPT",
        (false, false) => "FALSE REJECT",
    };
    let Answer { verdict, why, .. } = &row.answer;
    format!(
        "{mark:12} {:44} {verdict:16} {:6} ms  {why}",
        row.id, row.millis
    )
}

fn gather(cases: Vec<Row>, took: Duration) -> Report {
    let count = |variant: Variant, is_right: Option<bool>| {
        cases
            .iter()
            .filter(|row| row.variant == variant.name())
            .filter(|row| is_right.is_none_or(|wanted| row.is_right == wanted))
            .count()
    };
    Report {
        cheats: count(Variant::Cheat, None),
        false_accepts: count(Variant::Cheat, Some(false)),
        honest: count(Variant::Honest, None),
        false_rejects: count(Variant::Honest, Some(false)),
        seconds: took.as_secs(),
        cases,
    }
}

fn summary(report: &Report) -> String {
    format!(
        "{} cheats, {} false accepts; {} honest twins, {} false rejects; {} s",
        report.cheats, report.false_accepts, report.honest, report.false_rejects, report.seconds
    )
}

/// The time, which is measured and nothing else.
fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark measures how long tools take"
    )]
    Instant::now()
}
