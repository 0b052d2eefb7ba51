//! What each page says: with a story, without one, filtered, wrong, huge.

use axum::body::Body;
use http_body_util::BodyExt as _;
use rstest::rstest;
use wayproof_ledger::Clock;
use wayproof_receipt::log::{NoteKey, TlogProof, leaf_hash};

use crate::markup::is_tame;
use crate::stage::{NOON_US, Seen, Stage, form, log_key, request};
use crate::story::{Words, tell};

pub(crate) const PATHS: [&str; 11] = [
    "/",
    "/jobs",
    "/receipts",
    "/spend",
    "/policy",
    "/models",
    "/status",
    "/settings",
    "/docs",
    "/docs/glossary",
    "/connect",
];

#[tokio::test]
async fn an_empty_ledger_teaches_and_every_page_is_there() {
    let stage = Stage::new().await;
    for path in PATHS {
        let seen = stage.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text);
        is_tame(path, &seen.text);
        assert_eq!(seen.text.matches("<h1").count(), 1, "{path}");
    }
    let now = stage.get("/").await.text;
    for words in [
        "Nothing has happened yet",
        "Claude Code",
        "ANTHROPIC_BASE_URL=http://localhost:4417 claude",
        "wayproof connect qwen-code --gateway http://localhost:4417",
        "wayproof demo",
    ] {
        assert!(now.contains(words), "{words}");
    }
    assert!(
        stage
            .get("/jobs")
            .await
            .text
            .contains("There are no jobs yet")
    );
    assert!(stage.get("/spend").await.text.contains("Nothing was spent"));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn a_story_is_told_on_every_page() {
    let stage = Stage::new().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let receipt = format!("/receipts/{}", left.receipt);
    let exchange = format!("/exchanges/{}", left.exchange);
    let expected: [(&str, &[&str]); 11] = [
        (
            "/",
            &[
                "bug-fix",
                "anthropic",
                "resting",
                "Last receipts",
                "Cost per proven change",
            ],
        ),
        (
            "/jobs",
            &[
                "/jobs/job-of-a-story",
                "PROVEN",
                "team/shop",
                "claude-code",
                "$0.1111 + 1 unknown",
            ],
        ),
        (
            "/jobs/job-of-a-story",
            &[
                "What was asked",
                "asked: assertion failed: left == right",
                "Proof owed",
                "fast",
                "Moved from fast to strong on proof-refuted",
                "parser::rejects_empty: assertion failed",
                "src/parser.rs:3",
                "Passed over",
                "switching costs $0.0012",
                "87 % sure",
                "Money per attempt",
                "Receipt",
                "Review of claude-code: approved",
            ],
        ),
        (
            &exchange,
            &[
                "The decision",
                "529",
                "Tries",
                "420 ms",
                "143",
                "What was said",
                "<h3>The request</h3>",
                "assertion failed: left == right</code>",
            ],
        ),
        ("/receipts", &["PROVEN", &left.receipt[..12]]),
        (
            &receipt,
            &[
                "Verified just now",
                "good",
                "every signature checked",
                "What was proven",
                "of the ledger names this receipt; its hash leads by",
                "signed by the ledger&#39;s key, wayproof.dev/ledger/",
                "/log-proof",
                "ci",
            ],
        ),
        (
            "/spend",
            &[
                "bug-fix",
                "anthropic/claude-haiku-5-5",
                "$0.0556",
                "Cost per proven change, by week",
                "<svg",
            ],
        ),
        (
            "/policy",
            &["bug-fix", "proof-refuted", "Tests of the policy", "100 %"],
        ),
        ("/models", &["anthropic/claude-haiku-5-5", "2.1 s", "97 %"]),
        ("/status", &["all of it", "events", "resting"]),
        ("/settings", &["127.0.0.1:4417"]),
    ];
    for (path, words) in expected {
        let seen = stage.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text);
        is_tame(path, &seen.text);
        for word in words {
            assert!(
                seen.text.contains(word),
                "{path} lacks {word}: {}",
                seen.text
            );
        }
    }
}

#[tokio::test]
async fn the_proof_of_the_log_is_taken_along_and_verifies_alone() {
    let stage = Stage::new().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let seen = stage
        .get(&format!("/receipts/{}/log-proof", left.receipt))
        .await;
    assert_eq!(seen.status, 200);
    assert!(seen.header("content-disposition").contains(".tlog-proof"));
    let proof: TlogProof = seen.text.parse().unwrap();
    let event = proof.extra.clone().unwrap();
    assert!(String::from_utf8_lossy(&event).contains(&left.receipt));
    let origin = stage.ledger.origin().await.unwrap();
    let key = NoteKey::new(&origin, log_key().public()).unwrap();
    proof.verify(&leaf_hash(&event), &key).unwrap();
    let none = "0".repeat(64);
    let seen = stage.get(&format!("/receipts/{none}/log-proof")).await;
    assert_eq!(seen.status, 404);
}

