//! What goes wrong, told in the client's own dialect.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::{Wire, post};
use crate::stage::{MESSAGE, Setting, asking, keyed};

const PATHS: [&str; 3] = ["/v1/messages", "/v1/chat/completions", "/v1/responses"];

fn body(path: &str, model: &str) -> String {
    if path == "/v1/responses" {
        format!(r#"{{"model":"{model}","input":"hi"}}"#)
    } else {
        asking(model, "hi")
    }
}

/// The error's kind, as each dialect says it, and its sentence.
fn told(path: &str, text: &str) -> (String, String) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let error = &value["error"];
    if path == "/v1/messages" {
        assert_eq!(value["type"], "error");
        assert!(value["request_id"].is_string());
    }
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("type"), text("message"))
}

async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[rstest]
#[case::malformed(r#"{"model":"p/m","messages":[}"#, "expected")]
#[case::cut(r#"{"model":"p/m","messages":[{"role":"user""#, "")]
#[case::not_json("hello", "expected")]
#[case::empty("", "")]
#[case::an_array("[]", "expected `{`")]
#[case::wrong_type(
    r#"{"model":5,"messages":[{"role":"user","content":"hi"}],"input":"x"}"#,
    "`model` must be a string"
)]
#[case::no_model(
    r#"{"messages":[{"role":"user","content":"hi"}],"input":"x"}"#,
    "`model` must be a string"
)]
#[case::unknown_task(
    r#"{"model":"wayproof/nonsense","messages":[{"role":"user","content":"hi"}],"input":"x"}"#,
    "there is no task `nonsense`"
)]
#[tokio::test]
async fn a_bad_request_is_one_clear_sentence(#[case] sent: &str, #[case] words: &str) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    for path in PATHS {
        let seen = post(stage.address, path, &[], sent.as_bytes()).await;
        assert_eq!(seen.status, 400, "{path}");
        let (kind, message) = told(path, &seen.text());
        assert_eq!(kind, "invalid_request_error");
        assert!(message.contains(words) && !message.is_empty(), "{message}");
        assert!(seen.header("x-wayproof-exchange").is_some());
        assert_eq!(seen.header("request-id").is_some(), path == "/v1/messages");
    }
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn absurd_nesting_is_refused() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = format!(
        r#"{{"model":"p/m","messages":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 400);
    assert!(seen.text().contains("nest"), "{}", seen.text());
    stage.stop().await;
}

#[tokio::test]
async fn a_body_of_50_mb_crosses() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let large = asking("p/m", &"x".repeat(50 << 20));
    let seen = post(stage.address, PATHS[0], &[], large.as_bytes()).await;
    assert_eq!(seen.status, 200);
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.body.len(), large.len() - "p/".len());
    stage.stop().await;
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_once_it_was_sent() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.max_body_bytes = 4 << 20;
    let stage = setting.open().await;
    for path in PATHS {
        let large = asking("p/m", &"x".repeat(6 << 20));
        let seen = post(stage.address, path, &[], large.as_bytes()).await;
        assert_eq!(seen.status, 413);
        let (_, message) = told(path, &seen.text());
        assert_eq!(message, "the body is larger than 4 MiB");
    }
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_has_the_same_limit() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.max_body_bytes = 1 << 10;
    let stage = setting.open().await;
    for (length, status) in [(100, 200), (2 << 10, 413)] {
        let body = asking("p/m", &"x".repeat(length));
        let mut wire = Wire::open(stage.address).await;
        wire.write(
            b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await;
        wire.write(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes())
            .await;
        assert_eq!(wire.answer().await.status, status);
    }
    stage.stop().await;
}

