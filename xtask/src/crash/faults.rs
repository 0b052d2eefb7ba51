//! Disks that are full, read-only, slow or failing, and a page that is not what was written.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::gateway::ask;
use super::{Bench, Gateway, Ledger, Random, Tally, load};
use crate::run::{command, run, succeeds};

/// Bytes of a page of the database.
const PAGE: u64 = 8192;

/// The library that makes faults, compiled once.
fn library(bench: &Bench) -> Result<PathBuf> {
    let place = bench.work.join("faults.so");
    if place.exists() {
        return Ok(place);
    }
    let source = bench.work.join("faults.c");
    fs::write(&source, include_str!("faults.c")).context("writing the library")?;
    let (from, to) = (source.to_string_lossy(), place.to_string_lossy());
    let mut compile = command("cc", &["-O1", "-shared", "-fPIC", "-o", &to, &from, "-ldl"]);
    if !succeeds(&mut compile) {
        run(&mut compile).context("the faults need a C compiler")?;
    }
    Ok(place)
}

/// Runs a gateway on a disk with faults until so many answers came or it gives none any more; then on a good one.
fn on_faulty_disk(
    bench: &Bench,
    name: &str,
    faults: &[(&str, &str)],
    answers: u64,
) -> Result<(Tally, String)> {
    let library = library(bench)?;
    let library = library.to_string_lossy().into_owned();
    let ledger = Ledger::new(bench, name);
    // The ledger is made on a good disk.
    Gateway::start(bench, &ledger.data, &[], false)?.stop()?;
    let variables = [faults, &[("LD_PRELOAD", library.as_str())]].concat();
    let mut gateway = Gateway::start(bench, &ledger.data, &variables, true)?;
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    while (acknowledged.len() as u64) < answers && refused < 20 {
        match ask(
            gateway.address,
            &format!("{} and {refused}", acknowledged.len()),
        ) {
            Ok(Some(id)) => acknowledged.push(id),
            Ok(None) => refused += 1,
            Err(error) => bail!("the gateway does not answer at all: {error}"),
        }
    }
    gateway.kill()?;
    let said = gateway.said();
    drop(gateway);
    let found = ledger.look()?;
    found.has(&acknowledged)?;
    let mut again = Gateway::start(bench, &ledger.data, &[], true)?;
    let address = again.address;
    acknowledged.extend(load(&address, 8, || again.stop())?);
    let found = ledger.look().context("after it went on")?;
    found.has(&acknowledged)?;
    let tally = Tally {
        runs: 1,
        acknowledged: acknowledged.len() as u64,
        events: found.events(),
        ..Tally::default()
    };
    Ok((tally, said))
}

/// The disk fills up while the gateway works: it refuses, says why, and goes on once there is room.
pub(super) fn full_disk(bench: &Bench) -> Result<Tally> {
    let (tally, said) = on_faulty_disk(bench, "full", &[("FAULT_ROOM", "9000000")], 2_000)?;
    if !said.contains("full") {
        bail!("the gateway did not say that the disk is full: {said}");
    }
    Ok(tally)
}

/// Every sync takes a tenth of a second.
pub(super) fn slow_sync(bench: &Bench) -> Result<Tally> {
    on_faulty_disk(bench, "slow", &[("FAULT_SYNC_US", "100000")], 12).map(|(tally, _)| tally)
}

/// Every fifth sync fails.
pub(super) fn failing_sync(bench: &Bench) -> Result<Tally> {
    let faults = [("FAULT_SYNC_EVERY", "5"), ("FAULT_SYNC_AFTER", "30")];
    on_faulty_disk(bench, "failing", &faults, 40).map(|(tally, _)| tally)
}

/// On a disk that cannot be written to, a gateway does not start, says why, and the ledger can still be verified.
pub(super) fn read_only(bench: &Bench) -> Result<Tally> {
    let ledger = Ledger::new(bench, "read-only");
    let mut gateway = Gateway::start(bench, &ledger.data, &[], false)?;
    let address = gateway.address;
    let acknowledged = load(&address, 10, || gateway.stop())?;
    drop(gateway);
    let data = ledger.data.to_string_lossy().into_owned();
    let mount = format!("mount --bind '{data}' '{data}' && mount -o remount,bind,ro '{data}'");
    let inside = |what: &str| {
        let script = format!("{mount} && {what}");
        command(
            "unshare",
            &["--user", "--map-root-user", "--mount", "sh", "-c", &script],
        )
    };
    let mut tally = Tally::default();
    if !succeeds(&mut inside("true")) {
        let why = "this machine gives no mounts of one's own, so no disk is read-only for root";
        tally.not_tried.push(why.to_owned());
        return Ok(tally);
    }
    let binary = bench.binary.to_string_lossy().into_owned();
    let verified = inside(&format!("'{binary}' ledger verify --json --data '{data}'"))
        .output()
        .context("verifying")?;
    if !verified.status.success() {
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        bail!("a ledger on a read-only disk is not verified: {said}");
    }
    let started = inside(&format!(
        "'{binary}' up --listen 127.0.0.1:0 --data '{data}' --provider mock=http://127.0.0.1:{}",
        bench.provider.port
    ))
    .stdout(Stdio::null())
    .output()
    .context("starting a gateway")?;
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    if started.status.success() || !(said.contains("read-only") || said.contains("cannot")) {
        bail!("a gateway on a read-only disk says: {said}");
    }
    let found = ledger.look()?;
    found.has(&acknowledged)?;
    Ok(Tally {
        runs: 1,
        acknowledged: acknowledged.len() as u64,
        events: found.events(),
        ..tally
    })
}

/// A page of the database is overwritten: `ledger verify` must say so.
pub(super) fn corrupt_page(bench: &Bench, random: &mut Random) -> Result<Tally> {
    let ledger = Ledger::new(bench, "page");
    let mut gateway = Gateway::start(bench, &ledger.data, &[], false)?;
    let address = gateway.address;
    load(&address, 200, || gateway.stop())?;
    drop(gateway);
    let events = ledger.look()?.events();
    let file = ledger.data.join("ledger.db");
    let original = fs::read(&file).context("reading the database")?;
    let pages = original.len() as u64 / PAGE;
    let mut tally = Tally::default();
    for _ in 0..12 {
        let page = random.below(pages);
        let mut bytes = original.clone();
        let start = usize::try_from(page * PAGE).unwrap_or(0);
        let Some(place) = bytes.get_mut(start..start + 8192) else {
            continue;
        };
        place.iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::File::create(&file)
            .and_then(|mut made| made.write_all(&bytes))
            .context("damaging a page")?;
        let (status, report) = ledger.verify()?;
        if status != Some(4) || report["problem"].is_null() {
            bail!(
                "page {page} of {pages} is damaged and `ledger verify` ends with {status:?}: {report}"
            );
        }
        tally.runs += 1;
        for name in ["ledger.db-wal", "ledger.db-shm"] {
            drop(fs::remove_file(ledger.data.join(name)));
        }
    }
    fs::write(&file, &original).context("mending the database")?;
    ledger.look().context("after the page was mended")?;
    tally.events = events;
    Ok(tally)
}