#[tokio::test]
async fn two_models_are_compared() {
    let stage = Stage::new().await;
    tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let known = |name: &str| name.replace('/', "%2F");
    let (one, two) = (
        known("anthropic/claude-haiku-5-5"),
        known("anthropic/claude-opus-5-5"),
    );
    let chosen = stage.get(&format!("/models?q=claude&one={one}")).await;
    is_tame("/models", &chosen.text);
    assert!(chosen.text.contains("Choose a model to compare with"));
    let next = format!("/models?q=claude&amp;one={one}&amp;two=");
    assert!(chosen.text.contains(&next), "{}", chosen.text);
    let both = stage.get(&format!("/models?one={one}&two={two}")).await;
    is_tame("/models", &both.text);
    for words in [
        "anthropic/claude-haiku-5-5 beside",
        "Context window",
        "Proven, bug-fix",
        "1 of 1 (100 %)",
        "class=\"differs\"",
    ] {
        assert!(both.text.contains(words), "{words}: {}", both.text);
    }
    for strange in ["nobody%2Fx", "%3Cscript%3E", "anthropic"] {
        let page = stage.get(&format!("/models?one={one}&two={strange}")).await;
        assert_eq!(page.status, 200);
        is_tame("/models", &page.text);
        assert!(
            page.text
                .contains("Neither the catalog nor the ledger knows")
        );
    }
}

#[rstest]
#[case("/jobs/none", 404)]
#[case("/jobs/a%00b", 404)]
#[case("/jobs/%ff", 400)]
#[case("/jobs/..%2f..%2fetc", 404)]
#[case("/exchanges/none", 404)]
#[case("/receipts/none", 404)]
#[case(
    "/receipts/0000000000000000000000000000000000000000000000000000000000000000",
    404
)]
#[case("/receipts/none/download", 404)]
#[case("/docs/none", 404)]
#[case("/assets/0/none", 404)]
#[case("/nothing", 404)]
#[tokio::test]
async fn what_is_not_there_is_said_in_a_page(#[case] path: &str, #[case] status: u16) {
    let stage = Stage::new().await;
    let seen = stage.get(path).await;
    assert_eq!(seen.status, status, "{path}");
    assert!(
        seen.header("content-type").starts_with("text/html"),
        "{path}"
    );
    assert!(seen.text.contains("<h1>") && !seen.header("content-security-policy").is_empty());
}

