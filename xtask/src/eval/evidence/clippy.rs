//! The output of clippy's own tests: the line of every finding, from annotations in the sources.

use anyhow::Result;
use serde::Deserialize;

use super::{Hits, miss, read};
use crate::eval::{EvalArgs, Figures, data};

#[derive(Deserialize)]
struct Row {
    id: String,
    output: String,
    expected_lines: Vec<u32>,
    count_agrees: bool,
}

/// Every finding's line. Rows whose annotations contradict the output are told apart.
pub(super) fn clippy(args: &EvalArgs) -> Result<Figures> {
    let rows: Vec<Row> = data::lines(&args.data, "evidence_clippy.jsonl.gz")?;
    let mut agreed = Hits::default();
    let mut all = Hits::default();
    for row in &rows {
        let mut found: Vec<u32> = read(&row.output)
            .into_iter()
            .flat_map(|item| item.diagnostics)
            .filter_map(|finding| finding.location?.line)
            .collect();
        let mut here = Hits {
            found: found.len(),
            true_ones: row.expected_lines.len(),
            both: 0,
        };
        for line in &row.expected_lines {
            if let Some(at) = found.iter().position(|other| other == line) {
                found.swap_remove(at);
                here.both += 1;
            }
        }
        if !here.is_exact() {
            miss(
                args,
                format_args!(
                    "{}: {here:?}, left {found:?} of {:?}",
                    row.id, row.expected_lines
                ),
            );
        }
        all.add(here);
        if row.count_agrees {
            agreed.add(here);
        }
    }
    let mut figures = Figures::of("clippy", rows.len());
    figures.put("f1", all.f1());
    figures.put("precision", all.precision());
    figures.put("recall", all.recall());
    figures.put("f1_where_the_labels_agree", agreed.f1());
    Ok(figures)
}
