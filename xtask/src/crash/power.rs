//! The power is cut: the gateway is killed, and of what its files had not yet on the disk some is lost.
//!
//! A journal tells how much of it was on the disk: each frame has it in its head. Behind that, any sector may be there
//! or not. The database's write-ahead log is not synced between its checkpoints, so it may end anywhere, or have holes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Bench, Gateway, Ledger, Random, Tally, load};

/// What disks write at once.
const SECTOR: usize = 512;

/// Bytes before the first frame of a journal, and of a frame before its text.
const SEGMENT_HEAD: usize = 32;
const FRAME_HEAD: usize = 16;

pub(super) fn cut(bench: &Bench, points: u32, random: &mut Random) -> Result<Tally> {
    let mut tally = Tally::default();
    for point in 0..points {
        let ledger = Ledger::new(bench, &format!("power-{point}"));
        let mut gateway = Gateway::start(bench, &ledger.data, &[], false)?;
        let address = gateway.address;
        load(&address, 5 + random.below(120), || gateway.kill())?;
        drop(gateway);
        let kept = lose(&ledger.data, random)?;
        let found = ledger
            .look()
            .with_context(|| format!("after cut {point}"))?;
        if let Some(text) = kept.iter().find(|text| !found.texts.contains(text)) {
            bail!("an event that was on the disk is gone after cut {point}: {text}");
        }
        tally.runs += 1;
        tally.acknowledged += kept.len() as u64;
        tally.events += found.events();
        fs::remove_dir_all(&ledger.data).context("removing the ledger")?;
    }
    Ok(tally)
}

/// Loses what the disk need not have, and gives the events that it must have.
fn lose(data: &Path, random: &mut Random) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(data.join("journal")).context("reading the journal")? {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != "journal") {
            continue;
        }
        let mut bytes = fs::read(&path).context("reading a journal")?;
        let (durable, texts) = frames(&bytes);
        kept.extend(texts);
        let mut at = durable.next_multiple_of(SECTOR);
        while at < bytes.len() {
            let end = (at + SECTOR).min(bytes.len());
            if random.below(2) == 0
                && let Some(sector) = bytes.get_mut(at..end)
            {
                sector.fill(0);
            }
            at = end;
        }
        fs::write(&path, &bytes).context("writing a journal")?;
    }
    let wal = data.join("ledger.db-wal");
    if let Ok(mut bytes) = fs::read(&wal) {
        let from = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap_or(0);
        match random.below(3) {
            0 => bytes.truncate(from),
            1 => {
                let end = (from + SECTOR).min(bytes.len());
                if let Some(hole) = bytes.get_mut(from..end) {
                    hole.fill(0);
                }
            }
            _ => {}
        }
        fs::write(&wal, &bytes).context("writing the write-ahead log")?;
    }
    // It is shared memory and is never on a disk.
    drop(fs::remove_file(data.join("ledger.db-shm")));
    Ok(kept)
}

/// How much of a journal was on the disk as its frames tell, and the events that end before.
fn frames(bytes: &[u8]) -> (usize, Vec<String>) {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        four.try_into().ok().map(u32::from_le_bytes)
    };
    let (mut at, mut durable, mut texts) = (SEGMENT_HEAD, SEGMENT_HEAD, Vec::new());
    while let (Some(length @ 1..), Some(told)) = (number(at), number(at + 4)) {
        let start = at + FRAME_HEAD;
        let Some(text) = bytes.get(start..start + length as usize) else {
            break;
        };
        at = start + length as usize;
        durable = durable.max(told as usize);
        texts.push((at, String::from_utf8_lossy(text).into_owned()));
    }
    let kept = texts
        .into_iter()
        .filter(|(end, _)| *end <= durable)
        .map(|(_, text)| text)
        .collect();
    (durable, kept)
}
