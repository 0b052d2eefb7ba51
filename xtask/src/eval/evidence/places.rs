//! Findings of compilers and linters: one fixture a tool, with the file and line of each finding.

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::Evidence;

use super::{hits::Hits, miss, read};
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
        let found = places(&read(&row.input));
        let expected: Vec<_> = row
            .expected
            .iter()
            .filter_map(|finding| Some((finding.file.clone()?, finding.line)))
            .filter(|(file, _)| !file.is_empty())
            .collect();
        let here = Hits::between(found.clone(), expected.clone());
        if !here.is_exact() {
            miss(
                args,
                format_args!("{}: {found:?} for {expected:?}", row.tool),
            );
        }
        tools += usize::from(here.is_any());
        hits.add(here);
    }
    let mut figures = Figures::of("errorformat", rows.len());
    figures.put("tools_read", tools);
    figures.put("tools", rows.len());
    figures.put("precision", hits.precision());
    figures.put("recall", hits.recall());
    Ok(figures)
}

/// File and line of every finding that has a place.
fn places(found: &[Evidence]) -> Vec<(String, Option<u32>)> {
    let findings = found.iter().flat_map(|item| &item.diagnostics);
    findings
        .filter_map(|finding| finding.location.as_ref())
        .map(|place| (place.file.clone(), place.line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_file_and_line() {
        let found = places(&read("a.c:3:1: error: no\nb.c:4: warning: nor this\n"));
        assert_eq!(
            found,
            [("a.c".to_owned(), Some(3)), ("b.c".to_owned(), Some(4))]
        );
    }
}
