//! Gemini clients at a provider of their own protocol.

use wayproof_testkit::{Provider as Scripted, Reply};
use wayproof_wire::{AnswerForm, Protocol};

use crate::client::{get, post};
use crate::dialect::{answer, events, request};
use crate::stage::Setting;

#[tokio::test]
async fn what_goes_by_is_not_touched() {
    let scripted = Scripted::start(|captured| {
        if captured.path.contains(":countTokens") {
            Reply::json(200, r#"{"totalTokens": 31}"#)
        } else {
            answer(Protocol::Gemini, captured)
        }
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = request(Protocol::Gemini, "", AnswerForm::Whole, None);
    let cases = [
        (
            "/v1beta/models/p/some%20m:generateContent",
            "/v1beta/models/some%20m:generateContent",
        ),
        (
            "/v1/models/p%2Fm:generateContent",
            "/v1/models/m:generateContent",
        ),
        (
            "/v1beta/models/p/m:streamGenerateContent?key=wp_none&alt=sse&x=1",
            "/v1beta/models/m:streamGenerateContent?alt=sse&x=1",
        ),
    ];
    for (path, expected) in cases {
        let headers = [("x-odd", "1")];
        let seen = post(stage.address, path, &headers, sent.as_bytes()).await;
        if path.contains("key=wp_none") {
            // A key of this gateway's form that it does not know.
            assert_eq!(seen.status, 401, "{}", seen.text());
            let path = path.replace("wp_none", "google-key");
            let seen = post(stage.address, &path, &headers, sent.as_bytes()).await;
            assert_eq!(seen.text(), events(Protocol::Gemini, false).concat());
            assert_eq!(seen.header("x-wayproof-target"), Some("p/m"));
            let settled = stage.settled(seen.exchange()).await.settled.unwrap();
            assert_eq!(settled.usage.unwrap().cache_read, Some(60));
            assert_eq!(settled.asked_in, None);
        } else {
            assert_eq!(seen.status, 200, "{}", seen.text());
        }
        let captured = scripted.captured().pop().unwrap();
        assert_eq!(captured.path, expected);
        assert_eq!(captured.body, sent);
        assert_eq!(captured.header("x-goog-api-key"), Some("sk-gateway"));
        assert_eq!(captured.header("x-odd"), Some("1"));
    }
    let count = r#"{"generateContentRequest":{"model":"models/m","contents":[]}}"#;
    let path = "/v1beta/models/p/m:countTokens";
    let seen = post(stage.address, path, &[], count.as_bytes()).await;
    assert_eq!(seen.text(), r#"{"totalTokens": 31}"#);
    assert_eq!(scripted.captured().pop().unwrap().body, count);
    stage.stop().await;
}

#[tokio::test]
async fn faults_are_told_in_its_words() {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let stage = Setting::with(&scripted).open().await;
    let seen = post(
        stage.address,
        "/v1beta/models/p/m:generateContent",
        &[],
        b"{}",
    )
    .await;
    assert_eq!(seen.status, 400);
    assert!(
        seen.text().contains(r#""status":"INVALID_ARGUMENT""#),
        "{}",
        seen.text()
    );
    assert!(
        seen.text().contains("`contents` must be an array"),
        "{}",
        seen.text()
    );
    let seen = get(stage.address, "/v1beta/models/p/m:generateContent", &[]).await;
    assert_eq!(seen.status, 405);
    let seen = get(stage.address, "/v1beta/nothing", &[]).await;
    assert_eq!(seen.status, 404);
    assert!(
        seen.text().contains(r#""status":"NOT_FOUND""#),
        "{}",
        seen.text()
    );
    stage.stop().await;
}
