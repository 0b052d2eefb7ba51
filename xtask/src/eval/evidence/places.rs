//! Findings of compilers and linters: one fixture a tool, with the file and line of each finding.

use anyhow::Result;
use serde::Deserialize;

use super::{Hits, miss, read};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct Row {
    tool: String,
    input: String,
    expected: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    file: Option<String>,
    line: Option<u32>,
}

/// The tools of which a finding is read, and all findings by file and line.
pub(super) fn errorformat(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_errorformat.jsonl.gz")?;
    let mut hits = Hits::default();
    let mut tools = 0;
    for row in &rows {
        let mut found: Vec<_> = read(&row.input)
            .into_iter()
            .flat_map(|item| item.diagnostics)
            .filter_map(|finding| finding.location)
            .map(|place| (place.file, place.line))
            .collect();
        let expected: Vec<_> = row
            .expected
            .iter()
            .filter_map(|finding| Some((finding.file.clone()?, finding.line)))
            .filter(|(file, _)| !file.is_empty())
            .collect();
        let mut here = Hits {
            found: found.len(),
            true_ones: expected.len(),
            both: 0,
        };
        for place in &expected {
            if let Some(at) = found.iter().position(|other| other == place) {
                found.swap_remove(at);
                here.both += 1;
            } else {
                miss(args, format_args!("{}: not found: {place:?}", row.tool));
            }
        }
        for place in &found {
            miss(args, format_args!("{}: not there: {place:?}", row.tool));
        }
        tools += usize::from(here.both > 0 || expected.is_empty() && here.found == 0);
        hits.add(here);
    }
    let mut figures = Figures::of("errorformat", rows.len());
    figures.put("tools_read", tools);
    figures.put("tools", rows.len());
    figures.put("precision", hits.precision());
    figures.put("recall", hits.recall());
    Ok(figures)
}