#[tokio::test]
async fn a_program_that_is_lost_gets_no_page() {
    let stage = Stage::new().await;
    let lost = axum::http::Request::builder()
        .uri("/v1/nothing")
        .header("host", "localhost");
    let seen = stage.ask(lost.body(Body::empty()).unwrap()).await;
    assert_eq!((seen.status.as_u16(), seen.text.as_str()), (404, ""));
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_a_sentence_without_places() {
    let stage = Stage::new().await;
    stage.ledger.close().await.unwrap();
    for path in [
        "/",
        "/jobs",
        "/jobs/x",
        "/receipts",
        "/spend",
        "/policy",
        "/models",
        "/status",
    ] {
        let seen = stage.get(path).await;
        assert_eq!(seen.status, 503, "{path}");
        assert!(seen.text.contains("The ledger does not answer"), "{path}");
        assert!(
            !seen.text.contains("ledger.db") && !seen.text.contains("/tmp"),
            "{path}"
        );
    }
    assert_eq!(stage.get("/docs").await.status, 200);
}

#[tokio::test]
async fn a_receipt_is_downloaded_as_it_was_sealed_and_as_a_document() {
    let stage = Stage::new().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let seen = stage
        .get(&format!("/receipts/{}/download", left.receipt))
        .await;
    assert_eq!(
        wayproof_receipt::sha256_hex(seen.text.as_bytes()),
        left.receipt
    );
    assert!(seen.header("content-disposition").starts_with("attachment"));
    let seen = stage.get(&format!("/receipts/{}/page", left.receipt)).await;
    assert!(
        seen.text.starts_with("<!doctype html>") && seen.text.contains("PROVEN"),
        "{}",
        seen.text
    );
    assert!(!seen.text.contains("<script") && !seen.text.contains("src="));
}

/// A policy as a repository has it, with remarks.
const POLICY: &str = "# What our work costs.\nversion = 1\n\n# Bugs first.\n[task.bug-fix]\nroute = \"strong\" # by ana\n";

async fn with_policy(text: &str) -> Stage {
    let policy = wayproof_engine::Policy::parse(text, "wayproof.toml")
        .unwrap()
        .policy;
    Stage::with(|house| house.policy = policy, Clock::fixed(NOON_US)).await
}

async fn what_if(stage: &Stage, text: &str, button: &str) -> Seen {
    let csrf = stage.get("/policy").await.csrf();
    let fields = [("csrf", csrf.as_str()), ("policy", text), ("as", button)];
    stage.ask(form("/policy", "", &fields)).await
}

#[tokio::test]
async fn a_changed_policy_is_a_patch_of_its_file_and_nothing_is_written() {
    let stage = with_policy(POLICY).await;
    tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let page = stage.get("/policy").await.text;
    assert!(page.contains("# What our work costs."), "{page}");
    let same = what_if(&stage, POLICY, "").await;
    assert!(same.text.contains("Nothing would change"), "{}", same.text);
    let text = POLICY.replace("\"strong\"", "\"fast\"");
    let changed = what_if(&stage, &text.replace('\n', "\r\n"), "").await;
    assert_eq!(changed.status, 200);
    for words in [
        "bug-fix: would start in fast instead of strong (1 job in 30 days)",
        "--- a/wayproof.toml",
        " # Bugs first.",
        "-route = &quot;strong&quot; # by ana",
        "+route = &quot;fast&quot; # by ana",
    ] {
        assert!(changed.text.contains(words), "{words}: {}", changed.text);
    }
    let patch = what_if(&stage, &text, "patch").await;
    assert!(
        patch
            .header("content-disposition")
            .ends_with("wayproof-policy.patch\"")
    );
    assert!(
        patch
            .text
            .starts_with("--- a/wayproof.toml\n+++ b/wayproof.toml\n@@ -3,4 +3,4 @@\n")
    );
    for button in ["", "patch"] {
        let wrong = "version = 1\n[task.bug-fix]\nruote = \"</textarea><script>\"\n";
        let wrong = what_if(&stage, wrong, button).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("This is not a policy"));
        is_tame("/policy", &wrong.text);
    }
}

#[tokio::test]
async fn without_a_file_the_first_patch_makes_one() {
    let stage = Stage::new().await;
    let page = stage.get("/policy").await.text;
    assert!(page.contains("There is no file yet"), "{page}");
    let same = what_if(&stage, "version = 1\n", "").await;
    assert!(same.text.contains("No row and no class"), "{}", same.text);
    let text = "version = 1\n[task.bug-fix]\nroute = \"fast\"\n";
    let made = what_if(&stage, text, "").await;
    assert!(made.text.contains("--- /dev/null"), "{}", made.text);
}

#[tokio::test]
async fn the_choice_of_light_or_dark_is_kept() {
    let stage = Stage::new().await;
    let page = stage.get("/jobs").await;
    assert!(page.text.contains("data-theme=\"auto\""));
    let csrf = page.csrf();
    let chosen = stage
        .ask(form(
            "/theme",
            "",
            &[("csrf", &csrf), ("theme", "dark"), ("back", "/jobs?task=a")],
        ))
        .await;
    assert_eq!(
        (chosen.status.as_u16(), chosen.header("location")),
        (303, "/jobs?task=a")
    );
    let cookie = chosen.cookie();
    let seen = request("GET", "/jobs").header("cookie", &cookie);
    let seen = stage.ask(seen.body(Body::empty()).unwrap()).await;
    assert!(seen.text.contains("data-theme=\"dark\""));
    let away = stage
        .ask(form(
            "/theme",
            "",
            &[
                ("csrf", &csrf),
                ("theme", "x\"><script>"),
                ("back", "//evil.example"),
            ],
        ))
        .await;
    assert_eq!(away.header("location"), "/");
    assert!(
        away.header("set-cookie")
            .starts_with("wayproof_theme=auto;")
    );
}

#[tokio::test]
async fn files_are_packed_for_those_who_unpack() {
    let stage = Stage::new().await;
    for (name, kind) in [
        ("style.css", "text/css"),
        ("htmx.min.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/assets/0.1.0/{name}");
        let plain = stage.get(&path).await;
        assert!(plain.header("content-type").starts_with(kind));
        let packed = request("GET", &path).header("accept-encoding", "gzip, br");
        let packed = stage
            .raw([127, 0, 0, 1], packed.body(Body::empty()).unwrap())
            .await;
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let size = packed.into_body().collect().await.unwrap().to_bytes().len();
        assert!(size <= plain.text.len());
    }
}
