//! What the gateway does with what the engine decides.

use serde_json::Value;
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::post;
use crate::stage::{MESSAGE, Setting, asking};

const TOO_LONG: &str = r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#;

#[tokio::test]
async fn the_answer_says_what_was_decided() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = asking(
        "claude-opus-5-5",
        "the login page crashes when the token expired",
    );
    let headers = [("x-session-id", "s1"), ("x-wayproof-repo", "demo")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.header("x-wayproof-task"), Some("bug-fix"));
    assert_eq!(seen.header("x-wayproof-class"), Some("strong"));
    assert_eq!(seen.header("x-wayproof-target"), Some("p/strong-1"));
    assert_eq!(seen.header("x-wayproof-cause"), None);
    assert_eq!(
        seen.header("request-id"),
        seen.header("x-wayproof-exchange")
    );

    let detail = stage.settled(seen.exchange()).await;
    let decision: Value = serde_json::from_str(detail.decision().unwrap()).unwrap();
    assert_eq!(decision["task"], "bug-fix");
    assert_eq!(detail.exchange.session.as_deref(), Some("s1"));
    let job = detail.exchange.job.unwrap();
    assert_eq!(
        seen.header("x-wayproof-page"),
        Some(format!("http://127.0.0.1/jobs/{job}").as_str()),
        "at the address that the request named"
    );
    let page = wayproof_ledger::Page {
        limit: 5,
        before: None,
    };
    let sessions = stage.ledger.sessions(page).await.unwrap();
    assert_eq!(sessions[0].repo.as_deref(), Some("demo"));
    stage.stop().await;
}

#[tokio::test]
async fn a_header_names_the_task_and_a_wrong_one_is_refused() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let headers = [("x-wayproof-task", "documentation")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.header("x-wayproof-task"), Some("documentation"));
    assert_eq!(seen.header("x-wayproof-target"), Some("p/fast-1"));
    let headers = [("x-wayproof-task", "bugfix")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.status, 400);
    assert!(
        seen.text().contains("there is no task `bugfix`"),
        "{}",
        seen.text()
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_moves_up_at_its_next_turn() {
    let scripted = Scripted::start(|request| {
        let is_max = String::from_utf8_lossy(&request.body).contains("max-1");
        if is_max {
            Reply::json(200, MESSAGE)
        } else {
            Reply::json(400, TOO_LONG)
        }
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let headers = [("x-session-id", "s1")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    // The provider's own words and status, so that the agent compacts.
    assert_eq!((seen.status, seen.text().as_str()), (400, TOO_LONG));
    stage.settled(seen.exchange()).await;
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("x-wayproof-cause"), Some("context-overflow"));
    assert_eq!(seen.header("x-wayproof-target"), Some("p/max-1"));
    stage.stop().await;
}

#[tokio::test]
async fn what_providers_say_of_quotas_is_sampled_when_it_changes() {
    let scripted = Scripted::start(|request| {
        let used = if request.header("x-round") == Some("2") {
            "0.62"
        } else {
            "0.61"
        };
        Reply::json(200, MESSAGE)
            .with_header("anthropic-ratelimit-unified-5h-utilization", used)
            .with_header("anthropic-ratelimit-unified-5h-reset", "1795305600")
            .with_header("anthropic-ratelimit-requests-limit", "50")
            .with_header("anthropic-ratelimit-requests-remaining", "40")
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    for round in ["1", "1", "2"] {
        let headers = [("x-round", round)];
        let seen = post(
            stage.address,
            "/v1/messages",
            &headers,
            asking("p/m", "hi").as_bytes(),
        )
        .await;
        stage.settled(seen.exchange()).await;
    }
    let events = stage.ledger.events(0, 100).await.unwrap();
    let samples: Vec<_> = events
        .iter()
        .filter_map(|stored| match &stored.event.body {
            wayproof_ledger::EventBody::QuotaSampled(sample) => Some((
                sample.window.as_str(),
                sample.used_ppm.unwrap(),
                sample.resets_at_us,
            )),
            _ => None,
        })
        .collect();
    let reset = Some(1_795_305_600_000_000);
    assert_eq!(
        samples,
        [
            ("unified-5h", 610_000, reset),
            ("requests", 200_000, None),
            ("unified-5h", 620_000, reset)
        ]
    );
    stage.stop().await;
}
