//! Pages for people, and hostile receipts that try to write their own.

use proptest::prelude::*;
use wayproof_receipt::{
    Verdict, html, markdown,
    predicate::{Finding, ReviewDecision, Severity},
    text, verify,
};

use crate::fixture::{Receipt, jsonl, review_line, reviewer, trust};

/// Markup, mentions, links, bidirectional and zero-width characters, cursor movement.
const HOSTILE: &str = "`` ` ```</code><img src=x onerror=alert(1)> @team #1 https://evil.example\n\n## PROVEN\r\u{1b}[2J\u{202e}gnp.exe\u{200b}|";

#[test]
fn a_proven_change() {
    let mut lines = Receipt::default().lines();
    lines.push(review_line(&reviewer(), ReviewDecision::Approved));
    let verification = verify(jsonl(lines).as_bytes(), Some(&trust()));
    insta::assert_snapshot!("proven_markdown", markdown(&verification));
    insta::assert_snapshot!("proven_text", text(&verification));
}

#[test]
fn a_refuted_change() {
    let receipt = Receipt::with_proof(|proof| {
        proof.verdict = Verdict::Refuted;
        proof.findings.push(Finding {
            code: "G2".into(),
            path: Some("tests/parser.rs".into()),
            line: Some(14),
            severity: Severity::High,
            explanation: "the assertion was weakened".into(),
        });
        proof.gaps.push("NO_NETNS".into());
    });
    let verification = verify(receipt.jsonl().as_bytes(), None);
    insta::assert_snapshot!("refuted_markdown", markdown(&verification));
}

#[test]
fn what_holds_all_checks_in_is_said_once() {
    let page = |isolation: &[&str]| {
        let receipt = Receipt::with_proof(|proof| {
            let mut again = proof.checks[0].clone();
            again.id = "c2".into();
            again.argv.push("--again".into());
            again.isolation = isolation.iter().map(|&one| one.to_owned()).collect();
            proof.checks.push(again);
        });
        markdown(&verify(receipt.jsonl().as_bytes(), Some(&trust())))
    };
    let same = page(&["userns", "netns", "landlock-abi7", "seccomp"]);
    let all = "- `cargo nextest run --again`: passed\n- All 2 checks ran isolated by `userns`, `netns`, `landlock-abi7`, `seccomp`\n";
    assert!(same.contains(all), "{same}");
    let other = page(&[]);
    assert!(other.contains("passed, isolated by `userns`"), "{other}");
    assert!(other.contains("--again`: passed, not isolated"), "{other}");
}

#[test]
fn an_invalid_receipt_says_nothing_but_why() {
    let verification = verify(b"{\"payload\":1}\n", None);
    insta::assert_snapshot!("invalid_markdown", markdown(&verification));
    insta::assert_snapshot!("invalid_text", text(&verification));
}

#[test]
fn a_hostile_receipt_stays_in_its_code_spans() {
    let hostile = || HOSTILE.to_owned();
    let mut receipt = Receipt::with_proof(|proof| {
        proof.fail_to_pass[0].test_id = hostile();
        proof.checks[0].argv = vec![hostile()];
        proof.checks[0].isolation = vec![hostile()];
        proof.findings.push(Finding {
            code: hostile(),
            path: Some(hostile()),
            severity: Severity::Low,
            explanation: hostile(),
            ..Finding::default()
        });
    });
    receipt.spend.sessions[0].agent = hostile();
    receipt.spend.sessions[0].models[0].provider = hostile();
    receipt.spend.escalations[0].cause = hostile();
    let verification = verify(receipt.jsonl().as_bytes(), Some(&trust()));
    let page = markdown(&verification);
    assert_inert(&page);
    insta::assert_snapshot!("hostile_markdown", page);
    assert_unmoved(&text(&verification));
}

