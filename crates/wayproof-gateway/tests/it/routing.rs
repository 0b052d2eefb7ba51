//! What the gateway does with what the engine decides.

use rstest::rstest;
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

/// A stream that breaks off because the conversation does not fit, in each protocol.
#[rstest]
#[case::messages(
    "/v1/messages",
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 210000 tokens > 200000 maximum\"}}\n\n"
)]
#[case::responses(
    "/v1/responses",
    "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"Your input exceeds the context window of this model.\"}}}\n\n"
)]
#[case::responses_error(
    "/v1/responses",
    "event: error\ndata: {\"type\":\"error\",\"code\":\"context_length_exceeded\",\"message\":\"Too long.\"}\n\n"
)]
#[case::chat(
    "/v1/chat/completions",
    "data: {\"error\":{\"message\":\"This model's maximum context length is 8192 tokens.\",\"code\":null}}\n\n"
)]
#[case::gemini(
    "/v1beta/models/gemini-9:streamGenerateContent?alt=sse",
    "data: {\"error\":{\"code\":400,\"message\":\"The input token count (1048580) exceeds the maximum number of tokens allowed (1048575).\",\"status\":\"INVALID_ARGUMENT\"}}\n\n"
)]
#[tokio::test]
async fn a_conversation_that_does_not_fit_may_say_so_inside_its_answer(
    #[case] path: &str,
    #[case] event: &'static str,
) {
    let scripted = Scripted::start(move |_| Reply::events([event]))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = r#"{"model":"gpt-9","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"the login page crashes"}],"input":"the login page crashes","contents":[{"role":"user","parts":[{"text":"the login page crashes"}]}]}"#;
    let headers = [("x-session-id", "s1")];
    let seen = post(stage.address, path, &headers, sent.as_bytes()).await;
    assert_eq!((seen.status, seen.text().as_str()), (200, event));
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.failure.as_deref(), Some("context-overflow"));
    let seen = post(stage.address, path, &headers, sent.as_bytes()).await;
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
