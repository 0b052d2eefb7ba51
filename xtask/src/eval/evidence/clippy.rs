//! The output of clippy's own tests: the line of every finding, from annotations in the sources.

use anyhow::Result;
use serde::Deserialize;
use wayproof_engine::Evidence;

use super::{hits::Hits, miss, read};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct Row {
    id: String,
    file: String,
    output: String,
    expected_lines: Vec<u32>,
    count_agrees: bool,
}

/// Every finding's line. Rows whose annotations contradict the output are told apart, and so are
/// annotations of outputs that have a placeholder in place of every line.
pub(super) fn clippy(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_clippy.jsonl.gz")?;
    let mut all = Hits::default();
    let mut agreed = Hits::default();
    let mut unwritten = 0;
    for row in &rows {
        let found = lines(&read(&row.output), &row.file);
        let here = Hits::between(found.clone(), row.expected_lines.clone());
        if !here.is_exact() {
            miss(
                args,
                format_args!("{}: {found:?} for {:?}", row.id, row.expected_lines),
            );
        }
        all.add(here);
        if row.count_agrees {
            agreed.add(here);
        }
        if row.output.contains(".rs:LL:CC") {
            unwritten += row.expected_lines.len();
        }
    }
    let mut figures = Figures::of("clippy", rows.len());
    figures.put("f1", all.f1());
    figures.put("precision", all.precision());
    figures.put("recall", all.recall());
    figures.put("f1_where_the_labels_agree", agreed.f1());
    figures.put("lines_not_in_the_text", unwritten);
    Ok(figures)
}

/// The lines of findings in a file; what is found in another one is not what the annotations of this one are about.
fn lines(found: &[Evidence], file: &str) -> Vec<u32> {
    let findings = found.iter().flat_map(|item| &item.diagnostics);
    let places = findings.filter_map(|finding| finding.location.as_ref());
    places
        .filter(|place| place.file == file)
        .filter_map(|place| place.line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_the_line_of_its_arrow() {
        let output = "error: no\n  --> a.rs:3:1\n   |\nLL | x\n   | ^\n   |\nnote: here\n  --> a.rs:2:9\n\nerror: nor this\n  --> a.rs:LL:CC\n";
        assert_eq!(lines(&read(output), "a.rs"), [3]);
        assert!(lines(&read(output), "b.rs").is_empty());
    }
}
