//! Who may look: hosts, origins, keys, sessions, forms.

use axum::body::Body;
use axum::http::Request;
use rstest::rstest;
use wayproof_dashboard::TrustedProxy;
use wayproof_ledger::{Clock, FormerDigest, Key, Person, Role};

use crate::stage::{NOON_US, Stage, form, request};

const KEY: &str = "wp_team_secret";

fn with(headers: &[(&str, &str)]) -> Request<Body> {
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

/// A key as operators give one out, kept in the books of a stage.
async fn give_key(stage: &Stage, name: &str, role: Option<Role>) -> String {
    let secret = format!("wp_key_{name}_0123456789abcdef");
    let books = stage.ledger.books();
    if let Some(role) = role {
        let person = Person {
            name: name.to_owned(),
            teams: [].into(),
            role,
        };
        books.put_person(person).await.unwrap();
    }
    let key = Key {
        id: name.to_owned(),
        name: format!("{name}-laptop"),
        digest: digest(&secret),
        former: None,
        person: role.map(|_| name.to_owned()),
        teams: [].into(),
        scope: wayproof_engine::Scope::default(),
        requests_per_minute: None,
        tokens_per_minute: None,
        made_us: NOON_US,
        expires_us: None,
        revoked_us: None,
    };
    books.put_key(key).await.unwrap();
    secret
}

fn digest(secret: &str) -> String {
    wayproof_receipt::sha256_hex(secret.as_bytes())
}

/// A stage whose callers need one of the keys that were given out, and a clock that moves.
async fn keyed() -> Stage {
    Stage::with(|house| house.wants_key = true, Clock::fixed(NOON_US)).await
}

async fn sign_in(stage: &Stage, key: &str) -> String {
    let csrf = stage.get("/login").await.csrf();
    let seen = stage
        .ask(form("/login", "", &[("csrf", &csrf), ("key", key)]))
        .await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    seen.cookie()
}

async fn as_reader(stage: &Stage, cookie: &str, path: &str) -> crate::stage::Seen {
    let asked = request("GET", path).header("cookie", cookie);
    stage.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_reader_sees_what_their_role_is_for() {
    let stage = keyed().await;
    let keys = [
        (give_key(&stage, "ci", None).await, "ci-laptop", "viewer"),
        (
            give_key(&stage, "ana", Some(Role::Viewer)).await,
            "ana",
            "viewer",
        ),
        (
            give_key(&stage, "bo", Some(Role::Reviewer)).await,
            "bo",
            "reviewer",
        ),
        (
            give_key(&stage, "cy", Some(Role::Admin)).await,
            "cy",
            "admin",
        ),
    ];
    for (key, name, role) in keys {
        let cookie = sign_in(&stage, &key).await;
        let jobs = as_reader(&stage, &cookie, "/jobs").await;
        assert_eq!(jobs.status, 200, "{name}");
        let signed = format!("Sign out {name} <span class=\"soft\">({role})</span>");
        assert!(jobs.text.contains(&signed), "{name}: {}", jobs.text);
        let is_reviewer = role != "viewer";
        assert_eq!(
            jobs.text.contains("href=\"/review\""),
            is_reviewer,
            "{name}"
        );
        assert_eq!(
            jobs.text.contains("href=\"/settings\""),
            role == "admin",
            "{name}"
        );
        let settings = as_reader(&stage, &cookie, "/settings").await;
        let wanted = if role == "admin" { 200 } else { 403 };
        assert_eq!(settings.status, wanted, "{name}");
        if role != "admin" {
            let told = format!("This page is for the role admin; yours is {role}.");
            assert!(settings.text.contains(&told), "{}", settings.text);
        }
        let review = as_reader(&stage, &cookie, "/review").await;
        assert_eq!(
            review.status == 403,
            !is_reviewer,
            "{name}: {}",
            review.text
        );
    }
}

#[tokio::test]
async fn from_elsewhere_a_given_out_key_signs_in() {
    let stage = keyed().await;
    let key = give_key(&stage, "ana", Some(Role::Viewer)).await;
    let away = with(&[("host", "wayproof.example")]);
    let away = stage.ask_from([203, 0, 113, 9], away).await;
    assert_eq!(
        (away.status.as_u16(), away.header("location")),
        (303, "/login?to=%2Fjobs")
    );
    let login = Request::get("/login").header("host", "wayproof.example");
    let login = stage
        .ask_from([203, 0, 113, 9], login.body(Body::empty()).unwrap())
        .await;
    let csrf = login.csrf();
    let mut entering = form("/login", "", &[("csrf", &csrf), ("key", &key)]);
    entering
        .headers_mut()
        .insert("host", "wayproof.example".parse().unwrap());
    entering
        .headers_mut()
        .insert("origin", "https://wayproof.example".parse().unwrap());
    let inside = stage.ask_from([203, 0, 113, 9], entering).await;
    assert_eq!(inside.status, 303, "{}", inside.text);
    assert!(inside.header("set-cookie").contains("; Secure"));
}

#[tokio::test]
async fn what_becomes_of_a_key_becomes_of_its_session() {
    let stage = keyed().await;
    let key = give_key(&stage, "ana", Some(Role::Admin)).await;
    let cookie = sign_in(&stage, &key).await;
    assert_eq!(as_reader(&stage, &cookie, "/settings").await.status, 200);
    give_key(&stage, "ana", Some(Role::Viewer)).await;
    stage.clock.set(NOON_US + 2_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/settings").await.status,
        403,
        "a role that was taken is gone"
    );
    let known = stage
        .ledger
        .books()
        .register()
        .key_named("ana-laptop")
        .unwrap()
        .clone();
    let rotated = Key {
        digest: digest("another"),
        former: Some(FormerDigest {
            digest: known.digest.clone(),
            until_us: NOON_US + 60_000_000,
        }),
        ..known
    };
    stage.ledger.books().put_key(rotated.clone()).await.unwrap();
    stage.clock.set(NOON_US + 59_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        200,
        "the grace of a rotation"
    );
    stage.clock.set(NOON_US + 61_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        303,
        "the grace is over"
    );
    stage.clock.set(NOON_US + 130_000_000);
    let cookie = sign_in(&stage, "another").await;
    let revoked = Key {
        revoked_us: Some(NOON_US + 131_000_000),
        ..rotated
    };
    stage.ledger.books().put_key(revoked).await.unwrap();
    stage.clock.set(NOON_US + 133_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        303,
        "a revoked key is nobody's"
    );
    assert_eq!(as_reader(&stage, &cookie, "/live").await.status, 401);
}

/// A stage behind a proxy at 10.0.0.0/24 that names people.
async fn proxied() -> Stage {
    let proxy = TrustedProxy::new(&["10.0.0.0/24".to_owned()], "x-forwarded-user").unwrap();
    let stage = Stage::with(|house| house.proxy = Some(proxy), Clock::fixed(NOON_US)).await;
    let person = Person {
        name: "bo@example.org".to_owned(),
        teams: [].into(),
        role: Role::Reviewer,
    };
    stage.ledger.books().put_person(person).await.unwrap();
    stage.clock.set(NOON_US + 2_000_000);
    stage
}

#[rstest]
#[case::named([10, 0, 0, 7], &[("x-forwarded-user", "bo@example.org")], 200, "bo@example.org (reviewer)")]
#[case::stranger([10, 0, 0, 7], &[("x-forwarded-user", "eve@example.org")], 403, "does not have you")]
#[case::hostile([10, 0, 0, 7], &[("x-forwarded-user", "<script>alert(1)</script>")], 403, "&lt;script&gt;")]
#[case::twice([10, 0, 0, 7], &[("x-forwarded-user", "bo@example.org"), ("x-forwarded-user", "root")], 403, "names nobody clearly")]
#[case::no_name([10, 0, 0, 7], &[], 403, "No key of this gateway is good")]
#[case::another_proxy([10, 0, 1, 7], &[("x-forwarded-user", "bo@example.org")], 403, "No key of this gateway is good")]
#[case::this_machine([127, 0, 0, 1], &[("x-forwarded-user", "bo@example.org"), ("x-forwarded-for", "203.0.113.9")], 403, "No key")]
#[tokio::test]
async fn a_trusted_proxy_says_who_asks(
    #[case] peer: [u8; 4],
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] words: &str,
) {
    let stage = proxied().await;
    let mut all = vec![("host", "wayproof.example")];
    all.extend(headers);
    let seen = stage.ask_from(peer, with(&all)).await;
    assert_eq!(seen.status, status, "{}", seen.text);
    assert!(seen.text.contains(words), "{}", seen.text);
}

#[tokio::test]
async fn a_proxy_on_this_machine_does_not_make_everybody_local() {
    let proxy = TrustedProxy::new(&["127.0.0.1".to_owned()], "x-forwarded-user").unwrap();
    let stage = Stage::with(|house| house.proxy = Some(proxy), Clock::fixed(NOON_US)).await;
    // A proxy may rewrite the host and say nothing of whom it serves.
    let seen = stage.ask(with(&[("host", "127.0.0.1:4417")])).await;
    assert_eq!(seen.status, 403, "{}", seen.text);
}

#[tokio::test]
async fn a_form_behind_a_proxy_is_its_readers_own() {
    let stage = proxied().await;
    let person = Person {
        name: "ana".to_owned(),
        teams: [].into(),
        role: Role::Viewer,
    };
    stage.ledger.books().put_person(person).await.unwrap();
    stage.clock.set(NOON_US + 4_000_000);
    let page = stage
        .ask_from(
            [10, 0, 0, 7],
            with(&[
                ("host", "inner:4417"),
                ("x-forwarded-host", "wayproof.example"),
                ("x-forwarded-user", "ana"),
            ]),
        )
        .await;
    let csrf = page.csrf();
    let send = |user: &'static str, origin: &'static str| {
        let mut sent = form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]);
        let headers = sent.headers_mut();
        headers.insert("host", "inner:4417".parse().unwrap());
        headers.insert("x-forwarded-host", "wayproof.example".parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        headers.insert("x-forwarded-user", user.parse().unwrap());
        sent
    };
    let own = stage
        .ask_from([10, 0, 0, 7], send("ana", "https://wayproof.example"))
        .await;
    assert_eq!(own.status, 303, "{}", own.text);
    let other = stage
        .ask_from(
            [10, 0, 0, 7],
            send("bo@example.org", "https://wayproof.example"),
        )
        .await;
    assert_eq!(other.status, 403, "a token of one reader is not another's");
    let foreign = stage
        .ask_from([10, 0, 0, 7], send("ana", "https://evil.example"))
        .await;
    assert_eq!(foreign.status, 403);
}
