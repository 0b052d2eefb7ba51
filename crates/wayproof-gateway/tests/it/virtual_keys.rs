//! Keys that operators give out: who needs one, what it is good for, how fast, and for how long.

use wayproof_engine::Scope;
use wayproof_gateway::{KeyDigest, mint_key, mint_key_again};
use wayproof_ledger::{FormerDigest, Key};
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::post;
use crate::stage::{MESSAGE, Setting, Stage, asking};

async fn stage() -> (Scripted, Stage) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    (scripted, stage)
}

fn key(name: &str, id: &str, secret: &str) -> Key {
    Key {
        id: id.to_owned(),
        name: name.to_owned(),
        digest: KeyDigest::of(secret.as_bytes()).to_hex(),
        former: None,
        person: None,
        teams: std::collections::BTreeSet::new(),
        scope: Scope::default(),
        requests_per_minute: None,
        tokens_per_minute: None,
        made_us: 0,
        expires_us: None,
        revoked_us: None,
    }
}

async fn put(stage: &Stage, key: Key) {
    stage.ledger.books().put_key(key).await.unwrap();
}

async fn ask(stage: &Stage, key: Option<&str>) -> (u16, String) {
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let shown = key.map(|key| ("x-api-key", key));
    let seen = post(
        stage.address,
        "/v1/messages",
        shown.as_slice(),
        sent.as_bytes(),
    )
    .await;
    (seen.status, seen.text())
}

