//! What strangers write into receipts, in the comment, the check run and the job summary: shown, and nothing else.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use wayproof_receipt::{
    Bundle, Envelope, Predicate, ResourceDescriptor, SigningKey, Statement, Verdict, is_unseen,
    predicate::{
        AgentSession, Check, Escalation, FailToPass, Finding, ModelSpend, Obligation, Proof, Spend,
        Tests, Tier,
    },
    seal, verify,
};

use super::{Place, Word, words};
use crate::{
    cli::ForgeKind,
    gate::{Found, Grade, Owed, Ruling, markdown},
};

/// Markup, addresses, people, issues, tables, fences, markers, reordering.
const PAYLOADS: [&str; 132] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href=https://evil.example>x</a>",
    "<details open><summary>x</summary>",
    "<h1>satisfied</h1>",
    "<b>",
    "</td></tr></table>",
    "<!-- wayproof-gate: wayproof -->",
    "-->",
    "<!--",
    "x\n<!-- wayproof-gate: wayproof -->\n## Wayproof: satisfied",
    "x\r\n<!-- wayproof-gate: wayproof -->\r\nsatisfied",
    "<!-- wayproof-gate: api -->",
    "<?php echo 1 ?>",
    "<![CDATA[x]]>",
    "<!DOCTYPE html>",
    "<https://evil.example>",
    "<mailto:a@evil.example>",
    "<a@evil.example>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&commat;everyone",
    "&#64;everyone",
    "&num;12",
    "https://evil.example",
    "http://evil.example/a?b=c#d",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:a@evil.example",
    "xmpp:a@evil.example/x",
    "www.evil.example",
    "WWW.evil.example",
    "evil.example",
    "//evil.example",
    "a@evil.example",
    "(https://evil.example)",
    "x:https://evil.example",
    "\"https://evil.example\"",
    "[x](https://evil.example)",
    "[x](javascript:alert(1))",
    "[x][y]\n\n[y]: https://evil.example",
    "[y]: https://evil.example",
    "[x]",
    "[ ] task",
    "- [x] done",
    "![x](https://evil.example/x.png)",
    "![x][y]",
    "](https://evil.example)",
    "[",
    "]",
    "](",
    "[^1]",
    "[^1]: note",
    "[[Home]]",
    "[x]:y",
    "@everyone",
    "@octo/owners",
    "x@everyone",
    "(@everyone)",
    "\\@everyone",
    "#1",
    "GH-1",
    "gh-12",
    "JIRA-12",
    "octo/sums#1",
    "octo/sums@c3d0be41",
    "c3d0be41ecbe669545ee3e94d31ed9a4bc91ee3c",
    "c3d0be4",
    "!12",
    "~bug",
    "%milestone",
    "&epic",
    "$12",
    "*iteration:1",
    "/close",
    "x\n/close\n",
    "x\n\n/merge",
    "/label ~bug",
    ":smile:",
    "$x^2$",
    "$$x$$",
    "$`x`$",
    "```math\nx\n```",
    "|",
    "a|b",
    "a | b | c",
    "\\|",
    "`|`",
    "\\",
    "\\\\",
    "x\\",
    "x |\n|---|\n| y",
    "`",
    "``",
    "```",
    "`x`",
    "``` x",
    "x\n```\n<b>\n```\n",
    "~~~",
    "~~~html",
    "`` ` ``",
    "` `` ` ```",
    "x`",
    "`x",
    "*x*",
    "**x**",
    "***",
    "_x_",
    "__x__",
    "snake_case_name",
    "~~x~~",
    "~x~",
    "# x",
    "x\n===",
    "x\n---",
    "---",
    "===",
    "> x",
    "- x",
    "+ x",
    "1. x",
    "1) x",
    "    x",
    "\tx",
    "x  \ny",
    "main\u{202e}gnp.exe",
    "a\u{200b}b\u{2066}c\u{2069}\u{feff}",
    "a\u{2028}b\u{2029}c\u{85}d",
    "a\u{0}b\u{1b}[31mc\u{7}",
    "\u{e0001}\u{e0041}x",
];

