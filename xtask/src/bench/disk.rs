//! What the disk under the ledger takes for a durable write: no gateway that waits for one can add less.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};

use super::mock::now_ns;

/// Writes, at the rate of the latency cases.
const WRITES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
const BYTES: usize = 1_024;

/// Times of a write of 1 KB with `fdatasync` into a file that is laid out already, in microseconds.
pub(crate) fn durable_writes_us(folder: &Path) -> Result<Vec<u64>> {
    let place = folder.join("durable-write");
    let mut file = File::create(&place).with_context(|| format!("making {}", place.display()))?;
    let zeros = vec![0; BYTES * WRITES as usize];
    file.write_all(&zeros)
        .and_then(|()| file.sync_all())
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .context("laying out a file for durable writes")?;
    let mut times = Vec::new();
    for _ in 0..WRITES {
        std::thread::sleep(PAUSE);
        let before = now_ns();
        file.write_all(&[1; BYTES])
            .and_then(|()| file.sync_data())
            .context("writing durably")?;
        times.push((now_ns() - before) / 1_000);
    }
    Ok(times)
}
