//! The page of figures. Each evaluation owns the part between its two marks and leaves the others as they are.

use std::{fmt::Write, fs};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Figures;
use crate::run::{command, read, root};

const PAGE: &str = "docs/reference/evaluation.md";

/// One set on one line.
pub(crate) fn line(figures: &Figures) -> String {
    let told: Vec<String> = figures
        .0
        .iter()
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    told.join(" · ")
}

/// Replaces the part of one evaluation.
pub(crate) fn write(name: &str, sets: &[Figures]) -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let (open, close) = (
        format!("<!-- {name}: written by the command -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = page
        .split_once(&open)
        .with_context(|| format!("{PAGE} has no part for {name}"))?;
    let (_, after) = rest
        .split_once(&close)
        .with_context(|| format!("the part for {name} in {PAGE} has no end"))?;
    let part = part(sets)?;
    fs::write(path, format!("{before}{open}{part}{close}{after}"))
        .with_context(|| format!("writing {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

fn part(sets: &[Figures]) -> Result<String> {
    let date = read(&mut command("date", &["-u", "+%F"]))?;
    let compiler = read(&mut command("rustc", &["--version"]))?;
    let mut part = format!("\nMeasured {} with {}.\n", date.trim(), compiler.trim());
    for figures in sets {
        let set = figures.0.get("set").map(plain).unwrap_or_default();
        write!(part, "\n| {set} | |\n|---|---|\n")?;
        for (name, value) in figures.0.iter().filter(|(name, _)| *name != "set") {
            writeln!(part, "| {} | {} |", name.replace('_', " "), plain(value))?;
        }
    }
    part.push('\n');
    Ok(part)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}
