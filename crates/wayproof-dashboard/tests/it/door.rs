//! Who may look: hosts, origins, keys, sessions, forms.

use axum::body::Body;
use axum::http::Request;
use rstest::rstest;
use wayproof_ledger::Clock;

use crate::stage::{NOON_US, Stage, form, request};

const KEY: &str = "wp_team_secret";

pub(crate) fn with(headers: &[(&str, &str)]) -> Request<Body> {
    let mut asked = Request::builder()
        .uri("/jobs")
        .header("accept", "text/html");
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    asked.body(Body::empty()).unwrap()
}

#[rstest]
#[case::by_name(&[("host", "localhost:4417")], 200)]
#[case::by_address(&[("host", "127.0.0.1:4417")], 200)]
#[case::by_new_address(&[("host", "[::1]:4417")], 200)]
#[case::rebound(&[("host", "evil.example")], 403)]
#[case::rebound_with_port(&[("host", "evil.example:4417")], 403)]
#[case::no_host(&[], 403)]
#[case::two_hosts(&[("host", "localhost"), ("host", "evil.example")], 403)]
#[case::odd_host(&[("host", "localhost/<script>")], 403)]
#[case::forwarded(&[("host", "localhost"), ("x-forwarded-for", "203.0.113.9")], 403)]
#[case::embedded(&[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], 403)]
#[case::framed(&[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], 403)]
#[case::fetched(&[("host", "localhost"), ("origin", "https://evil.example")], 403)]
#[case::link(&[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], 200)]
#[tokio::test]
async fn without_a_key_only_this_machine_looks(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
) {
    let stage = Stage::new().await;
    let seen = stage.ask(with(headers)).await;
    assert_eq!(seen.status, status, "{}", seen.text);
    assert!(!seen.header("content-security-policy").is_empty());
}

#[tokio::test]
async fn without_a_key_nobody_looks_from_elsewhere() {
    let stage = Stage::new().await;
    let seen = stage
        .ask_from([10, 0, 0, 9], with(&[("host", "localhost")]))
        .await;
    assert_eq!(seen.status, 403);
}

#[tokio::test]
async fn with_a_key_one_signs_in_and_out() {
    let stage = Stage::with_key(KEY).await;
    let away = stage.get("/jobs?task=a").await;
    assert_eq!(
        (away.status.as_u16(), away.header("location")),
        (303, "/login?to=%2Fjobs%3Ftask%3Da")
    );
    assert_eq!(stage.get("/live").await.status, 401);
    let login = stage.get(away.header("location")).await;
    assert!(
        login.text.contains("Sign in") && !login.text.contains("<nav"),
        "{}",
        login.text
    );
    let csrf = login.csrf();
    let wrong = stage
        .ask(form(
            "/login",
            "",
            &[("csrf", &csrf), ("key", "wp_team_secreu")],
        ))
        .await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("no key of this gateway") && !wrong.text.contains("secreu"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("key", KEY),
        ("to", "/jobs?task=a"),
    ];
    let right = stage
        .ask(form("/login", "wayproof_session=stolen", &fields))
        .await;
    assert_eq!(
        (right.status.as_u16(), right.header("location")),
        (303, "/jobs?task=a")
    );
    let set = right.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    let cookie = right.cookie();
    assert!(!cookie.contains("stolen"));
    let inside = request("GET", "/jobs")
        .header("cookie", &cookie)
        .body(Body::empty())
        .unwrap();
    let inside = stage.ask(inside).await;
    assert_eq!(inside.status, 200);
    assert!(inside.text.contains("Sign out team"));
    let out = stage
        .ask(form("/logout", &cookie, &[("csrf", &inside.csrf())]))
        .await;
    assert_eq!(out.status, 303);
    let gone = request("GET", "/jobs")
        .header("cookie", &cookie)
        .body(Body::empty())
        .unwrap();
    assert_eq!(stage.ask(gone).await.status, 303);
}

