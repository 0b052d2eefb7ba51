//! Tries cascades on a file of outcomes that are already known.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
    process::ExitCode,
};

use anyhow::{Result, anyhow};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use wayproof_engine::{
    Backtest, Cascade, Keep, Outcomes, OutcomesError, Share, Span, backtest, read_outcomes,
};

use crate::{
    cli::BacktestArgs,
    exit::Mistake,
    terminal::{dollars, print, print_json_pretty, table, tell},
};

/// The largest table that is read, unpacked.
const MOST_BYTES: u64 = 1 << 30;

/// Runs the cascades that are asked for, or every model alone.
pub(crate) fn run(args: &BacktestArgs) -> Result<ExitCode> {
    let keep: Vec<Keep> = args
        .keep
        .iter()
        .map(|text| kept(text))
        .collect::<Result<_>>()?;
    let leak: Share = args.leak.parse().map_err(mistake)?;
    let cascades: Vec<Cascade> = args
        .cascades
        .iter()
        .map(|text| text.parse().map_err(mistake))
        .collect::<Result<_>>()?;
    let text = unpacked(&args.outcomes)?;
    let outcomes =
        read_outcomes(&text, &keep).map_err(|error| unreadable(&args.outcomes, &error))?;
    let cascades = if cascades.is_empty() {
        alone(&outcomes)?
    } else {
        cascades
    };
    let mut results = cascades
        .into_iter()
        .map(|cascade| Ok((backtest(&outcomes, &cascade)?, cascade)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(mistake::<wayproof_engine::CascadeError>)?;
    if args.cascades.is_empty() {
        results.sort_by(|a, b| b.0.solved(leak).low.total_cmp(&a.0.solved(leak).low));
    }
    if args.json {
        print_json_pretty(&as_json(&outcomes, leak, &results))?;
    } else {
        print(&as_table(leak, &results))?;
        remark(&results);
    }
    Ok(ExitCode::SUCCESS)
}

fn mistake<E: std::error::Error>(error: E) -> anyhow::Error {
    anyhow!(Mistake(error.to_string()))
}

fn kept(text: &str) -> Result<Keep> {
    let (column, value) = text.split_once('=').ok_or_else(|| {
        anyhow!(Mistake(format!(
            "`{text}` is no choice of rows; write --where COLUMN=VALUE"
        )))
    })?;
    Ok(Keep {
        column: column.to_owned(),
        value: value.to_owned(),
    })
}

fn unreadable(file: &Path, error: &OutcomesError) -> anyhow::Error {
    let hint = match error {
        OutcomesError::Twice { .. } => "; choose rows of one kind with --where COLUMN=VALUE",
        OutcomesError::TooLarge(_) => "; choose fewer rows with --where COLUMN=VALUE",
        _ => "",
    };
    anyhow!(Mistake(format!(
        "{} cannot be read: {error}{hint}",
        file.display()
    )))
}

/// The text of a file, which may be packed; its first two bytes tell.
fn unpacked(path: &Path) -> Result<String> {
    let broken = |error: std::io::Error| {
        anyhow!(Mistake(format!(
            "{} cannot be read: {error}",
            path.display()
        )))
    };
    let file = File::open(path).map_err(broken)?;
    let mut file = BufReader::new(file);
    let is_packed = std::io::BufRead::fill_buf(&mut file)
        .map_err(broken)?
        .starts_with(&[0x1f, 0x8b]);
    let mut bytes = Vec::new();
    let read = if is_packed {
        MultiGzDecoder::new(file)
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
    };
    read.map_err(broken)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Mistake(format!("{} is larger than 1 GiB, unpacked", path.display())).into());
    }
    String::from_utf8(bytes).map_err(|_| {
        anyhow!(Mistake(format!(
            "{} cannot be read: it is no UTF-8 text",
            path.display()
        )))
    })
}

/// Every model as a cascade of one step.
fn alone(outcomes: &Outcomes) -> Result<Vec<Cascade>> {
    let single = |model: &str| Cascade::new(vec![model.to_owned()]).map_err(mistake);
    outcomes.models().map(single).collect()
}

fn as_json(outcomes: &Outcomes, leak: Share, results: &[(Backtest, Cascade)]) -> Value {
    let policies: Vec<Value> = results
        .iter()
        .map(|(result, cascade)| {
            json!({
                "cascade": cascade.models(),
                "resolved": ends(result.solved(leak)),
                "cost_nano_usd": ends(result.cost_nano_usd(leak)),
                "undetermined_tasks": result.undetermined,
                "unpriced_attempts": result.unpriced,
            })
        })
        .collect();
    json!({
        "tasks": outcomes.tasks().len(),
        "models": outcomes.models().len(),
        "leak": leak.as_f64(),
        "policies": policies,
    })
}

fn ends(span: Span) -> Value {
    json!({ "low": number(span.low), "high": span.high.map(number) })
}

/// A whole number is written as one.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    if value.fract() == 0.0 && value.abs() < EXACT {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn as_table(leak: Share, results: &[(Backtest, Cascade)]) -> String {
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|(result, cascade)| {
            vec![
                cascade.to_string(),
                result.tasks.to_string(),
                between(result.solved(leak), count),
                between(result.solved(leak), |solved| percent(solved, result.tasks)),
                between(result.cost_nano_usd(leak), |nano| {
                    per_task(nano, result.tasks)
                }),
            ]
        })
        .collect();
    table(
        &["policy", "tasks", "solved", "share", "cost per task"],
        &rows,
    )
}

fn between(span: Span, say: impl Fn(f64) -> String) -> String {
    let low = say(span.low);
    match span.high.map(say) {
        Some(high) if high == low => low,
        Some(high) => format!("{low} to {high}"),
        None => format!("{low} or more"),
    }
}

fn count(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer tasks than that"
)]
fn percent(solved: f64, tasks: usize) -> String {
    format!("{:.1} %", 100.0 * solved / tasks as f64)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "shown to a person with six decimals of a dollar"
)]
fn per_task(nano: f64, tasks: usize) -> String {
    dollars((nano / tasks as f64) as i64)
}

/// Says what the table cannot show.
fn remark(results: &[(Backtest, Cascade)]) {
    let unknown = results
        .iter()
        .map(|(result, _)| result.undetermined)
        .max()
        .unwrap_or(0);
    if unknown > 0 {
        tell(&format!(
            "up to {unknown} tasks meet an outcome that is not in the file; they are read both ways, which makes a range"
        ));
    }
    let unpriced = results
        .iter()
        .map(|(result, _)| result.unpriced)
        .max()
        .unwrap_or(0);
    if unpriced > 0 {
        tell(&format!(
            "up to {unpriced} attempts have no cost in the file; an unknown cost has no upper end"
        ));
    }
}