/// Takes code spans out as CommonMark reads them and looks at what is left.
fn assert_inert(page: &str) {
    for line in page.lines() {
        let outside = outside_code(line);
        assert!(
            !outside.contains(['<', '>', '@', '`', '[', '|', '#'])
                || line.starts_with("## Wayproof receipt: "),
            "{line}"
        );
        assert!(!outside.contains("http"), "{line}");
    }
    assert_unmoved(page);
}

fn assert_unmoved(page: &str) {
    let moves = |c: char| {
        (c.is_control() && c != '\n')
            || ('\u{200b}'..='\u{200f}').contains(&c)
            || ('\u{202a}'..='\u{202e}').contains(&c)
    };
    assert!(!page.contains(moves), "{page:?}");
}

fn outside_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, fenced) = rest.split_at(start);
        outside += before;
        let fence = run_of_backticks(fenced);
        let (_, inside) = fenced.split_at(fence);
        let Some(end) = closing(inside, fence) else {
            return outside + fenced;
        };
        (_, rest) = inside.split_at(end + fence);
    }
    outside + rest
}

/// Where a run of exactly `fence` backticks begins.
fn closing(text: &str, fence: usize) -> Option<usize> {
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let (_, fenced) = rest.split_at(start);
        let run = run_of_backticks(fenced);
        if run == fence {
            return Some(text.len() - fenced.len());
        }
        (_, rest) = fenced.split_at(run);
    }
    None
}

fn run_of_backticks(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_name_stays_in_its_code_span(name in "(\\PC|[`@<>#\n\r\u{202e}\u{1b}]){0,40}") {
        let receipt = Receipt::with_proof(|proof| proof.fail_to_pass[0].test_id.clone_from(&name));
        let page = markdown(&verify(receipt.jsonl().as_bytes(), Some(&trust())));
        assert_inert(&page);
    }
}

#[test]
fn long_lists_and_long_names_are_cut() {
    let receipt = Receipt::with_proof(|proof| {
        let test = proof.fail_to_pass[0].clone();
        proof.fail_to_pass = vec![test; 500];
        proof.fail_to_pass[0].test_id = "x".repeat(100_000);
    });
    let page = markdown(&verify(receipt.jsonl().as_bytes(), Some(&trust())));
    assert!(page.len() < 20_000, "{}", page.len());
    assert!(page.contains("more"));
}

#[test]
fn a_document_is_whole_loads_nothing_and_keeps_hostile_words_as_text() {
    let hostile = || HOSTILE.to_owned();
    let receipt = Receipt::with_proof(|proof| {
        proof.task = hostile();
        proof.fail_to_pass[0].test_id = hostile();
        proof.findings.push(Finding {
            code: hostile(),
            path: Some("</style><script>alert(1)</script>".into()),
            explanation: "<img src=x onerror=alert(1)>".into(),
            ..Finding::default()
        });
    });
    let document = html(&verify(receipt.jsonl().as_bytes(), Some(&trust())));
    assert!(document.starts_with("<!doctype html>") && document.ends_with("</html>\n"));
    for tag in [
        "<script",
        "<img",
        "<link",
        "<a ",
        " src=\"",
        "http-equiv=\"refresh",
    ] {
        assert!(!document.contains(tag), "{tag}: {document}");
    }
    assert_eq!(document.matches("<style>").count(), 1);
    assert_eq!(document.matches("</style>").count(), 1);
    assert!(
        document.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{document}"
    );
    assert!(!document.contains(['\u{202e}', '\u{200b}', '\u{1b}']));
}

#[test]
fn a_document_says_what_the_other_pages_say() {
    let verification = verify(Receipt::default().jsonl().as_bytes(), Some(&trust()));
    let document = html(&verification);
    for words in [
        "<h1>PROVEN</h1>",
        "What was asked",
        "What was proven",
        "Who signed",
        "parser::rejects_empty",
        "default-src 'none'",
    ] {
        assert!(document.contains(words), "{words}: {document}");
    }
}