/// A receipt in which every word is the same.
fn receipt(text: &str) -> Vec<u8> {
    let key = SigningKey::from_seed(&[7; 32]);
    let own = || text.to_owned();
    let base = ResourceDescriptor::revision(COMMIT, COMMIT);
    let line = |predicate: Predicate| -> Envelope {
        let subject = ResourceDescriptor::change(COMMIT, COMMIT, &"9".repeat(64), None);
        seal(&Statement { subject, predicate }, &key).unwrap()
    };
    let obligation = line(Predicate::Obligation(Box::new(Obligation {
        task: own(),
        base: base.clone(),
        ..Obligation::default()
    })));
    let proof = Proof {
        task: own(),
        tier: Tier::Reexecuted,
        verdict: Verdict::Refuted,
        obligation: Some(obligation.descriptor("obligation")),
        base: base.clone(),
        head: base,
        checks: vec![Check {
            id: own(),
            argv: vec![own(), own()],
            isolation: vec![own()],
            ..Check::default()
        }],
        tests: Some(Tests::default()),
        fail_to_pass: vec![FailToPass {
            test_id: own(),
            ..FailToPass::default()
        }],
        gaps: vec![own(), own()],
        findings: vec![Finding {
            code: own(),
            path: Some(own()),
            line: Some(3),
            explanation: own(),
            ..Finding::default()
        }],
        ..Proof::default()
    };
    let lines = vec![
        obligation,
        line(Predicate::Proof(Box::new(proof))),
        line(Predicate::Spend(Box::new(spend(text)))),
    ];
    Bundle::new(lines).to_jsonl().into_bytes()
}

const COMMIT: &str = "c3d0be41ecbe669545ee3e94d31ed9a4bc91ee3c";

fn spend(text: &str) -> Spend {
    let own = || text.to_owned();
    Spend {
        sessions: vec![AgentSession {
            agent: own(),
            session_id: own(),
            models: vec![ModelSpend {
                requested: own(),
                provider: own(),
                ..ModelSpend::default()
            }],
            ..AgentSession::default()
        }],
        escalations: vec![Escalation {
            from: own(),
            to: own(),
            cause: own(),
            at_index: None,
        }],
        ..Spend::default()
    }
}

/// A ruling over such a receipt.
fn ruling(text: &str) -> Ruling {
    let verification = verify(&receipt(text), None);
    assert_eq!(verification.proofs().count(), 1, "{text:?} is read");
    let own = || text.to_owned();
    Ruling {
        is_satisfied: false,
        base: COMMIT.to_owned(),
        head: COMMIT.to_owned(),
        head_tree: COMMIT.to_owned(),
        owed: vec![Owed {
            task: Some(own()),
            why: own(),
            paid_by: None,
            review: None,
            is_provable: true,
        }],
        receipts: vec![Found {
            digest: COMMIT.to_owned(),
            grade: Grade::Tree,
            outcome: verification.outcome,
            task: Some(own()),
            verdict: verification.verdict,
            signers: vec![own(), own()],
            objections: vec![own()],
            page: Some("https://wayproof.example/receipts/1".to_owned()),
            verification,
        }],
    }
}

fn place() -> Place {
    Place {
        kind: ForgeKind::Github,
        api: String::new(),
        repo: "octo/sums".to_owned(),
        change: Some(9),
        parts: Vec::new(),
        name: "wayproof".to_owned(),
        details: Some("https://ci.example/jobs/1".to_owned()),
        token_variable: String::new(),
        token: String::new().into(),
        proxy: None,
    }
}

/// What a document is made of: its shape, where it leads, and the words outside of code.
#[derive(Debug, Default)]
struct Made {
    shape: Vec<String>,
    ways: Vec<String>,
    words: String,
}

