//! How long reading takes: real logs laid end to end until there is a megabyte.

use std::hint::black_box;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

use super::read;
use crate::eval::{EvalArgs, Figures, data};

const MEGABYTE: usize = 1 << 20;
const ROUNDS: usize = 31;

#[derive(Deserialize)]
struct Row {
    log: String,
}

/// The median time over a megabyte of CI logs, and over one that has no lines.
pub(super) fn speed(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_bugswarm.jsonl.gz")?;
    let mut logs = String::with_capacity(2 * MEGABYTE);
    for row in rows.iter().cycle().take(10_000) {
        logs.push_str(&row.log);
        if logs.len() >= MEGABYTE {
            break;
        }
    }
    logs.truncate(logs.floor_char_boundary(MEGABYTE));
    let mut figures = Figures::of("speed", 1);
    figures.put("bytes", logs.len());
    figures.put("ci_log_ms", median_ms(&logs));
    figures.put(
        "one_line_ms",
        median_ms(&"error: ok 1 FAILED ".repeat(MEGABYTE / 19)),
    );
    Ok(figures)
}

fn median_ms(text: &str) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = now_micros();
            black_box(read(black_box(text)));
            now_micros() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    (median / 10.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "a run is short")]
fn now_micros() -> f64 {
    // Time of this thread alone: what else runs on the machine is no part of it.
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}