#[tokio::test]
async fn nobody_to_ask_is_told_in_every_dialect() {
    let stage = Setting::at(vec![keyed("p", &nobody().await)]).open().await;
    for path in PATHS {
        let seen = post(stage.address, path, &[], body(path, "p/m").as_bytes()).await;
        assert_eq!(seen.status, 502, "{}", seen.text());
        let (_, message) = told(path, &seen.text());
        assert!(
            message.starts_with("no provider answered: cannot connect to 127.0.0.1"),
            "{message}"
        );
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(detail.exchange.outcome.as_deref(), Some("failed"));
        assert_eq!(
            detail.settled.unwrap().attempts[0].fault.as_deref(),
            Some("connect")
        );
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_provider_that_hangs_up_half_way_through_its_head_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stage = Setting::at(vec![keyed("p", &url)]).open().await;
    let half = async {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-le")
                .await
                .unwrap();
            socket.shutdown().await.unwrap();
        }
    };
    let sent = body(PATHS[0], "p/m");
    let seen = tokio::select! {
        seen = post(stage.address, PATHS[0], &[], sent.as_bytes()) => seen,
        () = half => unreachable!("the provider goes on for ever"),
    };
    assert_eq!(seen.status, 502);
    stage.stop().await;
}

#[rstest]
#[case::without(None, "5")]
#[case::with(Some("17"), "17")]
#[tokio::test]
async fn a_rate_limit_keeps_its_words_and_always_says_when_to_come_back(
    #[case] theirs: Option<&'static str>,
    #[case] expected: &str,
) {
    const WORDS: &str = r#"{"error":{"message":"slow down, caf\u00e9","x":1.0}}"#;
    let scripted = Scripted::start(move |_| {
        let reply = Reply::json(429, WORDS);
        match theirs {
            Some(value) => reply.with_header("retry-after", value),
            None => reply,
        }
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    for path in PATHS {
        let seen = post(stage.address, path, &[], body(path, "p/m").as_bytes()).await;
        assert_eq!((seen.status, seen.text().as_str()), (429, WORDS));
        assert_eq!(seen.header("retry-after"), Some(expected));
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(detail.exchange.outcome.as_deref(), Some("failed"));
    }
    stage.stop().await;
}

#[tokio::test]
async fn an_overloaded_provider_is_asked_again_and_then_another() {
    let tries = AtomicUsize::new(0);
    let stumbling = Scripted::start(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 | 2 | 3 => Reply::json(529, r#"{"type":"error"}"#),
        _ => Reply::json(200, MESSAGE),
    })
    .await
    .unwrap();
    let steady = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let providers = vec![keyed("p", &stumbling.url()), keyed("q", &steady.url())];
    let stage = Setting::at(providers).open().await;
    // `small-edit` goes to `fast`, which both providers have.
    let sent = asking("wayproof/small-edit", "rename x to y");
    for (target, tries) in [("p/fast-1", 2), ("q/fast-1", 3)] {
        let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.header("x-wayproof-target"), Some(target));
        assert_eq!(seen.header("x-wayproof-class"), Some("fast"));
        let settled = stage.settled(seen.exchange()).await.settled.unwrap();
        assert_eq!(settled.attempts.len(), tries);
    }
    stage.stop().await;
}

#[rstest]
#[case::messages("/v1/messages", "api_error")]
#[case::chat("/v1/chat/completions", "server_error")]
#[case::responses("/v1/responses", "server_error")]
#[tokio::test]
async fn a_ledger_that_cannot_write_refuses_new_work(#[case] path: &str, #[case] kind: &str) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    stage.ledger.close().await.unwrap();
    let seen = post(stage.address, path, &[], body(path, "p/m").as_bytes()).await;
    assert_eq!(seen.status, 503);
    let (told, message) = told(path, &seen.text());
    assert_eq!(told, kind);
    assert_eq!(
        message,
        "no new work is taken while the ledger cannot write: the ledger is closed"
    );
    assert!(
        scripted.captured().is_empty(),
        "a provider was asked all the same"
    );
}

#[tokio::test]
async fn a_client_that_pauses_in_its_body_is_not_waited_for() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.longest_body_pause = std::time::Duration::from_millis(100);
    let stage = setting.open().await;
    let mut wire = Wire::open(stage.address).await;
    wire.write(
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"mo",
    )
    .await;
    let seen = wire.answer().await;
    assert_eq!(seen.status, 400);
    assert!(seen.text().contains("paused"), "{}", seen.text());
    stage.stop().await;
}