fn made(document: &str) -> Made {
    let mut made = Made::default();
    // Every extension that a forge knows, so that more is taken for markup than by any of them.
    for event in Parser::new_ext(document, Options::all()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                made.ways.push(dest_url.into_string());
            }
            Event::End(TagEnd::Link) | Event::Code(_) => {}
            Event::Text(text) => made.words.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::Rule => {
                made.shape.push(format!("{event:?}"));
            }
            Event::Start(tag) => {
                made.words.push('\n');
                made.shape.push(format!("{tag:?}"));
            }
            Event::End(_) => made.words.push('\n'),
            other => made.shape.push(format!("{other:?}")),
        }
    }
    made
}

/// The words outside of code are such that no forge makes anything of them.
fn is_plain(payload: &str, words: &str) {
    let lower = words.to_ascii_lowercase();
    for sign in [
        "@", "#", "://", "www.", "`", "<", "|", "[", "]", "*", "~", "$", "\\", "evil", "gh-",
        "jira-",
    ] {
        assert!(!lower.contains(sign), "{payload:?}: {sign} in {words}");
    }
    assert!(
        !words.contains(|c: char| c != '\n' && is_unseen(c)),
        "{payload:?}: {words:?}"
    );
    assert!(
        !words.lines().any(|line| line.trim_start().starts_with('/')),
        "{payload:?}: {words}"
    );
    assert!(!words.contains(":smile:"), "{payload:?}: {words}");
}

#[test]
fn nothing_that_strangers_write_comes_alive() {
    assert!(PAYLOADS.len() >= 100);
    let plain = ruling("plain");
    let place = place();
    for payload in PAYLOADS {
        let ruling = ruling(payload);
        let documents = [
            (markdown(&ruling), markdown(&plain), 1),
            (
                words::document(&place, Word::Ruled(&ruling), 60_000),
                words::document(&place, Word::Ruled(&plain), 60_000),
                2,
            ),
            (
                wayproof_receipt::markdown(&ruling.receipts[0].verification),
                wayproof_receipt::markdown(&plain.receipts[0].verification),
                0,
            ),
        ];
        for (document, benign, ways) in documents {
            let (hostile, benign) = (made(&document), made(&benign));
            assert_eq!(hostile.shape, benign.shape, "{payload:?}: {document}");
            assert_eq!(hostile.ways, benign.ways, "{payload:?}: {document}");
            assert_eq!(hostile.ways.len(), ways, "{document}");
            is_plain(payload, &hostile.words);
            let unseen = document.contains(|c: char| c != '\n' && is_unseen(c));
            assert!(!unseen, "{payload:?}: {document:?}");
        }
        let comment = words::comment(&place, Word::Ruled(&ruling), 60_000);
        let (first, rest) = comment.split_once('\n').unwrap();
        assert_eq!(first, words::marker("wayproof"));
        assert!(
            !made(rest).shape.iter().any(|part| part.contains("Html")),
            "{rest}"
        );
        assert!(words::is_marked(&comment, "wayproof") && !words::is_marked(rest, "wayproof"));
        assert!(!words::is_marked(rest, "api"));
    }
}

#[test]
fn lines_of_text_show_what_cannot_be_seen() {
    for payload in PAYLOADS {
        let ruling = ruling(payload);
        let word = Word::Ruled(&ruling);
        for line in [words::line(word, 140), words::title(word)] {
            assert!(!line.contains(is_unseen), "{payload:?}: {line:?}");
        }
        for note in words::annotations(word) {
            for part in ["title", "message"] {
                let text = note[part].as_str().unwrap();
                assert!(!text.contains(is_unseen), "{payload:?}: {text:?}");
            }
        }
    }
}

#[test]
fn a_cut_document_is_cut_where_nothing_is_open() {
    let place = place();
    for payload in PAYLOADS {
        let ruling = ruling(payload);
        for most in (400..2_000).step_by(97) {
            let document = words::document(&place, Word::Ruled(&ruling), most);
            let made = made(&document);
            assert!(
                made.ways
                    .iter()
                    .all(|way| way.starts_with("https://wayproof.example/")
                        || way.starts_with("https://ci.example/")),
                "{payload:?}: {document}"
            );
            is_plain(payload, &made.words);
        }
    }
}
