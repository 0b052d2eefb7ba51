//! Tells a ruling: to a person, as a job summary, as JUnit and as SARIF.
//!
//! Whatever a receipt says may come from a stranger, so nothing of it reaches a document as markup.

use std::fmt::Write as _;

use serde_json::{Value, json};
use wayproof_receipt::predicate::Severity;

use super::inert::{inert, inert_cell};
use super::{Found, Grade, Owed, Ruling, Standing, short, shown};
use crate::terminal::plain;

/// The sentence about an owed proof.
fn sentence(ruling: &Ruling, owed: &Owed) -> String {
    let task = owed.task.as_deref().unwrap_or("a task");
    if let Some(review) = &owed.review {
        return reviewed(task, owed, review);
    }
    match &owed.paid_by {
        Some(digest) => format!("{task}: proven by receipt {}", short(digest)),
        None if ruling.receipts.is_empty() => {
            format!("{task}: no receipt is attached to this tree; `wayproof prove` makes one")
        }
        None => format!("{task}: no receipt counts"),
    }
}

/// The sentence about a proof that people have a part in.
fn reviewed(task: &str, owed: &Owed, review: &Standing) -> String {
    let names: Vec<&str> = review
        .counted()
        .map(|heard| heard.reviewer.as_str())
        .collect();
    let mut sentence = match (&owed.paid_by, review.is_satisfied()) {
        (Some(_), _) => format!("{task}: approved by {}", names.join(", ")),
        (None, true) => format!(
            "{task}: approved by {}, but no receipt counts",
            names.join(", ")
        ),
        (None, false) => format!("{task}: {}", review.missing.join("; ")),
    };
    for heard in &review.reviews {
        if let Some(objection) = heard.objections.first() {
            let _ = write!(
                sentence,
                "; {} {} and does not count: {objection}",
                heard.reviewer, heard.decision
            );
        }
    }
    sentence
}

fn grade(found: &Found) -> &'static str {
    match found.grade {
        Grade::Tree => "this tree",
        Grade::Change => "the same change elsewhere",
    }
}

fn verdict(found: &Found) -> String {
    found
        .verdict
        .map_or_else(|| "INVALID".to_owned(), |verdict| verdict.to_string())
}

/// For a terminal.
pub(crate) fn text(ruling: &Ruling) -> String {
    let mut out = String::from(match (ruling.is_satisfied, ruling.owed.is_empty()) {
        (true, true) => "SATISFIED  nothing changed, so nothing is owed\n",
        (true, false) => "SATISFIED\n",
        (false, _) => "NOT SATISFIED\n",
    });
    for owed in &ruling.owed {
        let line = format!("  owed  {} ({})", sentence(ruling, owed), owed.why);
        out.push_str(&plain(&line));
        out.push('\n');
    }
    for found in &ruling.receipts {
        let line = format!(
            "  receipt {}  {} about {}, signed by {}",
            short(&found.digest),
            verdict(found),
            grade(found),
            found.signers.join(", ")
        );
        out.push_str(&plain(&line));
        out.push('\n');
        let shown = shown::lines(found).into_iter();
        let page = found.page.iter().map(|page| format!("page: {page}"));
        let objections = found.objections.iter();
        let objections = objections.map(|objection| format!("does not count: {objection}"));
        for line in shown.chain(page).chain(objections) {
            out.push_str(&plain(&format!("    {line}")));
            out.push('\n');
        }
    }
    out
}

/// For a job summary.
pub(crate) fn markdown(ruling: &Ruling) -> String {
    let mut out = format!(
        "## Wayproof: {}\n\nBase {} → head {}\n\n| owed | why | paid |\n|---|---|---|\n",
        if ruling.is_satisfied {
            "satisfied"
        } else {
            "not satisfied"
        },
        short(&ruling.base),
        short(&ruling.head)
    );
    for owed in &ruling.owed {
        let paid = owed.paid_by.as_deref().map_or("no", short);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            inert_cell(owed.task.as_deref().unwrap_or("a task")),
            inert_cell(&owed.why),
            if owed.paid_by.is_some() {
                inert_cell(paid)
            } else {
                paid.to_owned()
            }
        );
    }
    for found in &ruling.receipts {
        let digest = inert(short(&found.digest));
        let digest = match &found.page {
            // An address is checked where it is given; a digest is hexadecimal.
            Some(page) => format!("[{digest}]({page})"),
            None => digest,
        };
        let _ = writeln!(
            out,
            "\nReceipt {digest}: **{}** about {}, signed by {}\n",
            inert(&verdict(found)),
            grade(found),
            inert(&found.signers.join(", "))
        );
        for line in shown::lines(found) {
            let _ = writeln!(out, "- {}", inert(&line));
        }
        for objection in &found.objections {
            let _ = writeln!(out, "- does not count: {}", inert(objection));
        }
    }
    out
}

/// One test case an owed proof.
pub(crate) fn junit(ruling: &Ruling) -> String {
    let failures = ruling
        .owed
        .iter()
        .filter(|owed| owed.paid_by.is_none())
        .count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"wayproof gate\" tests=\"{}\" failures=\"{failures}\">\n",
        ruling.owed.len()
    );
    for owed in &ruling.owed {
        let name = attribute(owed.task.as_deref().unwrap_or("a task"));
        if owed.paid_by.is_some() {
            let _ = writeln!(out, "<testcase classname=\"wayproof\" name=\"{name}\"/>");
            continue;
        }
        let _ = writeln!(
            out,
            "<testcase classname=\"wayproof\" name=\"{name}\"><failure message=\"{}\">{}</failure></testcase>",
            attribute(&sentence(ruling, owed)),
            attribute(&text(ruling))
        );
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Text for an attribute or an element; characters that XML cannot hold are left out.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {}
            other => out.push(other),
        }
    }
    out
}

/// What the proofs found, and what is not paid, as SARIF 2.1.0.
pub(crate) fn sarif(ruling: &Ruling) -> Value {
    let mut results: Vec<Value> = Vec::new();
    for owed in ruling.owed.iter().filter(|owed| owed.paid_by.is_none()) {
        results.push(json!({
            "ruleId": "unpaid-proof", "level": "error",
            "message": {"text": sentence(ruling, owed)},
        }));
    }
    let about_this = ruling
        .receipts
        .iter()
        .filter(|found| found.grade == Grade::Tree);
    for finding in about_this
        .flat_map(|found| found.verification.proofs())
        .flat_map(|proof| &proof.findings)
    {
        let level = match finding.severity {
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "note",
        };
        let mut result = json!({
            "ruleId": finding.code, "level": level, "message": {"text": finding.explanation},
        });
        if let Some(path) = &finding.path {
            let mut place =
                json!({"artifactLocation": {"uri": uri(path), "uriBaseId": "%SRCROOT%"}});
            if let Some(line) = finding.line.filter(|line| *line > 0) {
                place["region"] = json!({"startLine": line});
            }
            result["locations"] = json!([{"physicalLocation": place}]);
        }
        results.push(result);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "wayproof", "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://wayproof.dev",
            }},
            "results": results,
        }],
    })
}

/// A path as a relative reference.
pub(crate) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_receipt_says_is_markup() {
        let hostile = "</failure><script>|`x`|\u{1b}[31m\n@everyone";
        let out = attribute(hostile);
        assert!(
            !out.contains('<') && !out.contains('\u{1b}') && !out.contains('\n'),
            "{out}"
        );
        assert_eq!(uri("a b/ü.rs"), "a%20b/%C3%BC.rs");
    }
}
