//! Mocha: the sums and the numbered list of failures under them.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static MOCHA: Recognizer = Recognizer {
    triggers: &[" passing", " failing"],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"0123456789");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "mocha");
    let mut counts: Option<Counts> = None;
    let mut expected = 0;
    let mut from = 0;
    for (at, line) in log.lines_with(&ENDS) {
        if at < from {
            continue;
        }
        if let Some((number, word)) = sum_line(line) {
            let mut more = Counts::default();
            match word {
                "passing" => more.passed = number,
                "failing" => {
                    more.failed = number;
                    expected = 1;
                }
                _ => more.skipped = number,
            }
            more.run = more.passed + more.failed;
            counts = Some(scan::sum(counts, more));
        } else if expected > 0
            && let Some(first) = entry(line, expected)
        {
            let below = log.lines.get(at + 1..).unwrap_or_default();
            let (name, taken) = title(first, below);
            // Every number is a failure of its own, whatever its title.
            report.next_run();
            report.fail(&name, "");
            from = at + 1 + taken;
            expected += 1;
        }
    }
    counts.map(|counts| report.tested(Some(counts)))
}

/// Reads `  7 passing (9s)`, `  2 failing`, `  1 pending`: a number, a word, at most a duration.
fn sum_line(line: &str) -> Option<(u64, &str)> {
    if !line.starts_with(' ') {
        return None;
    }
    let (number, rest) = scan::leading_number(line.trim())?;
    let mut words = rest.strip_prefix(' ')?.split(' ');
    let word = words
        .next()
        .filter(|word| matches!(*word, "passing" | "failing" | "pending"))?;
    words
        .all(|word| word.starts_with('(') && word.ends_with(')'))
        .then_some((number, word))
}

/// Reads `  3) title` when three is next.
fn entry(line: &str, expected: u64) -> Option<&str> {
    let (number, rest) = scan::leading_number(line.trim_start())?;
    let is_indented = line.starts_with(' ') && !line.starts_with("        ");
    (number == expected && is_indented).then(|| rest.strip_prefix(") "))?
}

/// Joins a title that runs over several lines until the one that ends with a colon.
fn title(first: &str, below: &[&str]) -> (String, usize) {
    const DEEPEST: usize = 12;
    let mut name = first.trim().to_owned();
    for (taken, line) in below.iter().take(DEEPEST).enumerate() {
        if name.ends_with(':') || line.trim().is_empty() {
            break;
        }
        if line.trim_end().ends_with(':') {
            let rest = below.get(..=taken).unwrap_or_default();
            for part in rest {
                name.push(' ');
                name.push_str(part.trim());
            }
            return (name.trim_end_matches(':').to_owned(), taken + 1);
        }
    }
    (name.trim_end_matches(':').to_owned(), 0)
}
