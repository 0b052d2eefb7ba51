//! Pages for people, and hostile receipts that try to write their own.

use proptest::prelude::*;
use wayproof_receipt::{
    Predicate, ResourceDescriptor, Time, Verdict, html, markdown,
    predicate::{
        Benchmark, Coverage, Disposition, Finding, Flake, Link, Mutation, MutationScope, Oracle,
        Proof, PublicApi, Review, ReviewDecision, Severity, SurfaceChange,
    },
    seal, text, verify,
};

use crate::fixture::{NOON, Receipt, jsonl, review_line, reviewer, statement, trust};

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

/// A proof with every kind of evidence, and a review that answers a finding; every foreign word is the given one.
fn rich(word: &str) -> Vec<wayproof_receipt::Envelope> {
    let owned = || word.to_owned();
    let mut lines = Receipt::with_proof(|proof| with_all_evidence(proof, word)).lines();
    let review = Review {
        reviewer: owned(),
        decision: ReviewDecision::Approved,
        dispositions: vec![Disposition {
            finding: owned(),
            decision: format!("kept, as {word}"),
        }],
        comment: Some(format!("Looks right. {word}")),
        ..Review::default()
    };
    let review = statement(Predicate::Review(Box::new(review)));
    lines.push(seal(&review, &reviewer()).expect("seals"));
    lines
}

fn links(word: &str) -> Vec<Link> {
    let read = Link {
        url: word.to_owned(),
        status: Some(200),
        fetched_at: Some(Time(NOON)),
        is_primary: true,
        is_found: true,
        ..Link::default()
    };
    let moved = Link {
        url: word.to_owned(),
        final_url: Some(format!("{word}/moved")),
        ..Link::default()
    };
    vec![read, moved]
}

fn with_all_evidence(proof: &mut Proof, word: &str) {
    let owned = || word.to_owned();
    proof.links = links(word);
    proof.claims = Some(2);
    proof.coverage = Some(Coverage {
        format: owned(),
        changed_lines: 42,
        covered_lines: 40,
        unmapped_lines: 3,
        delta_vs_base: Some(-2),
    });
    proof.mutation = Some(Mutation {
        scope: MutationScope::Diff,
        generated: 12,
        viable: 9,
        caught: 7,
        missed: vec![owned()],
        timeouts: 1,
        tool: owned(),
    });
    proof.oracle = Some(Oracle {
        tests: 12,
        weak: vec![owned()],
        none: Vec::new(),
        assertions_removed: 2,
        assertions_weakened: 1,
    });
    proof.public_api = Some(PublicApi {
        items: 120,
        added: vec![owned()],
        changed: vec![owned()],
        ..PublicApi::default()
    });
    proof.benchmark = Some(Benchmark {
        pairs: 8,
        ratio: 0.81,
        low: 0.78,
        high: 0.84,
        method: owned(),
    });
    proof.flake = Some(Flake {
        runs: 5,
        disagreements: vec![owned()],
        upper_bound_95: Some(0.451),
    });
    proof.sarif = vec![ResourceDescriptor::pinned(word, "sha256", "00")];
    proof.control_surface_changed.push(SurfaceChange {
        path: owned(),
        ..SurfaceChange::default()
    });
}

#[test]
fn every_kind_of_evidence_is_on_every_page() {
    let verification = verify(jsonl(rich("a.rs")).as_bytes(), Some(&trust()));
    let page = markdown(&verification);
    insta::assert_snapshot!("rich_markdown", page);
    let (text, document) = (text(&verification), html(&verification));
    for words in [
        "1 of 2 sources are primary ones that say it",
        "tests ran 40 of 42 changed lines",
        "tests noticed 7 of 9",
        "of 12 tests 1 assert little",
        "120 items before: 1 new, 1 changed, 0 gone",
        "takes 81.0 % of the time before",
        "Repeated runs: 5 of each test",
        "Reports of scanners, 1 in all",
        "kept, as a.rs",
        "Looks right. a.rs",
        "steers the checks",
    ] {
        assert!(page.contains(words), "{words}: {page}");
        assert!(text.contains(words), "{words}: {text}");
        assert!(document.contains(words), "{words}: {document}");
    }
}

#[test]
fn hostile_evidence_and_remarks_stay_in_their_code_spans() {
    let verification = verify(jsonl(rich(HOSTILE)).as_bytes(), Some(&trust()));
    assert_inert(&markdown(&verification));
    assert_unmoved(&text(&verification));
    let document = html(&verification);
    assert!(!document.contains("<img") && document.contains("&lt;img src=x"));
}

#[test]
fn a_remark_is_shown_to_its_end_where_a_name_is_cut() {
    let words = "word ".repeat(300);
    let mut lines = Receipt::default().lines();
    let review = Review {
        comment: Some(format!("{words}the end")),
        ..Review::default()
    };
    let review = statement(Predicate::Review(Box::new(review)));
    lines.push(seal(&review, &reviewer()).expect("seals"));
    let page = markdown(&verify(jsonl(lines).as_bytes(), Some(&trust())));
    assert!(page.contains("the end"), "{page}");
}

#[test]
fn many_of_a_kind_do_not_push_out_the_others() {
    let receipt = Receipt::with_proof(|proof| {
        let test = proof.fail_to_pass[0].clone();
        proof.fail_to_pass = vec![test; 500];
        proof.links = vec![Link::default(); 500];
    });
    let page = markdown(&verify(receipt.jsonl().as_bytes(), Some(&trust())));
    for words in ["and 488 more", "Tests: 412 planned", "Repeated runs"] {
        assert!(page.contains(words), "{words}: {page}");
    }
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
