//! Breaks a real gateway in seeded ways and looks at what its ledger says afterwards: nothing acknowledged may be lost,
//! no event may be there half or twice, and the ledger must verify.
//!
//! It kills the gateway under load, cuts the power on its files, gives it disks that are full, slow or failing, damages
//! pages, and lets two gateways write. A seed makes every choice again.

mod faults;
mod gateway;
mod ledger;
mod power;
mod random;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use self::gateway::{Gateway, Provider, load};
use self::ledger::Ledger;
use self::random::Random;
use crate::run::{self, command, root};

/// How much is broken.
#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    /// Points at which the gateway is killed.
    #[arg(long, default_value_t = 8)]
    points: u32,
    /// Points at which the power is cut: what was not yet on the disk is lost in parts.
    #[arg(long, default_value_t = 8)]
    power_cuts: u32,
    /// Bits that flip in the database, each on its own.
    #[arg(long, default_value_t = 2_000)]
    flips: u64,
    /// Makes the same choices again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program to break; built in the development profile without it.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What came of one kind of breaking.
#[derive(Debug, Default, Serialize)]
struct Tally {
    /// How often it was done.
    runs: u64,
    /// Answers that clients had, all of which were found in the ledger.
    acknowledged: u64,
    /// Events that were verified.
    events: u64,
    /// What this machine does not allow to be tried, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_tried: Vec<String>,
}

/// What is broken, and in what.
struct Bench {
    binary: PathBuf,
    provider: Provider,
    work: PathBuf,
}

/// A way to break a gateway.
type Break = fn(&Bench, &CrashArgs, &mut Random) -> Result<Tally>;

/// All of them.
const BREAKS: [(&str, Break); 8] = [
    ("kill", |bench, args, random| {
        kill(bench, args.points, random)
    }),
    ("power-cut", |bench, args, random| {
        power::cut(bench, args.power_cuts, random)
    }),
    ("two-writers", |bench, _, random| two_writers(bench, random)),
    ("full-disk", |bench, _, _| faults::full_disk(bench)),
    ("read-only", |bench, _, _| faults::read_only(bench)),
    ("slow-sync", |bench, _, _| faults::slow_sync(bench)),
    ("failing-sync", |bench, _, _| faults::failing_sync(bench)),
    ("corrupt-page", |bench, _, random| {
        faults::corrupt_page(bench, random)
    }),
];

fn tell(name: &str, tally: &Tally) {
    println!(
        "{name:12} {} run(s), {} acknowledged, {} event(s) verified, nothing lost",
        tally.runs, tally.acknowledged, tally.events
    );
    for why in &tally.not_tried {
        println!("{name:12} not tried: {why}");
    }
}

/// Points after which a ledger is begun anew, so that looking at it stays quick.
const LIVES: u32 = 40;

/// Runs everything; the first thing that is lost ends it.
pub(crate) fn run(args: &CrashArgs) -> Result<()> {
    let binary = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => build()?,
    };
    let work = tempfile::tempdir().context("making a working folder")?;
    let bench = Bench {
        binary,
        provider: Provider::start(work.path())?,
        work: work.path().to_owned(),
    };
    let mut tallies = BTreeMap::new();
    for (name, breaks) in BREAKS {
        // Each kind makes its own choices, so that how often one is done changes nothing of another.
        let mut random = Random::new(args.seed);
        let tally = breaks(&bench, args, &mut random).with_context(|| name.to_owned())?;
        if !args.json {
            tell(name, &tally);
        }
        tallies.insert(name, tally);
    }
    let flips = flips(args.flips, args.seed).context("flipping bits")?;
    if args.json {
        let all =
            serde_json::json!({"seed": args.seed, "held": true, "runs": tallies, "flips": flips});
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("flips        {flips}");
    }
    Ok(())
}

fn build() -> Result<PathBuf> {
    run::read(&mut command(
        "cargo",
        &["build", "--quiet", "--locked", "--package", "wayproof"],
    ))?;
    let metadata = run::read(&mut command(
        "cargo",
        &["metadata", "--format-version=1", "--no-deps", "--locked"],
    ))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo names no target folder")?;
    Ok(Path::new(target).join("debug/wayproof"))
}

/// Kills the gateway after so many answers and some microseconds more, again and again.
fn kill(bench: &Bench, points: u32, random: &mut Random) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut ledger = Ledger::new(bench, "kill-0");
    let mut acknowledged = Vec::new();
    for point in 0..points {
        if point > 0 && point.is_multiple_of(LIVES) {
            ledger = Ledger::new(bench, &format!("kill-{point}"));
            acknowledged = Vec::new();
        }
        let is_synced = random.below(4) == 0;
        let mut gateway = Gateway::start(bench, &ledger.data, &[], is_synced)?;
        let (answers, more_us) = (random.below(60), random.below(20_000));
        let address = gateway.address;
        acknowledged.extend(load(&address, answers, || {
            std::thread::sleep(std::time::Duration::from_micros(more_us));
            gateway.kill()
        })?);
        drop(gateway);
        let found = ledger
            .look()
            .with_context(|| format!("after point {point}"))?;
        found.has(&acknowledged)?;
        tally.runs += 1;
        tally.events += found.events();
        tally.acknowledged += acknowledged.len() as u64;
    }
    Ok(tally)
}

/// Two gateways write to one ledger, and one of them is killed.
fn two_writers(bench: &Bench, random: &mut Random) -> Result<Tally> {
    let ledger = Ledger::new(bench, "two");
    let mut one = Gateway::start(bench, &ledger.data, &[], false)?;
    let mut other = Gateway::start(bench, &ledger.data, &[], false)?;
    let place = other.address;
    let (here, there) = (20 + random.below(60), 40 + random.below(60));
    let beside = std::thread::spawn(move || load(&place, there, || Ok(())));
    let address = one.address;
    let mut acknowledged = load(&address, here, || one.kill())?;
    let Ok(other_acknowledged) = beside.join() else {
        bail!("the second load failed");
    };
    acknowledged.extend(other_acknowledged?);
    other.stop()?;
    let found = ledger.look()?;
    found.has(&acknowledged)?;
    Ok(Tally {
        runs: 1,
        acknowledged: acknowledged.len() as u64,
        events: found.events(),
        ..Tally::default()
    })
}

/// Flips bits in a database, each on its own; the ledger's own test counts what came of them.
fn flips(count: u64, seed: u64) -> Result<serde_json::Value> {
    if count == 0 {
        return Ok(serde_json::Value::Null);
    }
    let test = [
        "test",
        "--quiet",
        "--locked",
        "--package",
        "wayproof-ledger",
        "--test",
        "it",
        "--",
        "damage::every_flipped_bit_is_found",
        "--exact",
        "--nocapture",
    ];
    let mut test = command("cargo", &test);
    test.env("WAYPROOF_TEST_FLIPS", count.to_string());
    test.env("WAYPROOF_TEST_SEED", seed.to_string());
    let said = run::read(test.current_dir(root()))?;
    let counts = said
        .lines()
        .find_map(|line| line.split_once("flips: "))
        .context("the test told no counts")?
        .1;
    serde_json::from_str(counts).context("reading the counts")
}