#[tokio::test]
async fn a_form_needs_its_token_and_its_origin() {
    let stage = Stage::new().await;
    let csrf = stage.get("/jobs").await.csrf();
    let bare = stage.ask(form("/theme", "", &[("theme", "dark")])).await;
    assert_eq!(bare.status, 403);
    let wrong = stage
        .ask(form("/theme", "", &[("csrf", "0"), ("theme", "dark")]))
        .await;
    assert_eq!(wrong.status, 403);
    let mut foreign = form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]);
    foreign
        .headers_mut()
        .insert("origin", "http://localhost:4418".parse().unwrap());
    assert_eq!(stage.ask(foreign).await.status, 403);
    let mut null = form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]);
    null.headers_mut().insert("origin", "null".parse().unwrap());
    assert_eq!(stage.ask(null).await.status, 403);
    let mut json = form("/theme", "", &[("csrf", &csrf)]);
    json.headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(stage.ask(json).await.status, 415);
    let long = "x".repeat(300 << 10);
    let long = stage
        .ask(form("/policy", "", &[("csrf", &csrf), ("policy", &long)]))
        .await;
    assert_eq!(long.status, 413);
    let right = stage
        .ask(form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]))
        .await;
    assert_eq!(right.status, 303);
    let other = Stage::new().await;
    let elsewhere = other
        .ask(form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]))
        .await;
    assert_eq!(
        elsewhere.status, 403,
        "a token is good for one start of the gateway"
    );
}

#[tokio::test]
async fn guessing_keys_is_slow() {
    let stage = Stage::with_key(KEY).await;
    let csrf = stage.get("/login").await.csrf();
    for _ in 0..10 {
        let wrong = stage
            .ask(form("/login", "", &[("csrf", &csrf), ("key", "guess")]))
            .await;
        assert_eq!(wrong.status, 401);
    }
    let stopped = stage
        .ask(form("/login", "", &[("csrf", &csrf), ("key", KEY)]))
        .await;
    assert_eq!(
        (stopped.status.as_u16(), stopped.header("retry-after")),
        (429, "60")
    );
    stage.clock.set(NOON_US + 61_000_000);
    let later = stage
        .ask(form("/login", "", &[("csrf", &csrf), ("key", KEY)]))
        .await;
    assert_eq!(later.status, 303);
}

#[tokio::test]
async fn a_session_gets_a_new_token_and_ends() {
    let stage = Stage::with(|house| house.key = Some(KEY), Clock::fixed(NOON_US)).await;
    let csrf = stage.get("/login").await.csrf();
    let cookie = stage
        .ask(form("/login", "", &[("csrf", &csrf), ("key", KEY)]))
        .await
        .cookie();
    let get = |cookie: &str| {
        request("GET", "/jobs")
            .header("cookie", cookie)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(stage.ask(get(&cookie)).await.header("set-cookie"), "");
    let minute = 60_000_000;
    stage.clock.set(NOON_US + 31 * minute);
    let renewed = stage.ask(get(&cookie)).await;
    let fresh = renewed.cookie();
    assert_ne!(fresh, cookie);
    stage.clock.set(NOON_US + 33 * minute);
    assert_eq!(
        stage.ask(get(&cookie)).await.status,
        303,
        "the old token is worth nothing"
    );
    assert_eq!(stage.ask(get(&fresh)).await.status, 200);
    stage.clock.set(NOON_US + 14 * 60 * minute);
    assert_eq!(
        stage.ask(get(&fresh)).await.status,
        303,
        "no session lasts for ever"
    );
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let stage = Stage::new().await;
    for path in [
        "/",
        "/jobs",
        "/nothing",
        "/assets/0.1.0/style.css",
        "/jobs/none",
    ] {
        let seen = stage.get(path).await;
        let policy = seen.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(seen.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(seen.header("referrer-policy"), "same-origin", "{path}");
        let is_page = seen.header("content-type").starts_with("text/html");
        assert!(
            !is_page || seen.header("cache-control") == "no-store",
            "{path}"
        );
    }
}
