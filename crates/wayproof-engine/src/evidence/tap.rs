//! The Test Anything Protocol, and node:test in both of its reporters.
//!
//! A plan that is not met is a failure; without a plan or a sum nothing is known to have passed.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static TAP: Recognizer = Recognizer {
    triggers: &[
        "not ok ",
        "\nok ",
        "TAP version ",
        "# pass ",
        "\u{2139} pass ",
    ],
    read,
};

#[derive(Default)]
struct Stream {
    sums: Option<Counts>,
    seen: Counts,
    planned: Option<u64>,
    has_bailed: bool,
    is_spec: bool,
}

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"#no1TB");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "tap");
    let mut stream = Stream::default();
    for (_, line) in log.lines_with(&ENDS) {
        if let Some(sum) = line
            .strip_prefix("# ")
            .or_else(|| line.strip_prefix("\u{2139} "))
        {
            stream.is_spec |= line.starts_with('\u{2139}');
            stream.sum(sum.trim());
        } else if let Some(rest) = line.trim_start().strip_prefix("not ok ") {
            stream.not_ok(&mut report, rest, line.starts_with("not ok "));
        } else if let Some(rest) = line.strip_prefix("ok ") {
            stream.ok(rest);
        } else if let Some(plan) = line.strip_prefix("1..") {
            stream.planned = scan::leading_number(plan)
                .filter(|(_, rest)| rest.trim().is_empty() || rest.contains('#'))
                .map(|(number, _)| number);
        } else if line.starts_with("TAP version ") {
            report.next_run();
        } else if line.starts_with("Bail out!") {
            stream.has_bailed = true;
        } else if stream.is_spec
            && let Some(name) = line.strip_prefix("\u{2716} ")
            && name != "failing tests:"
        {
            report.fail(untimed(name), "");
        }
    }
    stream.end(report)
}

impl Stream {
    /// Reads `tests 5`, `pass 4`, `fail 1`, `skipped 0`, `todo 0`, `cancelled 0`.
    fn sum(&mut self, text: &str) {
        let Some((word, number)) = text.split_once(' ') else {
            return;
        };
        let Ok(number) = number.trim().parse::<u64>() else {
            return;
        };
        let mut more = Counts::default();
        match word {
            "pass" => more.passed = number,
            "fail" => more.failed = number,
            "cancelled" => more.errors = number,
            "skipped" | "todo" | "skip" => more.skipped = number,
            _ => return,
        }
        more.run = more.passed + more.failed + more.errors;
        self.sums = Some(scan::sum(self.sums, more));
    }

    fn not_ok(&mut self, report: &mut Report, rest: &str, is_top: bool) {
        let (_, name) = numbered(rest);
        let lower = name.to_ascii_lowercase();
        if lower.contains("# todo") || lower.contains("# skip") {
            self.seen.skipped += u64::from(is_top);
            return;
        }
        if is_top {
            self.seen.failed += 1;
            self.seen.run += 1;
        }
        report.fail(name, "");
    }

    fn ok(&mut self, rest: &str) {
        let (number, name) = numbered(rest);
        if number.is_none() {
            return;
        }
        if name.to_ascii_lowercase().contains("# skip") {
            self.seen.skipped += 1;
        } else {
            self.seen.passed += 1;
            self.seen.run += 1;
        }
    }

    fn end(mut self, report: Report) -> Option<Evidence> {
        let seen = self.seen.run + self.seen.skipped;
        if self.has_bailed
            || self
                .planned
                .is_some_and(|planned| seen > 0 && planned > seen && self.sums.is_none())
        {
            self.seen.errors += 1;
            self.seen.run += 1;
        }
        if self.planned.is_none() && self.seen.failed + self.seen.errors == 0 {
            self.seen.passed = 0;
        }
        let has_spoken = self.sums.is_some_and(|sums| sums.run > 0)
            || self.planned.is_some() && seen > 0
            || report.has_failures();
        has_spoken.then(|| report.tested(Some(self.sums.unwrap_or(self.seen))))
    }
}

/// Splits `3 - name` into the number and the name.
fn numbered(rest: &str) -> (Option<u64>, &str) {
    match scan::leading_number(rest) {
        Some((number, name)) => (
            Some(number),
            name.trim_start().trim_start_matches("- ").trim(),
        ),
        None => (None, rest.trim_start_matches("- ").trim()),
    }
}

/// The name without the duration in parentheses behind it.
fn untimed(name: &str) -> &str {
    match name.rsplit_once(" (") {
        Some((name, duration)) if duration.ends_with("ms)") => name,
        Some(_) | None => name,
    }
}
