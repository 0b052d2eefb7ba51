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

/// Every finding's line. Rows whose annotations contradict the output by their number are told apart, and so are
/// annotations of a line that stands nowhere in the output: nobody could read those.
pub(super) fn clippy(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_clippy.jsonl.gz")?;
    let mut all = Hits::default();
    let mut agreed = Hits::default();
    let mut written = Hits::default();
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
        let (there, nowhere): (Vec<u32>, Vec<u32>) = row
            .expected_lines
            .iter()
            .partition(|line| is_written(row, **line));
        unwritten += nowhere.len();
        written.add(Hits::between(found, there));
    }
    let mut figures = Figures::of("clippy", rows.len());
    figures.put("f1", all.f1());
    figures.put("precision", all.precision());
    figures.put("recall", all.recall());
    figures.put("f1_where_the_labels_agree", agreed.f1());
    figures.put("f1_of_lines_in_the_text", written.f1());
    figures.put("lines_not_in_the_text", unwritten);
    Ok(figures)
}

/// Whether a line of the annotated file is pointed at anywhere in the output, in any form.
fn is_written(row: &Row, line: u32) -> bool {
    let place = format!("{}:{line}", row.file);
    let mut behind = row.output.split(&place).skip(1);
    behind.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
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

    #[test]
    fn a_line_is_written_where_a_place_ends_with_it() {
        let row = Row {
            id: String::new(),
            file: "a.rs".to_owned(),
            output: "error: no\n  --> a.rs:31:1\nerror: no\n  --> a.rs:LL:CC\n".to_owned(),
            expected_lines: Vec::new(),
            count_agrees: true,
        };
        assert!(is_written(&row, 31));
        assert!(!is_written(&row, 3) && !is_written(&row, 1));
    }
}