#[tokio::test]
async fn once_there_is_a_key_everybody_needs_one() {
    let (scripted, stage) = stage().await;
    assert_eq!(ask(&stage, None).await.0, 200);
    let (id, secret) = mint_key().unwrap();
    put(&stage, key("ci", &id, &secret)).await;
    assert_eq!(ask(&stage, None).await.0, 401);
    assert_eq!(ask(&stage, Some("sk-ant-someone")).await.0, 401);
    assert_eq!(ask(&stage, Some(&secret)).await.0, 200);
    let other = mint_key_again(&id).unwrap();
    assert_eq!(ask(&stage, Some(&other)).await.0, 401);
    assert_eq!(ask(&stage, Some("wp_key_nobody_00")).await.0, 401);
    // The provider never sees it.
    for request in scripted.captured() {
        let told = format!("{:?}", request.headers);
        assert!(!told.contains("wp_key_"), "{told}");
    }
    // Rotated: the old one is good for a while beside the new one.
    let mut rotated = key("ci", &id, &other);
    rotated.former = Some(FormerDigest {
        digest: KeyDigest::of(secret.as_bytes()).to_hex(),
        until_us: i64::MAX,
    });
    put(&stage, rotated.clone()).await;
    assert_eq!(ask(&stage, Some(&secret)).await.0, 200);
    assert_eq!(ask(&stage, Some(&other)).await.0, 200);
    rotated.former = rotated.former.map(|former| FormerDigest {
        until_us: 1,
        ..former
    });
    put(&stage, rotated.clone()).await;
    assert_eq!(ask(&stage, Some(&secret)).await.0, 401);
    rotated.revoked_us = Some(1);
    put(&stage, rotated).await;
    let (status, text) = ask(&stage, Some(&other)).await;
    assert_eq!(status, 401);
    assert!(text.contains("key `ci` was revoked"), "{text}");
    // That nobody has a key any more opens no door; an operator does.
    assert_eq!(ask(&stage, None).await.0, 401);
    stage.ledger.books().remove_key(&id).await.unwrap();
    assert_eq!(ask(&stage, None).await.0, 200);
    stage.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table, read from top to bottom")]
async fn a_key_is_good_for_what_it_was_given_for() {
    let (scripted, stage) = stage().await;
    let (id, secret) = mint_key().unwrap();
    let scoped = |scope: Scope| Key {
        scope,
        ..key("docs", &id, &secret)
    };
    let only = |name: &str| [name.to_owned()].into();
    for (scope, expected, words) in [
        (
            Scope {
                tasks: only("bug-fix"),
                ..Scope::default()
            },
            200,
            "",
        ),
        (
            Scope {
                classes: only("strong"),
                ..Scope::default()
            },
            200,
            "",
        ),
        (
            Scope {
                providers: only("p"),
                ..Scope::default()
            },
            200,
            "",
        ),
        (
            Scope {
                tasks: only("documentation"),
                ..Scope::default()
            },
            403,
            "task `bug-fix`, only for documentation",
        ),
        (
            Scope {
                classes: only("fast"),
                ..Scope::default()
            },
            403,
            "class `strong`, only for fast",
        ),
        (
            Scope {
                providers: only("q"),
                ..Scope::default()
            },
            403,
            "provider `p`, only for q",
        ),
    ] {
        put(&stage, scoped(scope)).await;
        let (status, text) = ask(&stage, Some(&secret)).await;
        assert_eq!(status, expected, "{text}");
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(scripted.captured().len(), 3);
    put(
        &stage,
        Key {
            expires_us: Some(1),
            ..key("docs", &id, &secret)
        },
    )
    .await;
    // An expired key needs no other one, but is none.
    let (status, text) = ask(&stage, Some(&secret)).await;
    assert_eq!(status, 401);
    assert!(text.contains("key `docs` has expired"), "{text}");
    stage.stop().await;
}

#[tokio::test]
async fn a_key_goes_at_its_pace_and_is_told_when_to_come_back() {
    let (_scripted, stage) = stage().await;
    let (id, secret) = mint_key().unwrap();
    let slow = Key {
        requests_per_minute: Some(2),
        ..key("slow", &id, &secret)
    };
    put(&stage, slow).await;
    assert_eq!(ask(&stage, Some(&secret)).await.0, 200);
    let gemini = r#"{"contents":[{"role":"user","parts":[{"text":"the page crashes"}]}]}"#;
    let shown = [("x-goog-api-key", secret.as_str())];
    let path = "/v1beta/models/strong-1:generateContent";
    let second = post(stage.address, path, &shown, gemini.as_bytes()).await;
    assert_ne!(second.status, 429);
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let seen = post(
        stage.address,
        "/v1/messages",
        &[("x-api-key", secret.as_str())],
        sent.as_bytes(),
    )
    .await;
    assert_eq!(seen.status, 429);
    let wait: u64 = seen.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(
        seen.text()
            .contains("key `slow` may use 2 requests a minute"),
        "{}",
        seen.text()
    );
    let seen = post(stage.address, path, &shown, gemini.as_bytes()).await;
    assert_eq!(seen.status, 429);
    assert!(seen.text().contains("RetryInfo"), "{}", seen.text());
    let (id, secret) = mint_key().unwrap();
    let thrifty = Key {
        tokens_per_minute: Some(20),
        ..key("thrifty", &id, &secret)
    };
    put(&stage, thrifty).await;
    // Each answer is 15 tokens: the second goes into debt, and the third waits for that.
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let seen = post(
            stage.address,
            "/v1/messages",
            &[("x-api-key", secret.as_str())],
            sent.as_bytes(),
        )
        .await;
        if seen.status == 200 {
            stage.settled(seen.exchange()).await;
        }
        statuses.push(seen.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    stage.stop().await;
}

#[tokio::test]
async fn tokens_of_thinking_count() {
    const THOUGHT: &str = r#"{"id":"r","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":505,"completion_tokens_details":{"reasoning_tokens":500}}}"#;
    let scripted = Scripted::start(|_| Reply::json(200, THOUGHT))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (id, secret) = mint_key().unwrap();
    let thrifty = Key {
        tokens_per_minute: Some(100),
        ..key("thrifty", &id, &secret)
    };
    put(&stage, thrifty).await;
    let sent =
        r#"{"model":"p/strong-1","messages":[{"role":"user","content":"the page crashes"}]}"#;
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", bearer.as_str())];
    let seen = post(
        stage.address,
        "/v1/chat/completions",
        &headers,
        sent.as_bytes(),
    )
    .await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    stage.settled(seen.exchange()).await;
    let seen = post(
        stage.address,
        "/v1/chat/completions",
        &headers,
        sent.as_bytes(),
    )
    .await;
    assert_eq!(seen.status, 429);
    // 15 tokens would have left room; 515 take minutes to pay back.
    let wait: u64 = seen.header("retry-after").unwrap().parse().unwrap();
    assert!(wait > 60, "{wait}");
    stage.stop().await;
}
